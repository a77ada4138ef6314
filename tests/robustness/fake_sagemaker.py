"""A fake SageMaker: it sends the bytes that a test gives it, and accepts only complete, signed, valid requests."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

_NAME = re.compile(rb"[A-Za-z0-9-]+")
_VALUE = re.compile(rb"[\x20-\x7e]*")
_ENDPOINT = re.compile(r"/endpoints/[a-z-]+/(invocations|invocations-response-stream)")


class Received(NamedTuple):
    """A request as it was received."""

    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def is_streamed(self) -> bool:
        return self.path.endswith("-response-stream")


class WireResponse(NamedTuple):
    """The bytes of a response and what happens to the connection.

    Args:
        data: Head and body.
        then: What happens after the response: `keep`, `close`, `reset` or `stall`.
        late: Bytes that are sent 10 ms after the response.
        piece_bytes: Size of the pieces in which the data is sent. Default: one piece.
        endless: Bytes that are sent after the data again and again until the client disconnects.
    """

    data: bytes
    then: str = "keep"
    late: bytes = b""
    piece_bytes: int = 0
    endless: bytes = b""


def split(response: WireResponse) -> Iterator[bytes]:
    """The pieces of a response, with pauses that let the client read each separately."""
    size = response.piece_bytes or max(len(response.data), 1)
    for at in range(0, len(response.data), size):
        yield response.data[at : at + size]
        if response.piece_bytes:
            time.sleep(0.0005)
    while response.endless:
        yield response.endless


Responder = Callable[[Received], WireResponse]


class FakeSageMaker:
    """Responds as `respond` says.

    Attributes:
        respond: Returns the response to a request.
        received: The requests.
        aborted: The number of responses that the client did not read to the end.
        violations: What was wrong with the requests.
    """

    def __init__(self, respond: Responder) -> None:
        self.respond = respond
        self.received: list[Received] = []
        self.violations: list[str] = []
        self.aborted = 0
        self._server = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        self._open: set[socket.socket] = set()
        self._busy: set[socket.socket] = set()
        self._threads: set[threading.Thread] = set()
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def settle(self) -> None:
        """Wait until all responses are sent, late bytes included, and all connections closed that close after them.

        Otherwise the client's next request could cross with the rest of a response or the end of its connection.
        """
        until = time.monotonic() + 30
        while self._busy:
            assert time.monotonic() < until, "a response has not ended"
            time.sleep(0.0002)

    def close(self) -> None:
        """Stop, and wait for all connections and threads to end."""
        self._server.shutdown(socket.SHUT_RDWR)  # wakes the thread that is blocked in accept
        self._accepting.join(5)
        self._server.close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._open.add(connection)
            self._threads.add(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with contextlib.suppress(OSError):
                while (request := self._request(connection)) is not None:
                    self._busy.add(connection)
                    self.received.append(request)
                    response = self.respond(request)
                    self._send(connection, response)
                    if response.late:
                        time.sleep(0.01)
                        connection.sendall(response.late)
                    if response.then in ("keep", "stall"):
                        self._busy.discard(connection)
                    if response.then == "stall":
                        connection.recv(1)  # returns when the client disconnects
                    if response.then == "reset":
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    if response.then != "keep":
                        return
        finally:
            connection.close()
            self._busy.discard(connection)
            self._open.discard(connection)
            self._threads.discard(threading.current_thread())

    def _send(self, connection: socket.socket, response: WireResponse) -> None:
        try:
            for piece in split(response):
                connection.sendall(piece)
        except OSError:
            self.aborted += 1
            raise

    def _request(self, connection: socket.socket) -> Received | None:
        data = b""
        while b"\r\n\r\n" not in data:
            part = connection.recv(2**20)
            if not part:
                if data:
                    self.violations.append(f"truncated head: {data[:100]!r}")
                return None
            data += part
        head, _, body = data.partition(b"\r\n\r\n")
        line, *fields = head.split(b"\r\n")
        headers = dict(self._header(field) for field in fields)
        if len(headers) != len(fields):
            self.violations.append("duplicate header")
        path = self._path(line)
        length = int(headers.get("content-length", "-1"))
        parts, size = [body], len(body)
        while size < length and (part := connection.recv(2**20)):
            parts.append(part)
            size += len(part)
        if size != length or "transfer-encoding" in headers:
            self.violations.append(f"a body of {size} bytes with a Content-Length of {length}")
        if not headers.get("authorization", "").startswith("AWS4-HMAC-SHA256 "):
            self.violations.append("not signed")
        request = Received(path, headers, b"".join(parts))
        self.violations += strictness_violations(request.body)
        return request

    def _header(self, field: bytes) -> tuple[str, str]:
        name, colon, value = field.partition(b": ")
        if not colon or not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            self.violations.append(f"not a header: {field[:100]!r}")
        return name.decode("latin-1").lower(), value.decode("latin-1")

    def _path(self, line: bytes) -> str:
        method, path, version = [*line.decode("latin-1").split(" "), "", ""][:3]
        if (method, version) != ("POST", "HTTP/1.1") or not (path == "/" or _ENDPOINT.fullmatch(path)):
            self.violations.append(f"not a request line: {line[:100]!r}")
        return path


def strictness_violations(body: bytes) -> list[str]:
    """What serde, which parses the body in the container, would reject."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError("duplicate name")
        return dict(pairs)

    def reject_constant(name: str) -> None:
        raise ValueError(name)

    try:
        value = json.loads(body.decode(), object_pairs_hook=unique, parse_constant=reject_constant)
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except ValueError as error:
        return [f"not strict JSON: {error}"]
    return [] if isinstance(value, dict) else ["not a JSON object"]
