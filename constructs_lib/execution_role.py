"""The role that SageMaker assumes for an endpoint: what every engine needs, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam

from constructs_lib._tokens import is_token
from constructs_lib.metrics import INSTANCES_NAMESPACE

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from constructs import Construct

# SageMaker's check of the role at creation fails when these are narrowed by resource or condition.
# Source: Amazon SageMaker AI Developer Guide, "How to use SageMaker AI execution roles", "CreateModel API".
_NETWORK_INTERFACE_ACTIONS = [
    "ec2:CreateNetworkInterface",
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
]


def execution_role(scope: Construct) -> iam.Role:
    """A role that SageMaker may assume and that may do nothing yet."""
    return iam.Role(
        scope,
        "Role",
        assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"),
        description="Assumed by SageMaker to run a model endpoint",
    )


def grant_logs_and_metrics(scope: Construct, role: iam.IRole, endpoint_name: str | None) -> None:
    """Allow what the instances report.

    Args:
        scope: A construct of the endpoint's stack.
        role: Who may.
        endpoint_name: The endpoint's name. None, because the role has to exist before CloudFormation chooses it,
            opens the log groups of all endpoints of the account and Region.
    """
    iam.Grant.add_to_principal(
        grantee=role,
        actions=["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
        resource_arns=_log_group_arns(scope, endpoint_name),
    )
    iam.Grant.add_to_principal(
        grantee=role,
        actions=["cloudwatch:PutMetricData"],
        resource_arns=["*"],
        conditions={"StringEquals": {"cloudwatch:namespace": INSTANCES_NAMESPACE}},
    )


def grant_network_interfaces(role: iam.IRole) -> None:
    """Allow to put the endpoint's instances into a VPC."""
    iam.Grant.add_to_principal(grantee=role, actions=_NETWORK_INTERFACE_ACTIONS, resource_arns=["*"])


def grant_volume_encryption(role: iam.IRole, key: kms.IKey) -> None:
    """Allow to encrypt the instances' volumes with the key."""
    key.grant(role, "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext")
    iam.Grant.add_to_principal_or_resource(
        grantee=role,
        actions=["kms:CreateGrant"],
        resource_arns=[key.key_arn],
        resource=key,
        resource_self_arns=["*"],
        conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},
    )


def _log_group_arns(scope: Construct, endpoint_name: str | None) -> list[str]:
    def arn(name: str) -> str:
        return Stack.of(scope).format_arn(
            service="logs", resource="log-group", resource_name=name, arn_format=ArnFormat.COLON_RESOURCE_NAME
        )

    if endpoint_name is None or is_token(endpoint_name):
        return [arn("/aws/sagemaker/Endpoints/*")]
    name = f"/aws/sagemaker/Endpoints/{endpoint_name}"
    return [arn(name), arn(f"{name}:*")]
