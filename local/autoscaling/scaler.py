"""Watches alarms and metrics, and changes the capacity of what the deployed policies scale."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Protocol

from local.autoscaling.alarms import Alarm
from local.autoscaling.metrics import metric_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from local.autoscaling.clock import Clock
    from local.autoscaling.expressions import Value
    from local.autoscaling.metrics import Metrics
    from local.autoscaling.policies import Target, TrackingPolicy

SAMPLE_SECONDS = 10.0
"""How often SageMaker publishes the concurrent requests of an instance or copy."""
REPEAT_SECONDS = 60.0
"""How often an alarm that stays in ALARM invokes a scaling policy."""
SCALE_OUT_PERIODS = 3
SCALE_IN_SECONDS = 900.0
SCALE_IN_SHARE = 0.9
"""The alarms of target tracking: above the target for 3 periods, below nine tenths of it for 15 minutes."""


class Scalable(Protocol):
    """What is scaled: the instances of a variant, or the copies of an inference component."""

    @property
    def desired(self) -> int:
        """The capacity that was asked for last."""

    @property
    def is_changing(self) -> bool:
        """Whether capacity is still starting."""

    @property
    def in_flight(self) -> Sequence[int]:
        """The requests in each instance or copy that serves."""

    @property
    def dimensions(self) -> Mapping[str, str]:
        """The dimensions of its metrics."""

    @property
    def concurrency_metric(self) -> str:
        """The name of the metric for `in_flight`."""

    def scale(self, desired: int, reason: str) -> None:
        """Changes the capacity."""


class Scaler:
    """Scales one resource by the policies of its target.

    Args:
        target: The target.
        scalable: What it scales.
        alarms: The alarms that invoke its step policies.
        metrics: Where SageMaker records.
        clock: The clock.
    """

    def __init__(
        self, target: Target, scalable: Scalable, alarms: Sequence[Alarm], metrics: Metrics, clock: Clock
    ) -> None:
        self._target = target
        self._scalable = scalable
        self._alarms = alarms
        self._metrics = metrics
        self._clock = clock
        self._scaled_at: dict[str, float] = {}

    async def run(self) -> None:
        """Brings the capacity within the target's limits, and runs until it is cancelled."""
        if (within := self._target.limit(self._scalable.desired)) != self._scalable.desired:
            self._scalable.scale(within, "the limits of the scalable target")
        async with asyncio.TaskGroup() as group:
            group.create_task(self._sample())
            for alarm in self._alarms:
                group.create_task(self._watch(alarm, partial(self._step, alarm)))
            for policy in self._target.tracking:
                for alarm in self._tracking_alarms(policy):
                    group.create_task(self._watch(alarm, partial(self._track, policy), repeat=0))

    async def _sample(self) -> None:
        key = metric_key(self._scalable.concurrency_metric, self._scalable.dimensions)
        due = (self._clock.now() // SAMPLE_SECONDS + 1) * SAMPLE_SECONDS
        while True:
            await self._clock.sleep_until(due)
            # A busy machine may wake this late, and meanwhile no request has come or gone: each period has its value.
            while due <= self._clock.now():
                for count in self._scalable.in_flight:
                    self._metrics.record(key, due, count)
                due += SAMPLE_SECONDS

    async def _watch(
        self, alarm: Alarm, act: Callable[[Sequence[Value]], None], *, repeat: float = REPEAT_SECONDS
    ) -> None:
        in_alarm, acted = False, -REPEAT_SECONDS
        while True:
            await self._clock.sleep_until(alarm.next_evaluation(self._clock.now()))
            now = self._clock.now()
            values = alarm.values(self._metrics, now)
            before, in_alarm = in_alarm, alarm.breaches(values, before=in_alarm)
            if in_alarm and (not before or now - acted >= repeat):
                acted = now
                act(values)

    def _step(self, alarm: Alarm, values: Sequence[Value]) -> None:
        for policy in self._target.steps:
            if policy.arn in alarm.actions:
                desired = policy.desired(self._scalable.desired, alarm.distance(values))
                self._scale(policy.name, desired, policy.cooldown, f"{policy.name}, alarm {alarm.name}")

    def _tracking_alarms(self, policy: TrackingPolicy) -> list[Alarm]:
        def alarm(name: str, periods: int, comparison: str, threshold: float) -> Alarm:
            return Alarm(
                name=name,
                watched=policy.watched,
                period=policy.period,
                evaluation_periods=periods,
                datapoints_to_alarm=periods,
                comparison=comparison,
                threshold=threshold,
            )

        high = alarm("AlarmHigh", SCALE_OUT_PERIODS, "GreaterThanThreshold", policy.target)
        if not policy.scales_in:
            return [high]
        periods = round(SCALE_IN_SECONDS / policy.period)
        return [high, alarm("AlarmLow", periods, "LessThanThreshold", policy.target * SCALE_IN_SHARE)]

    def _track(self, policy: TrackingPolicy, values: Sequence[Value]) -> None:
        current = self._scalable.desired
        desired = policy.desired(current, next(value for value in values if value is not None))
        cooldown = policy.scale_out_cooldown if desired > current else policy.scale_in_cooldown
        self._scale(policy.name, desired, cooldown, policy.name)

    def _scale(self, policy: str, desired: int, cooldown: float, reason: str) -> None:
        """Changes the capacity, unless a change is under way or the policy has just made one."""
        desired, now = self._target.limit(desired), self._clock.now()
        if desired == self._scalable.desired or self._scalable.is_changing:
            return
        if now - self._scaled_at.get(policy, -cooldown) < cooldown:
            return
        self._scaled_at[policy] = now
        self._scalable.scale(desired, reason)
