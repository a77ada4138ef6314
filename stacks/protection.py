"""The arguments that protect a stack: a key and a network of the caller's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_kms as kms


class Protection(TypedDict, total=False):
    """The arguments of every stack that protect it.

    Args:
        encryption_key: Encrypts logs, environments and tables (see FrontDoor). Default: keys of AWS.
        vpc: VPC of the front door's functions, and of an endpoint of the stack. Default: none.
        vpc_subnets: Its subnets, for both. Default: the private ones.
        service_endpoints: Whether to create the VPC endpoints that the functions need (see FrontDoor). Default: False.
        reserved_concurrency: Reserved concurrency of the front door's function. Default: none.
        execution_logging: Whether API Gateway logs the errors of its executions. Default: False.
        hardened: Whether to protect the stack as common rule packs demand (see FrontDoor); it requires `encryption_key`
            and `vpc`. Default: False.
    """

    encryption_key: kms.IKey | None
    vpc: ec2.IVpc | None
    vpc_subnets: ec2.SubnetSelection | None
    service_endpoints: bool
    reserved_concurrency: float | None
    execution_logging: bool | None
    hardened: bool


def of_endpoint(protection: Protection) -> Mapping[str, Any]:
    """What an endpoint takes of it.

    Args:
        protection: The arguments.
    """
    network = {name: protection.get(name) for name in ("vpc", "vpc_subnets")}
    return {name: value for name, value in network.items() if value is not None}


def of_staging(protection: Protection) -> Mapping[str, Any]:
    """What `Model.staged` takes of it.

    Args:
        protection: The arguments.
    """
    # Imported here, as few stacks copy weights.
    from aws_cdk import aws_logs as logs

    retention = {"log_retention": logs.RetentionDays.ONE_YEAR} if protection.get("hardened") is True else {}
    return {"encryption_key": protection.get("encryption_key"), **retention}
