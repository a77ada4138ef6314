"""The output of a process, line by line."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

# Longer lines become several events in CloudWatch Logs.
LINE_BYTES = 256 * 1024


class Output:
    """A pipe for standard output and standard error of a process.

    asyncio's process transport is not used for it, as that may close its pipe only after the event loop has ended.

    Args:
        log: Receives each line, without its newline.
    """

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self._lines: asyncio.Task[None] | None = None
        self._transport: asyncio.ReadTransport | None = None

    async def open(self) -> int:
        """Opens the pipe; returns the descriptor for the process, which the caller must close after starting it."""
        source, sink = os.pipe()
        reader = asyncio.StreamReader()
        self._transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(source, "rb")
        )
        self._lines = asyncio.create_task(self._read(reader))
        return sink

    async def close(self, seconds: float) -> None:
        """Reads the remaining output, at most for so many seconds, as an orphaned process may keep the pipe open."""
        if self._lines is not None and self._transport is not None:
            await asyncio.wait({self._lines}, timeout=seconds)
            self._lines.cancel()
            self._transport.close()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        rest = b""
        while data := await reader.read(65536):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                self._write(line)
            while len(rest) > LINE_BYTES:
                self._write(rest[:LINE_BYTES])
                rest = rest[LINE_BYTES:]
        if rest:
            self._write(rest)

    def _write(self, line: bytes) -> None:
        for start in range(0, len(line) or 1, LINE_BYTES):
            self._log(line[start : start + LINE_BYTES].decode(errors="replace"))
