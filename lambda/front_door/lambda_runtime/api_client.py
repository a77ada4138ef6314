"""A client of the Lambda Runtime API, version 2018-06-01, over plain sockets.

`http.client` cannot send trailers, and writes the size, the data and the end of a chunk one by one.
Sources: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html, "Response streaming" in
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html, and AWS's own clients for Node.js and Rust.
"""

import base64
import json
import socket
from typing import Any, NamedTuple

_ROOT = "/2018-06-01/runtime/"
ERROR_TYPE = "Lambda-Runtime-Function-Error-Type"
ERROR_BODY = "Lambda-Runtime-Function-Error-Body"
INVOCATION_ID = "Lambda-Runtime-Invocation-Id"
_STREAM_HEADERS = (
    "Content-Type: application/vnd.awslambda.http-integration-response\r\n"
    "Lambda-Runtime-Function-Response-Mode: streaming\r\n"
    "Transfer-Encoding: chunked\r\n"
    f"Trailer: {ERROR_TYPE}, {ERROR_BODY}\r\n"
)


class RuntimeApiError(Exception):
    """The Runtime API is gone or talks another protocol; the process must end so that Lambda starts a new one."""


class StaleAnswerError(Exception):
    """Lambda does not want this answer any more (410) or finds it too large (413); the next invocation may come."""


