"""JumpStart's buckets on the loopback interface, one path for each Region, as a mirror of S3 has them."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Buckets:
    """What is served by path: bytes, a JSON value, a status, or a function that answers; and the requested paths."""

    def __init__(self) -> None:
        self.paths: dict[str, object] = {}
        self.requests: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.url = ""

    def path(self, region: str, key: str) -> str:
        return f"/jumpstart-cache-prod-{region}/{key}"

    def publish(self, *specs: dict, regions=("eu-west-1",)) -> None:
        """Put specifications and the manifest that lists them into the bucket of each Region."""
        for region in regions:
            rows = self.paths.setdefault(self.path(region, "models_manifest.json"), [])
            assert isinstance(rows, list)
            for spec in specs:
                key = f"community_models/{spec['model_id']}/specs_v{spec['version']}.json"
                rows.append(
                    {
                        "model_id": spec["model_id"],
                        "version": spec["version"],
                        "min_version": "2.189.0",
                        "spec_key": key,
                        "deprecated": spec.get("deprecated", False),
                        "search_keywords": ["Text Generation"],
                    }
                )
                self.paths[self.path(region, key)] = spec


@contextmanager
def fake_buckets() -> Iterator[Buckets]:
    """Serves the buckets for the duration of the block."""
    buckets = Buckets()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            buckets.requests.append(self.path)
            buckets.headers.append(dict(self.headers))
            found = buckets.paths.get(self.path, 403)
            if callable(found):
                found(self)
                return
            content = found if isinstance(found, bytes) else json.dumps(found).encode()
            self.send_response(found if isinstance(found, int) else 200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    buckets.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield buckets
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def slowly(handler: BaseHTTPRequestHandler) -> None:
    """Answers with a byte every 20 ms, without an end."""
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b" ")
            time.sleep(0.02)
    except OSError:
        return


def not_at_all(handler: BaseHTTPRequestHandler) -> None:
    """Accepts the request and stays silent for longer than any test waits."""
    time.sleep(1)
    handler.close_connection = True


def cut_off(handler: BaseHTTPRequestHandler) -> None:
    """Promises more than it sends."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b"[" + b" " * 98)
    handler.close_connection = True


def without_end(handler: BaseHTTPRequestHandler) -> None:
    """Sends blanks without a length and without an end."""
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b" " * 2**16)
    except OSError:
        return
