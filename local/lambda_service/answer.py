"""The answer to one invocation, on its way from the function to whoever invoked it."""

from __future__ import annotations

import asyncio
import json
import weakref
from collections import deque
from typing import Any, Self

from local.lambda_service.errors import BadPrelude, FunctionError

# What waits for a slow reader before the function has to wait as well.
BUFFER_BYTES = 65536
# API Gateway wants the metadata and its end within so much.
PRELUDE_BYTES = 16384
PRELUDE_END = b"\0" * 8


class Channel:
    """Bytes from one writer to one reader, who may lose interest.

    Attributes:
        trailers: The error that the function told after its last byte, if any.
    """

    def __init__(self) -> None:
        self.trailers: dict[str, Any] | None = None
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._readable = asyncio.Event()
        self._writable = asyncio.Event()
        self._ended = False
        self._error: FunctionError | None = None
        self._abandoned = False
        self._loop = asyncio.get_running_loop()

    async def write(self, data: bytes) -> None:
        """Hand over bytes; waits while the reader is behind."""
        while self._size >= BUFFER_BYTES and not self._abandoned and not self._ended:
            self._writable.clear()
            await self._writable.wait()
        if data and not self._abandoned and not self._ended:
            self._chunks.append(data)
            self._size += len(data)
            self._readable.set()

    def end(self, error: FunctionError | None = None) -> None:
        """No more bytes will come; the reader gets those that are here and then the error."""
        if not self._ended:
            self._ended = True
            self._error = error
            self._readable.set()
            self._writable.set()

    async def read(self) -> bytes:
        """The next bytes; none at the end.

        Raises:
            FunctionError: The function broke off.
        """
        while not self._chunks and not self._ended:
            self._readable.clear()
            await self._readable.wait()
        if self._chunks:
            data = self._chunks.popleft()
            self._size -= len(data)
            self._writable.set()
            return data
        if self._error is not None:
            raise self._error
        return b""

    def abandon(self) -> None:
        """The reader has gone: what still comes is thrown away, and the writer never waits again."""
        self._abandoned = True
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._writable.set)


class StreamedAnswer:
    """The answer of a streaming invocation, while it comes.

    When nobody holds it or its body any more the function goes on, as on Lambda, and its bytes are thrown away.

    Attributes:
        content_type: The content type that the function declared to the Runtime API.
    """

    def __init__(self, content_type: str, channel: Channel) -> None:
        self.content_type = content_type
        self._channel = channel
        self._rest = b""
        weakref.finalize(self, channel.abandon).atexit = False

    @property
    def body(self) -> Self:
        """The payload: all of it, or what follows the prelude once that was read."""
        return self

    @property
    def error(self) -> dict[str, Any] | None:
        """The JSON in the error trailers, once the body has ended; the answer counts as successful all the same."""
        return self._channel.trailers

    async def prelude(self) -> dict[str, Any]:
        """The metadata before the eight NULs.

        Raises:
            BadPrelude: There is none.
            FunctionError: The function broke off before its end.
        """
        data = b""
        while (end := data.find(PRELUDE_END, 0, PRELUDE_BYTES)) < 0:
            part = await self._channel.read()
            if not part or len(data) >= PRELUDE_BYTES:
                raise BadPrelude("there are no eight NUL bytes after the metadata within 16 KB")
            data += part
        metadata, self._rest = data[:end], data[end + len(PRELUDE_END) :]
        try:
            told = json.loads(metadata)
        except ValueError as error:
            raise BadPrelude("the metadata is not JSON") from error
        if not isinstance(told, dict):
            raise BadPrelude("the metadata is not a JSON object")
        return told

    def close(self) -> None:
        """Lose interest; the function goes on."""
        self._channel.abandon()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._rest:
            rest, self._rest = self._rest, b""
            return rest
        data = await self._channel.read()
        if not data:
            raise StopAsyncIteration
        return data
