"""Application Auto Scaling's rules: alarms, target tracking, step policies, cooldowns.

Sources: Application Auto Scaling user guide, *Target tracking scaling policies* and *Step scaling policies*; CloudWatch
user guide, *Using Amazon CloudWatch alarms*; SageMaker guide, *endpoint-auto-scaling-add-code-define*. Docs do not say
how many datapoints a target tracking alarm takes; users see 3 of 3 to scale out and 15 of 15 minutes to scale in
(aws/copilot-cli issue 4233), and 90 of 90 periods of ten seconds for the high-resolution metrics (Hugging Face's skill
`hf-cloud-sagemaker-production-defaults`, July 2026). Three such periods to scale out are assumed. The statistic of the
predefined metric is not documented either; Minimum and Maximum are what ConcurrentRequestsPerModel has, so it is taken
to be the maximum of the copies.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

MetricName = Literal["concurrency", "invocations", "no capacity", "activity"]
"""Of each copy: most requests in flight, and invocations a minute; of the endpoint: failures for want of capacity, and
what says that somebody asks it (most requests in flight plus invocations)."""

OUT_PERIODS = 3
IN_SECONDS = 900
IN_SHARE = 0.9
"""The share of the target below which the alarm to scale in is: the guide says "usually more than 10% lower"."""

INVOKES_EVERY = 60.0
"""An alarm that stays in ALARM invokes its scaling policy again once a minute (CloudWatch user guide)."""


@dataclass(slots=True)
class Alarm:
    """A CloudWatch alarm, N of N datapoints.

    Args:
        metric: What it watches.
        period: Seconds of one datapoint.
        evaluations: Datapoints that all have to breach.
        breaches: Whether a datapoint breaches.
        missing: Whether a period without a datapoint breaches. None: the alarm has insufficient data.
    """

    metric: MetricName
    period: float
    evaluations: int
    breaches: Callable[[float], bool]
    missing: bool | None = None
    _last: deque[bool | None] = field(default_factory=deque)
    _invoked: float = -math.inf
    value: float = 0.0
    values: deque[float] = field(default_factory=deque)

    def add(self, value: float | None, now: float) -> bool:
        """Add the datapoint of a period that has ended; whether the alarm invokes its action now."""
        self._last.append(self.missing if value is None else self.breaches(value))
        if len(self._last) > self.evaluations:
            self._last.popleft()
        if value is not None:
            self.value = value
            self.values.append(value)
            if len(self.values) > self.evaluations:
                self.values.popleft()
        if not self.is_on:
            self._invoked = -math.inf
            return False
        if now - self._invoked < INVOKES_EVERY:
            return False
        self._invoked = now
        return True

    @property
    def is_on(self) -> bool:
        """Whether it is in the state ALARM."""
        return len(self._last) == self.evaluations and all(one is True for one in self._last)


@dataclass(slots=True)
class TargetTracking:
    """A target tracking policy with the two alarms that Application Auto Scaling creates for it.

    Args:
        metric: `concurrency` in periods of 10 seconds, or `invocations` of a minute; both per copy.
        target: Its target value.
        out_cooldown: Seconds.
        in_cooldown: Seconds.
        scales_in: False: DisableScaleIn.
    """

    metric: MetricName
    target: float
    out_cooldown: float = 300
    in_cooldown: float = 300
    scales_in: bool = True
    alarms: list[Alarm] = field(init=False)

    def __post_init__(self) -> None:
        period = 60.0 if self.metric == "invocations" else 10.0
        target = self.target
        self.alarms = [Alarm(self.metric, period, OUT_PERIODS, lambda value: value > target)]
        if self.scales_in:
            periods = round(IN_SECONDS / period)
            self.alarms.append(Alarm(self.metric, period, periods, lambda value: value < IN_SHARE * target))

    def desired(self, current: int, value: float) -> int:
        """The capacity that brings the metric to the target: the guide says proportional, rounded up."""
        return math.ceil(current * value / self.target - 1e-9)


@dataclass(slots=True)
class Step:
    """A step scaling policy with one step, and the alarm that invokes it.

    Args:
        alarm: The alarm.
        adjustment: The number of ExactCapacity or ChangeInCapacity.
        exact: Whether it is ExactCapacity.
        cooldown: Seconds.
    """

    alarm: Alarm
    adjustment: int
    exact: bool
    cooldown: float = 60

    @property
    def alarms(self) -> list[Alarm]:
        """The alarms of the policy."""
        return [self.alarm]

    @property
    def out_cooldown(self) -> float:
        """Seconds after adding capacity."""
        return self.cooldown

    @property
    def in_cooldown(self) -> float:
        """Seconds after removing capacity."""
        return self.cooldown

    @property
    def scales_in(self) -> bool:
        """Whether it may remove capacity."""
        return True

    def desired(self, current: int, _value: float) -> int:
        """The capacity after the step."""
        return self.adjustment if self.exact else current + self.adjustment


Policy = TargetTracking | Step


@dataclass(slots=True)
class ScalableTarget:
    """What Application Auto Scaling scales: bounds, and the state of its cooldowns.

    Two things are not documented. Assumed is that a second activity waits until the first is complete, because
    SageMaker changes an endpoint only while no other change runs ("Cannot update in-progress endpoint"), and that a
    cooldown begins when its activity is complete ("successfully scales out"). `waits=False` assumes the opposite of
    both; the defaults have to be good either way.

    Args:
        least: Minimum capacity.
        most: Maximum capacity.
        policies: Its policies.
        waits: Whether activities wait for each other.
    """

    least: int
    most: int
    policies: list[Policy]
    waits: bool = True
    _out_until: float = -math.inf
    _in_until: float = -math.inf
    _before: int = 0

    def choose(self, invoked: list[tuple[Policy, float]], current: int, now: float) -> tuple[int, Policy] | None:
        """The new capacity if alarms invoke policies.

        While the cooldown of a scale-out lasts, a larger one is still possible, and what was added counts as part of it
        (Application Auto Scaling user guide, *Define cooldown periods*).

        Args:
            invoked: Each policy whose alarm invokes it, with the alarm's value.
            current: Capacity now, with what is being added.
            now: The time.

        Returns:
            The capacity and the policy that decided; None for no change. Policies that add go before those that
            remove; of several the largest capacity counts.
        """
        found: tuple[int, Policy] | None = None
        for policy, value in invoked:
            wanted = self._bounded(policy.desired(current, value))
            if wanted > current and now < self._out_until:
                wanted = self._bounded(policy.desired(self._before, value))
                if wanted <= current:
                    continue
            removes = wanted < current
            if wanted == current or (removes and (now < self._in_until or not policy.scales_in)):
                continue
            if found is None or wanted > found[0]:
                found = wanted, policy
        return found

    def start_cooldown(self, policy: Policy, before: int, after: int, now: float) -> None:
        """Start the cooldown of an activity."""
        if after > before:
            if now >= self._out_until:
                self._before = before
            self._out_until = now + policy.out_cooldown
            self._in_until = -math.inf
        else:
            self._in_until = now + policy.in_cooldown

    def _bounded(self, capacity: int) -> int:
        return min(self.most, max(self.least, capacity))
