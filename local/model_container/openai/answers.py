"""What answers of all routes have in common: JSON, the events of streams, ids."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from json import dumps
from typing import Any
from uuid import uuid4

from aiohttp import web

from local.model_container.openai.errors import ApiError, error_body
from local.model_container.openai.generation import Output, Step
from local.model_container.serde.types import compact

DONE = b"data: [DONE]\n\n"
KEEP_ALIVE = b": keep-alive\n\n"
UNTYPED = web.ResponseKey("untyped", bool)
"""Marks an answer that gets no content type."""


def json_response(body: object, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """A JSON answer."""
    return web.Response(body=compact(body).encode(), content_type="application/json", status=status, headers=headers)


def plain_response(text: str, headers: dict[str, str] | None = None) -> web.Response:
    """A text without a content type."""
    response = web.Response(body=text.encode(), headers=headers)
    response[UNTYPED] = True
    return response


def error_response(error: ApiError) -> web.Response:
    """The answer to a request that is rejected."""
    return json_response(error_body(error), error.status)


def event(data: dict[str, Any]) -> bytes:
    """An event of a stream."""
    return f"data: {compact(data)}\n\n".encode()


def error_event(error: ApiError) -> bytes:
    """An error in a stream: Python's own JSON, with blanks."""
    return f"data: {dumps(error_body(error))}\n\n".encode()


def random_id() -> str:
    """A random id, as in the ids of answers and calls."""
    return uuid4().hex[:16]


async def send_events(http: web.Request, events: AsyncGenerator[bytes, None]) -> web.StreamResponse:
    """Sends a stream; its generation ends if the client goes away.

    Raises:
        ApiError: It fails before its first event.
    """
    async with aclosing(events):
        first = await anext(events)
        response = web.StreamResponse(headers={"content-type": "text/event-stream; charset=utf-8"})
        await response.prepare(http)
        await response.write(first)
        async for each in events:
            await response.write(each)
        await response.write_eof()
    return response


class Chunks:
    """Groups the tokens of several texts to the chunks of a stream: the first alone, then so many at once.

    Args:
        outputs: The texts.
        interval: The tokens of a chunk.
    """

    def __init__(self, outputs: Sequence[Output], interval: int) -> None:
        self._outputs = outputs
        self._interval = interval
        self._pending: list[list[Step]] = [[] for _ in outputs]

    def add(self, position: int) -> Iterator[tuple[int, list[Step], bool]]:
        """The chunks that the tokens at a position complete: the choice, its tokens, and whether it is the last."""
        for choice, output in enumerate(self._outputs):
            if position >= len(output.steps):
                continue
            pending = self._pending[choice]
            pending.append(output.steps[position])
            is_last = position + 1 == len(output.steps)
            if position == 0 or is_last or len(pending) >= self._interval:
                yield choice, pending, is_last
                self._pending[choice] = []


async def with_comments(parts: AsyncIterator[range]) -> AsyncIterator[int | None]:
    """The positions one by one; None for a comment."""
    async for positions in parts:
        if not positions:
            yield None
        for position in positions:
            yield position
