"""An API behind the playground: its real page, and answers that do what a test wants."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from front_door.protocols import playground

KEY = "team-a-key-0123456789"
Send = Callable[[bytes], None]


@dataclass
class Stub:
    """What it was asked, and how it answers a chat."""

    url: str = ""
    models: list[str] = field(default_factory=lambda: ["llama", "falcon"])
    needs_key: bool = True
    asked: list[dict[str, Any]] = field(default_factory=list)
    seen_urls: list[str] = field(default_factory=list)
    gone: threading.Event = field(default_factory=threading.Event)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    stream: Callable[[Send], None] = lambda send: send(answer("Hello", " there"))


def event(content: str | None = None, **more: Any) -> bytes:
    """One event of a streamed chat."""
    delta = {} if content is None else {"content": content}
    choice = {"index": 0, "delta": delta, "finish_reason": more.pop("finish_reason", None)}
    return b"data: " + json.dumps({"choices": [choice], **more}, ensure_ascii=False).encode() + b"\n\n"


def answer(*pieces: str, finish_reason: str = "stop") -> bytes:
    """A whole streamed answer, with its usage at the end."""
    usage = {"prompt_tokens": 25, "completion_tokens": len(pieces), "total_tokens": 25 + len(pieces)}
    counted = b"data: " + json.dumps({"choices": [], "usage": usage}).encode() + b"\n\n"
    said = b"".join(event(piece) for piece in pieces)
    return said + event(finish_reason=finish_reason) + counted + b"data: [DONE]\n\n"


class Handler(BaseHTTPRequestHandler):
    """One connection to the stub, which the server holds."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        stub = self.server.stub
        stub.seen_urls.append(self.path)
        if self.path in ("/prod", "/prod/"):
            page = playground.page(None)  # type: ignore[arg-type]
            self.tell(page.status, page.headers, b"".join(page.body))
        elif self.is_refused():
            return
        elif self.path == "/prod/v1/models":
            data = [{"id": name, "object": "model"} for name in stub.models]
            self.tell_json(200, {"object": "list", "data": data})
        elif self.path.endswith("/info"):
            told = {"model_id": f"hub/{self.path.split('/')[3]}", "version": "3.3.6", "max_total_tokens": 16384}
            self.tell_json(200, told)
        else:
            self.tell_json(404, {"error": {"message": f"There is no {self.path}."}})

    def do_POST(self) -> None:
        stub = self.server.stub
        stub.seen_urls.append(self.path)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.is_refused():
            return
        stub.asked.append(body)
        if stub.status != 200:
            self.tell(stub.status, {"Content-Type": "application/json", **stub.headers}, stub.body)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            stub.stream(self.send_chunk)
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            stub.gone.set()
            self.close_connection = True

    def is_refused(self) -> bool:
        is_known = not self.server.stub.needs_key or self.headers["Authorization"] == f"Bearer {KEY}"
        if not is_known:
            self.tell_json(401, {"error": {"message": "Send a key.", "code": "invalid_api_key"}})
        return not is_known

    def send_chunk(self, piece: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))

    def tell_json(self, status: int, told: Any) -> None:
        self.tell(status, {"Content-Type": "application/json"}, json.dumps(told).encode())

    def tell(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Serves a stub below a stage, as API Gateway does."""

    daemon_threads = True

    def __init__(self, stub: Stub) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.stub = stub
        stub.url = f"http://127.0.0.1:{self.server_port}/prod"


@contextmanager
def serving(stub: Stub) -> Iterator[Stub]:
    """Serve it for as long as the context lasts."""
    with Server(stub) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield stub
        server.shutdown()
        thread.join()


def in_pieces(told: bytes, size: int, seconds: float = 0.002) -> Callable[[Send], None]:
    """Send an answer in pieces that end anywhere."""
    return paced([told[start : start + size] for start in range(0, len(told), size)], seconds)


def cut_in_line_ends(told: bytes) -> Callable[[Send], None]:
    """Send an answer in pieces that end after carriage returns, slowly enough for each to be read alone."""
    return paced(re.split(rb"(?<=\r)", told), 0.02)


def paced(pieces: list[bytes], seconds: float) -> Callable[[Send], None]:
    """Send pieces, with a pause after each."""

    def stream(send: Send) -> None:
        for piece in pieces:
            if piece:
                send(piece)
                time.sleep(seconds)

    return stream
