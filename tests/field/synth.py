"""Cases of the kind `synth`: a TgiEndpoint in an app."""

from __future__ import annotations

import re
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from tests.field.facts import RefusedError, added_facts
from tests.field.words import differences, error_deviations

if TYPE_CHECKING:
    from aws_cdk import Stack
    from aws_cdk import aws_iam as iam

    from constructs_lib import Model, TgiEndpoint

_REGION = "eu-west-1"


def deviations(case: dict[str, Any]) -> list[str]:
    """How what the app gives differs from what is expected."""
    from aws_cdk import App, Environment, Stack

    from constructs_lib import ConfigurationError

    expect = case["expect"]
    with TemporaryDirectory() as place:
        app = App(outdir=place, analytics_reporting=False)
        environment = Environment(account="123456789012", region=case.get("region", _REGION))
        stack = Stack(app, "Field", env=environment)
        try:
            endpoint = _endpoint(stack, case)
        except (ConfigurationError, RefusedError) as error:
            wanted = expect.get("error_or_warning", expect.get("error"))
            return error_deviations(str(error), wanted)
        warnings = _warnings(endpoint)
        found = error_deviations(None, expect.get("error"))
        found += _warning_deviations(warnings, expect)
        if "quota" in expect:
            found += differences(_quota(endpoint), expect["quota"], "quota")
        if "environment" in expect or "properties" in expect:
            template = app.synth().get_stack_by_name(stack.stack_name).template
            found += _template_deviations(template, expect)
        return found


def _endpoint(stack: Stack, case: dict[str, Any]) -> TgiEndpoint:
    from aws_cdk import Duration

    from constructs_lib import InstanceType, TgiEndpoint, TgiImage, TgiOptions

    arguments: dict[str, Any] = {name: case[name] for name in ("endpoint_name", "network_isolation") if name in case}
    if "image_uri" in case:
        arguments["image"] = TgiImage.from_uri(case["image_uri"], version=case["image"])
    elif "image" in case:
        arguments["image"] = TgiImage.version(case["image"])
    if "startup_timeout" in case:
        arguments["startup_timeout"] = Duration.seconds(case["startup_timeout"])
    if "vpc" in case:
        arguments |= _network(stack, case["vpc"])
    if "role_trusts" in case:
        arguments["role"] = _role(stack, case["role_trusts"])
    return TgiEndpoint(
        stack,
        "Endpoint",
        model=_model(stack, case),
        instance_type=InstanceType.named(case["instance"]),
        options=TgiOptions(**case.get("options", {})),
        environment=case.get("environment", {}),
        detailed_observability=False,
        **arguments,
    )


def _model(stack: Stack, case: dict[str, Any]) -> Model:
    from aws_cdk import aws_s3 as s3
    from aws_cdk import aws_secretsmanager as secretsmanager

    from constructs_lib import Model

    arguments: dict[str, Any] = {}
    if "config" in case or "files" in case:
        arguments["facts"] = added_facts(case)
    if "like" in case:
        arguments["like"] = case["like"]
    if "s3" in case:
        region = case.get("bucket_region", stack.region)
        bucket = s3.Bucket.from_bucket_attributes(stack, "Weights", bucket_name="team-weights", region=region)
        return Model.from_s3(bucket, case["s3"], model_id=case.get("model"), **arguments)
    if case.get("token"):
        arguments["token"] = secretsmanager.Secret.from_secret_name_v2(stack, "Token", "hub-token")
    return Model.from_hub(case["model"], **arguments)


def _network(stack: Stack, network: dict[str, Any]) -> dict[str, Any]:
    from aws_cdk import aws_ec2 as ec2

    kind = {
        "isolated": ec2.SubnetType.PRIVATE_ISOLATED,
        "private": ec2.SubnetType.PRIVATE_WITH_EGRESS,
        "public": ec2.SubnetType.PUBLIC,
    }[network["subnets"]]
    subnets = [ec2.SubnetConfiguration(name="Models", subnet_type=kind)]
    if network["subnets"] == "private":
        subnets.append(ec2.SubnetConfiguration(name="Nat", subnet_type=ec2.SubnetType.PUBLIC))
    vpc = ec2.Vpc(stack, "Vpc", subnet_configuration=subnets)
    if network.get("s3_endpoint"):
        vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
    return {"vpc": vpc, "vpc_subnets": ec2.SubnetSelection(subnet_type=kind)}


def _role(stack: Stack, services: list[str]) -> iam.Role:
    from aws_cdk import aws_iam as iam

    principals = [iam.ServicePrincipal(service) for service in services]
    return iam.Role(stack, "Role", assumed_by=iam.CompositePrincipal(*principals))


def _quota(endpoint: TgiEndpoint) -> dict[str, Any]:
    """The quota that `make synth` names."""
    from aws_cdk import Stack

    from constructs_lib.planning.summary import METADATA, PlanSummary

    (data,) = [entry.data for entry in endpoint.node.metadata if entry.type == METADATA]
    summary = PlanSummary.from_json(Stack.of(endpoint).resolve(data))
    (name,) = summary.quota_names
    return {"name": name, "needed": summary.quota_needed}


def _warnings(endpoint: TgiEndpoint) -> list[str]:
    return [str(entry.data) for entry in endpoint.node.metadata if entry.type == "aws:cdk:warning"]


def _warning_deviations(warnings: list[str], expect: dict[str, Any]) -> list[str]:
    found = []
    for key in ("warning", "error_or_warning"):
        wanted = expect.get(key)
        if wanted is not None and not any(re.search(wanted, warning) for warning in warnings):
            found.append(f"neither an error nor a warning matches {wanted!r}: {warnings}")
    if "warning" in expect and expect["warning"] is None:
        found += [f"an unexpected warning: {warning}" for warning in warnings]
    return found


def _template_deviations(template: dict[str, Any], expect: dict[str, Any]) -> list[str]:
    by_type: dict[str, list[dict[str, Any]]] = {}
    for resource in template["Resources"].values():
        by_type.setdefault(resource["Type"], []).append(resource.get("Properties", {}))
    wanted = dict(expect.get("properties", {}))
    if "environment" in expect:
        (model,) = by_type["AWS::SageMaker::Model"]
        environment = model["PrimaryContainer"].get("Environment", {})
        return differences(environment, expect["environment"], "environment") + _resource_deviations(by_type, wanted)
    return _resource_deviations(by_type, wanted)


def _resource_deviations(by_type: dict[str, list[dict[str, Any]]], wanted: dict[str, Any]) -> list[str]:
    """Every resource of a type has to have these properties, and there has to be one."""
    found = [f"no resource {kind}" for kind in wanted if kind not in by_type]
    for kind, properties in wanted.items():
        found += [text for one in by_type.get(kind, []) for text in differences(one, properties, kind)]
    return found
