"""CloudWatch alarms."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.autoscaling.expressions import Expression, Value
    from local.autoscaling.metrics import Metrics

COMPARISONS = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """An alarm. Its periods are aligned to the clock, and it is evaluated at the end of each.

    Args:
        name: Its name.
        watched: What it evaluates in each period.
        period: Seconds.
        evaluation_periods: The newest periods that count.
        datapoints_to_alarm: How many of them must breach.
        comparison: A name of `COMPARISONS`.
        threshold: The threshold.
        treat_missing: What a period without a value is: `missing`, `ignore`, `breaching` or `notBreaching`.
        actions: The ARNs of the policies that it invokes.
    """

    name: str
    watched: Expression
    period: float
    evaluation_periods: int
    datapoints_to_alarm: int
    comparison: str
    threshold: float
    treat_missing: str = "missing"
    actions: Sequence[str] = ()

    def next_evaluation(self, now: float) -> float:
        """The end of the current period."""
        return (now // self.period + 1) * self.period

    def values(self, metrics: Metrics, now: float) -> list[Value]:
        """The values of the complete periods that count, the newest first."""
        end = now // self.period * self.period
        edges = [end - self.period * age for age in range(self.evaluation_periods + 1)]
        return [self.watched.value(metrics, start, stop) for stop, start in pairwise(edges)]

    def breaches(self, values: Sequence[Value], *, before: bool) -> bool:
        """Whether it is in ALARM.

        Args:
            values: What `values` returned.
            before: Whether it was in ALARM.
        """
        compare = COMPARISONS[self.comparison]
        breaching = sum(value is not None and bool(compare(value, self.threshold)) for value in values)
        missing = sum(value is None for value in values)
        if self.treat_missing == "breaching":
            breaching += missing
        elif self.treat_missing == "ignore" and missing == len(values):
            return before
        return breaching >= self.datapoints_to_alarm

    def distance(self, values: Sequence[Value]) -> float:
        """The newest value minus the threshold; 0 without a value."""
        return next((value - self.threshold for value in values if value is not None), 0.0)
