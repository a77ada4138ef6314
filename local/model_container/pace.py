"""When the tokens of a generation are due."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

_BURST = 128  # tokens of an unlimited generation before other requests get a turn


async def due(
    total: int, *, tokens_per_second: float, first_token_seconds: float, keep_alive_seconds: float
) -> AsyncIterator[range]:
    """Yields the indexes of tokens when they are due, and an empty range after so many seconds without tokens.

    Args:
        total: The number of tokens.
        tokens_per_second: The rate; 0 for no limit.
        first_token_seconds: The delay before the first token.
        keep_alive_seconds: The time without tokens after which a stream has a comment.
    """
    clock = time.monotonic
    last = clock()
    start = last + first_token_seconds
    sent = 0
    while sent < total:
        now = clock()
        ready = _ready(now - start, sent, tokens_per_second)
        if ready > sent:
            yield range(sent, min(ready, total))
            sent, last = ready, now
            await asyncio.sleep(0)
            continue
        pause = sent / (tokens_per_second or 1)
        await asyncio.sleep(max(min(start + pause, last + keep_alive_seconds) - now, 0))
        if clock() >= last + keep_alive_seconds:
            yield range(sent, sent)
            last = clock()


def _ready(elapsed: float, sent: int, tokens_per_second: float) -> int:
    if elapsed < 0:
        return sent
    return int(elapsed * tokens_per_second) + 1 if tokens_per_second else sent + _BURST
