"""An AWS that answers every call with one error, in the words of each protocol; and what answers in its place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@contextmanager
def refusing_aws(code: str, message: str = "refused", status: int = 403) -> Iterator[str]:
    """The URL of a server that refuses.

    Args:
        code: The code of the error, such as `ExpiredToken`.
        message: What it says.
        status: The status of HTTP.
    """

    class Handler(BaseHTTPRequestHandler):
        def _refuse(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            is_json = "X-Amz-Target" in self.headers
            inner = f"<Code>{code}</Code><Message>{message}</Message>"
            # S3 has the error itself as the root, the query protocol has it in an ErrorResponse.
            of_query = "x-www-form-urlencoded" in (self.headers.get("content-type") or "")
            xml = f"<ErrorResponse><Error>{inner}</Error></ErrorResponse>" if of_query else f"<Error>{inner}</Error>"
            body = json.dumps({"__type": code, "message": message}) if is_json else xml
            _send(self, status, body.encode())

        do_GET = do_PUT = do_POST = do_HEAD = _refuse  # noqa: N815 - the names of http.server

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with _serving(Handler) as url:
        yield url


@contextmanager
def answering(body: bytes) -> Iterator[str]:
    """The URL of a server that answers everything with the same body, such as the page of a proxy."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            _send(self, 200, body)

        do_GET = do_PUT = do_POST = do_HEAD = _answer  # noqa: N815 - the names of http.server

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with _serving(Handler) as url:
        yield url


def _send(handler: BaseHTTPRequestHandler, status: int, body: bytes) -> None:
    handler.send_response(status)
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(body)


@contextmanager
def _serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
