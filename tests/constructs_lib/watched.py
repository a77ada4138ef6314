"""Reads alarms of templates, so that tests can state all of one in a few lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.constructs_lib.rendered import Json, resources, text

if TYPE_CHECKING:
    from collections.abc import Mapping

ALARM = "AWS::CloudWatch::Alarm"
COMPOSITE = "AWS::CloudWatch::CompositeAlarm"
COMPARISONS = {
    "GreaterThanThreshold": ">",
    "GreaterThanOrEqualToThreshold": ">=",
    "LessThanThreshold": "<",
}


def alarms(template: Json, scope: str) -> dict[str, Json]:
    """The properties of the alarms of a construct by their ids, without the hash of the logical id."""
    marker = f"{scope}Monitoring"
    return {
        logical_id.removeprefix(marker)[:-8]: resource["Properties"]
        for kind in (ALARM, COMPOSITE)
        for logical_id, resource in resources(template, kind).items()
        if logical_id.startswith(marker)
    }


def watched(alarm: Json) -> dict[str, Any]:
    """What an alarm is on, and when: metrics as `namespace/name statistic`, and each kind of property once."""
    found: dict[str, Any] = {"when": _when(alarm)}
    if "MetricName" in alarm:
        statistic = alarm.get("Statistic") or alarm["ExtendedStatistic"]
        found["metric"] = f"{alarm['Namespace']} {alarm['MetricName']} {statistic}"
        found["dimensions"] = _dimensions(alarm["Dimensions"])
        found["period"] = alarm["Period"]
        return found
    stats = {query["Id"]: query["MetricStat"] for query in alarm["Metrics"] if "MetricStat" in query}
    found["metrics"] = {
        query_id: f"{stat['Metric']['Namespace']} {stat['Metric']['MetricName']} {stat['Stat']}"
        for query_id, stat in stats.items()
    }
    found["dimensions"] = _only({_frozen(_dimensions(stat["Metric"]["Dimensions"])) for stat in stats.values()})
    found["period"] = _only({stat["Period"] for stat in stats.values()})
    found["math"] = {query["Id"]: query["Expression"] for query in alarm["Metrics"] if "Expression" in query}
    (returned,) = (query["Id"] for query in alarm["Metrics"] if query["ReturnData"])
    assert returned == "result"
    return found


def _when(alarm: Json) -> str:
    assert alarm["TreatMissingData"] == "notBreaching"
    comparison = COMPARISONS[alarm["ComparisonOperator"]]
    return f"{comparison} {alarm['Threshold']:g} in {alarm['DatapointsToAlarm']} of {alarm['EvaluationPeriods']}"


def _dimensions(rendered: Any) -> dict[str, str]:
    return {one["Name"]: text(one["Value"]) for one in rendered}


def _frozen(dimensions: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(dimensions.items())


def _only(found: set[Any]) -> Any:
    """The value that all metrics have; all values if they differ."""
    values = [dict(one) if isinstance(one, tuple) else one for one in sorted(found)]
    return values[0] if len(values) == 1 else values
