"""Reads what an alarm or a policy watches: a metric, or an expression of metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.autoscaling.expressions import Expression, Query
from local.autoscaling.metrics import PUBLISHED, STATISTICS, metric_key

if TYPE_CHECKING:
    from collections.abc import Mapping

MINUTE = 60.0


def read_watched(properties: Mapping[str, Any]) -> tuple[Expression, float]:
    """What is watched, and the period in seconds, 60 if there is none.

    Args:
        properties: The properties of an alarm, or a policy's specification of a customized metric.

    Raises:
        ValueError: It cannot be evaluated here; the message says what.
    """
    if "MetricName" in properties:
        query = _query(properties, properties.get("Statistic"))
        return Expression("metric", {"metric": query}), float(properties.get("Period", MINUTE))
    statistics = {entry["Id"]: entry["MetricStat"] for entry in properties["Metrics"] if "MetricStat" in entry}
    queries = {name: _query(entry["Metric"], entry["Stat"]) for name, entry in statistics.items()}
    returned = next(entry for entry in properties["Metrics"] if entry.get("ReturnData", True))
    period = max((float(entry.get("Period", MINUTE)) for entry in statistics.values()), default=MINUTE)
    return Expression(returned.get("Expression", returned["Id"]), queries), period


def _query(metric: Mapping[str, Any], statistic: str | None) -> Query:
    name = metric["MetricName"]
    if name not in PUBLISHED:
        raise ValueError(f"nothing publishes {metric['Namespace']} {name} here")
    if statistic not in STATISTICS:
        raise ValueError(f"{statistic or 'a percentile'} of {name} is no statistic that is calculated here")
    dimensions = {entry["Name"]: entry["Value"] for entry in metric.get("Dimensions", [])}
    return Query(metric_key(name, dimensions), statistic)
