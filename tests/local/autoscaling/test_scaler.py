"""Scaling by alarms and by target tracking, on a clock that only the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

from local.autoscaling.alarms import Alarm
from local.autoscaling.expressions import Expression, Query
from local.autoscaling.metrics import Metrics, metric_key
from local.autoscaling.policies import Step, StepPolicy, Target, TrackingPolicy
from local.autoscaling.scaler import Scaler
from tests.local.autoscaling.doubles import Copies, VirtualClock

FAILURES = metric_key("NoCapacityInvocationFailures", Copies.dimensions)
CONCURRENT = Expression("m", {"m": Query(metric_key("ConcurrentRequestsPerCopy", Copies.dimensions), "Average")})
WAKE = StepPolicy(
    name="Wake", arn="wake", adjustment_type="ChangeInCapacity", steps=[Step(0, None, 1)], cooldown=60, min_magnitude=1
)
SLEEP = StepPolicy(
    name="Sleep", arn="sleep", adjustment_type="ExactCapacity", steps=[Step(None, 0, 0)], cooldown=60, min_magnitude=1
)
TRACK = TrackingPolicy(
    name="Track",
    watched=CONCURRENT,
    target=2,
    period=10,
    scale_out_cooldown=300,
    scale_in_cooldown=600,
    scales_in=False,
)


def alarm(name: str, action: str, **changes: Any) -> Alarm:
    values: dict[str, Any] = {
        "name": name,
        "watched": Expression("m", {"m": Query(FAILURES, "Sum")}),
        "period": 60,
        "evaluation_periods": 1,
        "datapoints_to_alarm": 1,
        "comparison": "GreaterThanOrEqualToThreshold",
        "threshold": 1,
        "treat_missing": "notBreaching",
        "actions": [action],
    }
    return Alarm(**{**values, **changes})


def target(
    *, steps: Sequence[StepPolicy] = (), tracking: Sequence[TrackingPolicy] = (), minimum: int = 0, maximum: int = 3
) -> Target:
    return Target(
        resource_id="inference-component/llama", minimum=minimum, maximum=maximum, steps=steps, tracking=tracking
    )


class Scene:
    """A scaler of copies, with its clock and metrics."""

    def __init__(self, copies: Copies, scaled: Target, alarms: Sequence[Alarm] = ()) -> None:
        self.copies = copies
        self.metrics = Metrics()
        self.clock = VirtualClock()
        self._scaler = Scaler(scaled, copies, alarms, self.metrics, self.clock)

    def fail(self) -> None:
        self.metrics.record(FAILURES, self.clock.now(), 1)

    def play(self, script: Callable[[Scene], Awaitable[None]]) -> list[tuple[int, str]]:
        """Runs a script; returns the changes of capacity."""

        async def run() -> None:
            task = asyncio.create_task(self._scaler.run())
            await script(self)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        asyncio.run(run())
        return self.copies.history


def test_a_failure_for_want_of_capacity_adds_a_copy_when_its_period_ends() -> None:
    async def script(scene: Scene) -> None:
        await scene.clock.advance(70)
        scene.fail()
        await scene.clock.advance(49)
        assert scene.copies.desired == 0
        await scene.clock.advance(1)
        assert scene.copies.desired == 1
        await scene.clock.advance(600)

    scene = Scene(Copies(0), target(steps=[WAKE]), [alarm("NoCapacity", "wake")])
    assert scene.play(script) == [(1, "Wake, alarm NoCapacity")]


def test_without_the_alarm_nothing_wakes() -> None:
    async def script(scene: Scene) -> None:
        scene.fail()
        await scene.clock.advance(600)

    assert Scene(Copies(0), target(steps=[WAKE])).play(script) == []


def test_an_alarm_that_stays_acts_once_a_minute_but_not_while_a_copy_starts_or_before_the_cooldown() -> None:
    async def script(scene: Scene) -> None:
        scene.copies.is_changing = True
        for _ in range(4):
            scene.fail()
            await scene.clock.advance(60)
        assert scene.copies.desired == 0
        scene.copies.is_changing = False
        for _ in range(10):
            scene.fail()
            await scene.clock.advance(60)

    policy = StepPolicy(
        name="Wake",
        arn="wake",
        adjustment_type="ChangeInCapacity",
        steps=[Step(0, None, 1)],
        cooldown=180,
        min_magnitude=1,
    )
    scene = Scene(Copies(0), target(steps=[policy]), [alarm("NoCapacity", "wake")])
    assert [desired for desired, _ in scene.play(script)] == [1, 2, 3]


def test_load_above_the_target_for_three_periods_scales_out_by_the_formula_up_to_the_maximum() -> None:
    async def script(scene: Scene) -> None:
        scene.copies.load = 4
        await scene.clock.advance(29)
        assert scene.copies.desired == 1
        await scene.clock.advance(15)
        assert scene.copies.desired == 2
        scene.copies.load = 40
        await scene.clock.advance(250)
        assert scene.copies.desired == 2, "the cooldown"
        await scene.clock.advance(100)

    assert Scene(Copies(1), target(tracking=[TRACK])).play(script) == [(2, "Track"), (3, "Track")]


def test_on_a_busy_machine_no_period_is_without_a_value() -> None:
    async def script(scene: Scene) -> None:
        scene.copies.load = 4
        await scene.clock.advance(5)
        scene.clock.stall(60)
        await scene.clock.advance(11)

    assert Scene(Copies(1), target(tracking=[TRACK])).play(script) == [(2, "Track")]


def test_target_tracking_cannot_leave_zero() -> None:
    async def script(scene: Scene) -> None:
        scene.copies.load = 40
        scene.fail()
        await scene.clock.advance(3600)

    assert Scene(Copies(0), target(tracking=[TRACK])).play(script) == []


def test_target_tracking_scales_in_after_15_minutes_unless_it_is_switched_off() -> None:
    async def script(scene: Scene) -> None:
        await scene.clock.advance(890)
        assert scene.copies.desired == 2
        await scene.clock.advance(30)

    assert Scene(Copies(2), target(tracking=[replace(TRACK, scales_in=True)])).play(script) == [(0, "Track")]
    assert Scene(Copies(2), target(tracking=[TRACK])).play(script) == []


def test_a_step_policy_removes_the_last_copy_when_it_has_been_idle() -> None:
    idle = alarm(
        "Idle",
        "sleep",
        watched=Expression("m", {"m": Query(metric_key("ConcurrentRequestsPerCopy", Copies.dimensions), "Maximum")}),
        evaluation_periods=30,
        datapoints_to_alarm=30,
        comparison="LessThanOrEqualToThreshold",
        threshold=0,
        treat_missing="missing",
    )

    async def script(scene: Scene) -> None:
        await scene.clock.advance(900)
        scene.copies.load = 1
        await scene.clock.advance(60)
        scene.copies.load = 0
        await scene.clock.advance(1800)
        assert scene.copies.desired == 1
        await scene.clock.advance(60)

    scene = Scene(Copies(1), target(steps=[SLEEP]), [idle])
    assert scene.play(script) == [(0, "Sleep, alarm Idle")]


def test_the_time_before_a_copy_was_there_is_not_idle() -> None:
    tracking = replace(TRACK, scales_in=True)

    async def script(scene: Scene) -> None:
        await scene.clock.advance(890)
        assert scene.copies.desired == 1
        await scene.clock.advance(30)

    scene = Scene(Copies(1), target(tracking=[tracking]))
    scene.clock.stall(1800)
    assert scene.play(script) == [(0, "Track")]


def test_the_capacity_is_brought_within_the_limits_of_the_target() -> None:
    async def script(scene: Scene) -> None:
        await scene.clock.advance(1)

    assert Scene(Copies(1), target(minimum=2)).play(script) == [(2, "the limits of the scalable target")]
    assert Scene(Copies(5), target()).play(script) == [(3, "the limits of the scalable target")]
