"""Objectives over 30 days, and the alarms that say how fast their error budget is used up.

Multi-window, multi-burn-rate alarms as in Google's *The Site Reliability Workbook*, chapter 5, "Alerting on SLOs": the
long window makes sure that enough of the budget is at stake, the short one that it still goes on, so that the alarm
ends soon after its cause. https://sre.google/workbook/alerting-on-slos/
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from constructs_lib.planning.monitoring.alarm import (
    FIVE_MINUTES,
    HOUR,
    MIN_FAILURES,
    Alarm,
    CombinedAlarm,
    Metric,
    share_of,
)

AVAILABILITY = 99.5
FIRST_TOKEN = (95.0, 10.0)
"""Defaults: percent of the requests; for the first token with its seconds."""


@dataclass(frozen=True, slots=True)
class BurnRate:
    """How fast a budget is used up, as a multiple of the rate that would use it up in just 30 days.

    Args:
        name: `Fast` or `Slow`.
        rate: The multiple.
        long: The long window in seconds.
        short: The short window in seconds, a twelfth of the long one.
        spent: How much of the budget is gone when the alarm begins, in percent.
    """

    name: Literal["Fast", "Slow"]
    rate: float
    long: int
    short: int
    spent: int


BURN_RATES = (
    BurnRate("Fast", 14.4, HOUR, FIVE_MINUTES, 2),
    BurnRate("Slow", 6, 6 * HOUR, 30 * 60, 5),
)
"""Those for which the workbook pages somebody. Its third, 1 over three days, is for a ticket."""

MIN_OBJECTIVE = 100 - 100 / BURN_RATES[0].rate
"""Percent. Of a lower one, all requests may fail without the fast alarm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """What an objective measures.

    Args:
        id: What the ids of the alarms begin with.
        metrics: The metrics by their ids.
        bad: Metric math for the share of bad requests in percent, 0 if there are very few.
        good: What good requests do, in words.
        failed: What the others did.
        cause: Where to look for the cause, as a sentence.
        section: The section of the runbook.
    """

    id: str
    metrics: dict[str, Metric]
    bad: str
    good: str
    failed: str
    cause: str
    section: str


def availability(requests: Metric, errors: Metric) -> Indicator:
    """Requests without a server error.

    Args:
        requests: All requests.
        errors: Those with a server error.
    """
    return Indicator(
        id="Availability",
        metrics={"requests": requests, "errors": errors},
        bad=share_of("errors", "requests"),
        good="are answered without a server error",
        failed="had one",
        cause='The saved query "errors by cause" names the causes.',
        section="server-errors",
    )


def first_token(time: Metric, seconds: float) -> Indicator:
    """Requests whose first token comes in time. Those that fail before it count for the availability alone.

    By CloudWatch's percentile rank, so that it needs no metric of its own.

    Args:
        time: The time to the first token in milliseconds, whatever its statistic.
        seconds: In which it has to come.
    """
    rank = f"PR(0:{seconds * 1000:g})"
    return Indicator(
        id="FirstToken",
        metrics={"requests": _with(time, "SampleCount"), "good": _with(time, rank)},
        bad=f"IF(requests * (100 - good) / 100 >= {MIN_FAILURES}, 100 - good, 0)",
        good=f"have their first token within {seconds:g} seconds",
        failed="waited longer",
        cause="See whether requests queue, or prompts have become longer.",
        section="slow-first-token",
    )


def objective_alarms(indicator: Indicator, percent: float) -> Iterator[CombinedAlarm]:
    """The fast and the slow alarm of an objective.

    Args:
        indicator: What it measures.
        percent: Good requests in percent.
    """
    budget = 100 - percent
    for burn in BURN_RATES:
        threshold = round(burn.rate * budget, 6)
        days = 30 / burn.rate
        says = (
            f"The objective is that {percent:g} % of the requests {indicator.good}. For {_window(burn.long)}, and still"
            f" in the last {_window(burn.short)}, more than {threshold:g} % {indicator.failed}. That uses up"
            f" {burn.spent} % of the error budget of 30 days, and at this rate all of it in {days:.0f} days."
            f" {indicator.cause}"
        )
        parts = tuple(
            Alarm(
                id=f"{indicator.id}{burn.name}{name}",
                metrics=indicator.metrics,
                expression=indicator.bad,
                period=window,
                threshold=threshold,
                says=f"Part of the {burn.name.lower()} alarm of an objective, over {_window(window)}; notifies nobody.",
                section=indicator.section,
                notifies=False,
            )
            for name, window in (("Long", burn.long), ("Short", burn.short))
        )
        yield CombinedAlarm(id=f"{indicator.id}{burn.name}", parts=parts, says=says, section=indicator.section)


def _with(metric: Metric, statistic: str) -> Metric:
    return Metric(namespace=metric.namespace, name=metric.name, statistic=statistic, dimensions=metric.dimensions)


def _window(seconds: int) -> str:
    if seconds == HOUR:
        return "one hour"
    return f"{seconds // HOUR} hours" if seconds > HOUR else f"{seconds // 60} minutes"
