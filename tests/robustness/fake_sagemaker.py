"""A SageMaker whose every byte a test decides, and which takes nothing but whole, single, signed requests."""

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
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def is_streamed(self) -> bool:
        return self.path.endswith("-response-stream")


class WireResponse(NamedTuple):
    """The bytes of an answer, then what becomes of the connection: `keep`, `close`, `reset` or `stall`."""

    data: bytes
    then: str = "keep"
    late: bytes = b""  # comes a moment after the answer
    size: int = 0  # of the pieces that it is sent in; 0: in one


def pieces(wire: WireResponse) -> Iterator[bytes]:
    """The pieces of an answer, with pauses in which each of them can be read alone."""
    if not wire.size:
        yield wire.data
        return
    for at in range(0, len(wire.data), wire.size):
        yield wire.data[at : at + wire.size]
        time.sleep(0.0005)


Responder = Callable[[Received], WireResponse]


class FakeSageMaker:
    """Answers with what `answers` gives for a request.

    Attributes:
        received: The requests.
        unwanted: How many answers were not read to their ends.
        violations: What came in that is not a request, with what was wrong with it.
    """

    def __init__(self, answers: Responder) -> None:
        self.answers = answers
        self.received: list[Received] = []
        self.violations: list[str] = []
        self.aborted = 0
        self._server = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        self._open: set[socket.socket] = set()
        self._closing: set[socket.socket] = set()
        self._threads: set[threading.Thread] = set()
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def settle(self) -> None:
        """Wait until the connections are closed that close with an answer.

        Nothing protects a client whose request crosses with the end of its connection.
        """
        while self._closing:
            time.sleep(0.0002)

    def close(self) -> None:
        """Stop, and wait until nothing is left of it."""
        self._server.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in accept
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
                    self.received.append(request)
                    wire = self.answers(request)
                    if wire.then in ("close", "reset"):
                        self._closing.add(connection)
                    self._send(connection, wire)
                    if wire.late:
                        time.sleep(0.01)
                        connection.sendall(wire.late)
                    if wire.then == "stall":
                        connection.recv(1)  # until the other side has had enough
                    if wire.then == "reset":
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    if wire.then != "keep":
                        return
        finally:
            connection.close()
            self._closing.discard(connection)
            self._open.discard(connection)
            self._threads.discard(threading.current_thread())

    def _send(self, connection: socket.socket, wire: WireResponse) -> None:
        try:
            for piece in pieces(wire):
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
                    self.violations.append(f"the head ends early: {data[:100]!r}")
                return None
            data += part
        head, _, body = data.partition(b"\r\n\r\n")
        line, *fields = head.split(b"\r\n")
        headers = dict(self._header(field) for field in fields)
        if len(headers) != len(fields):
            self.violations.append("a header comes twice")
        path = self._path(line)
        length = int(headers.get("content-length", "-1"))
        parts, size = [body], len(body)
        while size < length and (part := connection.recv(2**20)):
            parts.append(part)
            size += len(part)
        if size != length or "transfer-encoding" in headers:
            self.violations.append(f"a body of {size} bytes where {length} were told")
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
    """What serde, which reads the body in the container, would not take of what Python may have written."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError("a name comes twice")
        return dict(pairs)

    def constant(name: str) -> None:
        raise ValueError(name)

    try:
        value = json.loads(body.decode(), object_pairs_hook=unique, parse_constant=constant)
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except ValueError as error:
        return [f"not strict JSON: {error}"]
    return [] if isinstance(value, dict) else ["not a JSON object"]
