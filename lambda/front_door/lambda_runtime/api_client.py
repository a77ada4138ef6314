"""A client of the Lambda Runtime API, version 2018-06-01, over plain sockets.

`http.client` cannot send trailers, and writes the size, the data and the end of a chunk separately.
Sources: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html, "Response streaming" in
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html, and AWS's own clients for Node.js and Rust.
"""

import base64
import json
import socket
from typing import Any, NamedTuple, NoReturn

from front_door.http.http11 import ResponseParser

_ROOT = "/2018-06-01/runtime/"
_READ_BYTES = 65536
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
    """The Runtime API is gone or violates its protocol; the process must exit so that Lambda starts a new one."""


class StaleResponseError(Exception):
    """Lambda rejects this response as late (410) or too large (413); the next invocation may follow."""


class Reply(NamedTuple):
    """A response of the Runtime API; its header names are in lower case."""

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
        # Each token is a segment of its own; Nagle's algorithm would delay it until the one before is acknowledged.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.send = self._socket.sendall

    def read_reply(self) -> Reply:
        """Read one response.

        Raises:
            OSError: The connection broke, or the response is not HTTP.
        """
        parser = ResponseParser(default_length=0)
        while not parser.status:
            parser.feed_head(self._receive(parser))
        contents = [parser.feed(b"")]
        while not parser.is_complete:
            contents.append(parser.feed(self._receive(parser)))
        return Reply(parser.status, parser.headers, b"".join(contents))

    def close(self) -> None:
        self._socket.close()

    def _receive(self, parser: ResponseParser) -> bytes:
        data = self._socket.recv(_READ_BYTES)
        if not data:
            parser.end()
        return data


class StreamedResponse:
    """The response to one invocation while it is sent, over a connection of its own."""

    def __init__(self, connection: _Connection, head: bytes) -> None:
        self._connection = connection
        self._head = head
        self._send = connection.send

    def send(self, data: bytes) -> None:
        """Send one chunk, which must not be empty: in HTTP an empty chunk ends the stream.

        Raises:
            RuntimeApiError: The connection broke.
            StaleResponseError: Lambda rejects the response.
        """
        try:
            self._send(b"%b%x\r\n%b\r\n" % (self._head, len(data), data))
        except OSError as error:
            self._raise_rejection(error)
        self._head = b""

    def end(self, error: dict[str, Any] | None = None) -> None:
        """End the stream, with the error in trailers if there was one, and close the connection.

        Raises:
            RuntimeApiError: The connection broke.
            StaleResponseError: Lambda rejects the response.
        """
        trailers = ""
        if error is not None:
            encoded = base64.b64encode(json.dumps(error).encode()).decode()
            trailers = f"{ERROR_TYPE}: {error['errorType']}\r\n{ERROR_BODY}: {encoded}\r\n"
        try:
            self._send(b"0\r\n%b\r\n" % trailers.encode())
            reply = self._connection.read_reply()
        except OSError as broken:
            self._raise_rejection(broken)
        self._connection.close()
        _raise_unless_accepted(reply)

    def _raise_rejection(self, error: OSError) -> NoReturn:
        """Raise the reason why the server closed the connection early; its reply may still be readable."""
        try:
            _raise_unless_accepted(self._connection.read_reply())
        except OSError:
            raise RuntimeApiError(f"the Runtime API broke off: {error}") from error
        finally:
            self._connection.close()
        raise RuntimeApiError(f"the Runtime API accepted a response before its end: {error}") from error


class RuntimeApi:
    """The Runtime API of one sandbox.

    Args:
        address: Host and port, as in AWS_LAMBDA_RUNTIME_API.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._idle: _Connection | None = None

    def next(self) -> Reply:
        """Wait for the next invocation, however long it takes.

        Raises:
            RuntimeApiError: There will be none.
        """
        reply = self._request("GET", "invocation/next", "", b"")
        if reply.status != 200:
            raise RuntimeApiError(f"/invocation/next responded with {reply.status}")
        return reply

    def stream(self, request_id: str, invocation_id: str | None) -> StreamedResponse:
        """Begin a streamed response; nothing is sent before its first chunk.

        Raises:
            RuntimeApiError: No connection.
        """
        headers = _STREAM_HEADERS + _invocation_header(invocation_id)
        head = self._head("POST", f"invocation/{request_id}/response", headers)
        return StreamedResponse(_Connection(self._address), head)

    def error(self, request_id: str, invocation_id: str | None, error: dict[str, Any]) -> None:
        """Report that an invocation failed before its response began.

        Raises:
            RuntimeApiError: The connection broke.
            StaleResponseError: Lambda rejects the report.
        """
        headers = _invocation_header(invocation_id)
        _raise_unless_accepted(self._post_error(f"invocation/{request_id}/error", headers, error))

    def init_error(self, error: dict[str, Any]) -> None:
        """Report that the function cannot start.

        Raises:
            RuntimeApiError: The connection broke.
        """
        _raise_unless_accepted(self._post_error("init/error", "", error))

    def _post_error(self, path: str, headers: str, error: dict[str, Any]) -> Reply:
        headers += f"Content-Type: application/json\r\n{ERROR_TYPE}: {error['errorType']}\r\n"
        return self._request("POST", path, headers, json.dumps(error).encode())

    def _request(self, method: str, path: str, headers: str, body: bytes) -> Reply:
        if method == "POST":
            headers += f"Content-Length: {len(body)}\r\n"
        request = self._head(method, path, headers) + body
        connection, self._idle = self._idle, None
        try:
            if connection is not None:
                try:
                    return self._exchange(connection, request)
                except OSError:
                    connection.close()  # the server closed it while it was idle: repeat over a new one
            return self._exchange(_Connection(self._address), request)
        except OSError as error:
            raise RuntimeApiError(f"the Runtime API broke off {path}: {error}") from error

    def _exchange(self, connection: _Connection, request: bytes) -> Reply:
        connection.send(request)
        reply = connection.read_reply()
        if reply.headers.get("connection", "").lower() == "close":
            connection.close()
        else:
            self._idle = connection
        return reply

    def _head(self, method: str, path: str, headers: str) -> bytes:
        return f"{method} {_ROOT}{path} HTTP/1.1\r\nHost: {self._address}\r\n{headers}\r\n".encode("latin-1")


def _invocation_header(invocation_id: str | None) -> str:
    """The header by which Lambda detects stale responses, if it sent the id."""
    return "" if invocation_id is None else f"{INVOCATION_ID}: {invocation_id}\r\n"


def _raise_unless_accepted(reply: Reply) -> None:
    if reply.status in (410, 413):
        raise StaleResponseError(f"the Runtime API refused a response with {reply.status}")
    if reply.status != 202:
        raise RuntimeApiError(f"the Runtime API responded with {reply.status}: {reply.body[:200]!r}")
