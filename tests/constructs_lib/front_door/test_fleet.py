"""A front door before the models of a fleet: one endpoint, and a component for each model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import ConfigurationError, FleetModel, FrontDoor, InstanceType, Model, ModelFleet
from tests.constructs_lib.rendered import ENDPOINT, as_list, resources, statements, template_of, text

if TYPE_CHECKING:
    from aws_cdk import Stack

CALLS = ["sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointWithResponseStream"]


def fleet(stack: Stack) -> ModelFleet:
    models = {name: FleetModel(model=Model.from_hub("Qwen/Qwen2.5-7B-Instruct")) for name in ("chat", "code")}
    return ModelFleet(stack, "Fleet", models=models, instance_type=InstanceType.G5_12XLARGE)


def test_the_function_may_call_every_model_and_describe_their_endpoint(stack: Stack) -> None:
    models = fleet(stack).models
    FrontDoor(stack, "Api", models={**models, "alias": models["chat"]})
    template = template_of(stack)
    (endpoint,) = resources(template, ENDPOINT)
    prefix = "arn:<AWS::Partition>:sagemaker:eu-west-1:123456789012:inference-component"
    allowed = [
        (as_list(one["Action"]), [text(arn) for arn in as_list(one["Resource"])])
        for one in statements(template)
        if "sagemaker:" in str(one["Action"])
    ]
    assert allowed == [
        (CALLS, [f"<{endpoint}>", f"{prefix}/{models['chat'].inference_component_name}"]),
        (["sagemaker:DescribeEndpoint"], [f"<{endpoint}>"]),
        (CALLS, [f"<{endpoint}>", f"{prefix}/{models['code'].inference_component_name}"]),
    ]


def test_the_fleet_itself_is_no_model(stack: Stack) -> None:
    endpoint: Any = fleet(stack)
    with pytest.raises(ConfigurationError) as raised:
        FrontDoor(stack, "Api", models={"chat": endpoint})
    (problem,) = raised.value.problems
    assert problem.message == "must be a model endpoint, but has no model_id, max_body_bytes, engine"
