"""What functions, logs, tables and queues of this library are protected by: a key and a network of the caller's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from constructs_lib._stack_env import environment_of
from constructs_lib.acknowledgements import MANAGED_INTERFACES, NEW_INTERFACE

if TYPE_CHECKING:
    from aws_cdk import CfnResource
    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_kms as kms
    from constructs import IConstruct

    from constructs_lib._nag import Acknowledged

# What AWS's guide lists for a role whose functions are in a VPC.
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
_CREATE_INTERFACE = "ec2:CreateNetworkInterface"
_OTHER_INTERFACE_ACTIONS = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionProtection:
    """How functions and what they keep are protected. Every maker of a function, log group, table or queue takes it.

    It is ready to be rendered: the arguments are checked, the subnets selected, and there is a security group.

    Args:
        encryption_key: Encrypts log groups, environments of functions, tables and queues. Its policy allows it (see
            `_key_policy.py`). Default: keys of AWS.
        subnets: Where the functions have their network interfaces. Default: outside any VPC.
        security_groups: The groups of those interfaces. Default: none, outside any VPC.
        reserved_concurrency: How many of a front door's function run at once, and no more. Default: no reservation.
        waits_for: What leads out of the subnets: functions move there when it is available. Default: nothing.
    """

    encryption_key: kms.IKey | None = None
    subnets: Sequence[ec2.ISubnet] = ()
    security_groups: Sequence[ec2.ISecurityGroup] = ()
    reserved_concurrency: float | None = None
    waits_for: Sequence[CfnResource] = ()

    @property
    def key_arn(self) -> str | None:
        """ARN of the key, as `kms_key_id` of log groups and `kms_key_arn` of functions take it. None: AWS's."""
        return None if self.encryption_key is None else self.encryption_key.key_arn

    @property
    def is_in_vpc(self) -> bool:
        """Whether the functions have network interfaces in a VPC."""
        return bool(self.subnets)

    def outside_vpc(self) -> FunctionProtection:
        """The same for functions that stay outside the VPC, as those of custom resources: they report to S3."""
        return replace(self, subnets=(), security_groups=(), reserved_concurrency=None, waits_for=())

    def function_properties(self) -> dict[str, Any]:
        """The arguments of a `CfnFunction` that render it, without the reserved concurrency. Empty: no protection."""
        # Imported here, as only functions with a VPC need it.
        from aws_cdk import aws_lambda as lambda_

        properties: dict[str, Any] = {}
        if self.encryption_key is not None:
            properties["kms_key_arn"] = self.key_arn
        if self.is_in_vpc:
            properties["vpc_config"] = lambda_.CfnFunction.VpcConfigProperty(
                subnet_ids=[subnet.subnet_id for subnet in self.subnets],
                security_group_ids=[group.security_group_id for group in self.security_groups],
            )
        return properties

    def role_statements(self, scope: IConstruct) -> list[dict[str, Any]]:
        """What the role of each function needs beside its own statements, as templates have it.

        Args:
            scope: A construct of the function's stack.
        """
        if self.encryption_key is None and not self.is_in_vpc:
            return []
        functions = environment_of(scope).arn("lambda", "function:*")
        statements: list[dict[str, Any]] = []
        if self.encryption_key is not None:
            # Lambda gives the role a grant when the function is created, which is lost if the role is created anew. The
            # context is the one that Lambda encrypts environments with.
            condition = {"StringLike": {"kms:EncryptionContext:aws:lambda:FunctionArn": functions}}
            statements.append(_statement("Allow", ["kms:Decrypt"], self.encryption_key.key_arn, condition))
        if self.is_in_vpc:
            created = self._created_interfaces(scope)
            statements += [
                _statement("Allow", [_CREATE_INTERFACE], created),
                # Lambda tests the role without naming a resource, and rejects it with any narrower one.
                _statement("Allow", _OTHER_INTERFACE_ACTIONS, "*"),
                # For the code of the function: its requests have this key, and Lambda's own have not.
                _statement(
                    "Deny",
                    sorted([_CREATE_INTERFACE, *_OTHER_INTERFACE_ACTIONS]),
                    "*",
                    {"ArnLike": {"lambda:SourceFunctionArn": functions}},
                ),
            ]
        return statements

    def role_acknowledged(self, scope: IConstruct) -> list[Acknowledged]:
        """What is acknowledged about these statements.

        Args:
            scope: A construct of the function's stack.
        """
        if not self.is_in_vpc:
            return []
        return [NEW_INTERFACE.at(scope, *self._created_interfaces(scope)), MANAGED_INTERFACES.at(scope, "*")]

    def _created_interfaces(self, scope: IConstruct) -> list[str]:
        """What a network interface of the functions is made of. Of any account: subnets and groups can be shared."""
        here = environment_of(scope)
        groups = [f"security-group/{group.security_group_id}" for group in self.security_groups]
        subnets = [f"subnet/{subnet.subnet_id}" for subnet in self.subnets]
        return [
            here.arn("ec2", "network-interface/*"),
            *(here.arn("ec2", resource, account="*") for resource in (*groups, *subnets)),
        ]


UNPROTECTED: Final = FunctionProtection()
"""Keys of AWS, and no VPC."""


def _statement(
    effect: str, actions: Sequence[str], resource: str | Sequence[str], condition: dict[str, Any] | None = None
) -> dict[str, Any]:
    statement = {"Effect": effect, "Action": list(actions), "Resource": resource}
    return statement if condition is None else statement | {"Condition": condition}
