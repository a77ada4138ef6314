from __future__ import annotations

import pytest

from bench.scaling.autoscaling import Alarm, ScalableTarget, Step, TargetTracking


def high(target: float = 10) -> Alarm:
    return TargetTracking("concurrency", target).alarms[0]


def test_three_datapoints_in_a_row_above_the_target_invoke_the_policy() -> None:
    alarm = high()
    assert [alarm.add(value, now) for now, value in enumerate((11, 11, 10, 11, 11, 11))] == [*[False] * 5, True]


def test_an_alarm_that_stays_on_invokes_its_policy_once_a_minute() -> None:
    alarm = high()
    assert [now for now in range(0, 200, 10) if alarm.add(11.0, float(now))] == [20, 80, 140]


@pytest.mark.parametrize(("metric", "period", "datapoints"), [("concurrency", 10, 90), ("invocations", 60, 15)])
def test_fifteen_minutes_below_nine_tenths_of_the_target_scale_in(metric: str, period: float, datapoints: int) -> None:
    _, low = TargetTracking(metric, 10).alarms  # type: ignore[arg-type]
    assert (low.period, low.evaluations) == (period, datapoints)
    assert low.breaches(8.9)
    assert not low.breaches(9.0)


def test_without_scale_in_there_is_one_alarm() -> None:
    assert len(TargetTracking("concurrency", 10, scales_in=False).alarms) == 1


@pytest.mark.parametrize(("missing", "expected"), [(None, False), (True, True), (False, False)])
def test_what_a_missing_datapoint_means(missing: bool | None, expected: bool) -> None:
    alarm = Alarm("concurrency", 60, 2, lambda value: value < 1, missing)
    alarm.add(None, 0.0)
    assert alarm.add(None, 60.0) is expected


@pytest.mark.parametrize(("current", "value", "desired"), [(2, 15, 3), (2, 15.1, 4), (4, 2, 1), (3, 0, 0), (5, 10, 5)])
def test_the_new_capacity_is_proportional_and_rounded_up(current: int, value: float, desired: int) -> None:
    assert TargetTracking("concurrency", 10).desired(current, value) == desired


def test_the_capacity_stays_within_its_bounds() -> None:
    tracking = TargetTracking("concurrency", 10)
    target = ScalableTarget(2, 4, [tracking])
    assert target.choose([(tracking, 90.0)], 2, 0.0) == (4, tracking)
    assert target.choose([(tracking, 0.0)], 4, 0.0) == (2, tracking)
    assert target.choose([(tracking, 0.0)], 2, 0.0) is None


def test_while_the_cooldown_lasts_only_a_larger_addition_is_made_and_counts_what_was_added() -> None:
    tracking = TargetTracking("concurrency", 10, out_cooldown=300)
    target = ScalableTarget(1, 20, [tracking])
    target.start_cooldown(tracking, before=2, after=4, now=0.0)
    assert target.choose([(tracking, 20.0)], 4, 299.0) is None
    assert target.choose([(tracking, 25.0)], 4, 299.0) == (5, tracking)
    assert target.choose([(tracking, 20.0)], 4, 300.0) == (8, tracking)


def test_removing_waits_for_its_cooldown_and_adding_ends_it() -> None:
    tracking = TargetTracking("concurrency", 10, in_cooldown=300)
    target = ScalableTarget(1, 20, [tracking])
    target.start_cooldown(tracking, before=5, after=4, now=0.0)
    assert target.choose([(tracking, 5.0)], 4, 299.0) is None
    assert target.choose([(tracking, 5.0)], 4, 300.0) == (2, tracking)
    target.start_cooldown(tracking, before=4, after=6, now=10.0)
    assert target.choose([(tracking, 5.0)], 6, 20.0) == (3, tracking)


def test_adding_goes_before_removing_and_the_largest_capacity_counts() -> None:
    tracking = TargetTracking("concurrency", 10)
    more, less = (
        Step(Alarm("activity", 60, 1, lambda _value: True), number, exact=True, cooldown=0) for number in (7, 1)
    )
    target = ScalableTarget(0, 20, [tracking, more, less])
    assert target.choose([(less, 0.0), (tracking, 30.0), (more, 0.0)], 2, 0.0) == (7, more)


def test_a_step_adds_to_the_capacity_or_sets_it() -> None:
    alarm = Alarm("no capacity", 60, 1, lambda value: value >= 1)
    assert Step(alarm, -1, exact=False).desired(3, 0.0) == 2
    assert Step(alarm, 1, exact=True).desired(3, 0.0) == 1
