"""The two servers: the hub on one port of the loopback interface, its CDN on another, so that it counts as foreign."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import unquote

from local.hub.answers import Answers
from local.hub.faults import Faults, Reply, Side
from local.hub.repository import Repository

_SLICE = 2**16


@dataclass(frozen=True)
class Received:
    """A request.

    Args:
        on: Whether the hub or its CDN got it.
        method: GET or HEAD.
        target: Path and query.
        headers: Its headers, names in lower case.
    """

    on: Side
    method: str
    target: str
    headers: Mapping[str, str]

    @property
    def token(self) -> str | None:
        """The bearer token."""
        return self.headers.get("authorization", "").removeprefix("Bearer ") or None


class Hub:
    """A hub that runs for the duration of a with statement.

    Args:
        repositories: What it has.
        tokens: The repositories that each token may read beyond the public ones. Other tokens are not valid.
        page_size: Entries of a page of a tree.
        has_error_codes: Whether refusals carry X-Error-Code; a mirror may leave it out.
        redirects_small_files: Whether a file that is no LFS file is answered with a relative redirect, as the hub does.

    Attributes:
        faults: What goes wrong; see `Faults.add`.
        received: The requests in the order in which they came.
    """

    def __init__(
        self,
        repositories: Iterable[Repository],
        *,
        tokens: Mapping[str, Iterable[str]] | None = None,
        page_size: int = 1000,
        has_error_codes: bool = True,
        redirects_small_files: bool = True,
    ) -> None:
        self._answers = Answers(repositories, tokens or {}, page_size, has_error_codes, redirects_small_files)
        self.faults = Faults()
        self.received: list[Received] = []
        self._servers = {side: _Server(self, side) for side in ("hub", "cdn")}

    @property
    def url(self) -> str:
        """URL of the hub, for HF_ENDPOINT."""
        return self._servers["hub"].url

    @property
    def cdn_url(self) -> str:
        """URL of the CDN."""
        return self._servers["cdn"].url

    def add(self, repository: Repository) -> None:
        """Add a repository, or a new commit of one in place of the old."""
        self._answers.repositories[repository.name] = repository

    def reply(self, request: Received) -> Reply:
        """The answer to a request, with the next fault that is planned for it."""
        self.received.append(request)
        path = request.target if request.on == "hub" else f"{request.target} {self._answers.path_of(request.target)}"
        fault = self.faults.take(request.on, unquote(path))
        asked_range = None if fault is not None and fault.whole else request.headers.get("range")
        if request.on == "cdn":
            reply = self._answers.cdn_answer(request.target, asked_range)
        else:
            reply = self._answers.answer(request.target, request.token, asked_range, self.url, self.cdn_url)
        return fault.spoil(reply) if fault else reply

    def __enter__(self) -> Hub:
        for server in self._servers.values():
            server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for server in self._servers.values():
            server.stop()


class _Server:
    """One of the two ports. It listens from the beginning, so that its URL is known."""

    def __init__(self, hub: Hub, side: Side | str) -> None:
        handler = type("Handler", (_Handler,), {"hub": hub, "side": side})
        self._server = _QuietServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name=f"hub-{side}", daemon=True
        )
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that are killed or stopped close their connections, which is what is tested."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub
    side: Side

    def do_GET(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def _serve(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.hub.reply(Received(self.side, self.command, self.path, headers))
        if reply.is_dropped:
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body) if reply.declared is None else reply.declared))
        self.end_headers()
        if self.command != "HEAD":
            self._send(reply)
        if reply.is_cut:
            self.close_connection = True

    def _send(self, reply: Reply) -> None:
        pace = reply.bytes_per_second
        size = _SLICE if pace is None else max(1, int(pace / 20))
        for start in range(0, len(reply.body), size):
            self.wfile.write(reply.body[start : start + size])
            if pace is not None:
                time.sleep(size / pace)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Log nothing; `Hub.received` has every request."""
