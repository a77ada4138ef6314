"""What a changed argument changes in the template, so that CloudFormation updates or replaces what it should."""

from __future__ import annotations

import json
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App, CfnOutput, CfnResource, Environment, NestedStack, ReferenceStrength, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib import ConfigurationError, FrontDoor, InstanceType, Model, ScaleToZero, TgiEndpoint
from constructs_lib.endpoint.updates import MAX_OWN_POLICIES
from tests.constructs_lib.rendered import (
    CONFIG,
    ENDPOINT,
    POLICY,
    Json,
    only,
    properties,
    resources,
    template_of,
    variant,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HERE = Environment(account="123456789012", region="eu-west-1")
THERE = Environment(account="123456789012", region="eu-west-2")
MANAGED_POLICY = "AWS::IAM::ManagedPolicy"
COMPONENT = "AWS::SageMaker::InferenceComponent"
FUNCTION = "AWS::Lambda::Function"
TARGET = "AWS::ApplicationAutoScaling::ScalableTarget"
ERROR = (
    "replace_on_instance_type_change=True: another stack uses this endpoint, and CloudFormation refuses to change an"
    " export in use. Put the front door into the endpoint's stack, or leave replace_on_instance_type_change out and"
    " change the type in two deployments."
)
QUIET: Any = {"cloud_watch_role": False}


def rendered(tmp_path: Path, *, scaled: bool = False, front_door: bool = False, **arguments: Any) -> Json:
    """The template of a stack with one endpoint."""
    stack = Stack(App(outdir=mkdtemp(dir=tmp_path)), "Team", env=HERE)
    llama = endpoint(stack, **arguments)
    if scaled:
        llama.auto_scale(max_instances=4).on_concurrency(target=5)
    if front_door:
        FrontDoor(stack, "Api", models={"llama": llama}, **QUIET)
    return template_of(stack)


def endpoint(stack: Construct, **arguments: Any) -> TgiEndpoint:
    defaults = {"model": Model.from_hub("Qwen/Qwen2.5-7B-Instruct"), "instance_type": InstanceType.G5_2XLARGE}
    return TgiEndpoint(stack, "Llama", **{**defaults, "detailed_observability": False, **arguments})


def replacing(stack: Construct) -> TgiEndpoint:
    return endpoint(stack, replace_on_instance_type_change=True)


def test_a_changed_instance_count_is_in_the_config_and_nothing_keeps_the_old_one(tmp_path: Path) -> None:
    one, two = rendered(tmp_path), rendered(tmp_path, instance_count=2)
    assert (variant(one)["InitialInstanceCount"], variant(two)["InitialInstanceCount"]) == (1, 2)
    assert properties(one, ENDPOINT).keys() == {"EndpointConfigName"}
    assert properties(two, ENDPOINT).keys() == {"EndpointConfigName", "DeploymentConfig"}


def test_only_the_instance_count_is_kept_and_only_while_the_endpoint_scales(tmp_path: Path) -> None:
    scaled = properties(rendered(tmp_path, scaled=True), ENDPOINT)
    assert scaled["RetainAllVariantProperties"] is True
    excluded = [each["VariantPropertyType"] for each in scaled["ExcludeRetainedVariantProperties"]]
    assert excluded == ["DesiredWeight", "DataCaptureConfig"], "the third that SageMaker knows is DesiredInstanceCount"


def test_what_sagemaker_may_keep_is_no_more_than_that() -> None:
    from botocore.session import get_session

    shape = get_session().get_service_model("sagemaker").shape_for("VariantPropertyType")
    assert sorted(shape.enum) == ["DataCaptureConfig", "DesiredInstanceCount", "DesiredWeight"]


def ids(template: Json) -> set[str]:
    return set(template["Resources"])


@pytest.mark.parametrize("replaces", [False, True])
def test_scaling_switched_on_or_off_renames_no_resource(tmp_path: Path, replaces: bool) -> None:
    fixed = rendered(tmp_path, replace_on_instance_type_change=replaces)
    scaled = rendered(tmp_path, scaled=True, replace_on_instance_type_change=replaces)
    assert {name for name in ids(scaled) - ids(fixed) if "Scaling" not in name} == set()
    assert ids(fixed) <= ids(scaled)


def test_another_instance_type_renames_no_resource_by_default(tmp_path: Path) -> None:
    before, after = (
        rendered(tmp_path, scaled=True),
        rendered(tmp_path, scaled=True, instance_type=InstanceType.G6_2XLARGE),
    )
    assert ids(before) == ids(after)


def test_another_instance_type_renames_the_endpoint_alone_if_a_new_one_takes_over(tmp_path: Path) -> None:
    replaces: Any = {"scaled": True, "front_door": True, "replace_on_instance_type_change": True}
    before = rendered(tmp_path, **replaces)
    after = rendered(tmp_path, instance_type=InstanceType.G6_2XLARGE, **replaces)
    (old,), (new,) = resources(before, ENDPOINT), resources(after, ENDPOINT)
    assert old.startswith("Llamamlg52xlarge")
    assert new.startswith("Llamamlg62xlarge")
    (old_policy,), (new_policy,) = invocation_policies(before), invocation_policies(after)
    assert ids(before) - {old, old_policy} == ids(after) - {new, new_policy}


def invocation_policies(template: Json) -> list[str]:
    """The policies that allow invocations."""
    policies = (resources(template, POLICY) | resources(template, MANAGED_POLICY)).items()
    return [name for name, policy in policies if "sagemaker:InvokeEndpoint" in json.dumps(policy)]


def test_the_front_door_may_invoke_the_new_endpoint_before_it_knows_it_and_the_old_one_after(tmp_path: Path) -> None:
    replaces: Any = {"front_door": True, "replace_on_instance_type_change": True}
    before = rendered(tmp_path, **replaces)
    after = rendered(tmp_path, instance_type=InstanceType.G6_2XLARGE, **replaces)
    (old,), (new,) = invocation_policies(before), invocation_policies(after)
    assert old != new, "CloudFormation creates the new one first and deletes the old one last"
    (endpoint_id,) = resources(after, ENDPOINT)
    properties = after["Resources"][new]["Properties"]
    assert properties["PolicyDocument"]["Statement"] == [
        {
            "Action": ["sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointWithResponseStream"],
            "Effect": "Allow",
            "Resource": {"Ref": endpoint_id},
        }
    ]
    (function,) = (each for each in resources(after, FUNCTION).values() if new in each.get("DependsOn", ()))
    assert function["Properties"]["Role"]["Fn::GetAtt"][0] == properties["Roles"][0]["Ref"]


def test_a_role_has_one_policy_for_an_endpoint_however_often_it_is_granted(stack: Stack) -> None:
    llama = replacing(stack)
    role = iam.Role(stack, "Caller", assumed_by=iam.AccountRootPrincipal())
    llama.grant_invoke(role)
    llama.grant_invoke(role)
    assert len(invocation_policies(template_of(stack))) == 1


def test_a_role_keeps_room_for_other_policies(stack: Stack) -> None:
    role = iam.Role(stack, "Caller", assumed_by=iam.AccountRootPrincipal())
    for number in range(MAX_OWN_POLICIES + 2):
        replacing(Construct(stack, f"Model{number}")).grant_invoke(role)
    template = template_of(stack)
    assert len(resources(template, MANAGED_POLICY)) == MAX_OWN_POLICIES
    (rest,) = set(invocation_policies(template)) & set(resources(template, POLICY))
    assert len(template["Resources"][rest]["Properties"]["PolicyDocument"]["Statement"]) == 2


@pytest.mark.parametrize("mutable", [True, False])
def test_a_role_that_this_app_imports_gets_the_statement_if_it_may_be_changed(stack: Stack, mutable: bool) -> None:
    role = iam.Role.from_role_arn(stack, "Caller", "arn:aws:iam::123456789012:role/caller", mutable=mutable)
    replacing(stack).grant_invoke(role)
    assert [name.startswith("CallerPolicy") for name in invocation_policies(template_of(stack))] == [True] * mutable


def test_instance_types_by_priority_are_in_the_id_as_a_hash_of_names_and_order(tmp_path: Path) -> None:
    g5, g6 = InstanceType.G5_2XLARGE, InstanceType.G6_2XLARGE
    names = []
    for types in (g5, [g5], [g5, g6], [g6, g5]):
        (name,) = resources(rendered(tmp_path, replace_on_instance_type_change=True, instance_type=types), ENDPOINT)
        names.append(name)
    one, alone, both, reverse = names
    assert one == alone
    assert one.startswith("Llamamlg52xlarge")
    assert both.startswith("Llamapools")
    assert reverse.startswith("Llamapools")
    assert both != reverse


def test_the_component_of_a_new_endpoint_is_another_one(tmp_path: Path) -> None:
    zero: Any = {"replace_on_instance_type_change": True, "scale_to_zero": ScaleToZero()}
    g5, g6, found = InstanceType.G5_2XLARGE, InstanceType.G6_2XLARGE, set()
    for types in (g5, g6, [g5, g6], [g6, g5]):
        ((name, component),) = resources(rendered(tmp_path, instance_type=types, **zero), COMPONENT).items()
        found.add((name, component["Properties"]["InferenceComponentName"]))
    assert len({name for name, _ in found}) == len({name for _, name in found}) == 4


def test_what_refers_to_the_endpoint_follows_to_the_new_one(tmp_path: Path) -> None:
    replaces: Any = {"scaled": True, "front_door": True, "replace_on_instance_type_change": True}
    template = rendered(tmp_path, **replaces)
    (name,) = resources(template, ENDPOINT)
    referring = {
        resource["Type"]
        for resource in template["Resources"].values()
        if json.dumps(name) in json.dumps(resource["Properties"])
    }
    assert {TARGET, "AWS::Lambda::Function", "AWS::IAM::Policy"} <= referring


def test_cloudformation_replaces_target_and_policy_when_the_endpoint_has_another_name() -> None:
    from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

    kinds = {TARGET: "ResourceId", "AWS::ApplicationAutoScaling::ScalingPolicy": "ScalingTargetId"}
    for kind, reference in kinds.items():
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("eu-west-1", kind).schema
        assert f"/properties/{reference}" in schema["createOnlyProperties"]


def test_the_endpoint_stays_the_default_child(stack: Stack) -> None:
    llama = replacing(stack)
    child = llama.node.default_child
    assert isinstance(child, CfnResource)
    assert child.cfn_resource_type == ENDPOINT


def test_an_endpoint_that_another_one_takes_over_from_brings_no_warning(stack: Stack) -> None:
    llama = replacing(stack)
    llama.auto_scale(max_instances=2)
    assert not [entry for entry in llama.node.metadata if entry.type == "aws:cdk:warning"]


def test_an_endpoint_with_a_name_cannot_exist_twice(stack: Stack) -> None:
    with pytest.raises(ConfigurationError) as raised:
        endpoint(stack, replace_on_instance_type_change=True, endpoint_name="llama")
    assert str(raised.value) == (
        "Team/Llama: 1 problem to solve before this can be deployed\n"
        "  - replace_on_instance_type_change=True: is for endpoints without endpoint_name: the new endpoint exists"
        " beside the old one, under another name. Leave endpoint_name out, or replace_on_instance_type_change, and"
        " change the type in two deployments."
    )


def test_the_switch_is_true_or_false(stack: Stack) -> None:
    with pytest.raises(
        ConfigurationError, match="replace_on_instance_type_change='yes': must be True or False, not str"
    ):
        endpoint(stack, replace_on_instance_type_change="yes")


def by_front_door(stack: Stack, llama: TgiEndpoint) -> None:
    FrontDoor(stack, "Api", models={"llama": llama}, **QUIET)


def by_name(stack: Stack, llama: TgiEndpoint) -> None:
    CfnResource(stack, "Uses", type="AWS::SSM::Parameter", properties={"Type": "String", "Value": llama.endpoint_name})


def by_weak_reference(stack: Stack, llama: TgiEndpoint) -> None:
    child = llama.node.default_child
    assert isinstance(child, CfnResource)
    value = Stack.consume_reference(child.get_att("EndpointName").to_string(), ReferenceStrength.WEAK)
    CfnResource(stack, "Uses", type="AWS::SSM::Parameter", properties={"Type": "String", "Value": value})


def by_metric(stack: Stack, llama: TgiEndpoint) -> None:
    llama.metric_invocations().create_alarm(stack, "Alarm", threshold=1, evaluation_periods=1)


USES = {"a front door": by_front_door, "a name": by_name, "a weak reference": by_weak_reference, "an alarm": by_metric}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_no_other_stack_may_use_an_endpoint_that_another_one_takes_over_from(
    app: App, stack: Stack, use: Callable[[Stack, TgiEndpoint], None]
) -> None:
    use(Stack(app, "Other", env=HERE), replacing(stack))
    with pytest.raises(RuntimeError) as raised:
        app.synth()
    assert ERROR in str(raised.value)


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_every_other_endpoint_may_be_used_by_other_stacks(
    app: App, stack: Stack, use: Callable[[Stack, TgiEndpoint], None]
) -> None:
    use(Stack(app, "Other", env=HERE), endpoint(stack))
    assert app.synth()


def test_no_stack_of_another_region_may_use_it(app: App, stack: Stack) -> None:
    by_name(Stack(app, "Other", env=THERE, cross_region_references=True), replacing(stack))
    with pytest.raises(RuntimeError) as raised:
        app.synth()
    assert ERROR in str(raised.value)


def test_its_name_may_not_be_exported_by_hand(app: App, stack: Stack) -> None:
    CfnOutput(stack, "Name", value=f"name: {replacing(stack).endpoint_name}", export_name="llama")
    with pytest.raises(RuntimeError) as raised:
        app.synth()
    assert ERROR in str(raised.value)


def test_no_other_stack_may_use_one_in_a_nested_stack(app: App, stack: Stack) -> None:
    by_name(Stack(app, "Other", env=HERE), replacing(NestedStack(stack, "Models")))
    with pytest.raises(RuntimeError) as raised:
        app.synth()
    assert ERROR in str(raised.value)


def test_its_own_stack_and_the_stacks_nested_in_it_may_use_it(app: App, stack: Stack) -> None:
    llama = replacing(NestedStack(stack, "Models"))
    by_front_door(NestedStack(stack, "Doors"), llama)
    by_name(stack, llama)
    CfnOutput(stack, "Name", value=llama.endpoint_name)
    CfnOutput(stack, "Another", value="llama", export_name="another")
    assert app.synth()


def test_its_config_follows_the_instance_type(tmp_path: Path) -> None:
    template = rendered(tmp_path, replace_on_instance_type_change=True, instance_type=InstanceType.G6_2XLARGE)
    assert only(template, CONFIG)["Properties"]["ProductionVariants"][0]["InstanceType"] == "ml.g6.2xlarge"
