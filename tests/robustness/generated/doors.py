"""The deployed front doors: two emulated clouds, started at the same time, and everything that they log."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.e2e.deployed_cloud import ROOT, Cloud, Serve, wait_until_nothing_is_left
from tests.robustness.generated.drafts import WORD, Door

APP = Path(__file__).with_name("app")
MODELS: dict[str, dict[str, tuple[str, ...]]] = {
    "OneModel": {"qwen": ("tgi", "vllm")},
    "ManyModels": {engine: (engine,) for engine in ("tgi", "vllm", "sglang", "lmi")},
}
_ENCODED = [f"(?i:{WORD})", "YzRuNHJ5", "M0bjRyeQ", "jNG40cn", "(?i:%63%34%6e%34%72%79)"]
WORDS = re.compile(rf"({'|'.join(_ENCODED)})\d*")
"""The word as it is, in base64 wherever it begins, or percent-encoded."""


class DeployedDoor:
    """A front door in an emulated cloud of its own.

    Args:
        name: Its stack's name.
        serve: The process that serves it.
    """

    def __init__(self, name: str, serve: Serve) -> None:
        self.serve = serve
        self.cloud = Cloud.of(serve)
        parts = urlsplit(self.cloud.url)
        assert parts.port is not None
        self.port = parts.port
        document = self.cloud.request("GET", "/openapi.json").json()
        self.door = Door(name, parts.path, MODELS[name], self.cloud.api_keys, document)

    def log(self) -> str:
        """Everything that was written: by the gateway, the function, the containers, and the emulation itself."""
        return self.serve.log()


@contextmanager
def deployed_doors(folder: Path) -> Iterator[list[DeployedDoor]]:
    """Deploy both front doors."""
    serves = {}
    with ExitStack() as exits:
        for name in MODELS:
            arguments = ("--app", str(APP), "--stack", name)
            serve = Serve(folder / name, *arguments, TOY_TOKENS_PER_SECOND="0", PYTHONPATH=str(ROOT))
            serves[name] = exits.enter_context(serve)
        yield [DeployedDoor(name, serve) for name, serve in serves.items()]
    for serve in serves.values():
        if serve.process.poll() is None:
            serve.end(signal.SIGKILL)
        wait_until_nothing_is_left(serve.process.pid)
