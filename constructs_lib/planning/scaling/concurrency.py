"""How many requests one container serves at the same time before another one is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs_lib.planning.scaling.policies import SCALE_IN_REQUESTS, SCALE_IN_SHARE

if TYPE_CHECKING:
    from constructs_lib.planning.memory_plan import MemoryPlan

FACTOR = 0.8
"""Share of what the cache holds at which another instance or copy is added. The simulator (`bench.scaling`) chose it
together with SCALE_IN_SHARE in `policies`."""


def concurrency_target(memory: MemoryPlan, request_tokens: int, max_concurrent_requests: int | None) -> int | None:
    """The concurrent requests of one container at which to add another one.

    `floor(FACTOR × min(requests that the cache holds, max_concurrent_requests))`, at least 1. What the cache holds is
    its tokens divided by the tokens of one request, in whole blocks.

    Args:
        memory: The plan of the container's GPUs.
        request_tokens: Prompt and answer of one request together.
        max_concurrent_requests: Requests that the container accepts at once; None if it is not known.

    Returns:
        The target; None if no such request fits.
    """
    held = memory.concurrent_requests(request_tokens)
    if not held:
        return None
    accepted = held if max_concurrent_requests is None else min(held, max_concurrent_requests)
    return max(1, int(FACTOR * accepted))


def low_concurrency(target: float) -> float:
    """The concurrent requests of the busiest instance or copy below which one is removed.

    `SCALE_IN_SHARE × target + SCALE_IN_REQUESTS`, at most the target.

    Args:
        target: The target of concurrent requests.
    """
    return min(target, round(SCALE_IN_SHARE * target + SCALE_IN_REQUESTS, 3))
