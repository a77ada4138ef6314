"""What the plan knows of an endpoint's capacity, for thresholds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from constructs_lib.planning.scaling.startup import start_seconds
from constructs_lib.planning.summary import concurrent_requests, stream_tokens

if TYPE_CHECKING:
    from constructs_lib.planning.request import EndpointPlan

LONG_ENOUGH = 900
"""Seconds of overload after which nothing else will help."""


class Held(NamedTuple):
    """How many requests one instance or copy works on at once, by the plan.

    Attributes:
        requests: Their number; more wait in it.
        tokens: Prompt and answer of each together.
    """

    requests: int
    tokens: int


def held(plan: EndpointPlan, request_tokens: int | None) -> Held | None:
    """What one instance or copy works on at once; None if the plan does not know what the GPUs hold.

    Args:
        plan: The plan of the container.
        request_tokens: Prompt and answer of one request together, as clients send them. None: 1024, or the longest
            request if that is shorter; the price of a front door counts the same.
    """
    tokens = stream_tokens(plan, request_tokens)
    requests = None if tokens is None else concurrent_requests(plan, tokens)
    return None if tokens is None or requests is None else Held(requests, tokens)


def overload_seconds(plan: EndpointPlan | None) -> int:
    """How long an overload lasts before somebody is told: until what scales would have had time to help.

    Args:
        plan: The plan of the container; None if it is not known.
    """
    helps_after = 0 if plan is None else 2 * start_seconds(plan.load_seconds)
    return max(LONG_ENOUGH, math.ceil(helps_after / LONG_ENOUGH) * LONG_ENOUGH)
