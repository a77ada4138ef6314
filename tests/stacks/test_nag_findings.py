"""cdk-nag and front doors with every argument: no open finding, and no unnecessary acknowledgment."""

from typing import Any

import pytest
from aws_cdk import App, Environment, Stack, Validations
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_route53 as route53

from constructs_lib import (
    Access,
    AccessMethod,
    Cors,
    Domain,
    FrontDoor,
    InstanceType,
    Mirror,
    Model,
    TgiEndpoint,
    WebAcl,
)
from tests.stacks.test_app import Recorder, assert_acknowledgments_are_needed, findings


def custom_authorizer(stack: Stack) -> AccessMethod:
    arn = "arn:aws:lambda:eu-west-1:111122223333:function:own"
    function = lambda_.Function.from_function_attributes(stack, "Own", function_arn=arn, same_environment=True)
    return Access.authorizer(function, usage_plans=True)


def domain(stack: Stack) -> Domain:
    certificate = acm.Certificate.from_certificate_arn(
        stack, "Certificate", "arn:aws:acm:eu-west-1:111122223333:certificate/4ba8fce1-abcd-4717-9c34-11bfd24372ba"
    )
    zone = route53.HostedZone.from_hosted_zone_attributes(
        stack, "Zone", hosted_zone_id="Z012334", zone_name="example.com"
    )
    return Domain("llm.example.com", certificate, hosted_zone=zone)


def private(stack: Stack) -> list[ec2.IVpcEndpoint]:
    endpoint = ec2.InterfaceVpcEndpoint
    return [endpoint.from_interface_vpc_endpoint_attributes(stack, "Vpce", vpc_endpoint_id="vpce-1", port=443)]


def protected(stack: Stack, **arguments: Any) -> Any:
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-1",
        vpc_cidr_block="10.0.0.0/16",
        availability_zones=["eu-west-1a", "eu-west-1b"],
        isolated_subnet_ids=["subnet-1", "subnet-2"],
        isolated_subnet_route_table_ids=["rtb-1", "rtb-2"],
    )
    key = kms.Key(stack, "Key", enable_key_rotation=True)
    return {"vpc": vpc, "encryption_key": key, "service_endpoints": True, "execution_logging": True, **arguments}


def own_vpc(stack: Stack) -> ec2.IVpc:
    isolated = ec2.SubnetConfiguration(name="Isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
    traffic = {"Traffic": ec2.FlowLogOptions()}
    return ec2.Vpc(stack, "OwnVpc", max_azs=2, subnet_configuration=[isolated], flow_logs=traffic)


def mirrored(stack: Stack) -> Any:
    one, two = (TgiEndpoint.from_endpoint_name(stack, name, name) for name in ("one", "two"))
    return {"models": {"llama": Mirror(one, to=two, percent=5)}}


VARIANTS: dict[str, Any] = {
    "API keys": lambda stack: {},
    "IAM": lambda stack: {"access": Access.iam()},
    "JWT": lambda stack: {"access": Access.jwt(issuer="https://login.example.com", audience="web")},
    "custom authorizer": lambda stack: {"access": custom_authorizer(stack)},
    "public": lambda stack: {"access": Access.public()},
    "web ACL": lambda stack: {"web_acl": WebAcl.managed()},
    "domain": lambda stack: {"domain": domain(stack)},
    "private": lambda stack: {"vpc_endpoints": private(stack)},
    "CORS": lambda stack: {"cors": Cors(allowed_origins=["*"]), "playground": True},
    "key and VPC": lambda stack: protected(stack, reserved_concurrency=200, access=Access.public()),
    "key and VPC and API keys": protected,
    "VPC of the stack": lambda stack: {"vpc": own_vpc(stack), "service_endpoints": True},
    "hardened": lambda stack: protected(stack, hardened=True, access=Access.public()),
    "key and VPC and Mirror": lambda stack: protected(stack, **mirrored(stack)),
    "limits": lambda stack: {"on_store_failure": "closed"},
    "key and VPC and limits": protected,
    "policy": lambda stack: {"resource_policy": iam.PolicyDocument(), "streaming": False},
}


def build(variant: str) -> App:
    app = App()
    stack = Stack(app, "Stack", env=Environment(account="111122223333", region="eu-west-1"))
    models = {"llama": TgiEndpoint.from_endpoint_name(stack, "Llama", "llama-prod")}
    front_door = FrontDoor(stack, "FrontDoor", **{"models": models, **VARIANTS[variant](stack)})
    if variant in ("API keys", "custom authorizer", "key and VPC and API keys"):
        front_door.add_consumer("team-a", monthly_requests=100)
    if "limits" in variant:
        front_door.add_consumer("team-a", tokens_per_day=90_000, keys=("2026-11", "2027-01"))
    return app


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_variant_has_an_open_finding(variant: str) -> None:
    assert findings(build(variant)) == set()


def test_an_endpoint_whose_updates_alarms_undo_has_no_open_finding() -> None:
    app = App()
    stack = Stack(app, "Stack", env=Environment(account="111122223333", region="eu-west-1"))
    model, instance = Model.from_hub("Qwen/Qwen2.5-7B-Instruct"), InstanceType.G5_2XLARGE
    llama = TgiEndpoint(stack, "Llama", model=model, instance_type=instance, instance_count=2, endpoint_name="llama")
    FrontDoor(stack, "FrontDoor", models={"llama": llama}).add_consumer("team-a", monthly_requests=100)
    alarms = [each for each in stack.node.find_all() if isinstance(each, cloudwatch.CfnAlarm)]
    assert len(alarms) == 2
    assert findings(app) == set()


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_acknowledgment_has_a_finding(variant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Recorder.given = {}
    monkeypatch.setattr(Validations, "of", Recorder)
    assert_acknowledgments_are_needed(build(variant))
