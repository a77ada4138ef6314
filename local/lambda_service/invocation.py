"""One invocation as the service follows it."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import Any

from local.lambda_service.answer import Channel
from local.lambda_service.errors import FunctionError


class Invocation:
    """One event, and what became of it.

    Args:
        event: The event's JSON.
        timeout_seconds: How long the function may take, counted from when it gets the event.

    Attributes:
        begun: The content type of the answer as soon as it begins, or the error that came in its place.
        finished: Set when the answer is complete or has failed.
    """

    def __init__(self, event: bytes, timeout_seconds: float) -> None:
        self.event = event
        self.timeout_seconds = timeout_seconds
        self.request_id = str(uuid.uuid4())
        self.invocation_id = str(uuid.uuid4())
        self.trace_id = f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]};Sampled=0"
        self.channel = Channel()
        self.begun: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.begun.add_done_callback(_seen)
        self.finished = asyncio.Event()

    def begin(self, content_type: str) -> None:
        """The answer's head is here."""
        if not self.begun.done():
            self.begun.set_result(content_type)

    def finish(self, trailers: dict[str, Any] | None = None) -> None:
        """The answer is complete."""
        if not self.finished.is_set():
            self.channel.trailers = trailers
            self.channel.end()
            self.finished.set()

    def fail(self, error: FunctionError) -> None:
        """The answer will not come, or break off where it is."""
        if not self.finished.is_set():
            if not self.begun.done():
                self.begun.set_exception(error)
            self.channel.end(error)
            self.finished.set()


def _seen(begun: asyncio.Future[str]) -> None:
    """Nobody may be waiting any more, which is no reason for asyncio to complain."""
    if not begun.cancelled():
        begun.exception()
