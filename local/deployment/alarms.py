"""Puts the deployed alarms into moto's CloudWatch, so that they can be described, and set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.deployment.recorded_resources import RecordedResource

_OPERATIONS = {
    "AWS::CloudWatch::Alarm": "put_metric_alarm",
    "AWS::CloudWatch::CompositeAlarm": "put_composite_alarm",
}
ALARMS = frozenset(_OPERATIONS)
# CloudFormation also takes numbers as text.
_NUMBERS: dict[str, Callable[[Any], float]] = {
    "DatapointsToAlarm": int,
    "EvaluationPeriods": int,
    "Period": int,
    "Threshold": float,
}


def put(cloudwatch: Any, alarm: RecordedResource) -> None:
    """Creates an alarm, or changes it, with the properties of the resource, as botocore validates them."""
    numbers = {name: convert(alarm.properties[name]) for name, convert in _NUMBERS.items() if name in alarm.properties}
    properties = {**alarm.properties, **numbers, "AlarmName": alarm.name}
    getattr(cloudwatch, _OPERATIONS[alarm.cf_resource_type])(**properties)


def delete(cloudwatch: Any, alarm: RecordedResource) -> None:
    """Deletes an alarm."""
    cloudwatch.delete_alarms(AlarmNames=[alarm.name])


def in_alarm(cloudwatch: Any, names: list[str]) -> list[str]:
    """Those of the named alarms that are in ALARM."""
    if not names:
        return []
    found = cloudwatch.describe_alarms(AlarmNames=names, AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    alarms = [*found.get("MetricAlarms", []), *found.get("CompositeAlarms", [])]
    return sorted(alarm["AlarmName"] for alarm in alarms if alarm["StateValue"] == "ALARM")
