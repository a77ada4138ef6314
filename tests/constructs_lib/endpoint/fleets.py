"""Creates fleets and reads their templates, so that tests can state an expectation in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App, Environment, Stack

from constructs_lib import ConfigurationError, FleetModel, InstanceType, Model, ModelFleet
from tests.constructs_lib.rendered import COMPONENT, Json, resources

if TYPE_CHECKING:
    from collections.abc import Mapping

TARGET = "AWS::ApplicationAutoScaling::ScalableTarget"
SCALING_POLICY = "AWS::ApplicationAutoScaling::ScalingPolicy"
QWEN_7B = "Qwen/Qwen2.5-7B-Instruct"
QWEN_32B = "Qwen/Qwen2.5-32B-Instruct"


def qwen(hub_id: str = QWEN_7B, **arguments: Any) -> FleetModel:
    return FleetModel(model=Model.from_hub(hub_id), **arguments)


def fleet(stack: Stack, models: Mapping[str, Any] | None = None, **arguments: Any) -> ModelFleet:
    defaults = {
        "models": models or {"chat": qwen()},
        "instance_type": InstanceType.G5_12XLARGE,
        "detailed_observability": False,
    }
    return ModelFleet(stack, "Fleet", **(defaults | arguments))


def new_stack(app: App, name: str = "Team") -> Stack:
    return Stack(app, name, env=Environment(account="123456789012", region="eu-west-1"))


def component_of(template: Json, name: str) -> tuple[str, Json]:
    """Logical id and resource of the component of a model."""
    ((logical_id, found),) = ((key, one) for key, one in resources(template, COMPONENT).items() if name in key)
    return logical_id, found


def tracking_of(template: Json) -> Json:
    """The only policy that tracks a target."""
    (found,) = (
        one["Properties"]["TargetTrackingScalingPolicyConfiguration"]
        for one in resources(template, SCALING_POLICY).values()
        if one["Properties"]["PolicyType"] == "TargetTrackingScaling"
    )
    return dict(found)


def refusal(stack: Stack, models: Any = None, **arguments: Any) -> list[str]:
    with pytest.raises(ConfigurationError) as raised:
        fleet(stack, models, **arguments)
    assert [child.node.id for child in stack.node.children if child.node.id == "Fleet"] == []
    return [str(problem) for problem in raised.value.problems]


def needed_by(template: Json, logical_id: str) -> set[str]:
    """What CloudFormation creates before a resource, and deletes after it."""
    found: set[str] = set()
    waiting = [logical_id]
    while waiting:
        resource = template["Resources"][waiting.pop()]
        direct = {one for one in references(resource) if one in template["Resources"]} - found
        found |= direct
        waiting += direct
    return found


def references(value: Any) -> set[str]:
    """Logical ids in DependsOn, Ref and Fn::GetAtt."""
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), _]}:
            return {name}
        case dict():
            named = value.get("DependsOn", [])
            return {*named, *(each for part in value.values() for each in references(part))}
        case list():
            return {each for part in value for each in references(part)}
        case _:
            return set()


def arns(statement: Json) -> list[Any]:
    return statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]


def warnings_of(stack: Stack) -> dict[str, list[str]]:
    """Ids of warnings by the path of the construct that they are about."""
    found: dict[str, list[str]] = {}
    for node in stack.node.find_all():
        for entry in node.node.metadata:
            if entry.type == "aws:cdk:warning":
                found.setdefault(node.node.path, []).append(entry.data.rpartition("tgi-endpoint:")[2].rstrip("]"))
    return found
