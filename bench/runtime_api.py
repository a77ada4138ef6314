"""A minimal Lambda Runtime API that works with the front door's runtime client and AWS's, and times every byte.

One sandbox, one invocation at a time, one thread. It does not check the client's use of the protocol, as
`local/lambda_service` does: it only has to be fast, and equal for both clients.
"""

from __future__ import annotations

import contextlib
import json
import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.wire import Arrivals, without_chunking

_PRELUDE_END = b"\0" * 8
_ACCEPTED = b'HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\ncontent-length: 16\r\n\r\n{"status":"OK"}\n'
_FUNCTION_ARN = "arn:aws:lambda:us-east-1:123456789012:function:bench"


@dataclass(frozen=True, slots=True)
class FunctionResponse:
    """The response of a function.

    Args:
        invoked: When the event was sent to the function (CLOCK_MONOTONIC, nanoseconds).
        done: When the last byte arrived.
        body: The payload without prelude and transfer coding.
        status: The HTTP status in the prelude, or in the object returned by a buffered handler.
    """

    invoked: int
    done: int
    body: Arrivals
    status: int


@dataclass(frozen=True, slots=True)
class _Head:
    line: str
    headers: dict[str, str]
    length: int

    @property
    def chunked(self) -> bool:
        return self.headers.get("transfer-encoding", "").lower() == "chunked"


@dataclass(frozen=True, slots=True)
class _Request:
    head: _Head
    body: Arrivals


class _Connection:
    def __init__(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        self._parts: list[tuple[int, bytes]] = []
        self._head: _Head | None = None

    def receive(self) -> bool:
        """Receive the available bytes.

        Returns:
            Whether the connection is still open.
        """
        with contextlib.suppress(ConnectionResetError):
            if data := self.sock.recv(262144):
                self._parts.append((time.monotonic_ns(), data))
                return True
        return False

    def request(self) -> _Request | None:
        """The request. None: it is not complete yet."""
        head = self._head = self._head or self._parse_head()
        if head is None or not self._is_complete(head):
            return None
        request = _Request(head, Arrivals(self._parts).after(head.length))
        self._parts, self._head = [], None
        return request

    def _parse_head(self) -> _Head | None:
        head, found, _ = b"".join(data for _, data in self._parts).partition(b"\r\n\r\n")
        if not found:
            return None
        line, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in lines)}
        return _Head(line, headers, len(head) + 4)

    def _is_complete(self, head: _Head) -> bool:
        if head.chunked:
            tail = b"".join(data for _, data in self._parts[-4:])[-4096:]
            return tail.endswith(b"\r\n\r\n") and b"\r\n0\r\n" in tail
        length = head.length + int(head.headers.get("content-length", 0))
        return sum(len(data) for _, data in self._parts) >= length


class RuntimeApi:
    """Serves one sandbox on a free port of the loopback interface.

    Args:
        ensure_running: Raises if the sandbox has ended; called while nothing arrives.
    """

    def __init__(self, ensure_running: Callable[[], None]) -> None:
        self._ensure_running = ensure_running
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._waiting: _Connection | None = None
        self._invocations = 0

    @property
    def address(self) -> str:
        """The value of AWS_LAMBDA_RUNTIME_API."""
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def invoke(self, event: dict[str, Any], timeout_seconds: float = 60) -> FunctionResponse:
        """Send the event to the sandbox when it polls for one, and wait for the complete response.

        Raises:
            RuntimeError: The sandbox ended, or reported an error.
            TimeoutError: No response in time.
        """
        until = time.monotonic() + timeout_seconds
        connection = self.wait_for_poll(until)
        self._invocations += 1
        self._waiting = None
        message = self._next_response(event)
        invoked = time.monotonic_ns()
        connection.sock.sendall(message)
        while True:
            request = self._next_request(until)
            if request.head.line.startswith("POST"):
                return _read_response(request, invoked)

    def wait_for_poll(self, until: float) -> _Connection:
        """Wait until the sandbox polls for an event; the connection on which it does.

        Args:
            until: For how long (`time.monotonic`).

        Raises:
            RuntimeError: The sandbox ended.
            TimeoutError: It did not poll in time.
        """
        while self._waiting is None:
            self._next_request(until)
        return self._waiting

    def close(self) -> None:
        """Close every connection."""
        for key in list(self._selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)  # noqa: S101 - narrows the type, nothing else is registered
            key.fileobj.close()
        self._selector.close()

    def _next_response(self, event: dict[str, Any]) -> bytes:
        body = json.dumps(event).encode()
        head = (
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
            f"lambda-runtime-aws-request-id: 00000000-0000-4000-8000-{self._invocations:012d}\r\n"
            f"lambda-runtime-deadline-ms: {int(time.time() * 1000) + 900_000}\r\n"
            f"lambda-runtime-invoked-function-arn: {_FUNCTION_ARN}\r\n"
            "lambda-runtime-trace-id: Root=1-00000000-000000000000000000000000;Sampled=0\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    def _next_request(self, until: float) -> _Request:
        """Wait for a complete request. A GET stays open until there is an event, a POST is accepted."""
        while time.monotonic() < until:
            ready = self._selector.select(0.5)
            if not ready:
                self._ensure_running()
            for key, _ in ready:
                if (request := self._serve(key)) is not None:
                    return request
        raise TimeoutError("the function did not respond in time")

    def _serve(self, key: selectors.SelectorKey) -> _Request | None:
        if key.fileobj is self._listener:
            sock, _ = self._listener.accept()
            self._selector.register(sock, selectors.EVENT_READ, _Connection(sock))
            return None
        connection: _Connection = key.data
        if not connection.receive():
            self._selector.unregister(connection.sock)
            connection.sock.close()
            return None
        if (request := connection.request()) is None:
            return None
        if request.head.line.startswith("GET"):
            self._waiting = connection
        else:
            connection.sock.sendall(_ACCEPTED)
        return request


def _read_response(request: _Request, invoked: int) -> FunctionResponse:
    head, body = request.head, request.body
    if not head.line.split()[1].endswith("/response"):
        raise RuntimeError(f"the function reported an error: {body.body.decode(errors='replace')}")
    done = body.last
    if head.chunked:
        body = without_chunking(body)
    if head.headers.get("lambda-runtime-function-response-mode") != "streaming":
        returned = json.loads(body.body)
        return FunctionResponse(invoked, done, Arrivals([(done, returned["body"].encode())]), returned["statusCode"])
    prelude, _, _ = body.body.partition(_PRELUDE_END)
    return FunctionResponse(
        invoked, done, body.after(len(prelude) + len(_PRELUDE_END)), json.loads(prelude)["statusCode"]
    )
