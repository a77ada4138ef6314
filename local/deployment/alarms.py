"""Puts the deployed alarms into moto's CloudWatch, so that they can be described, and set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.deployment.recorded_resources import RecordedResource

COMPOSITE = "AWS::CloudWatch::CompositeAlarm"
ALARMS = frozenset({"AWS::CloudWatch::Alarm", COMPOSITE})
# CloudFormation also takes numbers as text.
_NUMBERS: dict[str, Callable[[Any], float]] = {
    "DatapointsToAlarm": int,
    "EvaluationPeriods": int,
    "Period": int,
    "Threshold": float,
}
# What moto asks for and a composite alarm does not have.
_OF_METRICS = (
    "comparison_operator",
    "evaluation_periods",
    "metric_name",
    "namespace",
    "period",
    "statistic",
    "threshold",
)


def put(cloudwatch: Any, alarm: RecordedResource) -> None:
    """Creates an alarm, or changes it, with the properties of the resource, as botocore validates them."""
    if alarm.cf_resource_type == COMPOSITE:
        _put_composite(alarm)
        return
    numbers = {name: convert(alarm.properties[name]) for name, convert in _NUMBERS.items() if name in alarm.properties}
    cloudwatch.put_metric_alarm(**{**alarm.properties, **numbers, "AlarmName": alarm.name})


def _put_composite(alarm: RecordedResource) -> None:
    """Moto keeps composite alarms, but has no operation that creates one."""
    from moto.cloudwatch.models import cloudwatch_backends

    properties = alarm.properties
    cloudwatch_backends[alarm.account][alarm.region].put_metric_alarm(
        name=alarm.name,
        rule=properties["AlarmRule"],
        description=properties.get("AlarmDescription", ""),
        alarm_actions=properties.get("AlarmActions", []),
        ok_actions=properties.get("OKActions", []),
        insufficient_data_actions=properties.get("InsufficientDataActions", []),
        actions_enabled=properties.get("ActionsEnabled", True),
        dimensions=[],
        **dict.fromkeys(_OF_METRICS),
    )


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
