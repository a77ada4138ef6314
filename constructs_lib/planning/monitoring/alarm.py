"""An alarm as data; `constructs_lib._alarms` renders it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

MINUTE = 60
FIVE_MINUTES = 300
HOUR = 3600

LONGEST_RANGE = 86_400
"""Seconds that an alarm may look back with periods below an hour (botocore 1.44.5, cloudwatch, PutMetricAlarm)."""

LONGEST_RANGE_OF_HOURS = 604_800
"""Seconds that an alarm may look back with periods of an hour or more (the same). It is then evaluated once an hour."""

MAX_DESCRIPTION = 1024
"""Characters of an alarm's description (botocore 1.44.5, cloudwatch, AlarmDescription)."""

MIN_FAILURES = 3
"""Failures in a period below which a share of requests is no alarm, so that one failed request at night wakes nobody.

A number of failures and not of requests: of few requests, all may fail.
"""

MONITORING = "Monitoring"
"""Construct id of what `monitor` adds."""

RUNBOOK = "docs/operations.md"
"""Where this project has its runbook."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A metric of CloudWatch.

    Args:
        namespace: Its namespace.
        name: Its name.
        statistic: Its statistic, such as `Sum`, `p95` or `PR(0:5000)`.
        dimensions: All its dimensions; values may be known at deployment only.
    """

    namespace: str
    name: str
    statistic: str
    dimensions: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """An alarm on a metric, or on an expression of several.

    Without data it is OK: a stream of metrics that has no traffic is no failure.

    Args:
        id: Its construct id.
        metrics: The metrics by the ids that they have in the expression.
        terms: Metric math by the ids that it has in the expression. Default: none.
        expression: Metric math of metrics and terms. Default: the only metric.
        period: Seconds that one data point stands for.
        periods: Data points that are looked at.
        breaching: How many of them must be beyond the threshold. Default: all.
        comparison: On which side of the threshold the alarm is.
        threshold: The threshold.
        says: What the alarm means and what to do, in sentences.
        section: The section of the runbook, as the anchor of its heading.
        notifies: Whether it has actions of its own; one that is only part of a `CombinedAlarm` has none.
    """

    id: str
    metrics: Mapping[str, Metric]
    terms: Mapping[str, str] = field(default_factory=dict)
    expression: str | None = None
    period: int
    periods: int = 1
    breaching: int | None = None
    comparison: Literal["above", "at least", "below"] = "above"
    threshold: float
    says: str
    section: str
    notifies: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CombinedAlarm:
    """An alarm that is on while all of its parts are.

    Args:
        id: Its construct id.
        parts: Alarms that do not notify by themselves.
        says: As for `Alarm`.
        section: As for `Alarm`.
    """

    id: str
    parts: tuple[Alarm, ...]
    says: str
    section: str


def describe(alarm: Alarm | CombinedAlarm, runbook: str) -> str:
    """The description of an alarm: what it means, what to do, and where the runbook says more.

    Args:
        alarm: The alarm.
        runbook: Where the runbook is, without an anchor.
    """
    return f"{alarm.says} {runbook}#{alarm.section}"


def five_minutes_in(seconds: float) -> int:
    """The periods of five minutes that a time takes, as many as an alarm may look back.

    Args:
        seconds: The time.
    """
    return min(math.ceil(seconds / FIVE_MINUTES), LONGEST_RANGE // FIVE_MINUTES)


def share_of(failures: str, requests: str) -> str:
    """Metric math for a share in percent that is 0 below `MIN_FAILURES`.

    Args:
        failures: The id of the failures.
        requests: The id of all requests.
    """
    return f"IF({failures} >= {MIN_FAILURES}, 100 * {failures} / {requests}, 0)"
