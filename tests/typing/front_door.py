"""The front door as a caller types it. Never run: mypy checks that each line is accepted or rejected."""

from __future__ import annotations

from typing import assert_type

from aws_cdk import App, Duration, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_wafv2 as wafv2

from constructs_lib import (
    Access,
    AccessMethod,
    Consumer,
    Cors,
    Domain,
    Fallback,
    FrontDoor,
    IModelEndpoint,
    InstanceType,
    Mirror,
    Model,
    RoutedModel,
    ServingFacts,
    Split,
    TgiEndpoint,
    WebAcl,
)

stack = Stack(App(), "Team")
role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))
own = TgiEndpoint(stack, "Own", model=Model.from_hub("org/model"), instance_type=InstanceType.G5_2XLARGE)
shared = TgiEndpoint.from_endpoint_name(stack, "Shared", "chat", max_total_tokens=4096, version="3.3.6")
TgiEndpoint.from_endpoint_name(stack, "Sleeper", "sleeper", inference_component_name="chat", wake_seconds=300)
users = cognito.UserPool(stack, "Users")
function = lambda_.Function.from_function_name(stack, "Function", "own")
certificate = acm.Certificate.from_certificate_arn(stack, "Certificate", "arn")
zone = route53.HostedZone.from_lookup(stack, "Zone", domain_name="example.com")
vpce: ec2.IVpcEndpoint = ec2.InterfaceVpcEndpoint.from_interface_vpc_endpoint_attributes(
    stack, "Vpce", vpc_endpoint_id="vpce-1", port=443
)
acl = wafv2.CfnWebACL(
    stack,
    "Acl",
    scope="REGIONAL",
    default_action=wafv2.CfnWebACL.DefaultActionProperty(allow={}),
    visibility_config=wafv2.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name="own", sampled_requests_enabled=False
    ),
)

# With the required arguments only, and with all of them.
models: dict[str, IModelEndpoint] = {"own": own, "shared": shared}
least = FrontDoor(stack, "Least", models={"own": own})
FrontDoor(
    stack,
    "All",
    models=models,
    access=Access.api_keys(),
    streaming=True,
    timeout=Duration.minutes(5),
    memory_size=1024,
    default_max_tokens=512,
    model_aliases={"claude-*": "llama"},
    count_tokens=["llama"],
    rate_limit=50,
    burst_limit=100,
    vpc_endpoints=[vpce],
    resource_policy=iam.PolicyDocument(),
    web_acl=WebAcl.managed(requests_per_five_minutes=1000),
    domain=Domain("llm.example.com", certificate, hosted_zone=zone),
    cors=Cors(allowed_origins=["https://app.example.com"]),
    on_wake="hold",
    wake=True,
    playground=True,
    mirror_concurrency=5,
    mirror_timeout=Duration.minutes(2),
    cloud_watch_role=False,
    log_retention=logs.RetentionDays.ONE_WEEK,
)

# Several endpoints for one name.
ordered = Fallback([own, shared])
divided = Split({own: 95, ordered: 4.5})
copied = Mirror(divided, to=shared, percent=5)
routed: dict[str, RoutedModel] = {"a": own, "b": ordered, "c": divided, "d": copied}
FrontDoor(stack, "Routed", models=routed)
FrontDoor(stack, "Split", models={"own": Split({own: 1, shared: 1})})
Mirror(Fallback((own, shared)), to=own, percent=0.5)

# Access methods and web ACLs.
assert_type(Access.iam(), AccessMethod)
assert_type(Access.jwt(issuer="https://login.example.com", audience="web"), AccessMethod)
assert_type(Access.jwt(issuer="https://login.example.com", audience=["web", "cli"]), AccessMethod)
assert_type(Access.cognito(users, [users.add_client("Web")]), AccessMethod)
assert_type(Access.authorizer(function), AccessMethod)
assert_type(Access.authorizer(function, ttl=Duration.minutes(1), usage_plans=True), AccessMethod)
assert_type(Access.public(), AccessMethod)
assert_type(WebAcl.from_arn("arn"), WebAcl)
assert_type(WebAcl.from_web_acl(acl), WebAcl)

# Its attributes and methods.
assert_type(least.url, str)
assert_type(least.api, apigateway.IRestApi)
assert_type(least.stage, apigateway.IStage)
assert_type(least.function, lambda_.IFunction)
assert_type(least.rest_api_id, str)
assert_type(least.endpoints, tuple[IModelEndpoint, ...])
assert_type(least.grant_invoke(role), iam.Grant)
least.add_smoke_test()
least.add_smoke_test(timeout=Duration.minutes(5))
consumer = least.add_consumer("team-a", rate=2, burst=5, monthly_requests=10_000)
assert_type(consumer, Consumer)
limited = least.add_consumer(
    "team-b",
    models=["chat"],
    tokens_per_minute=9_000,
    concurrent_streams=4,
    tokens_per_day=90_000,
    tokens_per_month=900_000,
    keys=("original", "2026-11"),
)
limited.grant_read_keys(role)
assert_type(limited.key_ids["2026-11"], str)
Access.jwt(issuer="https://login.example.com", audience="web", models_by_scope={"llm": ["chat"]})
assert_type(consumer.key_id, str)
assert_type(consumer.api_key, apigateway.IApiKey)
assert_type(consumer.usage_plan, apigateway.IUsagePlan)
assert_type(least.metric_requests(), cloudwatch.Metric)
assert_type(least.metric_time_to_first_token(model="own", statistic="p90"), cloudwatch.Metric)
assert_type(least.metric("PromptTokens", model="own", period=Duration.minutes(1)), cloudwatch.Metric)
assert_type(own.serving, ServingFacts)
assert_type(shared.serving.max_total_tokens, int | None)

assert_type(least.metric("Requests", mirror="own"), cloudwatch.Metric)

# What mypy rejects. It reports an ignore that is not needed, so these would fail if they were accepted.
FrontDoor(stack, "Name", models={"own": "endpoint-name"})  # type: ignore[dict-item]
Fallback([divided])  # type: ignore[list-item]
Split({divided: 1})  # type: ignore[dict-item]
Split({own: "95"})  # type: ignore[dict-item]
Mirror(copied, to=own, percent=5)  # type: ignore[arg-type]
Mirror(own, to=ordered, percent=5)  # type: ignore[arg-type]
Mirror(own, shared, 5)  # type: ignore[call-arg]
FrontDoor(stack, "Access", models=models, access="api_keys")  # type: ignore[arg-type]
FrontDoor(stack, "Acl", models=models, web_acl="managed")  # type: ignore[arg-type]
FrontDoor(stack, "Cors", models=models, cors=["*"])  # type: ignore[arg-type]
FrontDoor(stack, "Quota", models=models, quota_limit=1)  # type: ignore[call-arg]
FrontDoor(stack, "Wake", models=models, on_wake="wait")  # type: ignore[arg-type]
Access.jwt(issuer="https://login.example.com")  # type: ignore[call-arg]
Cors(["*"])  # type: ignore[call-arg]
least.add_consumer("team-a", value="secret")  # type: ignore[call-arg]
least.add_consumer("team-a", tokens_per_day=0.5)  # type: ignore[arg-type]
least.add_smoke_test(timeout=300)  # type: ignore[arg-type]
least.metric_requests(models="own")  # type: ignore[call-arg]
TgiEndpoint.from_endpoint_name(stack, "Fact", "chat", max_tokens=1)  # type: ignore[call-arg]
