"""The stacks whose logical ids are pinned: those of this app, and one for each way to use the constructs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from aws_cdk import App, Environment, RemovalPolicy, Stack
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns

from constructs_lib import (
    Access,
    AccessMethod,
    AsyncTgiEndpoint,
    Dashboard,
    Domain,
    FleetModel,
    FrontDoor,
    InstanceType,
    Mirror,
    Model,
    ModelFleet,
    Rollout,
    ScaleToZero,
    Split,
    TgiEndpoint,
    TgiOptions,
    WebAcl,
)

Template = dict[str, Any]

_ROOT = Path(__file__).resolve().parents[2]
_ENDPOINTS = "llama=llama-prod,falcon=falcon-7b"
_HERE = Environment(account="123456789012", region="eu-west-1")
_CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/4ba8fce1-abcd-4717-9c34-11bfd24372ba"
_AUTHORIZER = "arn:aws:lambda:eu-west-1:123456789012:function:authorizer"
_QWEN = Model.from_hub("Qwen/Qwen2.5-7B-Instruct")
_LIMITS = TgiOptions(max_input_tokens=2000, max_total_tokens=3000)


def templates() -> dict[str, Template]:
    """The template of each stack by its name."""
    return {**app_stacks(), **everything(), **own_stacks()}


def app_stacks() -> dict[str, Template]:
    """Every preset, and the stack for existing endpoints."""
    from app import build

    context = json.loads((_ROOT / "cdk.json").read_text())["context"] | {"front_door": _ENDPOINTS, "nag": "off"}
    return _synthesized(lambda app: build(app, Environment()), context)


def everything() -> dict[str, Template]:
    """What the bench synthesizes with everything that scales."""
    from bench import synth

    program = Path(synth.__file__).with_name("everything_app.py")
    with TemporaryDirectory() as out:
        synth.run(program, Path(out), synth.project_context())
        return {"Everything": json.loads((Path(out) / "Everything.template.json").read_text())}


def own_stacks() -> dict[str, Template]:
    """One stack for each way to use the constructs that the other stacks do not have."""

    def add(app: App) -> None:
        for name, build_one in EXAMPLES.items():
            build_one(Stack(app, name, env=_HERE))

    return _synthesized(add, {})


def _synthesized(add: Callable[[App], None], context: Mapping[str, Any]) -> dict[str, Template]:
    with TemporaryDirectory() as folder:
        app = App(outdir=folder, context=context)
        add(app)
        # Validation is for templates that get deployed, and takes as long as everything else.
        stacks = app.synth(skip_validation=True).stacks
        return {stack.stack_name: json.loads(Path(stack.template_full_path).read_text()) for stack in stacks}


def _endpoint(stack: Stack, id: str = "Llama", **arguments: Any) -> TgiEndpoint:
    given: dict[str, Any] = {"model": _QWEN, "instance_type": InstanceType.G5_2XLARGE}
    return TgiEndpoint(stack, id, **(given | arguments))


def _behind_front_door(stack: Stack, **arguments: Any) -> None:
    FrontDoor(stack, "Api", models={"llama": _endpoint(stack, **arguments)}).add_consumer("Team")


def _with_access(access: AccessMethod) -> Callable[[Stack], None]:
    def build_one(stack: Stack) -> None:
        front_door = FrontDoor(stack, "Api", models={"llama": _endpoint(stack)}, access=access)
        if access.uses_api_keys:
            front_door.add_consumer("Team")

    return build_one


def _cognito(stack: Stack) -> None:
    users = cognito.UserPool.from_user_pool_id(stack, "Users", "eu-west-1_abcdefghi")
    client = cognito.UserPoolClient.from_user_pool_client_id(stack, "Client", "client")
    _with_access(Access.cognito(users, [client]))(stack)


def _own_authorizer(stack: Stack) -> None:
    function = lambda_.Function.from_function_attributes(
        stack, "Authorizer", function_arn=_AUTHORIZER, same_environment=True
    )
    _with_access(Access.authorizer(function, usage_plans=True))(stack)


def _public_with_domain(stack: Stack) -> None:
    zone = route53.HostedZone.from_hosted_zone_attributes(stack, "Zone", hosted_zone_id="Z1", zone_name="example.com")
    certificate = acm.Certificate.from_certificate_arn(stack, "Certificate", _CERTIFICATE)
    domain = Domain("llm.example.com", certificate, zone)
    FrontDoor(stack, "Api", models={"llama": _endpoint(stack)}, domain=domain, web_acl=WebAcl.managed())


def _private_with_domain(stack: Stack) -> None:
    certificate = acm.Certificate.from_certificate_arn(stack, "Certificate", _CERTIFICATE)
    endpoints = [
        ec2.InterfaceVpcEndpoint.from_interface_vpc_endpoint_attributes(
            stack, f"From{number}", vpc_endpoint_id=f"vpce-0123456789abcdef{number}", port=443
        )
        for number in range(2)
    ]
    domain = Domain("llm.example.com", certificate)
    FrontDoor(stack, "Api", models={"llama": _endpoint(stack)}, domain=domain, vpc_endpoints=endpoints)


def _scaled(stack: Stack) -> None:
    endpoint = _endpoint(stack)
    scaling = endpoint.auto_scale(max_instances=4)
    scaling.on_concurrency(target=5)
    scaling.on_invocations(per_minute=60)
    FrontDoor(stack, "Api", models={"llama": endpoint}).add_consumer("Team")


def _vpc(stack: Stack) -> ec2.IVpc:
    return ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-0123456789abcdef1",
        availability_zones=["eu-west-1a"],
        private_subnet_ids=["subnet-0123456789abcdef1"],
    )


def _in_vpc_with_role(stack: Stack) -> None:
    here = {"StringEquals": {"aws:SourceAccount": stack.account}}
    role = iam.Role(stack, "OwnRole", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com", conditions=here))
    _behind_front_door(stack, vpc=_vpc(stack), role=role)


def _named_fleet(stack: Stack) -> None:
    fleet = ModelFleet(
        stack,
        "Fleet",
        instance_type=InstanceType.G6E_12XLARGE,
        instances=(1, 2),
        models={
            "chat": FleetModel(model=_QWEN, options=_LIMITS, copies=(1, 2), concurrency_target=5),
            "code": FleetModel(model=_QWEN, options=_LIMITS, scale_to_zero=ScaleToZero()),
        },
        vpc=_vpc(stack),
        endpoint_name="fleet",
    )
    FrontDoor(stack, "Api", models=fleet.models).add_consumer("Team")


def _monitored(stack: Stack) -> None:
    topic = sns.Topic(stack, "Alarms")
    endpoint = _endpoint(stack, instance_count=2, rollout=Rollout.rolling(percent=50))
    front_door = FrontDoor(stack, "Api", models={"llama": endpoint})
    front_door.add_consumer("Team")
    front_door.add_smoke_test()
    front_door.monitor(topic=topic)
    endpoint.monitor(topic=topic)
    Dashboard(stack, "Dashboard", front_doors=[front_door])


def _variants(stack: Stack) -> None:
    endpoint = _endpoint(stack, variant_weight=9)
    endpoint.add_variant("trial", weight=1).auto_scale(max_instances=2).on_concurrency(target=5)
    FrontDoor(stack, "Api", models={"llama": endpoint}).add_consumer("Team")


def _several_endpoints(stack: Stack) -> None:
    model = Mirror(Split({_endpoint(stack): 9, _endpoint(stack, "Second"): 1}), to=_endpoint(stack, "Copy"), percent=5)
    front_door = FrontDoor(stack, "Api", models={"llama": model})
    front_door.add_consumer("Team")
    front_door.add_smoke_test()


def _consumers(stack: Stack) -> None:
    front_door = FrontDoor(stack, "Api", models={"llama": _endpoint(stack)})
    front_door.add_consumer("Team", models=["llama"], tokens_per_day=90_000, keys=("original", "2026-11"))
    front_door.add_consumer("Limits", concurrent_streams=4, keys=("2026-11",))


def _asynchronous(stack: Stack) -> None:
    bucket = s3.Bucket.from_bucket_name(stack, "Batches", "batches")
    AsyncTgiEndpoint(stack, "Batch", model=_QWEN, instance_type=InstanceType.G5_2XLARGE, bucket=bucket).monitor()


def _with(**arguments: Any) -> Callable[[Stack], None]:
    return lambda stack: _behind_front_door(stack, **arguments)


_POOLS = cast("list[InstanceType]", [InstanceType.G5_12XLARGE, InstanceType.G6_2XLARGE])


def _staged(stack: Stack) -> None:
    bucket = s3.Bucket.from_bucket_name(stack, "Weights", "weights")
    token = secretsmanager.Secret.from_secret_name_v2(stack, "Token", "hub")
    model = Model.staged(
        "Qwen/Qwen2.5-7B-Instruct",
        revision="a" * 40,
        bucket=bucket,
        token=token,
        removal_policy=RemovalPolicy.DESTROY,
    )
    _behind_front_door(stack, model=model, network_isolation=True)


EXAMPLES: Mapping[str, Callable[[Stack], None]] = {
    "ApiKeys": _with_access(Access.api_keys()),
    "Iam": _with_access(Access.iam()),
    "Jwt": _with_access(Access.jwt(issuer="https://login.example.com", audience="llm")),
    "Cognito": _cognito,
    "OwnAuthorizer": _own_authorizer,
    "Public": _with_access(Access.public()),
    "PublicWithDomain": _public_with_domain,
    "PrivateWithDomain": _private_with_domain,
    "Scaled": _scaled,
    "ToZero": _with(scale_to_zero=ScaleToZero(max_copies=2, target=5)),
    "NamedToZero": _with(scale_to_zero=ScaleToZero(), endpoint_name="llama"),
    "Replacing": _with(replace_on_instance_type_change=True),
    "Pools": _with(instance_type=_POOLS),
    "InVpcWithRole": _in_vpc_with_role,
    "NamedFleet": _named_fleet,
    "Monitored": _monitored,
    "Variants": _variants,
    "SeveralEndpoints": _several_endpoints,
    "Consumers": _consumers,
    "Asynchronous": _asynchronous,
    "Staged": _staged,
}
"""What builds each stack."""
