"""Burn rates: what they spend, and when their alarms are on."""

from __future__ import annotations

import pytest

from constructs_lib.planning.monitoring.alarm import MIN_FAILURES, Metric
from constructs_lib.planning.monitoring.objectives import (
    BURN_RATES,
    MIN_OBJECTIVE,
    BurnRate,
    availability,
    first_token,
    objective_alarms,
)

TIME = Metric(namespace="N", name="TimeToFirstToken", statistic="Average", dimensions={"FrontDoor": "S/A"})
MONTH = 30 * 86_400


@pytest.mark.parametrize("burn", BURN_RATES, ids=lambda burn: burn.name)
def test_a_burn_rate_spends_what_it_says_in_its_long_window(burn: BurnRate) -> None:
    assert 100 * burn.rate * burn.long / MONTH == pytest.approx(burn.spent)
    assert burn.long == 12 * burn.short


def evaluated(expression: str, **values: float) -> float:
    """The metric math of an objective for single values."""
    text = expression.replace("IF(", "(lambda c, a, b: a if c else b)(")
    return float(eval(text, {"__builtins__": {}}, values))


def test_the_share_of_errors_counts_from_three_failures_on() -> None:
    indicator = availability(TIME, TIME)
    assert evaluated(indicator.bad, requests=2, errors=MIN_FAILURES - 1) == 0
    assert evaluated(indicator.bad, requests=3, errors=3) == 100
    assert evaluated(indicator.bad, requests=1000, errors=30) == 3


def test_the_share_of_slow_requests_is_what_is_left_of_the_percentile_rank() -> None:
    indicator = first_token(TIME, 2)
    assert indicator.metrics["good"].statistic == "PR(0:2000)"
    assert evaluated(indicator.bad, requests=10, good=80) == 0
    assert evaluated(indicator.bad, requests=20, good=80) == 20
    assert evaluated(indicator.bad, requests=5, good=0) == 100


def test_the_lowest_objective_is_one_whose_fast_alarm_can_still_be_on() -> None:
    def fast(objective: float) -> float:
        alarm = next(objective_alarms(availability(TIME, TIME), objective))
        return alarm.parts[0].threshold

    assert fast(MIN_OBJECTIVE + 0.01) < 100
    assert fast(MIN_OBJECTIVE - 0.01) > 100
