"""The tool that says what CloudFormation does when a template changes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.update_safety.resource_schemas import create_only_paths, identity_properties, values_at
from tests.update_safety.template_changes import Action, Change, changes, references

CONFIG, MODEL, ENDPOINT = (f"AWS::SageMaker::{kind}" for kind in ("EndpointConfig", "Model", "Endpoint"))
GROUP, TARGET = "AWS::Logs::LogGroup", "AWS::ApplicationAutoScaling::ScalableTarget"


def template(**resources: dict[str, Any]) -> dict[str, Any]:
    return {"Resources": resources}


def resource(kind: str, *, policy: str = "Delete", **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties, "DeletionPolicy": policy}


def test_nothing_changes_with_the_same_template() -> None:
    one = template(Logs=resource(GROUP, RetentionInDays=7))
    assert changes(one, one) == []


def test_what_is_new_is_created_and_what_is_gone_deleted_or_left_behind() -> None:
    before = template(Old=resource(GROUP), Kept=resource(GROUP, policy="Retain"))
    assert changes(before, template(New=resource(GROUP))) == [
        Change("Kept", GROUP, Action.LEAVE, "is no longer in the template, and is retained"),
        Change("New", GROUP, Action.CREATE, "is new"),
        Change("Old", GROUP, Action.DELETE, "is no longer in the template"),
    ]


def test_a_property_that_can_change_is_an_update_in_place() -> None:
    before = template(Logs=resource(GROUP, RetentionInDays=7))
    after = template(Logs=resource(GROUP, RetentionInDays=30))
    assert changes(before, after) == [Change("Logs", GROUP, Action.UPDATE, "RetentionInDays")]


def test_a_create_only_property_is_a_replacement() -> None:
    before = template(Logs=resource(GROUP, LogGroupName="one"))
    after = template(Logs=resource(GROUP, LogGroupName="two"))
    assert changes(before, after) == [Change("Logs", GROUP, Action.REPLACE, "LogGroupName is create-only")]


def test_what_refers_to_a_replaced_resource_is_updated_or_replaced_too_and_so_on() -> None:
    def stack(image: str) -> dict[str, Any]:
        variant = {"ModelName": {"Fn::GetAtt": ["Model", "ModelName"]}}
        endpoint = {"Fn::Sub": "endpoint/${Endpoint.EndpointName}/variant/one"}
        return template(
            Model=resource(MODEL, PrimaryContainer={"Image": image}),
            Config=resource(CONFIG, ProductionVariants=[variant]),
            Endpoint=resource(ENDPOINT, EndpointConfigName={"Fn::GetAtt": "Config.EndpointConfigName"}),
            Target=resource(TARGET, ResourceId=endpoint),
        )

    assert changes(stack("one"), stack("two")) == [
        Change("Config", CONFIG, Action.REPLACE, "ProductionVariants refers to Model, which is replaced"),
        Change("Endpoint", ENDPOINT, Action.UPDATE, "EndpointConfigName"),
        Change("Model", MODEL, Action.REPLACE, "PrimaryContainer is create-only"),
    ]


def test_a_replaced_endpoint_replaces_what_scales_it() -> None:
    def stack(name: str) -> dict[str, Any]:
        return template(
            Endpoint=resource(ENDPOINT, EndpointName=name),
            Target=resource(TARGET, ResourceId={"Fn::Join": ["/", ["endpoint", {"Ref": "Endpoint"}]]}),
        )

    (_, target) = changes(stack("one"), stack("two"))
    assert target == Change("Target", TARGET, Action.REPLACE, "ResourceId refers to Endpoint, which is replaced")


def test_another_type_under_the_same_id_is_refused() -> None:
    before, after = template(One=resource(GROUP)), template(One=resource(MODEL))
    assert changes(before, after) == [Change("One", MODEL, Action.REFUSE, f"the resource is an {GROUP}")]


def test_a_custom_resource_is_updated_but_cannot_get_another_function() -> None:
    def stack(token: str, value: str) -> dict[str, Any]:
        return template(Test=resource("Custom::Test", ServiceToken=token, Hash=value))

    (updated,) = changes(stack("one", "a"), stack("one", "b"))
    (refused,) = changes(stack("one", "a"), stack("two", "a"))
    assert (updated.action, updated.reason) == (Action.UPDATE, "Hash")
    assert (refused.action, refused.reason) == (Action.REFUSE, "the ServiceToken of a custom resource cannot change")


def test_references_are_found_in_every_form() -> None:
    value = [{"Ref": "A"}, {"Fn::GetAtt": ["B", "Arn"]}, {"Fn::GetAtt": "C.Arn"}, {"Fn::Sub": "${D.Arn}-${E}"}]
    nested = {"Fn::Join": ["", [{"Fn::Sub": ["${F}", {"x": {"Ref": "G"}}]}]]}
    assert references([*value, nested]) == set("ABCDEFG")


def test_the_schemas_say_what_is_create_only() -> None:
    assert create_only_paths(ENDPOINT) == ["EndpointName"]
    assert {"ProductionVariants", "MetricsConfig", "DataCaptureConfig"} <= set(create_only_paths(CONFIG))
    assert "DurableConfig" in create_only_paths("AWS::Lambda::Function"), "what replaces in some cases counts"
    with pytest.raises(Exception, match="AWS::No::Such"):
        create_only_paths("AWS::No::Such")


def test_values_are_found_at_nested_paths_and_at_every_member() -> None:
    properties = {"A": [{"B": 1}, {"B": 2}, {}], "C": {"x": {"D": 3}}}
    assert values_at(properties, "A/*/B") == [1, 2]
    assert values_at(properties, "C/*/D") == [3]
    assert values_at(properties, "C/D") == []


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        (GROUP, ("LogGroupName",)),
        (ENDPOINT, ("EndpointName",)),
        ("AWS::ApiGateway::Stage", ("RestApiId", "StageName")),
        ("AWS::ApiGateway::RestApi", ()),
        ("AWS::CloudWatch::Dashboard", ("DashboardName",)),
        ("AWS::SNS::Topic", ("TopicName",)),
        ("AWS::Events::Rule", ("Name",)),
        ("Custom::Test", ()),
    ],
)
def test_what_tells_resources_from_each_other_comes_from_the_schemas(kind: str, properties: tuple[str, ...]) -> None:
    assert identity_properties(kind) == properties
