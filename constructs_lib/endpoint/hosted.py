"""An endpoint that this app creates, whatever its engine: Model, EndpointConfig, Endpoint and role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import jsii
from aws_cdk import Annotations, Tags
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker

from constructs_lib._tokens import hide_tokens_of_request
from constructs_lib.endpoint.execution_role import ExecutionRole
from constructs_lib.endpoint.interface import EndpointBase, name_in_arn
from constructs_lib.errors import ConfigurationError
from constructs_lib.planning.summary import METADATA, summary
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import aws_kms as kms
    from constructs import Construct

    from constructs_lib.endpoint.container_image import ContainerImage
    from constructs_lib.endpoint.model import Model, ModelBinding
    from constructs_lib.endpoint.network import Network
    from constructs_lib.planning.request import EndpointPlan, EndpointRequest
    from constructs_lib.planning.serving_limits import ServingFacts


@dataclass(frozen=True, kw_only=True)
class Hosting:
    """What an endpoint needs besides its plan: the arguments that are constructs.

    Args:
        model: The weights.
        image: The container image.
        network: The VPC, if any.
        volume_key: Key that encrypts the storage volume. None: AWS's.
        role: The caller's role. None: a new one.
        tags: Tags of every resource of the endpoint.
    """

    model: Model
    image: ContainerImage
    network: Network
    volume_key: kms.IKey | None
    role: iam.IRole | None
    tags: Mapping[str, str]


@jsii.implements(iam.IGrantable, ec2.IConnectable)
class HostedEndpoint(EndpointBase):
    """A SageMaker endpoint, rendered from a plan without problems."""

    def __init__(
        self, scope: Construct, id: str, *, request: EndpointRequest, plan: EndpointPlan, hosting: Hosting
    ) -> None:
        super().__init__(scope, id, physical_name=request.endpoint_name)
        self._plan = plan
        self._variant_name = request.variant_name
        self._model = hosting.model
        self._execution_role = ExecutionRole(self, hosting.role)
        network = hosting.network.bind(self)
        self._connections = network[1] if network else None
        image_uri, binding = self._bind(request, hosting)
        model = self._cfn_model(request, image_uri, binding, network[0] if network else None)
        config = self._cfn_config(request, hosting, model)
        self._cfn_endpoint(request, config)
        for key, value in hosting.tags.items():
            Tags.of(self).add(key, value)
        # Read by `python -m constructs_lib summary`. Only in the cloud assembly, so that no template changes with a
        # price.
        self.node.add_metadata(METADATA, summary(hide_tokens_of_request(request), plan).to_json())
        for warning in plan.warnings:
            Annotations.of(self).add_warning_v2(warning.id, warning.message)

    @property
    def endpoint_arn(self) -> str:
        """ARN of the endpoint."""
        return self._arn

    @property
    def endpoint_name(self) -> str:
        """Name of the endpoint."""
        return self._name

    @property
    def variant_name(self) -> str:
        """Name of the production variant."""
        return self._variant_name

    @property
    def model_id(self) -> str | None:
        """The model's repository on the hub; None for weights in S3 without one."""
        return self._model.model_id

    @property
    def max_body_bytes(self) -> int:
        """Size limit of one request, in bytes."""
        return self._plan.max_body_bytes

    @property
    def serving(self) -> ServingFacts:
        """What is known at synth about how the model is served."""
        return self._plan.serving

    @property
    def role(self) -> iam.IRole:
        """The role that SageMaker assumes to start the containers."""
        return self._execution_role.role

    @property
    def grant_principal(self) -> iam.IPrincipal:
        """The role: `bucket.grant_read(endpoint)` allows the containers to read the bucket."""
        return self.role

    @property
    def connections(self) -> ec2.Connections:
        """Security groups of the endpoint's instances.

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
            raise ConfigurationError(self.node.path, [problem])
        return self._connections

    def _bind(self, request: EndpointRequest, hosting: Hosting) -> tuple[str, ModelBinding]:
        """Add every permission to the role; the image's URI, and what the weights add to the Model."""
        role = self._execution_role
        role.allow_logs_and_metrics(request.endpoint_name)
        image_uri = hosting.image.bind(self, role, self._plan)
        binding = hosting.model.bind(role, token_variables=self._plan.token_variables)
        if self._connections is not None:
            role.allow_network_interfaces()
        if hosting.volume_key is not None:
            role.allow_volume_encryption(hosting.volume_key)
        role.acknowledge_wildcards()
        return image_uri, binding

    def _cfn_model(
        self,
        request: EndpointRequest,
        image_uri: str,
        binding: ModelBinding,
        vpc: sagemaker.CfnModel.VpcConfigProperty | None,
    ) -> sagemaker.CfnModel:
        model = sagemaker.CfnModel(
            self,
            "Model",
            execution_role_arn=self.role.role_arn,
            enable_network_isolation=request.network_isolation or None,
            primary_container=sagemaker.CfnModel.ContainerDefinitionProperty(
                image=image_uri,
                environment=self._plan.environment | dict(binding.environment),
                model_data_source=binding.data_source,
            ),
            vpc_config=vpc,
        )
        # SageMaker checks image and weights with the role when it creates the Model, and a reference to the role does
        # not make CloudFormation wait for the role's policies.
        self._execution_role.allow_before(model)
        return model

    def _cfn_config(
        self, request: EndpointRequest, hosting: Hosting, model: sagemaker.CfnModel
    ) -> sagemaker.CfnEndpointConfig:
        plan = self._plan
        variant = sagemaker.CfnEndpointConfig.ProductionVariantProperty(
            variant_name=request.variant_name,
            model_name=model.attr_model_name,
            instance_type=request.instance.name,
            initial_instance_count=request.instance_count,
            initial_variant_weight=1,
            # What the caller gives may be a token, which the plan does not know.
            container_startup_health_check_timeout_in_seconds=request.startup_timeout_seconds
            or plan.startup_timeout_seconds,
            model_data_download_timeout_in_seconds=request.model_download_timeout_seconds
            or plan.model_download_timeout_seconds,
            volume_size_in_gb=request.volume_size_gib,
            inference_ami_version=plan.inference_ami_version,
            routing_config=sagemaker.CfnEndpointConfig.RoutingConfigProperty(
                routing_strategy="LEAST_OUTSTANDING_REQUESTS"
            ),
        )
        return sagemaker.CfnEndpointConfig(
            self,
            "EndpointConfig",
            production_variants=[variant],
            kms_key_id=hosting.volume_key.key_arn if hosting.volume_key else None,
        )

    def _cfn_endpoint(self, request: EndpointRequest, config: sagemaker.CfnEndpointConfig) -> None:
        endpoint = sagemaker.CfnEndpoint(
            self,
            "Resource",
            endpoint_config_name=config.attr_endpoint_config_name,
            endpoint_name=request.endpoint_name,
            retain_all_variant_properties=True,
        )
        self._name = self._get_resource_name_attribute(endpoint.attr_endpoint_name)
        self._arn = self._get_resource_arn_attribute(
            endpoint.ref, service="sagemaker", resource="endpoint", resource_name=name_in_arn(self._physical_name)
        )
