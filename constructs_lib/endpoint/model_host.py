"""What the Models of an endpoint share: the role and the network interfaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Annotations

from constructs_lib.endpoint.data_capture import immutable_role_warning
from constructs_lib.endpoint.execution_role import ExecutionRole
from constructs_lib.errors import ConfigurationError
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_sagemaker as sagemaker
    from constructs import Construct

    from constructs_lib.endpoint.sagemaker_model import Hosting


class ModelHost:
    """The role that SageMaker assumes for an endpoint, and the security group of its network interfaces.

    Args:
        scope: The endpoint.
        hosting: What the endpoint needs besides its plan.

    Attributes:
        execution_role: The role; each Model adds what it needs.
        vpc_config: The subnets and security groups of the network interfaces; None outside of a VPC.
    """

    def __init__(self, scope: Construct, hosting: Hosting) -> None:
        self.execution_role = ExecutionRole(scope, hosting.role)
        network = hosting.network.bind(scope)
        self.vpc_config: sagemaker.CfnModel.VpcConfigProperty | None = network[0] if network else None
        self._connections: ec2.Connections | None = network[1] if network else None
        self._volume_key = hosting.volume_key
        self._capture = hosting.data_capture
        self._async = hosting.async_inference
        self._scope = scope

    @property
    def connections(self) -> ec2.Connections:
        """The security groups of the network interfaces.

        Raises:
            ConfigurationError: The endpoint is not in a VPC.
        """
        if self._connections is None:
            problem = Problem(
                keyword="vpc",
                value=None,
                message="is required for connections: the endpoint is not in a VPC of yours",
                fix="Set vpc=…, or remove the rule.",
            )
            raise ConfigurationError(self._scope.node.path, [problem])
        return self._connections

    def complete(self) -> None:
        """Add what the instances need, whatever their models are; call it once all Models are in."""
        if self._connections is not None:
            self.execution_role.allow_network_interfaces()
        if self._volume_key is not None:
            self.execution_role.allow_volume_encryption(self._volume_key)
        capture = self._capture
        if capture is not None:
            self.execution_role.allow_captures(capture.bucket, capture.folder, capture.encryption_key)
        if self._async is not None:
            self._async.allow(self.execution_role)
        self.execution_role.complete()
        if capture is not None and not self.execution_role.takes_policies:
            warning = immutable_role_warning(capture)
            Annotations.of(self._scope).add_warning_v2(warning.id, warning.message)
