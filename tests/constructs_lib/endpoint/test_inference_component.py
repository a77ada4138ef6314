"""Inference components: their names, who may call them, and their metrics."""

from __future__ import annotations

import re

import pytest
from aws_cdk import App, CfnParameter, Environment, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib.endpoint.execution_role import ExecutionRole
from constructs_lib.endpoint.imported import ImportedEndpoint
from constructs_lib.endpoint.inference_component import component_name
from tests.constructs_lib.rendered import as_list, statement_with, statements, template_of, text

ACCOUNT = Environment(account="123456789012", region="eu-west-1")
# botocore 1.44.5, sagemaker 2017-07-24, InferenceComponentName.
VALID = re.compile(r"[a-zA-Z0-9]([\-a-zA-Z0-9]*[a-zA-Z0-9])?")


def component(stack: Stack) -> ImportedEndpoint:
    return ImportedEndpoint(
        stack,
        "Chat",
        endpoint_arn="arn:aws:sagemaker:eu-west-1:123456789012:endpoint/shared",
        endpoint_name="shared",
        engine="tgi",
        variant_name="AllTraffic",
        model_id=None,
        max_body_bytes=6_291_456,
        inference_component_name="team-chat",
    )


def test_a_name_is_valid_has_no_capitals_and_is_another_one_for_each_construct(stack: Stack) -> None:
    long = Construct(stack, "A" * 40 + "_and_" + "B" * 60)
    names = [component_name(each, None) for each in (Construct(stack, "Chat"), Construct(stack, "Code"), long)]
    assert len(set(names)) == 3
    for name in names:
        assert VALID.fullmatch(name)
        assert len(name) <= 63
        assert name == name.lower()


def test_a_name_is_the_same_in_each_synthesis() -> None:
    first, second = (component_name(Construct(Stack(App(), "Team"), "Chat"), None) for _ in range(2))
    assert first == second


def test_stacks_of_one_app_have_names_of_their_own() -> None:
    app = App()
    names = {component_name(Construct(Stack(app, name), "Chat"), None) for name in ("Blue", "Green")}
    assert len(names) == 2


def test_another_endpoint_has_another_component_as_a_component_cannot_move(stack: Stack) -> None:
    member = Construct(stack, "Chat")
    names = {component_name(member, name) for name in (None, "chat-prod", "chat-test")}
    assert len(names) == 3
    assert all(VALID.fullmatch(name) and len(name) <= 63 for name in names)


def test_an_endpoint_name_that_only_the_deployment_knows_does_not_change_it(stack: Stack) -> None:
    member, name = Construct(stack, "Chat"), CfnParameter(stack, "Name").value_as_string
    assert component_name(member, name) == component_name(member, None)


def test_a_grantee_may_invoke_the_endpoint_and_the_component(stack: Stack) -> None:
    caller = iam.Role(stack, "Caller", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))
    component(stack).grant_invoke(caller)
    allowed = statement_with(template_of(stack), "sagemaker:InvokeEndpoint")
    assert allowed["Action"] == ["sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointWithResponseStream"]
    assert [text(arn) for arn in allowed["Resource"]] == [
        "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/shared",
        "arn:<AWS::Partition>:sagemaker:eu-west-1:123456789012:inference-component/team-chat",
    ]


@pytest.mark.parametrize(
    ("method", "namespace", "name", "statistic"),
    [
        ("metric_invocations", "AWS/SageMaker", "Invocations", "Sum"),
        ("metric_model_latency", "AWS/SageMaker", "ModelLatency", "Average"),
        ("metric_invocations_per_instance", "AWS/SageMaker", "InvocationsPerCopy", "Sum"),
        ("metric_concurrent_requests", "AWS/SageMaker", "ConcurrentRequestsPerCopy", "Maximum"),
        ("metric_gpu_utilization", "/aws/sagemaker/InferenceComponents", "GPUUtilizationNormalized", "Average"),
        (
            "metric_gpu_memory_utilization",
            "/aws/sagemaker/InferenceComponents",
            "GPUMemoryUtilizationNormalized",
            "Average",
        ),
        ("metric_cpu_utilization", "/aws/sagemaker/InferenceComponents", "CPUUtilizationNormalized", "Average"),
        ("metric_memory_utilization", "/aws/sagemaker/InferenceComponents", "MemoryUtilizationNormalized", "Average"),
    ],
)
def test_metrics_of_a_component_have_its_name_as_their_only_dimension(
    stack: Stack, method: str, namespace: str, name: str, statistic: str
) -> None:
    found: cloudwatch.Metric = getattr(component(stack), method)()
    assert (found.namespace, found.metric_name, found.statistic) == (namespace, name, statistic)
    assert found.dimensions == {"InferenceComponentName": "team-chat"}


def test_the_disk_is_that_of_the_instances(stack: Stack) -> None:
    found = component(stack).metric_disk_utilization()
    assert found.namespace == "/aws/sagemaker/Endpoints"
    assert found.dimensions == {"EndpointName": "shared", "VariantName": "AllTraffic"}


def test_the_role_may_write_to_the_log_group_of_its_component_and_send_its_metrics() -> None:
    stack = Stack(App(), "Team", env=ACCOUNT)
    role = ExecutionRole(stack, None)
    role.allow_logs_and_metrics("shared", "team-chat")
    role.complete()
    group = "arn:<AWS::Partition>:logs:eu-west-1:123456789012:log-group:/aws/sagemaker"
    assert [
        ([text(arn) for arn in as_list(one["Resource"])], one.get("Condition"))
        for one in statements(template_of(stack))
    ] == [
        ([f"{group}/Endpoints/shared", f"{group}/Endpoints/shared:*"], None),
        (["*"], {"StringEquals": {"cloudwatch:namespace": "/aws/sagemaker/Endpoints"}}),
        ([f"{group}/InferenceComponents/team-chat", f"{group}/InferenceComponents/team-chat:*"], None),
        (["*"], {"StringEquals": {"cloudwatch:namespace": "/aws/sagemaker/InferenceComponents"}}),
    ]
