"""What a DeploymentConfig means: how many containers serve after each step, and the waits."""

from __future__ import annotations

from typing import Any

import pytest

from local.hosting.rollout import Rollout, read_rollout


def blue_green(kind: str, wait: int = 300, **size: Any) -> dict[str, Any]:
    routing = {"Type": kind, "WaitIntervalInSeconds": wait, **size}
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing, "TerminationWaitInSeconds": 120}}


def size(kind: str, value: int) -> dict[str, Any]:
    return {"Type": kind, "Value": value}


@pytest.mark.parametrize(
    ("deployment", "rollout"),
    [
        ({}, Rollout((4,))),
        (blue_green("ALL_AT_ONCE"), Rollout((4,), 300, 120)),
        (blue_green("CANARY", CanarySize=size("INSTANCE_COUNT", 1)), Rollout((1, 4), 300, 120)),
        (blue_green("CANARY", CanarySize=size("CAPACITY_PERCENT", 50)), Rollout((2, 4), 300, 120)),
        (blue_green("CANARY", CanarySize=size("CAPACITY_PERCENT", 10)), Rollout((1, 4), 300, 120)),
        (blue_green("LINEAR", LinearStepSize=size("CAPACITY_PERCENT", 25)), Rollout((1, 2, 3, 4), 300, 120)),
        (
            {"RollingUpdatePolicy": {"MaximumBatchSize": size("CAPACITY_PERCENT", 50), "WaitIntervalInSeconds": 60}},
            Rollout((2, 4), 60),
        ),
        (
            {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "one"}, {"AlarmName": "two"}]}},
            Rollout((4,), alarms=("one", "two")),
        ),
    ],
)
def test_four_instances_are_replaced_step_by_step(deployment: dict[str, Any], rollout: Rollout) -> None:
    assert read_rollout(deployment, 4) == rollout


def test_the_last_step_takes_what_is_left() -> None:
    deployment = blue_green("LINEAR", LinearStepSize=size("CAPACITY_PERCENT", 40))
    assert read_rollout(deployment, 5).steps == (2, 4, 5)
