"""The comparison: four loads, the same requests for each way to scale."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from bench.scaling.arrivals import HOUR, Load, bursty, diurnal, sessions, steady
from bench.scaling.case import CASES, Case, case, highest_rate
from bench.scaling.contenders import Contender, load_contenders, zero_contenders
from bench.scaling.measure import Summary
from bench.scaling.simulation import Outcome
from bench.scaling.tables import FIGURES, Table, figures

PEAK = 3.0
"""Highest rate of the loads, in what one instance serves."""

STEADY = 1.8
BASE = 0.5
VISITORS = 0.6

HOLD = 899.0
"""Seconds that a front door with `on_wake="hold"` keeps a request: its function's 15 minutes, less one second."""


@dataclass(frozen=True, slots=True)
class Run:
    """One way to scale under one load.

    Args:
        load: The load.
        contender: The way.
        outcome: What happened.
        summary: Its figures.
    """

    load: Load
    contender: Contender
    outcome: Outcome
    summary: Summary


def loads(rate: float, seed: int) -> list[Load]:
    """Steady, diurnal, bursty, and from zero.

    Args:
        rate: Requests a second that one instance serves.
        seed: Seed of the bursts and the sessions.
    """
    return [
        steady(STEADY * rate, hours=6),
        diurnal(PEAK * rate),
        bursty(random.Random(seed), BASE * rate, PEAK * rate),  # noqa: S311
        sessions(random.Random(seed), VISITORS * rate),  # noqa: S311
    ]


def compare(seed: int, step: Callable[[str], None]) -> list[Run]:
    """All runs of the first case.

    Args:
        seed: Seed of everything random.
        step: Called with a description of each run.
    """
    one = case(*CASES[0])
    rate = highest_rate(one, seed)
    runs = []
    for load in loads(rate, seed):
        from_zero = load.name == "from zero"
        ways = zero_contenders(one, HOLD) if from_zero else load_contenders(one, rate, load.peak)
        for way in ways:
            step(f"{load.name}: {way.name}")
            runs.append(_run(one, load, way, seed, components=from_zero and way.policies is not None))
    return runs


def tables(runs: list[Run]) -> list[Table]:
    """A table for each load."""
    found: dict[str, Table] = {}
    for run in runs:
        hours = run.load.seconds / HOUR
        if run.load.name not in found:
            peak = f"up to {run.load.peak:.2f} requests a second" if run.load.name != "steady" else ""
            rate = peak or f"{run.load.peak:.2f} requests a second"
            title = f"{run.load.name}: {hours:.0f} hours, {run.summary.requests:,} requests, {rate}"
            found[run.load.name] = Table(title, ("", *FIGURES), [])
        found[run.load.name].rows.append((run.contender.name, *figures(run.summary, hours)))
    return list(found.values())


def _run(one: Case, load: Load, way: Contender, seed: int, *, components: bool) -> Run:
    outcome = one.simulate(load, way.target(), begin=way.begin, seed=seed, hold=way.hold, components=components)
    return Run(load, way, outcome, one.summary(outcome))
