"""HTTP to one AWS service, over plain sockets: connections are kept, answers end at the request's deadline.

While nothing comes there is a sign of life, for which http.client is no use: it cannot read on after a timeout.
"""

import os
import select
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from front_door.errors import Failure
from front_door.http import head
from front_door.http.chunks import BrokenAnswerError, dechunk

_CONNECT_SECONDS = 5.0
# A frozen sandbox does not see that the other side has closed, so an old connection is not trusted.
_IDLE_SECONDS = 20.0
_READ_BYTES = 65536
_HEAD_BYTES = 65536
_INTERIM = (0, 1)  # before the head, and of an answer that announces another
HEARTBEAT_SECONDS = 10.0
HEARTBEAT = b""
"""An empty slice: nothing came for `HEARTBEAT_SECONDS`."""
NO_CONNECTION = "no connection"
"""Begins the cause of a failure before anything was sent."""


class Answer:
    """The response to one request; its connection is kept once the body was read to its end.

    Attributes:
        status: The HTTP status, once the head was read.
        headers: The headers by their names in lower case, likewise.
    """

    def __init__(self, origin: "Origin", connection: socket.socket, deadline: float) -> None:
        self._origin = origin
        self._socket = connection
        self._deadline = deadline
        self._rest = b""
        self._is_over = False
        self.status = 0
        self.headers: dict[str, str] = {}

    def head(self) -> Iterator[bytes]:
        """Wait for the status and the headers; a heartbeat comes where they take long.

        Raises:
            TimeoutError: The deadline has come.
            OSError: The connection broke, or what came is not HTTP.
        """
        try:
            data = b""
            while self.status // 100 in _INTERIM:
                while (end := data.find(b"\r\n\r\n")) < 0:
                    part = self._receive()
                    if part == HEARTBEAT:
                        yield HEARTBEAT
                        continue
                    data += part
                    if len(data) > _HEAD_BYTES:
                        raise BrokenAnswerError("a head without an end")
                self.status, self.headers = head.parsed(data[:end])
                data = data[end + 4 :]
            self._rest = data
        except BaseException:
            self.close_unless_kept()
            raise

    def parts(self) -> Iterator[bytes]:
        """The body as it arrives, in slices of no meaning, and heartbeats.

        Raises:
            TimeoutError: The deadline has come.
            OSError: The connection broke, or ended before the body did.
        """
        is_chunked = self.headers.get("transfer-encoding", "").lower() == "chunked"
        try:
            yield from self._chunked() if is_chunked else self._plain()
            # More than the answer, and nobody knows what the rest belongs to.
            if not self._rest and not self._says_close():
                self._is_over = True
                self._origin.keep(self._socket)
        finally:
            self.close_unless_kept()

    def close_unless_kept(self) -> None:
        """Close the connection, unless its answer was read to its end and it waits for the next request."""
        if not self._is_over:
            self._is_over = True
            self._socket.close()

    def _says_close(self) -> bool:
        return self.headers.get("connection", "").lower() == "close"

    def _plain(self) -> Iterator[bytes]:
        left = head.length_of(self.status, self.headers)
        while True:
            data, self._rest = self._rest[:left], b"" if left is None else self._rest[left:]
            if data:
                left = None if left is None else left - len(data)
                yield data
            if left == 0:
                return
            try:
                self._rest = self._receive()
            except BrokenAnswerError:
                if left is None and self._says_close():
                    return
                raise
            if self._rest == HEARTBEAT:
                yield HEARTBEAT

    def _chunked(self) -> Iterator[bytes]:
        """Take the chunks off a whole read at once: under load many tokens arrive together and travel on together."""
        while True:
            whole, self._rest, ended = dechunk(self._rest)
            if whole:
                yield whole
            if ended:
                return
            while (data := self._receive()) == HEARTBEAT:
                yield HEARTBEAT
            self._rest += data

    def _receive(self) -> bytes:
        """What comes next, or a heartbeat.

        Raises:
            TimeoutError: The deadline has come.
            OSError: The connection broke or ended.
        """
        now = time.time()
        left = self._deadline - now
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(min(left, HEARTBEAT_SECONDS))
        try:
            data = self._socket.recv(_READ_BYTES)
        except TimeoutError:
            if left <= HEARTBEAT_SECONDS:
                raise
            return HEARTBEAT
        if not data:
            raise BrokenAnswerError("the connection ended")
        return data


class Origin:
    """One host; sends requests over a kept connection where one is alive. Several threads may use it at once."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.url = f"{parts.scheme}://{parts.netloc}"
        self._netloc = parts.netloc
        self._secure = parts.scheme == "https"
        self._tls: Any = None
        self._address = (parts.hostname or "", parts.port or (443 if self._secure else 80))
        self._idle: list[tuple[socket.socket, float]] = []

    def send(self, path: str, headers: dict[str, str], body: bytes, deadline: float) -> Answer:
        """POST a request; the answer's head has still to be waited for.

        A request goes out a second time only where the first, on a kept connection, was not taken whole, so that it
        cannot have reached a model.

        Raises:
            Failure: Nothing was sent: no connection.
            TimeoutError: The deadline has come.
            OSError: The connection broke.
        """
        lines = [f"POST {path} HTTP/1.1", f"Host: {self._netloc}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        request = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body
        kept = self._kept()
        if kept is not None:
            try:
                _post(kept, request, deadline)
            except TimeoutError:
                raise
            except OSError:
                kept = None
        if kept is None:
            kept = self._connect(deadline)
            _post(kept, request, deadline)
        return Answer(self, kept, deadline)

    def keep(self, connection: socket.socket) -> None:
        """Take back a connection whose answer was read to its end."""
        self._idle.append((connection, time.time()))

    def close(self) -> None:
        """Close the kept connections."""
        while self._idle:
            self._idle.pop()[0].close()

    def _kept(self) -> socket.socket | None:
        while True:
            try:
                connection, since = self._idle.pop()
            except IndexError:
                return None
            if time.time() - since < _IDLE_SECONDS and not _has_ended(connection):
                return connection
            connection.close()

    def _connect(self, deadline: float) -> socket.socket:
        timeout = max(min(_CONNECT_SECONDS, deadline - time.time()), 0.001)
        try:
            connection = socket.create_connection(self._address, timeout)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return self._secured(connection) if self._secure else connection
        except OSError as error:
            message = "The model cannot be reached right now. Try again in a moment."
            raise Failure("unavailable", message, cause=f"{NO_CONNECTION}: {type(error).__name__}") from error

    def _secured(self, connection: socket.socket) -> socket.socket:
        import ssl

        if self._tls is None:
            self._tls = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or None)
        try:
            secured: socket.socket = self._tls.wrap_socket(connection, server_hostname=self._address[0])
        except BaseException:
            connection.close()
            raise
        return secured


def _post(connection: socket.socket, request: bytes, deadline: float) -> None:
    try:
        left = deadline - time.time()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        connection.sendall(request)
    except BaseException:
        connection.close()
        raise


def _has_ended(connection: socket.socket) -> bool:
    """Whether the other side has closed, or sent something that nobody asked for."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))
