"""An invocation and its state."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import Any

from local.lambda_service.errors import FunctionError
from local.lambda_service.response import Channel


class Invocation:
    """An event and its outcome.

    Args:
        event: The event's JSON.
        timeout_seconds: The timeout, from the time when the runtime gets the event.

    Attributes:
        begun: The content type of the response once it has started, or the error before that.
        finished: Set when the response is complete or has failed.
    """

    def __init__(self, event: bytes, timeout_seconds: float) -> None:
        self.event = event
        self.timeout_seconds = timeout_seconds
        self.request_id = str(uuid.uuid4())
        self.invocation_id = str(uuid.uuid4())
        self.trace_id = f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]};Sampled=0"
        self.channel = Channel()
        self.begun: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.begun.add_done_callback(_mark_retrieved)
        self.finished = asyncio.Event()

    def begin(self, content_type: str) -> None:
        """The response has started."""
        if not self.begun.done():
            self.begun.set_result(content_type)

    def finish(self, trailers: dict[str, Any] | None = None) -> None:
        """The response is complete."""
        if not self.finished.is_set():
            self.channel.trailers = trailers
            self.channel.end()
            self.finished.set()

    def fail(self, error: FunctionError) -> None:
        """The invocation has failed, before or during the response."""
        if not self.finished.is_set():
            if not self.begun.done():
                self.begun.set_exception(error)
            self.channel.end(error)
            self.finished.set()


def _mark_retrieved(begun: asyncio.Future[str]) -> None:
    """Retrieves the exception, so that asyncio does not log it if nobody awaits the future."""
    if not begun.cancelled():
        begun.exception()
