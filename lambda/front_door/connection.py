"""HTTP to one AWS service: a connection that is kept, and answers that end at the request's deadline."""

import http.client
import os
import select
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from front_door.errors import Failure

_CONNECT_SECONDS = 5.0
# A frozen sandbox does not see that the other side has closed, so an old connection is not trusted.
_IDLE_SECONDS = 20.0
_READ_BYTES = 65536


class Answer:
    """The response to one request; its connection is kept once the body was read to its end."""

    def __init__(self, origin: "Origin", connection: http.client.HTTPConnection, deadline: float) -> None:
        self._origin = origin
        self._connection = connection
        self._socket = connection.sock  # http.client lets go of it where the connection is not to be kept
        self._deadline = deadline
        try:
            _limit(self._socket, deadline)
            self._response = connection.getresponse()
        except BaseException:
            connection.close()
            raise
        self.status = self._response.status
        self.headers = self._response.headers

    def parts(self) -> Iterator[bytes]:
        """The body as it arrives, in slices of no meaning.

        Raises:
            TimeoutError: The deadline has come.
            OSError: The connection broke.
            http.client.HTTPException: It ended before the body did.
        """
        complete = False
        try:
            yield from self._chunked() if self._response.chunked else self._plain()
            complete = not self._response.will_close
        finally:
            self._response.close()
            if complete:
                self._origin.keep(self._connection)
            else:
                self._connection.close()

    def _plain(self) -> Iterator[bytes]:
        left = self._response.length
        while left != 0:
            _limit(self._socket, self._deadline)
            data = self._response.read1(_READ_BYTES)
            if not data:
                if left is None:
                    return
                raise http.client.IncompleteRead(b"", left)
            left = None if left is None else left - len(data)
            yield data

    def _chunked(self) -> Iterator[bytes]:
        """Take the chunks off a whole read at once: under load many tokens arrive together and travel on together."""
        read, socket, deadline = self._response.fp.read1, self._socket, self._deadline
        rest = b""
        while True:
            _limit(socket, deadline)
            data = read(_READ_BYTES)
            if not data:
                raise http.client.IncompleteRead(rest)
            if rest:
                data = rest + data
            whole, rest, ended = dechunk(data)
            if whole:
                yield whole
            if ended:
                return


def dechunk(data: bytes) -> tuple[bytes, bytes, bool]:
    """Split off the whole chunks at the start of `data`.

    Returns:
        What they contain, the bytes that follow them, and whether the last chunk and its trailers were among them.

    Raises:
        http.client.HTTPException: `data` does not start with a chunk.
    """
    position = 0
    contents: list[bytes] = []
    while (line_end := data.find(b"\r\n", position)) >= 0:
        try:
            size = int(data[position:line_end].split(b";", 1)[0], 16)
        except ValueError:
            size = -1
        if size < 0:
            raise http.client.HTTPException("not a chunk")
        if not size:
            trailers_end = (
                line_end if data[line_end : line_end + 4] == b"\r\n\r\n" else data.find(b"\r\n\r\n", line_end)
            )
            return b"".join(contents), data[position:], trailers_end >= 0
        start = line_end + 2
        position_after = start + size + 2
        if position_after > len(data):
            break
        contents.append(data[start : start + size])
        position = position_after
    return contents[0] if len(contents) == 1 else b"".join(contents), data[position:], False


class Origin:
    """One host; sends requests over a kept connection where one is alive."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.url = f"{parts.scheme}://{parts.netloc}"
        self._secure = parts.scheme == "https"
        self._tls: Any = None
        self._host = parts.hostname or ""
        self._port = parts.port
        self._idle: list[tuple[http.client.HTTPConnection, float]] = []

    def send(self, path: str, headers: dict[str, str], body: bytes, deadline: float) -> Answer:
        """POST a request and wait for the head of its response.

        A request goes out a second time only where the first, on a kept connection, was not taken whole, so that it
        cannot have reached a model.

        Raises:
            Failure: Nothing was sent: no connection.
            TimeoutError: The deadline has come.
            OSError: The connection broke.
            http.client.HTTPException: The response is not HTTP.
        """
        kept = self._kept()
        if kept is not None:
            try:
                _post(kept, path, headers, body, deadline)
            except TimeoutError:
                raise
            except OSError:
                kept = None
        if kept is None:
            kept = self._connect(deadline)
            _post(kept, path, headers, body, deadline)
        return Answer(self, kept, deadline)

    def keep(self, connection: http.client.HTTPConnection) -> None:
        """Take back a connection whose answer was read to its end."""
        self._idle.append((connection, time.time()))

    def close(self) -> None:
        """Close the kept connections."""
        while self._idle:
            self._idle.pop()[0].close()

    def _kept(self) -> http.client.HTTPConnection | None:
        while self._idle:
            connection, since = self._idle.pop()
            if time.time() - since < _IDLE_SECONDS and not _has_ended(connection):
                return connection
            connection.close()
        return None

    def _connect(self, deadline: float) -> http.client.HTTPConnection:
        timeout = max(min(_CONNECT_SECONDS, deadline - time.time()), 0.001)
        connection = self._new(timeout)
        try:
            connection.connect()
        except OSError as error:
            connection.close()
            message = "The model cannot be reached right now. Try again in a moment."
            raise Failure("unavailable", message, cause=type(error).__name__) from error
        return connection

    def _new(self, timeout: float) -> http.client.HTTPConnection:
        if not self._secure:
            return http.client.HTTPConnection(self._host, self._port, timeout=timeout)
        if self._tls is None:
            import ssl

            self._tls = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or None)
        return http.client.HTTPSConnection(self._host, self._port, timeout=timeout, context=self._tls)


def _post(
    connection: http.client.HTTPConnection, path: str, headers: dict[str, str], body: bytes, deadline: float
) -> None:
    try:
        _limit(connection.sock, deadline)
        connection.request("POST", path, body, headers)
    except BaseException:
        connection.close()
        raise


def _limit(socket: Any, deadline: float) -> None:
    """Let the next operation on the socket end at the deadline."""
    left = deadline - time.time()
    if left <= 0:
        raise TimeoutError
    socket.settimeout(left)


def _has_ended(connection: http.client.HTTPConnection) -> bool:
    """Whether the other side has closed, or sent something that nobody asked for."""
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))
