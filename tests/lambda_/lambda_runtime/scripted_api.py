"""A scripted Runtime API, which records every byte that it receives."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

EVENT = (
    b"HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: r-1\r\nLambda-Runtime-Deadline-Ms: 1900000000000\r\n"
    b"Lambda-Runtime-Invoked-Function-Arn: arn:f\r\n"
)
NEXT = EVENT + b"Lambda-Runtime-Invocation-Id: i-1\r\nContent-Length: 2\r\n\r\n{}"
ACCEPTED = b'HTTP/1.1 202 Accepted\r\nContent-Length: 15\r\n\r\n{"status":"OK"}'
HANG_UP = b""


class ScriptedApi:
    """Sends the scripted replies, one per request in the order of arrival, then closes the connections.

    Args:
        replies: Bytes to send for each request; `HANG_UP` closes the connection without a response.
        early: The numbers of replies that are sent once the request's head has arrived; then the connection is closed.
    """

    def __init__(self, replies: list[bytes], *, early: frozenset[int] = frozenset()) -> None:
        self._replies = replies
        self._early = early
        self._lock = threading.Lock()
        self.requests: list[bytes] = []
        self.connections: list[int] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = [self._listener]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """The value of AWS_LAMBDA_RUNTIME_API."""
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        """Stop listening and close the connections."""
        for opened in self._open:
            with contextlib.suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
            opened.close()
        self._thread.join(5)

    def _accept(self) -> None:
        number = 0
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._open.append(connection)
                threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()
                number += 1

    def _serve(self, connection: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError), connection:
            for request in self._requests(connection, number):
                with self._lock:
                    index = len(self.requests)
                    self.requests.append(request)
                    self.connections.append(number)
                    reply = self._replies[index] if index < len(self._replies) else HANG_UP
                if not reply:
                    return
                connection.sendall(reply)
                if index in self._early:
                    return

    def _requests(self, connection: socket.socket, number: int) -> Iterator[bytes]:
        data = b""
        while True:
            while not self._is_whole(data):
                received = connection.recv(65536)
                if not received:
                    return
                data += received
            yield data
            data = b""

    def _is_whole(self, data: bytes) -> bool:
        head, found, body = data.partition(b"\r\n\r\n")
        if not found:
            return False
        if len(self.requests) in self._early:
            return True
        if b"chunked" in head:
            return b"\r\n0\r\n" in b"\r\n" + body and body.endswith(b"\r\n\r\n")
        length = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        return len(body) == (int(length[0].split(b":")[1]) if length else 0)


@contextlib.contextmanager
def scripted(*replies: bytes, early: frozenset[int] = frozenset()) -> Iterator[ScriptedApi]:
    """A Runtime API that is closed at the end."""
    api = ScriptedApi(list(replies), early=early)
    try:
        yield api
    finally:
        api.close()
