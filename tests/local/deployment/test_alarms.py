"""Deployed alarms in the emulated CloudWatch: described, set, changed and deleted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from local.deployment.alarms import in_alarm
from local.deployment.control_plane import ControlPlane
from tests.local.deployment.deployments import StackFailedError, create, delete, update

pytestmark = pytest.mark.xdist_group("control_plane")


@pytest.fixture
def plane() -> Iterator[ControlPlane]:
    with ControlPlane() as running:
        yield running


def template(**changes: Any) -> dict[str, Any]:
    """Two alarms, one of them composite."""
    properties = {
        "Namespace": "TgiEndpoint/FrontDoor",
        "MetricName": "ServerErrors",
        "Statistic": "Average",
        "Period": "60",
        "EvaluationPeriods": 2,
        "Threshold": "0.5",
        "ComparisonOperator": "GreaterThanThreshold",
        "Dimensions": [{"Name": "FrontDoor", "Value": "S/Door"}],
        **changes,
    }
    rule = {"Fn::Join": ["", ['ALARM("', {"Fn::GetAtt": ["Errors", "Arn"]}, '")']]}
    return {
        "Resources": {
            "Errors": {"Type": "AWS::CloudWatch::Alarm", "Properties": properties},
            "Both": {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": {"AlarmRule": rule}},
        }
    }


def described(plane: ControlPlane) -> tuple[list[Any], list[Any]]:
    found = plane.client("cloudwatch").describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    return found["MetricAlarms"], found["CompositeAlarms"]


def test_alarms_are_described_with_their_properties_and_follow_updates(plane: ControlPlane) -> None:
    create(plane, template(), "S")
    (metric,), (composite,) = described(plane)
    assert (metric["AlarmName"], metric["Threshold"], metric["Period"]) == ("S-Errors", 0.5, 60)
    assert metric["Dimensions"] == [{"Name": "FrontDoor", "Value": "S/Door"}]
    assert composite["AlarmName"] == "S-Both"
    assert composite["AlarmRule"] == 'ALARM("arn:aws:cloudwatch:us-east-1:123456789012:alarm:S-Errors")'
    update(plane, template(Threshold=0.75), "S")
    (metric,), _ = described(plane)
    assert metric["Threshold"] == 0.75
    delete(plane, "S")
    assert described(plane) == ([], [])


def test_those_in_alarm_are_found_by_name(plane: ControlPlane) -> None:
    create(plane, template(), "S")
    cloudwatch = plane.client("cloudwatch")
    names = ["S-Errors", "S-Both", "elsewhere"]
    assert in_alarm(cloudwatch, names) == []
    for name in ("S-Errors", "S-Both"):
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="the test says so")
    assert in_alarm(cloudwatch, names) == ["S-Both", "S-Errors"]
    assert in_alarm(cloudwatch, ["S-Errors"]) == ["S-Errors"]
    assert in_alarm(cloudwatch, []) == []


def test_an_alarm_with_a_property_that_there_is_not_fails_the_deployment(plane: ControlPlane) -> None:
    with pytest.raises(
        StackFailedError, match=r'Errors: Parameter validation failed:\nUnknown parameter in input: "Treshold"'
    ):
        create(plane, template(Treshold=1), "S")