class Reply(NamedTuple):
    """A response of the Runtime API; the names of its headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class _Connection:
    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        try:
            self._socket = socket.create_connection((host, int(port)))
        except OSError as error:
            raise RuntimeApiError(f"no connection to the Runtime API: {error}") from error
        # Each token is a segment of its own; Nagle's algorithm would hold it back until the one before is confirmed.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reader = self._socket.makefile("rb")
        self.send = self._socket.sendall

    def reply(self) -> Reply:
        """Read one response.

        Raises:
            OSError: The connection broke.
        """
        status = 100
        while 100 <= status < 200:
            line = self._reader.readline()
            if not line.startswith(b"HTTP/1."):
                raise ConnectionError(f"the Runtime API closed the connection or sent no HTTP: {line[:40]!r}")
            status = int(line.split(None, 2)[1])
            headers = self._headers()
        return Reply(status, headers, self._body(headers))

    def close(self) -> None:
        self._reader.close()
        self._socket.close()

    def _headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        while (line := self._reader.readline()) not in (b"\r\n", b"\n"):
            name, colon, value = line.decode("latin-1").partition(":")
            if not colon:
                raise ConnectionError("the Runtime API sent no HTTP headers")
            headers[name.lower()] = value.strip()
        return headers

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() != "chunked":
            return self._exactly(int(headers.get("content-length", "0")))
        chunks = []
        while size := int(self._reader.readline().split(b";")[0] or b"-1", 16):
            chunks.append(self._exactly(size))
            self._reader.readline()
        self._headers()
        return b"".join(chunks)

    def _exactly(self, size: int) -> bytes:
        data = self._reader.read(size) if size > 0 else b""
        if len(data) != size:
            raise ConnectionError("the Runtime API ended its response early")
        return data


class StreamedAnswer:
    """The answer to one invocation while it is sent, over a connection of its own."""

    def __init__(self, connection: _Connection, head: bytes) -> None:
        self._connection = connection
        self._head = head
        self._send = connection.send

    def send(self, data: bytes) -> None:
        """Send one chunk, which must not be empty: an empty one is HTTP's end of the stream.

        Raises:
            RuntimeApiError: The connection broke.
            StaleAnswerError: Lambda does not want the answer.
        """
        try:
            self._send(b"%b%x\r\n%b\r\n" % (self._head, len(data), data))
        except OSError as error:
            self._refused(error)
        self._head = b""

    def end(self, error: dict[str, Any] | None = None) -> None:
        """End the stream, with the error in trailers if there was one, and close the connection.

        Raises:
            RuntimeApiError: The connection broke.
            StaleAnswerError: Lambda does not want the answer.
        """
        trailers = ""
        if error is not None:
            told = base64.b64encode(json.dumps(error).encode()).decode()
            trailers = f"{ERROR_TYPE}: {error['errorType']}\r\n{ERROR_BODY}: {told}\r\n"
        try:
            self._send(b"0\r\n%b\r\n" % trailers.encode())
            reply = self._connection.reply()
        except OSError as broken:
            self._refused(broken)
            return
        self._connection.close()
        _accepted(reply)

    def _refused(self, error: OSError) -> None:
        """A server that refuses an answer before its end says so and closes; its words may still be there."""
        try:
            _accepted(self._connection.reply())
        except (OSError, ValueError, IndexError):
            raise RuntimeApiError(f"the Runtime API broke off: {error}") from error
        finally:
            self._connection.close()
        raise RuntimeApiError(f"the Runtime API accepted an answer before its end: {error}") from error


class RuntimeApi:
    """The Runtime API of one sandbox.

    Args:
        address: Host and port, the value of AWS_LAMBDA_RUNTIME_API.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._kept: _Connection | None = None

    def next(self) -> Reply:
        """Wait for the next invocation, however long it takes.

        Raises:
            RuntimeApiError: There will be none.
        """
        reply = self._request("GET", "invocation/next", "", b"")
        if reply.status != 200:
            raise RuntimeApiError(f"/invocation/next was answered with {reply.status}")
        return reply

    def stream(self, request_id: str, invocation_id: str | None) -> StreamedAnswer:
        """Begin a streamed answer; nothing is sent before its first chunk.

        Raises:
            RuntimeApiError: No connection.
        """
        head = self._head("POST", f"invocation/{request_id}/response", _STREAM_HEADERS + _echo(invocation_id))
        return StreamedAnswer(_Connection(self._address), head)

    def error(self, request_id: str, invocation_id: str | None, error: dict[str, Any]) -> None:
        """Report that an invocation failed before its answer began.

        Raises:
            RuntimeApiError: The connection broke.
            StaleAnswerError: Lambda does not want to know.
        """
        _accepted(self._post_error(f"invocation/{request_id}/error", _echo(invocation_id), error))

    def init_error(self, error: dict[str, Any]) -> None:
        """Report that the function cannot start.

        Raises:
            RuntimeApiError: The connection broke.
        """
        _accepted(self._post_error("init/error", "", error))

    def _post_error(self, path: str, headers: str, error: dict[str, Any]) -> Reply:
        headers += f"Content-Type: application/json\r\n{ERROR_TYPE}: {error['errorType']}\r\n"
        return self._request("POST", path, headers, json.dumps(error).encode())

    def _request(self, method: str, path: str, headers: str, body: bytes) -> Reply:
        if method == "POST":
            headers += f"Content-Length: {len(body)}\r\n"
        request = self._head(method, path, headers) + body
        connection, self._kept = self._kept, None
        try:
            if connection is not None:
                try:
                    return self._exchange(connection, request)
                except OSError:
                    connection.close()  # closed while it was idle: once more, over a new one
            return self._exchange(_Connection(self._address), request)
        except (OSError, ValueError, IndexError) as error:
            raise RuntimeApiError(f"the Runtime API broke off {path}: {error}") from error

    def _exchange(self, connection: _Connection, request: bytes) -> Reply:
        connection.send(request)
        reply = connection.reply()
        if reply.headers.get("connection", "").lower() == "close":
            connection.close()
        else:
            self._kept = connection
        return reply

    def _head(self, method: str, path: str, headers: str) -> bytes:
        return f"{method} {_ROOT}{path} HTTP/1.1\r\nHost: {self._address}\r\n{headers}\r\n".encode("latin-1")


def _echo(invocation_id: str | None) -> str:
    """Lambda tells stale answers by it; without it, it does not look."""
    return "" if invocation_id is None else f"{INVOCATION_ID}: {invocation_id}\r\n"


def _accepted(reply: Reply) -> None:
    if reply.status in (410, 413):
        raise StaleAnswerError(f"the Runtime API refused an answer with {reply.status}")
    if reply.status != 202:
        raise RuntimeApiError(f"the Runtime API answered {reply.status}: {reply.body[:200]!r}")
