"""The response of an invocation, streamed from the function to its client."""

from __future__ import annotations

import asyncio
import json
import weakref
from collections import deque
from typing import Any, Self

from local.lambda_service.errors import BadPrelude, FunctionError

# Buffered bytes for a slow reader, before the function is blocked.
BUFFER_BYTES = 65536
# API Gateway's limit for the metadata including its delimiter.
PRELUDE_BYTES = 16384
PRELUDE_END = b"\0" * 8


class Channel:
    """A stream of bytes from one writer to one reader, who may abandon it.

    Attributes:
        trailers: The error from the trailers of the response, if any.
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
        """Writes bytes; waits while the buffer is full."""
        while self._size >= BUFFER_BYTES and not self._abandoned and not self._ended:
            self._writable.clear()
            await self._writable.wait()
        if data and not self._abandoned and not self._ended:
            self._chunks.append(data)
            self._size += len(data)
            self._readable.set()

    def end(self, error: FunctionError | None = None) -> None:
        """Ends the stream; the reader gets the buffered bytes, then the error if there is one."""
        if not self._ended:
            self._ended = True
            self._error = error
            self._readable.set()
            self._writable.set()

    async def read(self) -> bytes:
        """The next bytes; empty at the end.

        Raises:
            FunctionError: The function failed before the end of the response.
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
        """Discards all further bytes, so that the writer never waits again."""
        self._abandoned = True
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._writable.set)


class StreamedResponse:
    """The response of a streaming invocation.

    If it is garbage-collected before its end, the function continues, as on Lambda, and further bytes are discarded.

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
        """The payload, or the rest of it after `prelude`."""
        return self

    @property
    def error(self) -> dict[str, Any] | None:
        """The error from the trailers, once the body has ended. The invocation still counts as successful."""
        return self._channel.trailers

    async def prelude(self) -> dict[str, Any]:
        """The metadata before the eight NUL bytes.

        Raises:
            BadPrelude: It is missing or malformed.
            FunctionError: The function failed before its end.
        """
        data = b""
        while (end := data.find(PRELUDE_END, 0, PRELUDE_BYTES)) < 0:
            part = await self._channel.read()
            if not part or len(data) >= PRELUDE_BYTES:
                raise BadPrelude("no eight NUL bytes after the metadata within 16 KB")
            data += part
        metadata, self._rest = data[:end], data[end + len(PRELUDE_END) :]
        try:
            prelude = json.loads(metadata)
        except ValueError as error:
            raise BadPrelude("the metadata is not JSON") from error
        if not isinstance(prelude, dict):
            raise BadPrelude("the metadata is not a JSON object")
        return prelude

    def close(self) -> None:
        """Abandons the response; the function continues."""
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
