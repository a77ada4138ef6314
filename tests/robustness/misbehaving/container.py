"""A container over plain sockets: it asks a healthy one, and sends its response as a misbehavior makes it."""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

RESET = "reset"
Step = bytes | float | str
"""Bytes to send, seconds to wait, or RESET."""
_MARK = re.compile(rb" #([^#]*)#")
NONE = "none"


@dataclass(frozen=True)
class Healthy:
    """A complete response of a container.

    Args:
        content_type: Its media type.
        body: Its body.
        engine: What the container is.
    """

    content_type: str
    body: bytes
    engine: str

    @property
    def is_stream(self) -> bool:
        """Whether it is a stream of events or lines."""
        return self.content_type.partition(";")[0] != "application/json"

    @property
    def end(self) -> bytes:
        """What ends each event."""
        return b"\n" if "lines" in self.content_type else b"\n\n"

    @property
    def events(self) -> list[bytes]:
        """The events with their ends; the body alone if it is no stream."""
        if not self.is_stream:
            return [self.body]
        return [each + self.end for each in self.body.split(self.end) if each.strip()]


Respond = Callable[[Healthy], Iterator[Step]]


def mark(case: str, misbehavior: str) -> str:
    """What a prompt contains, so that the container knows what to do; it is not part of what the healthy one gets."""
    return f" #{case}|{misbehavior}#"


def without_marks(body: bytes) -> bytes:
    """A body without what `mark` has added."""
    return _MARK.sub(b"", body)


class MisbehavingContainer:
    """Responds to each request as its prompt says.

    Args:
        engine: What it is.
        healthy_url: A container of that engine.
        misbehaviors: What it can do, by name.

    Attributes:
        healthy: The responses to requests without misbehavior, by their case.
    """

    def __init__(self, engine: str, healthy_url: str, misbehaviors: dict[str, Respond]) -> None:
        self.healthy: dict[str, Healthy] = {}
        self._engine, self._healthy = engine, urlsplit(healthy_url)
        self._misbehaviors = misbehaviors
        self._connections: set[socket.socket] = set()
        self._ends = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Accept no more connections, and end all that are open."""
        self._ends.set()
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for connection in list(self._connections):
            with contextlib.suppress(OSError):  # it has just ended
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._connections.add(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            self._respond(connection)
        finally:
            self._connections.discard(connection)

    def _respond(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            body = _read_request(connection)
            found = _MARK.search(body)
            case, _, name = (found[1].decode() if found else f"?|{NONE}").partition("|")
            healthy = self._ask(_MARK.sub(b"", body))
            if name == NONE:
                self.healthy[case] = healthy
            for step in self._misbehaviors[name](healthy):
                if step == RESET:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                elif isinstance(step, bytes):
                    connection.sendall(step)
                elif self._ends.wait(float(step)):
                    return

    def _ask(self, body: bytes) -> Healthy:
        assert self._healthy.hostname
        connection = http.client.HTTPConnection(self._healthy.hostname, self._healthy.port, timeout=60)
        try:
            connection.request("POST", "/invocations", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            content = response.read()
            assert response.status == 200, content
            return Healthy(response.headers["content-type"], content, self._engine)
        finally:
            connection.close()


def _read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += _receive(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    assert length, head
    while len(body) < int(length[1]):
        body += _receive(connection)
    return body


def _receive(connection: socket.socket) -> bytes:
    data = connection.recv(2**20)
    if not data:
        raise ConnectionError("the request ends early")
    return data
