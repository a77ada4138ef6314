"""HTTP to one AWS service, over plain sockets: connections are reused, responses end at the request's deadline.

While nothing arrives, keep-alives are yielded.
"""

import os
import select
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from front_door.errors import ApiError
from front_door.http.http11 import ResponseParser

_CONNECT_SECONDS = 5.0
# A frozen sandbox does not notice that the server has closed, so an old connection is not reused.
_MAX_IDLE_SECONDS = 20.0
_READ_BYTES = 65536
_COPIED_BYTES = 65536
KEEP_ALIVE_SECONDS = 10.0
KEEP_ALIVE = b""
"""An empty slice: nothing arrived for `KEEP_ALIVE_SECONDS`."""


class Answer:
    """The response to one request; its connection is reused once the body was read to its end.

    Attributes:
        parser: Has the status and the headers, once the head was read.
    """

    def __init__(self, origin: "Origin", connection: socket.socket, deadline: float) -> None:
        self._origin = origin
        self._socket = connection
        self._deadline = deadline
        self._is_released = False
        self.parser = ResponseParser()

    def read_head(self) -> Iterator[bytes]:
        """Wait for the status and the headers; yields keep-alives while nothing arrives.

        Raises:
            TimeoutError: The deadline has passed.
            OSError: The connection broke, or the response is not HTTP.
        """
        try:
            while not self.parser.status:
                data = self._receive()
                if data is None:
                    self.parser.end()
                elif data == KEEP_ALIVE:
                    yield KEEP_ALIVE
                else:
                    self.parser.feed_head(data)
        except BaseException:
            self.close_unless_reusable()
            raise

    def read_body(self) -> Iterator[bytes]:
        """The body as it arrives, in slices cut anywhere, and keep-alives.

        Raises:
            TimeoutError: The deadline has passed.
            OSError: The connection broke, or ended before the body did.
        """
        parser = self.parser
        try:
            if content := parser.feed(b""):
                yield content
            while not parser.is_complete:
                data = self._receive()
                if data is None:
                    parser.end()
                elif data == KEEP_ALIVE:
                    yield KEEP_ALIVE
                elif content := parser.feed(data):
                    yield content
            # Bytes that follow the response belong to no request.
            if not parser.rest and not parser.closes_connection:
                self._is_released = True
                self._origin.keep(self._socket)
        finally:
            self.close_unless_reusable()

    def close_unless_reusable(self) -> None:
        """Close the connection, unless its response was read to its end and it waits for the next request."""
        if not self._is_released:
            self._is_released = True
            self._socket.close()

    def _receive(self) -> bytes | None:
        """What arrives next, or a keep-alive; None if the connection has ended.

        Raises:
            TimeoutError: The deadline has passed.
            OSError: The connection broke.
        """
        left = self._deadline - time.time()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(min(left, KEEP_ALIVE_SECONDS))
        try:
            return self._socket.recv(_READ_BYTES) or None
        except TimeoutError:
            if left <= KEEP_ALIVE_SECONDS:
                raise
            return KEEP_ALIVE


class Origin:
    """One host; sends requests over an idle connection if one is usable. Several threads may use it at once.

    Attributes:
        netloc: The value of the header Host.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.url = f"{parts.scheme}://{parts.netloc}"
        self.netloc = parts.netloc
        self._is_https = parts.scheme == "https"
        self._tls: Any = None
        self._address = (parts.hostname or "", parts.port or (443 if self._is_https else 80))
        self._idle: list[tuple[socket.socket, float]] = []

    def send(self, path: str, headers: dict[str, str], body: bytes, deadline: float) -> Answer:
        """POST a request; returns without waiting for the response.

        A request is sent a second time only if the first attempt, on a reused connection, could not be written
        completely, so that it cannot have reached a model.

        Raises:
            ApiError: No connection; nothing was sent.
            TimeoutError: The deadline has passed.
            OSError: The connection broke.
        """
        lines = [f"POST {path} HTTP/1.1", f"Host: {self.netloc}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
        # In one segment, if that is worth a copy.
        request = (head + body,) if len(body) <= _COPIED_BYTES else (head, body)
        connection = self._idle_connection()
        if connection is not None:
            try:
                _post(connection, request, deadline)
            except TimeoutError:
                raise
            except OSError:
                connection = None
        if connection is None:
            connection = self._connect(deadline)
            _post(connection, request, deadline)
        return Answer(self, connection, deadline)

    def keep(self, connection: socket.socket) -> None:
        """Take back a connection whose response was read to its end."""
        self._idle.append((connection, time.time()))

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._idle.pop()[0].close()

    def _idle_connection(self) -> socket.socket | None:
        while True:
            try:
                connection, since = self._idle.pop()
            except IndexError:
                return None
            if time.time() - since < _MAX_IDLE_SECONDS and not _has_ended(connection):
                return connection
            connection.close()

    def _connect(self, deadline: float) -> socket.socket:
        timeout = max(min(_CONNECT_SECONDS, deadline - time.time()), 0.001)
        try:
            connection = socket.create_connection(self._address, timeout)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return self._wrap_tls(connection) if self._is_https else connection
        except OSError as error:
            message = "The model cannot be reached right now. Try again in a moment."
            detail = f"no connection: {type(error).__name__}"
            raise ApiError("unavailable", message, log_detail=detail, may_retry=True) from error

    def _wrap_tls(self, connection: socket.socket) -> socket.socket:
        import ssl

        if self._tls is None:
            self._tls = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or None)
        try:
            wrapped: socket.socket = self._tls.wrap_socket(connection, server_hostname=self._address[0])
        except BaseException:
            connection.close()
            raise
        return wrapped


def _post(connection: socket.socket, request: tuple[bytes, ...], deadline: float) -> None:
    try:
        for part in request:
            left = deadline - time.time()
            if left <= 0:
                raise TimeoutError
            connection.settimeout(left)
            connection.sendall(part)
    except BaseException:
        connection.close()
        raise


def _has_ended(connection: socket.socket) -> bool:
    """Whether the server has closed the connection, or sent something unrequested."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))
