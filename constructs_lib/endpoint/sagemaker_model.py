"""The SageMaker Model of a plan."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aws_cdk import aws_sagemaker as sagemaker

from constructs_lib.planning.scaling.routing import Routing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kms as kms
    from constructs import Construct

    from constructs_lib.endpoint.async_inference import AsyncInference
    from constructs_lib.endpoint.container_image import ContainerImage
    from constructs_lib.endpoint.data_capture import DataCapture
    from constructs_lib.endpoint.model import Model
    from constructs_lib.endpoint.model_host import ModelHost
    from constructs_lib.endpoint.network import Network
    from constructs_lib.planning.hardware.instance_types import InstanceType
    from constructs_lib.planning.request import EndpointPlan, EndpointRequest
    from constructs_lib.planning.scaling.capacity_reservation import CapacityReservation


@dataclass(frozen=True, kw_only=True)
class Hosting:
    """What an endpoint needs besides its plan.

    Args:
        model: The weights.
        image: The container image.
        network: The VPC, if any.
        volume_key: Key that encrypts the storage volume. None: AWS's.
        role: The caller's role. None: a new one.
        tags: Tags of every resource of the endpoint.
        component_name: Name of the inference component that serves the model. Default: the endpoint has none.
        routing: How SageMaker chooses the instance of a request. None: the instances take them from a queue. Default:
            the one with the fewest in progress.
        capacity_reservation: Reserved instances, the only ones then. Default: none.
        detailed_observability: Whether SageMaker collects its detailed metrics. Default: no.
        data_capture: Which requests and answers SageMaker stores. Default: none.
        weight: The weight of the variant. Default: 1.
        async_inference: Where requests come from and answers go to. Default: the endpoint is a real-time one.
    """

    model: Model
    image: ContainerImage
    network: Network
    volume_key: kms.IKey | None
    role: iam.IRole | None
    tags: Mapping[str, str]
    component_name: str | None = None
    routing: Routing | None = field(default_factory=Routing)
    capacity_reservation: CapacityReservation | None = None
    detailed_observability: bool | None = None
    data_capture: DataCapture | None = None
    weight: float = 1
    async_inference: AsyncInference | None = None


class SageMakerModel:
    """Renders the Model, and adds to the role what it needs.

    Instance types that need other variables have a Model each, named after the first type that needs them.

    Args:
        scope: The endpoint.
        request: What the caller asks for.
        plan: Its plan, without problems.
        hosting: What the endpoint needs besides its plan.
        host: The role and the network interfaces.

    Attributes:
        resource: The Model; of several instance types the first one's.
        pools: The Model of each instance type by priority; empty without a list.
    """

    def __init__(
        self, scope: Construct, *, request: EndpointRequest, plan: EndpointPlan, hosting: Hosting, host: ModelHost
    ) -> None:
        role = host.execution_role
        role.allow_logs_and_metrics(request.endpoint_name, hosting.component_name)
        image_uri = hosting.image.bind(scope, role, plan)
        binding = hosting.model.bind(role, token_variables=plan.token_variables)
        role.render()

        def render(id: str, environment: Mapping[str, str]) -> sagemaker.CfnModel:
            model = sagemaker.CfnModel(
                scope,
                id,
                execution_role_arn=role.role.role_arn,
                enable_network_isolation=request.network_isolation or None,
                primary_container=sagemaker.CfnModel.ContainerDefinitionProperty(
                    image=image_uri,
                    environment={**environment, **binding.environment},
                    model_data_source=binding.data_source,
                ),
                vpc_config=host.vpc_config,
            )
            # SageMaker checks image and weights with the role when it creates the Model, and a reference to the role
            # does not make CloudFormation wait for the role's policies.
            role.allow_before(model)
            for one in binding.after:
                model.add_resource_dependency(one)
            return model

        self.resource = render("Model", plan.environment)
        self.pools = _for_each_type(plan, self.resource, render)


def _for_each_type(
    plan: EndpointPlan, first: sagemaker.CfnModel, render: Callable[[str, Mapping[str, str]], sagemaker.CfnModel]
) -> list[sagemaker.CfnModel]:
    """The Model of each instance type: that of an earlier type which has the same variables, else another one."""
    models = [(plan.environment, first)]
    found = []
    for pool in plan.pools:
        model = next((model for environment, model in models if environment == pool.environment), None)
        if model is None:
            model = render(_model_id(pool.instance), pool.environment)
            models.append((pool.environment, model))
        found.append(model)
    return found


def _model_id(instance: InstanceType) -> str:
    """`ModelG5_12xlarge` for ml.g5.12xlarge."""
    name = instance.name.removeprefix("ml.").replace(".", "_")
    return f"Model{name[0].upper()}{name[1:]}"
