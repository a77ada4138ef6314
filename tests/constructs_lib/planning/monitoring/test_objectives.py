"""Burn rates: what they spend, and when their alarms are on."""

from __future__ import annotations

import pytest

from constructs_lib.planning.monitoring.alarm import Metric
from constructs_lib.planning.monitoring.objectives import (
    BURN_RATES,
    MIN_OBJECTIVE,
    BurnRate,
    availability,
    objective_alarms,
)

TIME = Metric(namespace="N", name="TimeToFirstToken", statistic="Average", dimensions={"FrontDoor": "S/A"})
MONTH = 30 * 86_400


@pytest.mark.parametrize("burn", BURN_RATES, ids=lambda burn: burn.name)
def test_a_burn_rate_spends_what_it_says_in_its_long_window(burn: BurnRate) -> None:
    assert 100 * burn.rate * burn.long / MONTH == pytest.approx(burn.spent)
    assert burn.long == 12 * burn.short


def test_the_lowest_objective_is_one_whose_fast_alarm_can_still_be_on() -> None:
    def fast(objective: float) -> float:
        alarm = next(objective_alarms(availability(TIME, TIME), objective))
        return alarm.parts[0].threshold

    assert fast(MIN_OBJECTIVE + 0.01) < 100
    assert fast(MIN_OBJECTIVE - 0.01) > 100
