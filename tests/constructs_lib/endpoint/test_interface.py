"""Endpoints in a CDK app: grants, metrics, imports, connections, the CDK's own IEndpoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Duration, Environment, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam

from constructs_lib import ConfigurationError, InstanceType, Model, TgiEndpoint, TgiImage
from constructs_lib.endpoint.interface import EndpointBase
from tests.constructs_lib.rendered import ENDPOINT, only, resources, statement_with, template_of, text

REQUESTS, INSTANCES = "AWS/SageMaker", "/aws/sagemaker/Endpoints"


def qwen(stack: Stack, **arguments: Any) -> TgiEndpoint:
    return TgiEndpoint(
        stack,
        "Qwen",
        model=Model.from_hub("Qwen/Qwen2.5-7B-Instruct"),
        instance_type=InstanceType.G5_2XLARGE,
        **arguments,
    )


def caller(stack: Stack) -> iam.Role:
    return iam.Role(stack, "Caller", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> EndpointBase:
    app = App(outdir=str(tmp_path_factory.mktemp("app")))
    stack = Stack(app, "Team", env=Environment(account="123456789012", region="eu-west-1"))
    return TgiEndpoint.from_endpoint_name(stack, "Chat", "Chat-Prod", variant_name="Blue")


def test_a_grantee_may_invoke_with_and_without_streaming(stack: Stack) -> None:
    qwen(stack).grant_invoke(caller(stack))
    template = template_of(stack)
    (endpoint,) = resources(template, ENDPOINT)
    allowed = statement_with(template, "sagemaker:InvokeEndpoint")
    assert allowed["Action"] == ["sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointWithResponseStream"]
    assert allowed["Resource"] == {"Ref": endpoint}  # CloudFormation's Ref of an endpoint is its ARN


def test_an_imported_endpoint_is_granted_by_its_arn_in_lower_case_as_iam_compares_it(stack: Stack) -> None:
    imported = TgiEndpoint.from_endpoint_name(stack, "Chat", "Chat-Prod")
    assert imported.endpoint_name == "Chat-Prod"
    imported.grant_invoke(caller(stack))
    allowed = statement_with(template_of(stack), "sagemaker:InvokeEndpoint")
    assert text(allowed["Resource"]) == "arn:<AWS::Partition>:sagemaker:eu-west-1:123456789012:endpoint/chat-prod"


def test_an_endpoint_imported_by_arn_has_its_account_and_region(stack: Stack) -> None:
    arn = "arn:aws:sagemaker:us-east-1:210987654321:endpoint/chat"
    imported = TgiEndpoint.from_endpoint_arn(stack, "Chat", arn, model_id="Qwen/Qwen3-8B")
    assert (imported.endpoint_arn, imported.endpoint_name) == (arn, "chat")
    assert (imported.env.account, imported.env.region) == ("210987654321", "us-east-1")
    assert (imported.model_id, imported.max_body_bytes, imported.engine) == ("Qwen/Qwen3-8B", 6_291_456, "tgi")
    metric = imported.metric_invocations().to_metric_config().metric_stat
    assert metric is not None
    assert (metric.account, metric.region) == ("210987654321", "us-east-1")


def test_a_name_with_capitals_can_be_given_with_the_arn(stack: Stack) -> None:
    arn = "arn:aws:sagemaker:us-east-1:210987654321:endpoint/chat"
    assert TgiEndpoint.from_endpoint_arn(stack, "Chat", arn, endpoint_name="Chat").endpoint_name == "Chat"


def test_an_endpoint_whose_name_or_arn_is_known_only_at_deployment_can_be_imported(stack: Stack) -> None:
    name, arn = (CfnParameter(stack, key).value_as_string for key in ("Name", "Arn"))
    assert TgiEndpoint.from_endpoint_name(stack, "ByName", name).endpoint_name == name
    by_arn = TgiEndpoint.from_endpoint_arn(stack, "ByArn", arn)
    assert by_arn.endpoint_arn == arn
    assert "Fn::Select" in stack.resolve(by_arn.endpoint_name)


@pytest.mark.parametrize(
    ("import_endpoint", "message"),
    [
        (
            lambda s: TgiEndpoint.from_endpoint_name(s, "Chat", "chat_prod"),
            "endpoint_name='chat_prod': must have 1 to 63",
        ),
        (lambda s: TgiEndpoint.from_endpoint_arn(s, "Chat", "chat-prod"), "endpoint_arn='chat-prod': must be arn:"),
    ],
)
def test_an_invalid_name_or_arn_is_rejected(
    stack: Stack, import_endpoint: Callable[[Stack], object], message: str
) -> None:
    with pytest.raises(ConfigurationError) as raised:
        import_endpoint(stack)
    assert str(raised.value).startswith("Team/Chat: 1 problem")
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("import_endpoint", "first"),
    [
        (TgiEndpoint.from_endpoint_name, "endpoint_name=5: must have 1 to 63 letters"),
        (TgiEndpoint.from_endpoint_arn, "endpoint_arn=5: must be arn:<partition>:sagemaker"),
    ],
)
def test_all_problems_of_an_imported_endpoint_are_reported_together(
    stack: Stack, import_endpoint: Callable[..., object], first: str
) -> None:
    with pytest.raises(ConfigurationError) as raised:
        import_endpoint(stack, "Chat", 5, variant_name="a b", model_id=5, max_body_bytes="6MB")
    message = str(raised.value)
    assert message.startswith("Team/Chat: 4 problems")
    assert first in message
    assert "variant_name='a b': must be 1 to 63 letters" in message
    assert "model_id=5: must be a string, not int." in message
    assert "max_body_bytes='6MB': must be a whole number, not str. Give an int." in message
    assert stack.node.try_find_child("Chat") is None


def test_an_arn_that_is_none_is_rejected_and_not_derived_from_the_name(stack: Stack) -> None:
    arn: Any = None
    with pytest.raises(ConfigurationError, match="endpoint_arn='': must be arn:<partition>:sagemaker"):
        TgiEndpoint.from_endpoint_arn(stack, "Chat", arn, endpoint_name="chat")


def test_an_invalid_arn_and_an_invalid_name_are_reported_together(stack: Stack) -> None:
    with pytest.raises(ConfigurationError) as raised:
        TgiEndpoint.from_endpoint_arn(stack, "Chat", "chat", endpoint_name="chat_prod")
    assert [problem.keyword for problem in raised.value.problems] == ["endpoint_arn", "endpoint_name"]


def test_a_body_limit_known_only_at_deployment_is_rejected(stack: Stack) -> None:
    limit: Any = CfnParameter(stack, "Limit", type="Number").value_as_number
    with pytest.raises(ConfigurationError) as raised:
        TgiEndpoint.from_endpoint_name(stack, "Chat", "chat", max_body_bytes=limit)
    assert "max_body_bytes=(known at deployment): must be known at synth" in str(raised.value)


def test_hosted_and_imported_endpoints_have_the_same_attributes(stack: Stack) -> None:
    hosted, imported = qwen(stack), TgiEndpoint.from_endpoint_name(stack, "Chat", "chat")
    assert (hosted.model_id, imported.model_id) == ("Qwen/Qwen2.5-7B-Instruct", None)
    assert hosted.engine == imported.engine == "tgi"
    assert hosted.max_body_bytes == imported.max_body_bytes == 6_291_456


def test_an_older_tgi_accepts_smaller_bodies(stack: Stack) -> None:
    assert qwen(stack, image=TgiImage.version("2.4.0")).max_body_bytes == 2_097_152


@pytest.mark.parametrize("imported", [False, True])
def test_it_can_be_used_where_the_cdk_takes_a_sagemaker_endpoint(stack: Stack, imported: bool) -> None:
    endpoint = TgiEndpoint.from_endpoint_name(stack, "Chat", "chat") if imported else qwen(stack)
    api = apigateway.RestApi(stack, "Api")
    api.root.add_method("POST", apigateway.SagemakerIntegration(endpoint))
    (method,) = resources(template_of(stack), "AWS::ApiGateway::Method").values()
    assert "runtime.sagemaker:path/endpoints/" in text(method["Properties"]["Integration"]["Uri"])
    assert endpoint.endpoint_ref.endpoint_arn == endpoint.endpoint_arn


def test_another_stack_can_use_the_endpoint(app: App) -> None:
    env = Environment(account="123456789012", region="eu-west-1")
    models, clients = Stack(app, "Models", env=env), Stack(app, "Clients", env=env)
    qwen(models).grant_invoke(caller(clients))
    assert "InvokeEndpointWithResponseStream" in str(template_of(clients))
    assert "Outputs" in template_of(models)


def test_another_account_is_also_granted_by_the_arn_in_lower_case(app: App) -> None:
    models = Stack(app, "Models", env=Environment(account="123456789012", region="eu-west-1"))
    clients = Stack(app, "Clients", env=Environment(account="210987654321", region="eu-west-1"))
    qwen(models, endpoint_name="Chat-Prod").grant_invoke(caller(clients))
    allowed = statement_with(template_of(clients), "sagemaker:InvokeEndpoint")
    assert text(allowed["Resource"]) == "arn:<AWS::Partition>:sagemaker:eu-west-1:123456789012:endpoint/chat-prod"


def test_in_a_vpc_connections_from_the_containers_can_be_allowed(stack: Stack) -> None:
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=["eu-west-1a"],
        private_subnet_ids=["subnet-0123456789abcdef0"],
    )
    cache = ec2.SecurityGroup.from_security_group_id(stack, "Cache", "sg-00000000000000002")
    cache.connections.allow_from(qwen(stack, vpc=vpc), ec2.Port.tcp(6379))
    rule = only(template_of(stack), "AWS::EC2::SecurityGroupIngress")["Properties"]
    (group,) = resources(template_of(stack), "AWS::EC2::SecurityGroup")
    assert rule["SourceSecurityGroupId"] == {"Fn::GetAtt": [group, "GroupId"]}


def test_given_subnets_and_security_groups_are_used(stack: Stack) -> None:
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=["eu-west-1a"],
        private_subnet_ids=["subnet-0123456789abcdef0"],
    )
    subnet = ec2.Subnet.from_subnet_id(stack, "Subnet", "subnet-00000000000000001")
    group = ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-00000000000000001")
    qwen(stack, vpc=vpc, vpc_subnets=ec2.SubnetSelection(subnets=[subnet]), security_groups=[group])
    template = template_of(stack)
    config = only(template, "AWS::SageMaker::Model")["Properties"]["VpcConfig"]
    assert config == {"Subnets": ["subnet-00000000000000001"], "SecurityGroupIds": ["sg-00000000000000001"]}
    assert resources(template, "AWS::EC2::SecurityGroup") == {}


def test_connections_require_a_vpc(stack: Stack) -> None:
    with pytest.raises(
        ConfigurationError, match="vpc=None: is required for connections: the endpoint is not in a VPC"
    ) as raised:
        _ = qwen(stack).connections
    assert "Team/Qwen" in str(raised.value)


@pytest.mark.parametrize(
    ("method", "namespace", "name", "statistic"),
    [
        ("metric_invocations", REQUESTS, "Invocations", "Sum"),
        ("metric_invocations_per_instance", REQUESTS, "InvocationsPerInstance", "Sum"),
        ("metric_invocation_4xx_errors", REQUESTS, "Invocation4XXErrors", "Sum"),
        ("metric_invocation_5xx_errors", REQUESTS, "Invocation5XXErrors", "Sum"),
        ("metric_invocation_model_errors", REQUESTS, "InvocationModelErrors", "Sum"),
        ("metric_mid_stream_errors", REQUESTS, "MidStreamErrors", "Sum"),
        ("metric_model_latency", REQUESTS, "ModelLatency", "Average"),
        ("metric_overhead_latency", REQUESTS, "OverheadLatency", "Average"),
        ("metric_first_chunk_latency", REQUESTS, "FirstChunkLatency", "Average"),
        ("metric_first_chunk_model_latency", REQUESTS, "FirstChunkModelLatency", "Average"),
        ("metric_concurrent_requests", REQUESTS, "ConcurrentRequestsPerModel", "Maximum"),
        ("metric_cpu_utilization", INSTANCES, "CPUUtilization", "Average"),
        ("metric_memory_utilization", INSTANCES, "MemoryUtilization", "Average"),
        ("metric_gpu_utilization", INSTANCES, "GPUUtilization", "Average"),
        ("metric_gpu_memory_utilization", INSTANCES, "GPUMemoryUtilization", "Average"),
        ("metric_disk_utilization", INSTANCES, "DiskUtilization", "Average"),
    ],
)
def test_each_metric_has_the_name_and_dimensions_that_sagemaker_publishes_for_the_variant(
    imported: EndpointBase, method: str, namespace: str, name: str, statistic: str
) -> None:
    metric: cloudwatch.Metric = getattr(imported, method)()
    assert (metric.namespace, metric.metric_name, metric.statistic) == (namespace, name, statistic)
    assert metric.dimensions == {"EndpointName": "Chat-Prod", "VariantName": "Blue"}
    assert metric.period.to_seconds() == 300
    assert metric.unit is None


def test_the_statistic_and_period_of_a_metric_can_be_set(imported: EndpointBase) -> None:
    metric = imported.metric_model_latency(statistic="p99", period=Duration.minutes(1), label="slowest")
    assert (metric.statistic, metric.period.to_seconds(), metric.label) == ("p99", 60, "slowest")


def test_an_alarm_refers_to_the_name_of_the_endpoint(stack: Stack) -> None:
    cloudwatch.Alarm(
        stack, "Busy", metric=qwen(stack).metric_concurrent_requests(), threshold=100, evaluation_periods=1
    )
    template = template_of(stack)
    (endpoint,) = resources(template, ENDPOINT)
    (alarm,) = resources(template, "AWS::CloudWatch::Alarm").values()
    dimensions = {dimension["Name"]: dimension["Value"] for dimension in alarm["Properties"]["Dimensions"]}
    assert dimensions == {"EndpointName": {"Fn::GetAtt": [endpoint, "EndpointName"]}, "VariantName": "AllTraffic"}
    assert "Unit" not in alarm["Properties"]
