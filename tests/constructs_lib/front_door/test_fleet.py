"""A front door before the models of a fleet: one endpoint, and a component for each model."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import App, Environment, Stack

from constructs_lib import ConfigurationError, FleetModel, FrontDoor, InstanceType, Model, ModelFleet, ScaleToZero
from tests.constructs_lib.front_door.doubles import served_models
from tests.constructs_lib.rendered import ENDPOINT, as_list, resources, statements, template_of, text

CALLS = ["sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointWithResponseStream"]


def fleet(stack: Stack, **further: FleetModel) -> ModelFleet:
    models = {name: FleetModel(model=Model.from_hub("Qwen/Qwen2.5-7B-Instruct")) for name in ("chat", "code")}
    return ModelFleet(stack, "Fleet", models=models | further, instance_type=InstanceType.G5_12XLARGE)


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


def test_the_function_knows_the_component_of_every_model_and_when_one_wakes(stack: Stack) -> None:
    night = FleetModel(model=Model.from_hub("Qwen/Qwen2.5-7B-Instruct"), scale_to_zero=ScaleToZero())
    models = fleet(stack, night=night).models
    FrontDoor(stack, "Api", models=models)
    served = served_models(stack)
    assert {name: model["inference_component"] for name, model in served.items()} == {
        name: model.inference_component_name for name, model in models.items()
    }
    assert len({model["endpoint_name"] for model in served.values()}) == 1
    assert [name for name, model in served.items() if "wake_seconds" in model] == ["night"]


def test_a_front_door_in_another_stack_refers_to_the_endpoint_and_waits_for_no_component(app: App) -> None:
    env = Environment(account="123456789012", region="eu-west-1")
    models, door = Stack(app, "Models", env=env), Stack(app, "Door", env=env)
    FrontDoor(door, "Api", models=fleet(models).models)
    template_of(door)
    exported = {
        output["Value"]["Fn::GetAtt"][0] if "Fn::GetAtt" in output["Value"] else output["Value"]["Ref"]
        for output in template_of(models)["Outputs"].values()
    }
    assert exported == set(resources(template_of(models), ENDPOINT))


def test_the_fleet_itself_is_no_model(stack: Stack) -> None:
    endpoint: Any = fleet(stack)
    with pytest.raises(ConfigurationError) as raised:
        FrontDoor(stack, "Api", models={"chat": endpoint})
    (problem,) = raised.value.problems
    assert problem.message == "must be a model endpoint, but has no model_id, max_body_bytes, engine"
