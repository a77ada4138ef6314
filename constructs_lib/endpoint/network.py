"""The endpoint's network interfaces in a VPC."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_sagemaker as sagemaker

from constructs_lib._arguments import SECURITY_GROUP, VPC, subnet_problems
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct


class Network:
    """Where the instances get their network interfaces.

    Args:
        vpc: The VPC; None for SageMaker's own.
        subnets: Which of its subnets; None selects the private ones.
        security_groups: Their security groups; None creates one that allows no inbound and all outbound traffic.
    """

    def __init__(
        self,
        vpc: ec2.IVpc | None,
        subnets: ec2.SubnetSelection | None,
        security_groups: Sequence[ec2.ISecurityGroup] | None,
    ) -> None:
        self._vpc = vpc
        self._subnets = subnets
        self._security_groups = security_groups

    def validate(self) -> list[Problem]:
        """Problems of the arguments, each by itself and together."""
        wrong_groups = list(SECURITY_GROUP.list_problems("security_groups", self._security_groups))
        found = [*VPC.problems("vpc", self._vpc), *subnet_problems(self._subnets), *wrong_groups]
        if self._vpc is None:
            given = {"vpc_subnets": self._subnets, "security_groups": self._security_groups}
            found += [
                Problem(
                    keyword=keyword,
                    value=value,
                    message="requires vpc",
                    fix=f"Set vpc as well, or remove {keyword}.",
                )
                for keyword, value in given.items()
                if value is not None
            ]
        elif self._security_groups is not None and not wrong_groups and not 1 <= len(self._security_groups) <= 5:
            found.append(
                Problem(
                    keyword="security_groups",
                    value=f"{len(self._security_groups)} groups",
                    message="must have 1 to 5 groups, SageMaker's limit",
                    fix="Merge their rules, or remove it for a new group without inbound rules.",
                )
            )
        return found

    def bind(self, scope: Construct) -> tuple[sagemaker.CfnModel.VpcConfigProperty, ec2.Connections] | None:
        """Create a security group if none is given.

        Args:
            scope: The endpoint.

        Returns:
            The VPC configuration of the SageMaker Model and the endpoint's connections. None without a VPC.
        """
        if self._vpc is None:
            return None
        groups = self._security_groups or [ec2.SecurityGroup(scope, "SecurityGroup", vpc=self._vpc)]
        config = sagemaker.CfnModel.VpcConfigProperty(
            subnets=self._subnet_ids(self._vpc),
            security_group_ids=[group.security_group_id for group in groups],
        )
        return config, ec2.Connections(security_groups=list(groups))

    def _subnet_ids(self, vpc: ec2.IVpc) -> list[str]:
        selection = self._subnets
        if selection is None:
            return vpc.select_subnets().subnet_ids
        if selection.subnets and not (selection.availability_zones or selection.one_per_az or selection.subnet_filters):
            # select_subnets also reads their Availability Zones, which imported subnets do not have.
            return [subnet.subnet_id for subnet in selection.subnets]
        return vpc.select_subnets(
            availability_zones=selection.availability_zones,
            one_per_az=selection.one_per_az,
            subnet_filters=selection.subnet_filters,
            subnet_group_name=selection.subnet_group_name,
            subnets=selection.subnets,
            subnet_type=selection.subnet_type,
        ).subnet_ids
