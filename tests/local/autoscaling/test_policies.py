"""The capacity that a policy asks for, and when an alarm breaches."""

import pytest

from local.autoscaling.alarms import Alarm
from local.autoscaling.expressions import Expression, Query
from local.autoscaling.metrics import Metrics, metric_key
from local.autoscaling.policies import Step, StepPolicy, TrackingPolicy

KEY = metric_key("NoCapacityInvocationFailures", {"InferenceComponentName": "llama"})


def step_policy(kind: str, *steps: Step, min_magnitude: int = 1) -> StepPolicy:
    return StepPolicy(name="p", arn="arn", adjustment_type=kind, steps=steps, cooldown=60, min_magnitude=min_magnitude)


@pytest.mark.parametrize(
    ("kind", "adjustment", "capacity", "expected"),
    [
        ("ChangeInCapacity", 1, 0, 1),
        ("ChangeInCapacity", -2, 3, 1),
        ("ExactCapacity", 0, 3, 0),
        ("PercentChangeInCapacity", 50, 4, 6),
        ("PercentChangeInCapacity", -10, 4, 3),
        ("PercentChangeInCapacity", 10, 1, 2),
    ],
)
def test_a_step_policy_changes_the_capacity(kind: str, adjustment: float, capacity: int, expected: int) -> None:
    assert step_policy(kind, Step(None, None, adjustment)).desired(capacity, 0.0) == expected


def test_the_step_is_chosen_by_the_distance_from_the_threshold() -> None:
    policy = step_policy("ChangeInCapacity", Step(0, 10, 1), Step(10, None, 3))
    assert [policy.desired(1, distance) for distance in (-1, 0, 9, 11, 100)] == [1, 2, 2, 4, 4]


def test_a_percentage_changes_at_least_the_minimum() -> None:
    assert step_policy("PercentChangeInCapacity", Step(0, None, 10), min_magnitude=2).desired(5, 0) == 7


def test_target_tracking_asks_for_the_capacity_at_which_the_metric_is_at_most_the_target() -> None:
    policy = TrackingPolicy(
        name="p",
        watched=Expression("m", {"m": Query(KEY, "Sum")}),
        target=2,
        period=10,
        scale_out_cooldown=1,
        scale_in_cooldown=1,
        scales_in=True,
    )
    assert [policy.desired(capacity, value) for capacity, value in ((1, 2.0), (1, 2.1), (2, 5.0), (3, 0.0))] == [
        1,
        2,
        5,
        0,
    ]


def alarm(statistic: str = "Sum", **changes: object) -> Alarm:
    values: dict[str, object] = {
        "name": "a",
        "watched": Expression("m", {"m": Query(KEY, statistic)}),
        "period": 60,
        "evaluation_periods": 3,
        "datapoints_to_alarm": 2,
        "comparison": "GreaterThanOrEqualToThreshold",
        "threshold": 1.0,
    }
    return Alarm(**{**values, **changes})  # type: ignore[arg-type]


def test_an_alarm_reads_the_complete_periods_before_now() -> None:
    metrics = Metrics()
    for moment, value in ((0, 1), (59, 1), (60, 5), (185, 7)):
        metrics.record(KEY, moment, value)
    assert alarm().values(metrics, 190) == [None, 5, 2]
    assert alarm(statistic="Maximum").values(metrics, 190) == [None, 5, 1]
    assert alarm(statistic="SampleCount").values(metrics, 190) == [None, 1, 2]
    assert alarm().next_evaluation(190) == 240
    assert alarm().next_evaluation(240) == 300


@pytest.mark.parametrize(
    ("treat_missing", "values", "before", "expected"),
    [
        ("missing", [1, None, 1], False, True),
        ("missing", [1, None, None], False, False),
        ("breaching", [1, None, 0], False, True),
        ("notBreaching", [None, None, None], True, False),
        ("ignore", [None, None, None], True, True),
        ("ignore", [0, None, None], True, False),
    ],
)
def test_a_missing_value_counts_as_the_alarm_says(
    treat_missing: str, values: list[float | None], before: bool, expected: bool
) -> None:
    assert alarm(treat_missing=treat_missing).breaches(values, before=before) is expected


def test_each_comparison_has_its_direction() -> None:
    breaching = {
        comparison: [
            alarm(comparison=comparison, evaluation_periods=1, datapoints_to_alarm=1).breaches([value], before=False)
            for value in (0.0, 1.0, 2.0)
        ]
        for comparison in (
            "GreaterThanOrEqualToThreshold",
            "GreaterThanThreshold",
            "LessThanThreshold",
            "LessThanOrEqualToThreshold",
        )
    }
    assert breaching == {
        "GreaterThanOrEqualToThreshold": [False, True, True],
        "GreaterThanThreshold": [False, False, True],
        "LessThanThreshold": [True, False, False],
        "LessThanOrEqualToThreshold": [True, True, False],
    }


def test_old_values_are_forgotten_and_new_ones_are_kept() -> None:
    metrics = Metrics()
    for moment in range(50_000):
        metrics.record(KEY, moment, 1)
    assert metrics.statistic(KEY, "Sum", 0, 50_000) == pytest.approx(20_000, rel=0.6)
    assert metrics.statistic(KEY, "Sum", 49_000, 50_000) == 1_000
