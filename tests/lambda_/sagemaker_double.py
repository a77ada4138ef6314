"""A SageMaker with scripted replies, over real sockets."""

import json
import socket
import struct
import threading
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Received:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Reply:
    """What is sent back: one write per piece; a callable among them is called in between."""

    pieces: list[bytes | Callable[[], object]]
    then: str = "keep"  # or "close", or "reset"


@dataclass
class SageMakerDouble:
    """Sends one reply per request, in order; if `repeats` is set, the last one again and again."""

    replies: list[Reply] = field(default_factory=list)
    repeats: bool = False
    received: list[Received] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        self._connections: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        if self._server.fileno() >= 0:
            self._server.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in accept
        for connection in [self._server, *self._connections]:
            connection.close()

    def drop_connections(self) -> None:
        """Close the connections that are open, as a server does with idle ones."""
        while self._connections:
            connection = self._connections.pop()
            connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _accept(self) -> None:
        number = 0
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connections.append(connection)
            number += 1
            threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        reader = connection.makefile("rb")
        try:
            while request := _read(reader, number):
                self.received.append(request)
                reply = self.replies[0] if self.repeats and len(self.replies) == 1 else self.replies.pop(0)
                for piece in reply.pieces:
                    if callable(piece):
                        piece()
                    else:
                        connection.sendall(piece)
                if reply.then == "reset":
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                if reply.then != "keep":
                    reader.close()
                    connection.close()
                    return
        except OSError:
            return


def _read(reader: Any, number: int) -> Received | None:
    line = reader.readline()
    if not line:
        return None
    method, path, _ = line.decode().split(" ")
    headers = {}
    while (header := reader.readline().decode().strip()) != "":
        name, _, value = header.partition(":")
        headers[name.lower()] = value.strip()
    return Received(method, path, headers, reader.read(int(headers.get("content-length", 0))), number)


def event(payload: bytes, **headers: str) -> bytes:
    """One message of application/vnd.amazon.eventstream."""
    block = b""
    for name, value in headers.items():
        raw = ":" + name.replace("_", "-")
        block += bytes([len(raw)]) + raw.encode() + b"\x07" + struct.pack("!H", len(value)) + value.encode()
    prelude = struct.pack("!II", 16 + len(block) + len(payload), len(block))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + block + payload
    return message + struct.pack("!I", zlib.crc32(message))


def part(payload: bytes) -> bytes:
    """A PayloadPart."""
    return event(payload, event_type="PayloadPart", content_type="application/octet-stream", message_type="event")


def exception(code: str, **members: str) -> bytes:
    """An error inside a stream."""
    return event(
        json.dumps(members).encode(), exception_type=code, content_type="application/json", message_type="exception"
    )


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def slices(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.amazon.eventstream\r\n"
    b"X-Amzn-SageMaker-Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
)


def stream(messages: Iterable[bytes], *, ends: bool = True, then: str = "keep") -> Reply:
    """An event stream, one HTTP chunk for each message."""
    return Reply([HEAD, *[chunk(message) for message in messages], *([b"0\r\n\r\n"] if ends else [])], then)


def parts(*payloads: bytes) -> Reply:
    """An event stream of PayloadParts."""
    return stream([part(payload) for payload in payloads])


def error(status: int, code: str, **members: object) -> Reply:
    """An error of SageMaker Runtime."""
    return plain_response(
        json.dumps(members).encode(), status, f"x-amzn-ErrorType: {code}:http://internal.amazon.com/\r\n"
    )


def plain_response(body: bytes, status: int = 200, headers: str = "") -> Reply:
    """A plain response."""
    head = f"HTTP/1.1 {status} Any\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return Reply([head.encode() + body])
