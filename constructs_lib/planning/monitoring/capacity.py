"""What the plan knows of an endpoint's capacity, for thresholds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from constructs_lib.planning.scaling.limits import longest_request
from constructs_lib.planning.scaling.startup import start_seconds

if TYPE_CHECKING:
    from constructs_lib.planning.request import EndpointPlan

LONG_ENOUGH = 900
"""Seconds of overload after which nothing else will help."""


def held_requests(plan: EndpointPlan, request_tokens: int | None) -> int | None:
    """The requests that one container works on at the same time; more wait in it.

    Args:
        plan: The plan of the container.
        request_tokens: Prompt and answer of one request together. None: the longest request.

    Returns:
        Their number; None if the plan does not know what the GPUs hold, or if they hold no such request.
    """
    tokens = request_tokens or longest_request(plan)
    if plan.memory is None or tokens is None:
        return None
    held = plan.memory.concurrent_requests(tokens)
    accepted = plan.serving.max_concurrent_requests
    return (held if accepted is None else min(held, accepted)) or None


def overload_seconds(plan: EndpointPlan | None) -> int:
    """How long an overload lasts before somebody is told: until what scales would have had time to help.

    Args:
        plan: The plan of the container; None if it is not known.
    """
    helps_after = 0 if plan is None else 2 * start_seconds(plan.load_seconds)
    return max(LONG_ENOUGH, math.ceil(helps_after / LONG_ENOUGH) * LONG_ENOUGH)
