"""When prefix-aware routing pays: the same requests with least-outstanding and with prefix-aware routing."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from bench.scaling.arrivals import steady
from bench.scaling.case import CASES, Case, case, highest_rate
from bench.scaling.measure import Summary
from bench.scaling.requests import Request
from bench.scaling.routing import Route, least_outstanding, prefix_aware
from bench.scaling.tables import Table, percent, seconds

TOKENS = 1500
"""Of a shared text: about six thousand bytes of English."""

TEXTS = (1, 5, 20, 100)
INSTANCES = (2, 4, 8)
_LOAD = 0.5
_HOURS = 0.7


def study(seed: int, step: Callable[[str], None]) -> Table:
    """A table of numbers of shared texts and instances.

    Args:
        seed: Seed of everything random.
        step: Called with a description of each run.
    """
    one = case(*CASES[0])
    target = one.target
    thresholds = {f"threshold {factor * target:.0f}": round(factor * target) for factor in (0.5, 1, 2)}
    rows = []
    for texts in TEXTS:
        for instances in INSTANCES:
            step(f"routing: {texts} shared texts on {instances} instances")
            found = [measure(one, texts, instances, least_outstanding, seed)]
            found += [measure(one, texts, instances, _aware(each), seed) for each in thresholds.values()]
            rows.append((f"{texts} on {instances}", *(_cell(each) for each in found)))
    held = one.limits.cache_tokens // TOKENS
    title = (
        f"routing: texts of {TOKENS} tokens that requests begin with, on instances whose cache holds {held} of them and"
        " nothing else; first token p50 / p95, late"
    )
    return Table(title, ("texts on instances", "least outstanding", *thresholds), rows)


def measure(
    one: Case, texts: int, instances: int, route: Callable[[random.Random], Route], seed: int, load: float = _LOAD
) -> Summary:
    """One run.

    Args:
        one: The case; its prompts come after the shared text.
        texts: How many different texts there are, all as frequent.
        instances: How many instances.
        route: The routing strategy.
        seed: Seed of everything random.
        load: Rate, as a share of what the instances serve without shared texts.
    """

    def change(rng: random.Random, request: Request) -> Request:
        return replace(
            request,
            prompt=request.prompt + TOKENS,
            reserved=request.reserved + TOKENS,
            prefix=rng.randrange(texts),
            prefix_tokens=TOKENS,
        )

    rate = load * instances * highest_rate(one, seed)
    outcome = one.simulate(steady(rate, hours=_HOURS), None, begin=instances, seed=seed, route=route, change=change)
    return one.summary(outcome)


def _aware(threshold: int) -> Callable[[random.Random], Route]:
    return lambda rng: prefix_aware(threshold, rng)


def _cell(summary: Summary) -> str:
    return f"{seconds(summary.p50)} / {seconds(summary.p95)}, {percent(summary.late)}"
