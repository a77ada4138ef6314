from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App, CfnParameter, Stack, Token
from botocore.session import get_session

from constructs_lib import ConfigurationError, FleetModel, InstanceType, Model, ModelFleet, ScaleToZero, TgiEndpoint
from tests.constructs_lib.rendered import CONFIG, properties, template_of

if TYPE_CHECKING:
    from constructs import Construct

QWEN = "Qwen/Qwen2.5-7B-Instruct"
WARNING = (
    "SageMaker's detailed metrics are off, which it collects from new endpoints by itself and CloudWatch bills at 0.50"
    " USD per GB: temperature and use of each GPU, CPU, memory and disk of each host, and the model server's own"
    " metrics at /metrics, such as its queue. The classic metrics of requests and instances stay. Set"
    " detailed_observability=True for them, or False to say that you do without."
    " [ack: tgi-endpoint:detailedObservabilityOff]"
)


def endpoint(**arguments: Any) -> tuple[Stack, TgiEndpoint]:
    stack = Stack(App(), "Team")
    built = TgiEndpoint(stack, "Qwen", model=Model.from_hub(QWEN), instance_type=InstanceType.G5_2XLARGE, **arguments)
    return stack, built


def fleet(**arguments: Any) -> tuple[Stack, ModelFleet]:
    stack = Stack(App(), "Team")
    models = {name: FleetModel(model=Model.from_hub(QWEN)) for name in ("one", "other")}
    type_ = InstanceType.G5_12XLARGE
    return stack, ModelFleet(stack, "Fleet", models=models, instance_type=type_, instances=(1, 2), **arguments)


def config(stack: Stack) -> Any:
    return properties(template_of(stack), CONFIG)["MetricsConfig"]


def warnings(construct: Construct) -> list[Any]:
    return [entry.data for entry in construct.node.metadata if entry.type == "aws:cdk:warning"]


@pytest.mark.parametrize("build", [endpoint, fleet])
@pytest.mark.parametrize(("given", "rendered"), [(None, False), (False, False), (True, True)])
def test_the_config_always_says_whether_details_are_collected_as_sagemaker_collects_them_otherwise(
    build: Any, given: bool | None, rendered: bool
) -> None:
    stack, _ = build(detailed_observability=given)
    assert config(stack) == {"EnableDetailedObservability": rendered}


@pytest.mark.parametrize("build", [endpoint, fleet])
@pytest.mark.parametrize(("given", "found"), [(None, [WARNING]), (False, []), (True, [])])
def test_only_an_endpoint_that_does_not_say_is_told_what_it_lacks(
    build: Any, given: bool | None, found: list[str]
) -> None:
    assert warnings(build(detailed_observability=given)[1]) == found


def test_an_endpoint_of_components_says_so_too() -> None:
    stack, _ = endpoint(scale_to_zero=ScaleToZero(), detailed_observability=False)
    assert config(stack) == {"EnableDetailedObservability": False}


@pytest.mark.parametrize("build", [endpoint, fleet])
def test_something_else_than_a_bool_is_an_error(build: Any) -> None:
    with pytest.raises(ConfigurationError) as error:
        build(detailed_observability="on")
    (problem,) = error.value.problems
    assert str(problem) == (
        "detailed_observability='on': must be True or False, not str. Give a bool, or leave it out."
    )


def test_what_only_the_deployment_knows_is_passed_on() -> None:
    stack = Stack(App(), "Team")
    choice: Any = Token.as_any(CfnParameter(stack, "Details").value)
    TgiEndpoint(
        stack,
        "Qwen",
        model=Model.from_hub(QWEN),
        instance_type=InstanceType.G5_2XLARGE,
        detailed_observability=choice,
    )
    assert config(stack) == {"EnableDetailedObservability": {"Ref": "Details"}}


def test_the_api_takes_the_switch_alone_and_collects_by_default() -> None:
    shape = get_session().get_service_model("sagemaker").shape_for("MetricsConfig")
    assert shape.required_members == []
    assert "default value for new endpoint configurations is <code>True</code>" in (
        shape.members["EnableDetailedObservability"].documentation
    )
