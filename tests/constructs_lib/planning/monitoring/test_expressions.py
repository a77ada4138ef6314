"""Metric math of the alarms, evaluated by the emulated CloudWatch: when an alarm is on, and what no data means."""

from __future__ import annotations

from typing import Any

import pytest

from constructs_lib.planning.monitoring.alarm import Alarm
from local.autoscaling.expressions import Expression, Query
from tests.constructs_lib.planning.monitoring.test_alarms import METRIC_ALARMS

ALARMS = {alarm.id: alarm for alarm in METRIC_ALARMS if alarm.expression is not None}
"""One of each kind; of endpoints the one without components."""


class Period:
    """The values of one period, by the ids of metrics; None where there are none."""

    def __init__(self, values: dict[str, float | None]) -> None:
        self._values = values

    def statistic(self, metric: Any, _statistic: str, _start: float, _end: float) -> float | None:
        """The value of a metric, whose key is its id."""
        return self._values[metric]


def evaluated(alarm: Alarm, **values: float | None) -> float | None:
    """What an alarm compares with its threshold, given the values that its metrics have."""
    assert alarm.expression is not None
    known: dict[str, float | None] = {name: values.get(name) for name in alarm.metrics}
    assert set(values) <= set(known)
    for name, text in {**alarm.terms, "result": alarm.expression}.items():
        queries = {one: Query(one, "") for one in known}  # type: ignore[arg-type]
        known[name] = Expression(text, queries).value(Period(known), 0, 300)  # type: ignore[arg-type]
    return known["result"]


def is_on(alarm: Alarm, **values: float | None) -> bool:
    """Whether a period with these values is beyond the threshold; one without data is not."""
    value = evaluated(alarm, **values)
    if value is None:
        return False
    if alarm.comparison == "below":
        return value < alarm.threshold
    return value >= alarm.threshold if alarm.comparison == "at least" else value > alarm.threshold


@pytest.mark.parametrize("alarm", ALARMS.values(), ids=list(ALARMS))
def test_an_alarm_is_not_on_without_any_data(alarm: Alarm) -> None:
    assert not is_on(alarm)


def test_one_failed_request_at_night_is_no_alarm_and_three_of_three_are() -> None:
    for name in ("ServerErrors", "AvailabilityFastShort", "AvailabilitySlowLong"):
        assert not is_on(ALARMS[name], requests=1, errors=1)
        assert is_on(ALARMS[name], requests=3, errors=3)


def test_server_errors_are_on_above_their_share() -> None:
    assert not is_on(ALARMS["ServerErrors"], requests=1000, errors=50)
    assert is_on(ALARMS["ServerErrors"], requests=1000, errors=51)


def test_model_errors_leave_out_mistakes_of_clients() -> None:
    alarm = ALARMS["ModelErrors"]
    assert not is_on(alarm, requests=100, failed=60, client=60, server=0)
    assert is_on(alarm, requests=100, failed=70, client=60, server=0)
    assert is_on(alarm, requests=100, failed=10, client=0, server=10)


def test_model_errors_are_the_5xx_where_nothing_else_is_published() -> None:
    assert is_on(ALARMS["ModelErrors"], requests=100, server=10)
    assert not is_on(ALARMS["ModelErrors"], requests=100, server=2)


def test_an_instance_without_requests_is_idle_and_no_instance_is_not() -> None:
    alarm = ALARMS["Idle"]
    assert is_on(alarm, concurrent=0)
    assert is_on(alarm, concurrent=0, requests=0)
    assert not is_on(alarm, concurrent=0, requests=1)
    assert not is_on(alarm, concurrent=1)
    assert not is_on(alarm)


def test_errors_of_the_function_are_none_of_the_gateway_and_an_uninvoked_function_logs_nothing() -> None:
    alarm = ALARMS["GatewayErrors"]
    assert not is_on(alarm, requests=100, failed=40, logged=40)
    assert not is_on(alarm, requests=100, failed=40, logged=45)
    assert is_on(alarm, requests=100, failed=43, logged=40)
    assert is_on(alarm, requests=100, failed=100)
    assert not is_on(alarm, requests=100, failed=0, logged=0)


def test_a_slow_answer_among_few_is_no_alarm() -> None:
    alarm = next(one for name, one in ALARMS.items() if name.startswith("TimeToFirstToken"))
    assert not is_on(alarm, answers=9, slow=60_000)
    assert is_on(alarm, answers=10, slow=10_001)
    assert not is_on(alarm, answers=1000, slow=10_000)


def test_the_share_of_slow_requests_is_what_is_left_of_the_percentile_rank() -> None:
    alarm = ALARMS["FirstTokenFastShort"]
    assert evaluated(alarm, requests=10, good=80) == 0
    assert evaluated(alarm, requests=20, good=80) == 20
    assert evaluated(alarm, requests=5, good=0) == 100


def test_retries_are_an_overload_above_their_share() -> None:
    alarm = next(one for name, one in ALARMS.items() if name.startswith("Overload-"))
    assert not is_on(alarm, requests=100, retries=10)
    assert is_on(alarm, requests=100, retries=11)
    assert not is_on(alarm, requests=2, retries=2)
