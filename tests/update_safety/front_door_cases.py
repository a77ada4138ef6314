"""The changes of each argument of FrontDoor, and of its consumers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Duration
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_route53 as route53

from constructs_lib import Access, Cors, Domain, FrontDoor, InstanceType, Mirror, ScaleToZero, TgiEndpoint, WebAcl
from tests.update_safety.endpoint_cases import QWEN
from tests.update_safety.subjects import Change, Subject, added, change, nothing

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_cdk import Stack

    from constructs_lib import AccessMethod, IModelEndpoint
    from tests.update_safety.subjects import Given

ACL = "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/{}/4ba8fce1-abcd-4717-9c34-11bfd24372ba"
CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/4ba8fce1-abcd-4717-9c34-{}"
VPC_ENDPOINTS = {"one": "vpce-0123456789abcdef1", "two": "vpce-0123456789abcdef2"}
VPC_IDS = {"a": "vpc-0123456789abcdefa", "b": "vpc-0123456789abcdefb"}
KEY = "arn:aws:kms:eu-west-1:123456789012:key/4ba8fce1-abcd-4717-9c34-{}"
AUTHORIZER = "arn:aws:lambda:eu-west-1:123456789012:function:authorizer"


def llama(stack: Stack, id: str = "Llama", **given: Any) -> TgiEndpoint:
    """An endpoint; the same one if it is there already."""
    found = stack.node.try_find_child(id)
    if isinstance(found, TgiEndpoint):
        return found
    return TgiEndpoint(stack, id, model=QWEN, instance_type=InstanceType.G5_2XLARGE, **given)


def add_front_door(stack: Stack, given: Given) -> FrontDoor:
    """A front door to one endpoint, with a consumer if its access method has keys."""
    arguments: Any = {"models": {"llama": llama(stack)}} if "models" not in given else {}
    arguments |= given
    front_door = FrontDoor(stack, arguments.pop("id", "Api"), **arguments)
    access: AccessMethod | None = arguments.get("access")
    if access is None or access.uses_api_keys:
        front_door.add_consumer("Team")
    return front_door


def certificate(stack: Stack, name: str) -> acm.ICertificate:
    return acm.Certificate.from_certificate_arn(stack, f"Certificate-{name}", CERTIFICATE.format(name))


def zone(stack: Stack) -> route53.IHostedZone:
    return route53.HostedZone.from_hosted_zone_attributes(stack, "Zone", hosted_zone_id="Z1", zone_name="example.com")


def domain(stack: Stack, name: str = "llm", key: str = "one", *, record: bool = True) -> Domain:
    return Domain(f"{name}.example.com", certificate(stack, key), zone(stack) if record else None)


def vpc_endpoint(stack: Stack, name: str) -> ec2.IVpcEndpoint:
    return ec2.InterfaceVpcEndpoint.from_interface_vpc_endpoint_attributes(
        stack, name, vpc_endpoint_id=VPC_ENDPOINTS[name], port=443
    )


def private_domain(*names: str) -> Callable[[Stack], Given]:
    """Makes a private front door with a domain."""

    def arguments(stack: Stack) -> Given:
        endpoints = [vpc_endpoint(stack, name) for name in names]
        return {"vpc_endpoints": endpoints, "domain": domain(stack, record=False)}

    return arguments


def functions_vpc(stack: Stack, name: str) -> ec2.IVpc:
    """A VPC that exists, with two subnets that have a way out."""
    return ec2.Vpc.from_vpc_attributes(
        stack,
        f"Vpc-{name}",
        vpc_id=VPC_IDS[name],
        availability_zones=["eu-west-1a", "eu-west-1b"],
        private_subnet_ids=[f"subnet-0123456789abcde{name}1", f"subnet-0123456789abcde{name}2"],
    )


def in_vpc(name: str, **arguments: Any) -> Callable[[Stack], Given]:
    """Makes a front door whose functions are in a VPC."""
    return lambda stack: {"vpc": functions_vpc(stack, name), **arguments}


def one_subnet(stack: Stack) -> Given:
    vpc = functions_vpc(stack, "a")
    return {"vpc": vpc, "vpc_subnets": ec2.SubnetSelection(subnets=vpc.private_subnets[:1])}


def own_group(stack: Stack) -> Given:
    group = ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-0123456789abcdef1")
    return {"vpc": functions_vpc(stack, "a"), "security_groups": [group]}


def encrypted(name: str) -> Callable[[Stack], Given]:
    """Makes a front door with a key that exists."""
    return lambda stack: {"encryption_key": kms.Key.from_key_arn(stack, f"Key-{name}", KEY.format(name))}


def only_from(address: str) -> iam.PolicyDocument:
    """A resource policy that denies everybody else."""
    return iam.PolicyDocument(
        statements=[
            iam.PolicyStatement(
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=["execute-api:Invoke"],
                resources=["execute-api:/*"],
                conditions={"NotIpAddress": {"aws:SourceIp": address}},
            )
        ]
    )


def own_authorizer(stack: Stack, **options: Any) -> AccessMethod:
    function = lambda_.Function.from_function_attributes(
        stack, "Authorizer", function_arn=AUTHORIZER, same_environment=True
    )
    return Access.authorizer(function, **options)


ACCESS_METHODS: dict[str, Callable[[Stack], Given]] = {
    "api_keys": lambda stack: {"access": Access.api_keys()},
    "iam": lambda stack: {"access": Access.iam()},
    "jwt": lambda stack: {"access": Access.jwt(issuer="https://login.example.com", audience="llm")},
    "other_jwt": lambda stack: {"access": Access.jwt(issuer="https://id.example.com", audience="llm")},
    "authorizer": lambda stack: {"access": own_authorizer(stack)},
    "authorizer_with_keys": lambda stack: {"access": own_authorizer(stack, usage_plans=True)},
    "public": lambda stack: {"access": Access.public()},
}


def scoped(**arguments: Any) -> Callable[[Stack], Given]:
    """Makes a front door whose tokens may use the models of their scopes."""
    access = {"issuer": "https://login.example.com", "audience": "llm"}
    return lambda stack: {"access": Access.jwt(**access, models_by_scope={"llm": ["llama"]}), **arguments}


def two_models(stack: Stack) -> Given:
    models: dict[str, IModelEndpoint] = {"llama": llama(stack), "qwen": llama(stack, "Qwen")}
    return {"models": models}


def other_endpoint(stack: Stack) -> Given:
    """The same name for another endpoint; the first one stays."""
    llama(stack)
    return {"models": {"llama": llama(stack, "Qwen")}}


def both_endpoints_and_the_first(stack: Stack) -> Given:
    llama(stack, "Qwen")
    return {"models": {"llama": llama(stack)}}


def mirrored(**arguments: Any) -> Callable[[Stack], Given]:
    """Makes a model whose requests are copied."""

    def given(stack: Stack) -> Given:
        return {"models": {"llama": Mirror(llama(stack), to=llama(stack, "Qwen"), percent=5)}, **arguments}

    return given


FRONT_DOOR = Subject(
    "FrontDoor",
    add_front_door,
    takes=FrontDoor.__init__,
    cases={
        "id": [change("id", "Api", "Other")],
        "models": [
            Change(both_endpoints_and_the_first, two_models),
            Change(two_models, both_endpoints_and_the_first),
            Change(both_endpoints_and_the_first, other_endpoint),
        ],
        "access": [
            Change(before, after)
            for before in ACCESS_METHODS.values()
            for after in ACCESS_METHODS.values()
            if before is not after
        ]
        + [Change(ACCESS_METHODS["jwt"], scoped()), Change(scoped(), ACCESS_METHODS["jwt"])],
        "streaming": [change("streaming", True, False), change("streaming", False, True)],
        "timeout": [added("timeout", Duration.minutes(5))],
        "memory_size": [added("memory_size", 512)],
        "default_max_tokens": [added("default_max_tokens", 512)],
        "model_aliases": [added("model_aliases", {"claude-*": "llama"})],
        "count_tokens": [added("count_tokens", ["llama"])],
        "rate_limit": [added("rate_limit", 50)],
        "burst_limit": [added("burst_limit", 400)],
        "vpc_endpoints": [
            Change(nothing, lambda stack: {"vpc_endpoints": [vpc_endpoint(stack, "one")]}),
            Change(lambda stack: {"vpc_endpoints": [vpc_endpoint(stack, "one")]}, nothing),
            Change(
                lambda stack: {"vpc_endpoints": [vpc_endpoint(stack, "one")]},
                lambda stack: {"vpc_endpoints": [vpc_endpoint(stack, "one"), vpc_endpoint(stack, "two")]},
            ),
            Change(private_domain("one"), private_domain("one", "two")),
        ],
        "resource_policy": [
            added("resource_policy", only_from("192.0.2.0/24")),
            change("resource_policy", only_from("192.0.2.0/24"), only_from("198.51.100.0/24")),
        ],
        "web_acl": [
            added("web_acl", WebAcl.managed()),
            change("web_acl", WebAcl.managed(), None),
            change("web_acl", WebAcl.managed(), WebAcl.managed(requests_per_five_minutes=500)),
            change("web_acl", WebAcl.managed(), WebAcl.from_arn(ACL.format("one"))),
            change("web_acl", WebAcl.from_arn(ACL.format("one")), WebAcl.from_arn(ACL.format("two"))),
        ],
        "domain": [
            Change(nothing, lambda stack: {"domain": domain(stack)}),
            Change(lambda stack: {"domain": domain(stack)}, nothing),
            Change(lambda stack: {"domain": domain(stack)}, lambda stack: {"domain": domain(stack, "other")}),
            Change(lambda stack: {"domain": domain(stack)}, lambda stack: {"domain": domain(stack, key="two")}),
            Change(lambda stack: {"domain": domain(stack)}, lambda stack: {"domain": domain(stack, record=False)}),
        ],
        "cors": [
            added("cors", Cors(allowed_origins=["https://app.example.com"])),
            change(
                "cors", Cors(allowed_origins=["https://app.example.com"]), Cors(allowed_origins=["https://example.com"])
            ),
        ],
        "on_store_failure": [Change(scoped(), scoped(on_store_failure="closed"))],
        "on_wake": [
            Change(
                lambda stack: {"models": {"llama": llama(stack, scale_to_zero=ScaleToZero())}},
                lambda stack: {"models": {"llama": llama(stack, scale_to_zero=ScaleToZero())}, "on_wake": "hold"},
            )
        ],
        "wake": [change("wake", False, True)],
        "playground": [change("playground", False, True), change("playground", True, False)],
        "mirror_concurrency": [Change(mirrored(), mirrored(mirror_concurrency=3))],
        "mirror_timeout": [Change(mirrored(), mirrored(mirror_timeout=Duration.minutes(2)))],
        "cloud_watch_role": [change("cloud_watch_role", True, False), change("cloud_watch_role", False, True)],
        "log_retention": [added("log_retention", logs.RetentionDays.ONE_YEAR)],
        "encryption_key": [
            Change(nothing, encrypted("one")),
            Change(encrypted("one"), encrypted("two")),
            Change(encrypted("one"), nothing),
        ],
        "vpc": [
            Change(nothing, in_vpc("a")),
            Change(in_vpc("a"), in_vpc("b")),
            Change(in_vpc("a"), nothing),
        ],
        "vpc_subnets": [Change(in_vpc("a"), one_subnet), Change(one_subnet, in_vpc("a"))],
        "security_groups": [Change(in_vpc("a"), own_group), Change(own_group, in_vpc("a"))],
        "service_endpoints": [
            Change(in_vpc("a"), in_vpc("a", service_endpoints=True)),
            Change(in_vpc("a", service_endpoints=True), in_vpc("a")),
        ],
        "reserved_concurrency": [
            added("reserved_concurrency", 200),
            change("reserved_concurrency", 200, 300),
            change("reserved_concurrency", 200, None),
        ],
        "hardened": [
            Change(
                lambda stack: in_vpc("a")(stack) | encrypted("one")(stack),
                lambda stack: in_vpc("a")(stack) | encrypted("one")(stack) | {"hardened": True},
            )
        ],
        "execution_logging": [change("execution_logging", False, True), change("execution_logging", True, False)],
    },
)


WITH_DOMAIN = Subject(
    "FrontDoor",
    add_front_door,
    {
        "id with a domain": [
            Change(lambda stack: {"domain": domain(stack)}, lambda stack: {"domain": domain(stack), "id": "Other"})
        ],
        "vpc_endpoints from or to none with a domain": [
            Change(lambda stack: {"domain": domain(stack)}, private_domain("one")),
            Change(private_domain("one"), lambda stack: {"domain": domain(stack, record=False)}),
        ],
        "vpc_endpoints in another order with a domain": [
            Change(private_domain("one", "two"), private_domain("two", "one")),
            Change(private_domain("one", "two"), private_domain("two")),
        ],
    },
)


def add_consumer(stack: Stack, given: Given) -> None:
    """A front door with a consumer that stays and one that changes."""
    add_front_door(stack, {}).add_consumer(**({"id": "Search"} | given))


CONSUMER = Subject(
    "add_consumer",
    add_consumer,
    takes=FrontDoor.add_consumer,
    cases={
        "id": [change("id", "Search", "Ads")],
        "rate": [added("rate", 5)],
        "burst": [added("burst", 5)],
        "monthly_requests": [added("monthly_requests", 1000), change("monthly_requests", 1000, 2000)],
        "models": [added("models", ["llama"]), change("models", ["llama"], None)],
        "tokens_per_minute": [
            added("tokens_per_minute", 9000),
            change("tokens_per_minute", 9000, 7000),
            change("tokens_per_minute", 9000, None),
        ],
        "concurrent_streams": [added("concurrent_streams", 4)],
        "tokens_per_day": [added("tokens_per_day", 90_000)],
        "tokens_per_month": [added("tokens_per_month", 900_000)],
        "keys": [
            change("keys", ("original",), ("original", "2026-11")),
            change("keys", ("original", "2026-11"), ("2026-11",)),
            change("keys", ("2026-11",), ("2026-11", "2027-01")),
        ],
    },
)

FRONT_DOOR_SUBJECTS = (FRONT_DOOR, WITH_DOMAIN, CONSUMER)
