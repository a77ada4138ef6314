"""The endpoint's network interfaces in a VPC."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_sagemaker as sagemaker

from constructs_lib._vpc_place import VpcPlace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct


class Network(VpcPlace):
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
        super().__init__("SageMaker", vpc, subnets, security_groups)

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
            subnets=[subnet.subnet_id for subnet in self.selected],
            security_group_ids=[group.security_group_id for group in groups],
        )
        return config, ec2.Connections(security_groups=list(groups))
