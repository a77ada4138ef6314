"""A front door that answers as a test tells it, and sees whether its client stays."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Reply:
    """One answer to a chat.

    Args:
        parts: The deltas, each a dictionary, or bytes that are sent as they are. A number is a pause in seconds.
        status: The HTTP status.
        headers: Further headers.
        body: What is sent instead of a stream.
        end: `done` with [DONE], `cut` in the middle of the response, `short` as if it were complete, `reset`.
    """

    parts: list[Any] = field(default_factory=lambda: ["Hello", " world"])
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    end: str = "done"


@dataclass
class FakeFrontDoor:
    """What a test sees of it.

    Args:
        url: Its URL.
        replies: The answers to the next chats; the last one stays.
        requests: The bodies of the chats.
        headers: Their headers.
        asked: Set when a chat has arrived.
        left: Set when a client has closed its connection in the middle of an answer.
        models: The names of its models.
    """

    url: str = ""
    replies: list[Reply] = field(default_factory=lambda: [Reply()])
    requests: list[Any] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    asked: threading.Event = field(default_factory=threading.Event)
    left: threading.Event = field(default_factory=threading.Event)
    models: list[str] = field(default_factory=lambda: ["llama"])


def error(status: int, code: str, message: str, **headers: str) -> Reply:
    body = {"error": {"message": message, "type": "x", "param": None, "code": code}}
    return Reply(status=status, body=body, headers={name.replace("_", "-"): value for name, value in headers.items()})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    door: FakeFrontDoor

    def do_GET(self) -> None:
        if self.path != "/prod/v1/models":
            return self._send(Reply(status=404, body={"error": {"message": "There is no such route.", "code": "x"}}))
        return self._send(Reply(body={"data": [{"id": name} for name in self.door.models]}))

    def do_POST(self) -> None:
        self.door.requests.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.door.headers.append({name.lower(): value for name, value in self.headers.items()})
        self.door.asked.set()
        self._send(self.door.replies.pop(0) if len(self.door.replies) > 1 else self.door.replies[0])

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.body is not None:
            body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        try:
            self._stream(reply)
        except OSError:
            self.door.left.set()
        self.close_connection = True

    def _stream(self, reply: Reply) -> None:
        for part in reply.parts:
            if isinstance(part, int | float):
                self._pause(part)
                continue
            delta = {"content": part} if isinstance(part, str) else part
            event = {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
            self._chunk(part if isinstance(part, bytes) else f"data: {json.dumps(event)}\n\n".encode())
        if reply.end == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        elif reply.end == "cut":
            return
        elif reply.end == "done":
            last = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
            usage = {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 7, "total_tokens": 10}}
            self._chunk(b"".join(f"data: {json.dumps(each)}\n\n".encode() for each in (last, usage)))
            self._chunk(b"data: [DONE]\n\n")
        if reply.end != "reset":
            self.wfile.write(b"0\r\n\r\n")

    def _pause(self, seconds: float) -> None:
        """Wait, and see whether the client leaves meanwhile."""
        deadline = time.monotonic() + seconds
        self.connection.settimeout(0.02)
        while time.monotonic() < deadline:
            try:
                if self.connection.recv(1) == b"":
                    raise ConnectionAbortedError
            except TimeoutError:
                continue
        self.connection.settimeout(None)

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@contextmanager
def fake_front_door() -> Iterator[FakeFrontDoor]:
    """A front door on this machine, at `/prod`."""
    door = FakeFrontDoor()
    handler = type("Handler", (_Handler,), {"door": door})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    door.url = f"http://127.0.0.1:{server.server_port}/prod"
    try:
        yield door
    finally:
        server.shutdown()
        server.server_close()
