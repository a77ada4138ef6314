"""Which service a VPC endpoint of this app is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import aws_ec2 as ec2

from constructs_lib._stack_env import environment_of
from constructs_lib._tokens import resolved

if TYPE_CHECKING:
    from constructs import IConstruct


def service_of(endpoint: IConstruct) -> str | None:
    """The service as its endpoint's name ends, such as `s3` in `com.amazonaws.eu-west-1.s3`.

    Args:
        endpoint: The L1 or L2 construct of a VPC endpoint.

    Returns:
        None if it is not created by this app, or if only the deployment knows its service.
    """
    resource = endpoint if isinstance(endpoint, ec2.CfnVPCEndpoint) else endpoint.node.default_child
    if not isinstance(resource, ec2.CfnVPCEndpoint) or resource.service_name is None:
        return None
    ending = _ending(resolved(environment_of(resource).stack, resource.service_name))
    return None if ending is None else ending.rpartition(".")[2]


def _ending(name: Any) -> str | None:
    """The literal text at the end of a resolved name."""
    if isinstance(name, dict) and "Fn::Join" in name:
        name = name["Fn::Join"][1][-1]
    return name if isinstance(name, str) else None
