"""Whether security groups are of the VPC that they are given with, as far as this app knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Reference, Tokenization
from aws_cdk import aws_ec2 as ec2

from constructs_lib._tokens import is_token
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def foreign_group_problems(groups: Sequence[ec2.ISecurityGroup], vpc: ec2.IVpc) -> Iterator[Problem]:
    """The problem of each group that is of another VPC; nothing is known about imported groups.

    Args:
        groups: Security groups.
        vpc: The VPC.
    """
    for index, group in enumerate(groups):
        resource = group.node.default_child if isinstance(group, ec2.SecurityGroup) else None
        if isinstance(resource, ec2.CfnSecurityGroup) and _are_different(resource.vpc_id, vpc.vpc_id):
            yield Problem(
                f"security_groups[{index}]",
                group,
                f"is not a group of the VPC {vpc.node.path}",
                "Create it in that VPC, or remove it for a new group without inbound rules.",
            )


def _are_different(one: str | None, other: str) -> bool:
    """Whether two ids are certainly not of the same VPC: both literal, or both of VPCs that this app creates."""
    if one is None or one == other:
        return False
    first, second = _creator(one), _creator(other)
    both_created = first is not None and second is not None and first != second
    return both_created or not (is_token(one) or is_token(other))


def _creator(vpc_id: str) -> str | None:
    """The path of the resource that creates the VPC; None if the id is no reference to one."""
    reference = Tokenization.reverse(vpc_id) if is_token(vpc_id) else None
    target = reference.target if isinstance(reference, Reference) else None
    return target.node.path if isinstance(target, ec2.CfnVPC) else None
