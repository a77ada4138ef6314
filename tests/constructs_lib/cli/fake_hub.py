"""A fake Hugging Face hub on the loopback interface."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONFIG = {
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
    "max_position_embeddings": 131072,
    "torch_dtype": "bfloat16",
}
INDEX = {"metadata": {"total_size": 16_060_522_496}}
INFO = {"gated": False, "cardData": {"license": "apache-2.0"}}


class Hub:
    """What the hub serves by path (a JSON object, a status, or a URL to redirect to), and the requests it received."""

    def __init__(self) -> None:
        self.paths: dict[str, object] = {}
        self.requests: list[tuple[str, str | None]] = []
        self.url = ""

    def serve(self, hub_id: str, *, revision: str = "main", config=CONFIG, index=INDEX, info=INFO) -> None:
        self.paths[f"/{hub_id}/resolve/{revision}/config.json"] = config
        if index is not None:
            self.paths[f"/{hub_id}/resolve/{revision}/model.safetensors.index.json"] = index
        if info is not None:
            self.paths[f"/api/models/{hub_id}/revision/{revision}"] = info


@contextmanager
def fake_hub() -> Iterator[Hub]:
    """Runs a hub for the duration of the block."""
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hub.requests.append((self.path, self.headers.get("Authorization")))
            found = hub.paths.get(self.path, 404)
            content = found if isinstance(found, bytes) else json.dumps(found).encode()
            self.send_response(found if isinstance(found, int) else 302 if isinstance(found, str) else 200)
            if isinstance(found, str):
                self.send_header("Location", found)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
