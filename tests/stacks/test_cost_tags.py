"""The tags by which Cost Explorer groups what the stacks cost."""

from __future__ import annotations

import re
from typing import Any

import pytest
from aws_cdk import App, Stack, Tags
from botocore.session import get_session
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from constructs_lib import Dashboard, InstanceType, Model, ScaleToZero, TgiEndpoint
from stacks.cost_tags import COMPONENT, MODEL, STACK, add_cost_tags
from stacks.presets import PRESETS
from tests.constructs_lib.rendered import COMPONENT as INFERENCE_COMPONENT
from tests.constructs_lib.rendered import Json, template_of
from tests.stacks.test_app import ENDPOINTS, built
from tests.stacks.test_model_stack import beside_vllm, model_stack


def schema(resource_type: str) -> dict[str, Any]:
    found: dict[str, Any] = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource_type).schema
    return found


def tags_of(resource: Json) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in resource["Properties"].get("Tags", [])}


def template(stack: str = "LlamaTgiStack", **context: str) -> Json:
    rendered: Json = built(nag="off", stacks=stack, **context).synth().get_stack_by_name(stack).template
    return rendered


@pytest.fixture(scope="module")
def llama() -> Json:
    return template(monitoring="on")


def test_every_resource_that_can_have_tags_says_its_stack_and_its_model(llama: Json) -> None:
    found = 0
    for logical_id, resource in llama["Resources"].items():
        if not resource["Type"].startswith("Custom::") and schema(resource["Type"]).get("tagging", {}).get("taggable"):
            tags = tags_of(resource)
            # Types whose tags the CDK does not render: none of them costs anything.
            if resource["Type"] in ("AWS::SNS::Subscription", "AWS::Logs::QueryDefinition"):
                continue
            assert tags.get(STACK) == "LlamaTgiStack", (logical_id, resource["Type"])
            assert tags.get(MODEL, "").startswith("meta-llama/"), logical_id
            found += 1
    assert found > 20


@pytest.mark.parametrize(
    ("resource_type", "components"),
    [
        ("AWS::SageMaker::Endpoint", {"endpoint"}),
        ("AWS::SageMaker::EndpointConfig", {"endpoint"}),
        ("AWS::SageMaker::Model", {"endpoint"}),
        ("AWS::Lambda::Function", {"front-door"}),
        ("AWS::ApiGateway::RestApi", {"front-door"}),
        ("AWS::ApiGateway::Stage", {"front-door"}),
        ("AWS::Logs::LogGroup", {"front-door"}),
    ],
)
def test_what_costs_money_says_which_part_it_is(llama: Json, resource_type: str, components: set[str]) -> None:
    found = [each for each in llama["Resources"].values() if each["Type"] == resource_type]
    assert found
    assert {tags_of(each).get(COMPONENT) for each in found} == components


def test_a_changed_tag_replaces_nothing(llama: Json) -> None:
    for resource in llama["Resources"].values():
        if "Tags" in resource["Properties"]:
            found = schema(resource["Type"])
            assert "/properties/Tags" not in found.get("createOnlyProperties", ()), resource["Type"]
            assert found["tagging"]["tagUpdatable"], resource["Type"]


def test_without_them_the_template_is_the_same_but_for_the_tags(llama: Json) -> None:
    without = template(monitoring="on", cost_tags="off")
    for resource in llama["Resources"].values():
        resource["Properties"] = {name: value for name, value in resource["Properties"].items() if name != "Tags"}
    assert all(not tags_of(resource) for resource in without["Resources"].values())
    assert without == llama


def test_a_front_door_to_the_endpoints_of_others_has_no_model() -> None:
    found = template("FrontDoorStack", front_door=ENDPOINTS)
    functions = [each for each in found["Resources"].values() if each["Type"] == "AWS::Lambda::Function"]
    assert functions
    assert all(tags_of(each) == {STACK: "FrontDoorStack", COMPONENT: "front-door"} for each in functions)


def test_an_inference_component_is_tagged_as_well(app: App) -> None:
    stack = Stack(app, "Team")
    zero = TgiEndpoint(
        stack,
        "Zero",
        model=Model.from_hub("Qwen/Qwen2.5-7B-Instruct"),
        instance_type=InstanceType.G5_2XLARGE,
        scale_to_zero=ScaleToZero(),
    )
    add_cost_tags(stack, model_id="Qwen/Qwen2.5-7B-Instruct", endpoints=[zero], front_door=Dashboard(stack, "Board"))
    (component,) = (each for each in template_of(stack)["Resources"].values() if each["Type"] == INFERENCE_COMPONENT)
    assert tags_of(component) == {STACK: "Team", MODEL: "Qwen/Qwen2.5-7B-Instruct", COMPONENT: "endpoint"}


def test_the_same_tag_of_an_app_or_a_stack_wins() -> None:
    app = built(nag="off")
    Tags.of(app).add(MODEL, "llama of the chat team")
    rendered = app.synth().get_stack_by_name("LlamaTgiStack").template
    (endpoint,) = (each for each in rendered["Resources"].values() if each["Type"] == "AWS::SageMaker::Endpoint")
    assert tags_of(endpoint)[MODEL] == "llama of the chat team"


def test_the_stack_itself_has_no_tags_which_would_reach_each_resource_twice() -> None:
    assert not built(nag="off").synth().get_stack_by_name("LlamaTgiStack").tags


@pytest.mark.parametrize("shape", ["TagKey", "TagValue"])
def test_sagemaker_accepts_every_key_and_value(shape: str) -> None:
    found = get_session().get_service_model("sagemaker").shape_for(shape).metadata
    assert found["pattern"] == r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)"
    given = [STACK, MODEL, COMPONENT]
    if shape == "TagValue":
        given = [value for preset in PRESETS for value in (preset.__name__, preset.preset.model_id)]
    for text in [*given, "endpoint", "front-door"]:
        assert re.fullmatch(r"[\w .:/=+\-@]*", text)
        assert len(text) <= found["max"]


def test_an_endpoint_that_answers_a_share_of_the_requests_says_that_it_is_one() -> None:
    found = template_of(model_stack(route=beside_vllm))["Resources"].values()
    endpoints = [each for each in found if each["Type"] == "AWS::SageMaker::Endpoint"]
    assert [tags_of(each)[COMPONENT] for each in endpoints] == ["endpoint", "endpoint"]
