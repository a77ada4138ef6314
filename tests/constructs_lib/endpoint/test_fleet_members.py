"""The models of a fleet: how each scales, and who may call it."""

from __future__ import annotations

from aws_cdk import App, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from constructs_lib import InstanceType, ScaleToZero, TgiOptions
from tests.constructs_lib.endpoint.fleets import (
    QWEN_7B,
    QWEN_32B,
    SCALING_POLICY,
    TARGET,
    arns,
    component_of,
    fleet,
    new_stack,
    qwen,
    tracking_of,
)
from tests.constructs_lib.rendered import (
    ENDPOINT,
    POLICY,
    properties,
    resources,
    statements,
    template_of,
    text,
    variant,
)


def test_the_target_is_worked_out_from_what_one_copy_holds_and_not_the_instance() -> None:
    one_gpu, four_gpus = new_stack(App()), new_stack(App())
    models = {"chat": qwen(copies=(1, 2), request_tokens=4096)}
    fleet(one_gpu, models, instance_type=InstanceType.G5_2XLARGE, instances=(1, 2))
    fleet(four_gpus, models, instances=(1, 2))
    targets = [tracking_of(template_of(stack))["TargetValue"] for stack in (one_gpu, four_gpus)]
    assert targets[0] == targets[1] > 1


def test_a_target_of_ones_own_takes_its_place(stack: Stack) -> None:
    fleet(stack, {"chat": qwen(copies=(1, 2), concurrency_target=9)}, instances=(1, 2))
    assert tracking_of(template_of(stack))["TargetValue"] == 9


def test_schedules_and_further_policies_are_added_to_the_scaling_of_a_model(stack: Stack) -> None:
    models = fleet(stack, {"chat": qwen(copies=(1, 2)), "code": qwen()}, instances=(1, 2)).models
    assert models["chat"].scaling is not None
    models["chat"].scaling.on_invocations(per_minute=60)
    assert models["code"].scaling is None
    policies = resources(template_of(stack), SCALING_POLICY).values()
    assert {one["Properties"]["PolicyName"] for one in policies} >= {"Concurrency", "Invocations"}


def test_a_member_is_a_model_endpoint_of_its_own(stack: Stack) -> None:
    shared = fleet(stack, {"chat": qwen(options=TgiOptions(max_input_tokens=1000, max_total_tokens=2000))})
    member = shared.models["chat"]
    assert (member.engine, member.model_id, member.max_body_bytes) == ("tgi", QWEN_7B, 6_291_456)
    assert member.serving.max_total_tokens == 2000
    assert stack.resolve(member.endpoint_name) == stack.resolve(shared.endpoint_name)
    assert stack.resolve(member.endpoint_arn) == stack.resolve(shared.endpoint_arn)
    assert member.inference_component_name == "team-fleet-models-chat-62431e5c"
    assert member.variant_name == shared.variant_name == "AllTraffic"
    assert member.wake is None


def test_a_grantee_of_a_member_may_call_that_model_only_and_one_of_the_fleet_every_model(stack: Stack) -> None:
    shared = fleet(stack, {"chat": qwen(), "code": qwen()})
    callers = [iam.Role(stack, name, assumed_by=iam.AccountRootPrincipal()) for name in ("One", "All")]
    shared.models["chat"].grant_invoke(callers[0])
    shared.grant_invoke(callers[1])
    policies = resources(template_of(stack), POLICY)

    def allowed(name: str) -> list[str]:
        (policy,) = (one for key, one in policies.items() if key.startswith(name))
        found = policy["Properties"]["PolicyDocument"]["Statement"]
        return [text(arn).rpartition(":")[2].partition("models-")[2] or text(arn) for one in found for arn in arns(one)]

    (endpoint,) = resources(template_of(stack), ENDPOINT)
    assert allowed("One") == [f"<{endpoint}>", "chat-62431e5c"]
    assert [each.partition("-")[0] for each in allowed("All")] == [f"<{endpoint}>", "chat", f"<{endpoint}>", "code"]


def test_a_grantee_may_be_given_permissions_through_the_fleet(stack: Stack) -> None:
    s3.Bucket(stack, "Prompts").grant_read(fleet(stack))
    allowed = [one for one in statements(template_of(stack)) if "s3:GetObject*" in one["Action"]]
    assert len(allowed) == 1


def test_a_model_that_goes_to_zero_begins_with_one_copy_and_scales_from_none(stack: Stack) -> None:
    shared = fleet(stack, {"chat": qwen(), "night": qwen(scale_to_zero=ScaleToZero())})
    template = template_of(stack)
    _, component = component_of(template, "night")
    assert component["Properties"]["RuntimeConfig"] == {"CopyCount": 1}
    assert properties(template, TARGET)["MinCapacity"] == 0
    assert shared.models["night"].wake is not None
    assert shared.models["chat"].wake is None
    assert shared.models["night"].scaling is None


def test_without_a_model_that_stays_there_may_be_no_instance_but_a_new_endpoint_has_some(stack: Stack) -> None:
    models = {name: qwen(QWEN_32B, scale_to_zero=ScaleToZero()) for name in ("a", "b")}
    fleet(stack, models, instances=(0, 2))
    found = variant(template_of(stack))
    assert found["ManagedInstanceScaling"] == {"Status": "ENABLED", "MinInstanceCount": 0, "MaxInstanceCount": 2}
    assert found["InitialInstanceCount"] == 2
