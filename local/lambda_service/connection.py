"""An HTTP/1.1 connection from a runtime, checked strictly by h11."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import h11

_READ_BYTES = 65536
# The header with the X-Ray cause of an error has up to 1 MiB.
_HEAD_BYTES = 2 * 1024 * 1024
# Like the Go HTTP server of Lambda's Runtime API: a client whose request is rejected early can read the response.
_LINGER_SECONDS = 0.5


class TruncatedRequestError(Exception):
    """The connection ended before the request did."""


class NotHttpError(Exception):
    """The runtime sent something that is not HTTP."""


class Connection:
    """A connection with one request at a time.

    Attributes:
        trailers: The trailers of the last request whose body was read, by lower-case name.
        retired: The connection carried a streamed response, after which a runtime must close it.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_HEAD_BYTES)
        self._ended = False
        self.trailers: dict[str, str] = {}
        self.retired = False

    async def request(self) -> h11.Request | None:
        """The head of the next request, or None if the runtime has closed the connection.

        Raises:
            NotHttpError: The input is not HTTP.
            TruncatedRequestError: The connection ended before the end of the head.
        """
        if self._http.our_state is not h11.IDLE:
            return None
        event = await self._next()
        return event if isinstance(event, h11.Request) else None

    async def body(self) -> AsyncIterator[bytes]:
        """The body of the request, streamed.

        Raises:
            TruncatedRequestError: The connection ended before the end of the body.
        """
        if self._http.they_are_waiting_for_100_continue:
            self._write(h11.InformationalResponse(status_code=100, headers=[]))
        while isinstance(event := await self._next(), h11.Data):
            yield bytes(event.data)
        if not isinstance(event, h11.EndOfMessage):
            raise TruncatedRequestError("the connection ended before the request")
        self.trailers = headers_of(event)

    async def respond(self, status: int, body: dict[str, Any] | bytes, headers: dict[str, str] | None = None) -> None:
        """Sends the response; keeps the connection open if HTTP allows it."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", "Content-Length": str(len(data)), **(headers or {})}
        self._write(h11.Response(status_code=status, headers=list(sent.items())))
        self._write(h11.Data(data))
        self._write(h11.EndOfMessage())
        await self._writer.drain()
        if self._http.their_state is h11.DONE and self._http.our_state is h11.DONE:
            self._http.start_next_cycle()
        else:
            await self._linger()

    async def _linger(self) -> None:
        if self._writer.can_write_eof():
            self._writer.write_eof()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_SECONDS):
                while await self._read():
                    pass
        self.close()

    def close(self) -> None:
        """Closes the connection."""
        self._writer.close()

    async def _next(self) -> h11.Event | type[h11.PAUSED] | type[h11.NEED_DATA]:
        try:
            while True:
                event = self._http.next_event()
                if event is not h11.NEED_DATA:
                    return event
                self._http.receive_data(await self._read())
        except h11.RemoteProtocolError as error:
            if self._ended:
                raise TruncatedRequestError(str(error)) from error
            raise NotHttpError(str(error)) from error

    async def _read(self) -> bytes:
        """The next bytes from the runtime; empty if the connection has ended for any reason."""
        try:
            data = await self._reader.read(_READ_BYTES)
        except ConnectionError:
            data = b""
        self._ended = not data
        return data

    def _write(self, event: h11.Event) -> None:
        self._writer.write(self._http.send(event) or b"")


def headers_of(message: h11.Request | h11.EndOfMessage) -> dict[str, str]:
    """Headers or trailers by lower-case name."""
    return {name.decode(): value.decode("latin-1") for name, value in message.headers}
