"""Which service a VPC endpoint of this app is for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from aws_cdk import aws_ec2 as ec2

from constructs_lib._stack_env import environment_of
from constructs_lib._tokens import resolved

if TYPE_CHECKING:
    from constructs import IConstruct

_PREFIX = re.compile(r"^((cn\.)?com\.amazonaws\.[^.]+)?\.")


def service_of(endpoint: IConstruct) -> str | None:
    """The service as its endpoint's name ends, such as `sagemaker.api` in `com.amazonaws.eu-west-1.sagemaker.api`.

    Args:
        endpoint: The L1 or L2 construct of a VPC endpoint.

    Returns:
        None if it is not created by this app, or if only the deployment knows its service.
    """
    resource = endpoint if isinstance(endpoint, ec2.CfnVPCEndpoint) else endpoint.node.default_child
    if not isinstance(resource, ec2.CfnVPCEndpoint) or resource.service_name is None:
        return None
    name: Any = resolved(environment_of(resource).stack, resource.service_name)
    if isinstance(name, dict) and "Fn::Join" in name:
        # What follows the Region, which only the deployment knows.
        name = name["Fn::Join"][1][-1]
    return _PREFIX.sub("", name) if isinstance(name, str) else None
