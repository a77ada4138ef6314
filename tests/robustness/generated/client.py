"""A client over plain sockets that sends any bytes, leaves at any time, and accepts only complete responses."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from dataclasses import dataclass, field

from tests.robustness.generated.drafts import Wire

READ_BYTES = 65536
PAUSE_SECONDS = 0.05
PATIENCE_SECONDS = 1.0
BODILESS = (204, 304)


@dataclass
class Received:
    """A complete response.

    Args:
        status: Its status.
        headers: Its headers by their names in lower case.
        body: Its body without its framing.
        seconds: How long it took.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float = 0.0
    repeated: list[str] = field(default_factory=list)


class BrokenResponseError(Exception):
    """A response is not HTTP, is not complete, or more follows it."""


class Connection:
    """A connection for one request after another.

    Args:
        port: The server's.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None
        self._rest = b""
        self._loop = asyncio.get_running_loop()

    async def exchange(self, wire: Wire) -> Received | None:
        """Send a request and read its response.

        Returns:
            The response; None if the client leaves before its end, or the server has closed the connection without one.

        Raises:
            BrokenResponseError: It is none.
        """
        started = time.monotonic()
        connection = await self._connected()
        is_sent = await self._send(connection, wire)
        if wire.sends is not None:
            return await self._leave_after_sending(connection, wire)
        if wire.receives is not None:
            await self._read_some(connection, wire.receives)
            if wire.leaves == "half-closes":
                await self._read_to_the_end(connection)
            self._leave(connection, wire.leaves)
            return None
        response = await self._read(connection, wire.method)
        if response is None and is_sent and not wire.may_be_unanswered:
            raise BrokenResponseError("the connection was closed without a response")
        if response is None or not is_sent or response.headers.get("connection", "").lower() == "close":
            self.close()
        elif self._rest:
            raise BrokenResponseError(f"bytes after the response: {self._rest[:200]!r}")
        if response is not None:
            response.seconds = time.monotonic() - started
        return response

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self._rest = None, b""

    async def _connected(self) -> socket.socket:
        if self._socket is None:
            self._socket = socket.socket()
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self._loop.sock_connect(self._socket, ("127.0.0.1", self._port))
        return self._socket

    async def _send(self, connection: socket.socket, wire: Wire) -> bool:
        """Send the request; returns whether the server has taken all of it."""
        data = wire.data if wire.sends is None else wire.data[: wire.sends]
        size = max(1, -(-len(data) // wire.pieces))
        try:
            for at in range(0, len(data), size):
                await self._loop.sock_sendall(connection, data[at : at + size])
                if wire.pieces > 1:
                    await asyncio.sleep(PAUSE_SECONDS)
        except ConnectionError:  # it answers before it has read everything, and closes
            return False
        return True

    async def _leave_after_sending(self, connection: socket.socket, wire: Wire) -> Received | None:
        if wire.leaves != "half-closes":
            self._leave(connection, wire.leaves)
            return None
        response = None
        with contextlib.suppress(TimeoutError):  # it may wait for more
            async with asyncio.timeout(PATIENCE_SECONDS):
                response = await self._read(connection, wire.method)
        await self._read_to_the_end(connection)
        self.close()
        return response

    def _leave(self, connection: socket.socket, how: str) -> None:
        if how == "resets":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    async def _read_some(self, connection: socket.socket, count: int) -> None:
        received = 0
        while received < count and (data := await self._receive(connection)):
            received += len(data)

    async def _read_to_the_end(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
        while await self._receive(connection):
            pass

    async def _receive(self, connection: socket.socket) -> bytes:
        try:
            return await self._loop.sock_recv(connection, READ_BYTES)
        except ConnectionResetError:
            return b""

    async def _read(self, connection: socket.socket, method: str) -> Received | None:
        while True:
            head = await self._until(connection, b"\r\n\r\n")
            if head is None:
                return None
            response = _parse_head(head)
            if response.status != 100:
                break
        if method == "HEAD" or response.status in BODILESS:
            return response
        if response.headers.get("transfer-encoding") == "chunked":
            response.body = await self._read_chunks(connection)
        elif "content-length" in response.headers:
            response.body = await self._read_exactly(connection, int(response.headers["content-length"]))
        else:
            while data := await self._receive(connection):
                self._rest += data
            response.body, self._rest = self._rest, b""
            response.headers["connection"] = "close"
        return response

    async def _read_chunks(self, connection: socket.socket) -> bytes:
        body = bytearray()
        while True:
            line = await self._until(connection, b"\r\n")
            if line is None:
                raise BrokenResponseError(f"a body of chunks ends after {len(body)} bytes")
            size = int(line, 16)
            chunk = await self._read_exactly(connection, size + 2)
            if not chunk.endswith(b"\r\n"):
                raise BrokenResponseError("a chunk is longer than its size")
            body += chunk[:size]
            if size == 0:
                return bytes(body)

    async def _read_exactly(self, connection: socket.socket, size: int) -> bytes:
        while len(self._rest) < size:
            data = await self._receive(connection)
            if not data:
                raise BrokenResponseError(f"a body of {size} bytes ends after {len(self._rest)}")
            self._rest += data
        found, self._rest = self._rest[:size], self._rest[size:]
        return found

    async def _until(self, connection: socket.socket, end: bytes) -> bytes | None:
        """What comes before some bytes; None if the connection ends without anything."""
        while end not in self._rest:
            data = await self._receive(connection)
            if not data:
                if self._rest:
                    raise BrokenResponseError(f"it ends within {self._rest[:200]!r}")
                return None
            self._rest += data
        found, _, self._rest = self._rest.partition(end)
        return found


def _parse_head(head: bytes) -> Received:
    line, *fields = head.decode("latin-1").split("\r\n")
    version, _, rest = line.partition(" ")
    # A request line without a version is answered as HTTP/0.9.
    if version not in ("HTTP/1.1", "HTTP/1.0", "HTTP/0.9") or not rest[:3].isdecimal():
        raise BrokenResponseError(f"no status line: {line[:200]!r}")
    pairs = [(name.lower(), value.strip()) for name, _, value in (each.partition(":") for each in fields)]
    names = [name for name, _ in pairs]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if version != "HTTP/1.1":
        pairs.append(("connection", "close"))
    return Received(int(rest[:3]), dict(pairs), b"", repeated=repeated)
