"""Figures of a run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from bench.scaling.requests import Request
from bench.scaling.simulation import Outcome
from bench.scaling.speed import Speed

LATE_SECONDS = 5.0
"""A request is late if its first token takes that much longer than on an idle copy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Figures of a run.

    Args:
        requests: How many there were.
        failures: Failed requests by kind.
        late: Share of the requests that were late or failed.
        p50: Median time to first token, in seconds; of the requests that have one.
        p95: The time that 95 % of them did not exceed.
        dollars: What the instances cost.
        instances: Their average number.
        changes: How often the number of copies in service changed.
    """

    requests: int
    failures: Counter[str]
    late: float
    p50: float
    p95: float
    dollars: float
    instances: float
    changes: int


def summarize(outcome: Outcome, speed: Speed, price: float) -> Summary:
    """The figures of a run.

    Args:
        outcome: The run.
        speed: The speed of one copy.
        price: Dollars of an instance hour.
    """
    waits = sorted(request.wait for request in outcome.requests if request.wait is not None)
    number = len(outcome.requests)
    copies = [each[1] for each in outcome.timeline]
    return Summary(
        requests=number,
        failures=Counter(request.failure for request in outcome.requests if request.failure),
        late=sum(is_late(request, speed) for request in outcome.requests) / number if number else 0.0,
        p50=quantile(waits, 0.5),
        p95=quantile(waits, 0.95),
        dollars=outcome.instance_seconds / 3600 * price,
        instances=outcome.instance_seconds / outcome.seconds,
        changes=sum(one != other for one, other in pairwise(copies)),
    )


def is_late(request: Request, speed: Speed) -> bool:
    """Whether a request failed, or its first token took longer than on an idle copy by more than LATE_SECONDS."""
    wait = request.wait
    return wait is None or wait - speed.step(request.prompt, 0) > LATE_SECONDS


def quantile(values: list[float], share: float) -> float:
    """A quantile of sorted values; 0 without any."""
    return values[min(len(values) - 1, int(share * len(values)))] if values else 0.0
