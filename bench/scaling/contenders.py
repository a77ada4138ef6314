"""The ways to scale that are compared."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from bench.scaling.autoscaling import Alarm, Policy, ScalableTarget, Step, TargetTracking
from bench.scaling.case import Case
from constructs_lib.planning.scaling.concurrency import low_concurrency
from constructs_lib.planning.scaling.policies import (
    IDLE,
    LOW_LOAD,
    SCALE_IN_COOLDOWN,
    SCALE_OUT_COOLDOWN,
    WAKE_COOLDOWN,
)

MOST = 8
_SAFETY_FACTOR = 0.5
_GUIDE_OUT, _GUIDE_IN = 300.0, 600.0
_GUIDE_TARGET = 70
"""SageMaker guide: *Load testing your auto scaling configuration* (safety factor), *Define a scaling policy* (the
example of 70 invocations a minute, and of cooldowns)."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A way to scale.

    Args:
        name: As the tables show it.
        begin: Copies at the start.
        policies: Its policies, new ones for each run. None: a fixed number.
        least: Minimum.
        most: Maximum.
        hold: Seconds that a request waits for a copy if there is none.
    """

    name: str
    begin: int
    policies: Callable[[], list[Policy]] | None
    least: int = 1
    most: int = MOST
    hold: float = 0.0

    def target(self) -> ScalableTarget | None:
        """What scales."""
        return None if self.policies is None else ScalableTarget(self.least, self.most, self.policies())


def concurrency(
    target: float, low: Callable[[float], float] = low_concurrency, cooldown: float = SCALE_OUT_COOLDOWN
) -> list[Policy]:
    """What `on_concurrency` renders.

    Args:
        target: Concurrent requests of one instance.
        low: Below how many of the busiest one instance is removed, by the target.
        cooldown: After adding.
    """
    threshold = low(target)
    alarm = Alarm("concurrency", 60.0, LOW_LOAD // 60, lambda value: value < threshold, missing=True)
    return [
        TargetTracking("concurrency", target, out_cooldown=cooldown, scales_in=False),
        Step(alarm, -1, exact=False, cooldown=SCALE_IN_COOLDOWN),
    ]


def load_contenders(case: Case, rate: float, peak: float) -> list[Contender]:
    """For loads that need at least one instance at any time.

    Args:
        case: The case.
        rate: Requests a second that one instance serves.
        peak: Highest rate of the load.
    """
    recipe = rate * _SAFETY_FACTOR * 60
    enough = math.ceil(peak / rate)
    return [
        Contender("on_concurrency", 1, lambda: concurrency(case.target)),
        Contender("target tracking alone, same target", 1, lambda: [TargetTracking("concurrency", case.target)]),
        Contender(
            f"invocations, load test × {_SAFETY_FACTOR:g}",
            1,
            lambda: [TargetTracking("invocations", recipe, out_cooldown=_GUIDE_OUT, in_cooldown=_GUIDE_IN)],
        ),
        Contender(
            f"invocations, the guide's {_GUIDE_TARGET}",
            1,
            lambda: [TargetTracking("invocations", _GUIDE_TARGET, out_cooldown=_GUIDE_OUT, in_cooldown=_GUIDE_IN)],
        ),
        Contender("fixed: 1", 1, None),
        Contender(f"fixed: {enough}, for the peak", enough, None),
    ]


def zero_contenders(case: Case, hold: float) -> list[Contender]:
    """For a load with hours without any request.

    Args:
        case: The case.
        hold: Seconds that a front door keeps a request waiting.
    """

    def wake(failures: int) -> Policy:
        alarm = Alarm("no capacity", 60.0, 1, lambda value: value >= failures, missing=False)
        return Step(alarm, 1, exact=True, cooldown=WAKE_COOLDOWN)

    def idle(minutes: int) -> Policy:
        alarm = Alarm("activity", 60.0, minutes, lambda value: value < 1, missing=False)
        return Step(alarm, 0, exact=True, cooldown=WAKE_COOLDOWN)

    def scale_to_zero(minutes: int) -> Contender:
        name = f"scale_to_zero, idle {minutes} min"
        return Contender(name, 0, lambda: [wake(1), idle(minutes)], 0, 1, hold)

    return [
        *(scale_to_zero(minutes) for minutes in (15, IDLE // 60, 60)),
        Contender("the guide's policies", 0, lambda: [wake(2), TargetTracking("concurrency", case.target)], 0, 1, hold),
        Contender("fixed: 1", 1, None),
    ]
