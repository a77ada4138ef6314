"""A stub of the API behind the playground: it serves the real page, and responses that a test controls."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from front_door.protocols import playground

SOURCE = Path(__file__).parents[2] / "lambda" / "playground"
KEY = "team-a-key-0123456789"
Send = Callable[[bytes], None]


@dataclass
class ApiStub:
    """How the stub responds, and what it has received.

    Attributes:
        page: The file of the page.
        url: Where the stub is served.
        models: The names in its list of models.
        context: The length of their context.
        needs_key: Whether requests need the key.
        error_type: The type of the error of a request without it.
        chats: The bodies of the chat requests.
        paths: The requested paths.
        disconnected: Set when a client disconnects during a stream.
        sleeper: The name of a model that callers may wake.
        wakes: What it answers when it is woken, one after the other: status, headers, body.
        status: The status of a chat response.
        headers: Its headers, if the status is not 200.
        body: Its body, if the status is not 200.
        stream: Sends its body, if the status is 200.
    """

    page: Path
    url: str = ""
    models: list[str] = field(default_factory=lambda: ["llama", "falcon"])
    context: int = 16384
    needs_key: bool = True
    error_type: str = "invalid_api_key"
    chats: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    disconnected: threading.Event = field(default_factory=threading.Event)
    sleeper: str = ""
    wakes: list[tuple[int, dict[str, str], dict[str, Any]]] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    stream: Callable[[Send], None] = lambda send: send(chat("Hello", " there"))


def event(content: str | None = None, **more: Any) -> bytes:
    """An event of a streamed chat."""
    delta = {} if content is None else {"content": content}
    choice = {"index": 0, "delta": delta, "finish_reason": more.pop("finish_reason", None)}
    return b"data: " + json.dumps({"choices": [choice], **more}, ensure_ascii=False).encode() + b"\n\n"


def chat(*pieces: str, finish_reason: str = "stop") -> bytes:
    """A complete streamed chat, with the usage at the end."""
    usage = {"prompt_tokens": 25, "completion_tokens": len(pieces), "total_tokens": 25 + len(pieces)}
    usage_event = b"data: " + json.dumps({"choices": [], "usage": usage}).encode() + b"\n\n"
    content = b"".join(event(piece) for piece in pieces)
    return content + event(finish_reason=finish_reason) + usage_event + b"data: [DONE]\n\n"


def _error(message: str, error_type: str) -> dict[str, Any]:
    """An error as API Gateway sends it."""
    return {"error": {"message": message, "code": "invalid_api_key"}, "error_type": error_type}


class Handler(BaseHTTPRequestHandler):
    """A connection to the stub."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        stub = self.server.stub
        stub.paths.append(self.path)
        if self.path in ("/prod", "/prod/"):
            page = playground.page(str(self.server.stub.page))
            self.send_all(page.status, page.headers, b"".join(page.body))
        elif self.is_rejected():
            return
        elif self.path == "/prod/v1/models":
            data = [{"id": name, "object": "model"} for name in stub.models]
            self.send_json(200, {"object": "list", "data": data})
        elif self.path.endswith("/info"):
            name = self.path.split("/")[3]
            info: dict[str, Any] = {"model_id": f"hub/{name}", "version": "3.3.6", "max_total_tokens": stub.context}
            if name == stub.sleeper:
                info["wake"] = {"path": f"/models/{name}/wake", "seconds": 300}
            self.send_json(200, info)
        else:
            self.send_json(404, {"error": {"message": f"There is no {self.path}."}})

    def do_POST(self) -> None:
        stub = self.server.stub
        stub.paths.append(self.path)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or "{}")
        if self.is_rejected():
            return
        if self.path.endswith("/wake"):
            status, headers, answer = stub.wakes.pop(0)
            self.send_all(status, {"Content-Type": "application/json", **headers}, json.dumps(answer).encode())
            return
        stub.chats.append(body)
        if stub.status != 200:
            self.send_all(stub.status, {"Content-Type": "application/json", **stub.headers}, stub.body)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            stub.stream(self.send_chunk)
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            stub.disconnected.set()
            self.close_connection = True

    def is_rejected(self) -> bool:
        is_known = not self.server.stub.needs_key or self.headers["Authorization"] == f"Bearer {KEY}"
        if not is_known:
            self.send_json(401, _error("Send a key.", self.server.stub.error_type))
        return not is_known

    def send_chunk(self, piece: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))

    def send_json(self, status: int, value: Any) -> None:
        self.send_all(status, {"Content-Type": "application/json"}, json.dumps(value).encode())

    def send_all(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


class Server(ThreadingHTTPServer):
    """Serves a stub below the path of a stage, like API Gateway."""

    daemon_threads = True

    def __init__(self, stub: ApiStub) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.stub = stub
        stub.url = f"http://127.0.0.1:{self.server_port}/prod"


@contextmanager
def serve(stub: ApiStub) -> Iterator[ApiStub]:
    """Serve a stub until the context ends."""
    with Server(stub) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield stub
        server.shutdown()
        thread.join()


def in_pieces(data: bytes, size: int, seconds: float = 0.002) -> Callable[[Send], None]:
    """Send a response in pieces of this size."""
    return paced([data[start : start + size] for start in range(0, len(data), size)], seconds)


def split_after_carriage_returns(data: bytes) -> Callable[[Send], None]:
    """Send a response in pieces that end after carriage returns, slowly enough for each to be read separately."""
    return paced(re.split(rb"(?<=\r)", data), 0.02)


def paced(pieces: list[bytes], seconds: float) -> Callable[[Send], None]:
    """Send pieces with a pause after each."""

    def stream(send: Send) -> None:
        for piece in pieces:
            if piece:
                send(piece)
                time.sleep(seconds)

    return stream
