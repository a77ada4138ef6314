"""A real server behind a deployed front door, and how the tests ask it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.e2e.deployed_cloud import Cloud, Response
from tests.engines.server import VllmServer
from tests.engines.stack import MODEL

CHAT = "/v1/chat/completions"


@dataclass
class Engine:
    """A version of vLLM, and the front door to it."""

    version: str
    server: VllmServer
    cloud: Cloud

    def chat(self, content: str = "What is deep learning?", **options: Any) -> Response:
        """Ask the front door."""
        messages = [{"role": "user", "content": content}]
        return self.cloud.request("POST", CHAT, {"model": MODEL, "messages": messages, **options})

    def requests(self) -> float:
        """How many requests run or wait in the server."""
        return self.server.metric("num_requests_running") + self.server.metric("num_requests_waiting")

    def is_idle(self) -> bool:
        """Whether none does."""
        return self.requests() == 0


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until a condition holds.

    Raises:
        AssertionError: It does not in time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:g} seconds"
        time.sleep(0.1)
