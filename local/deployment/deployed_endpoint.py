"""Reads SageMaker endpoints from the control plane, with their inference components and containers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from local.deployment.deployed_async import read_async
from local.deployment.inference_components import (
    COMPONENT,
    base_of,
    copies_of,
    demand_of,
    instance_type_of,
    max_instances,
    specification_for,
)
from local.deployment.model_data import ModelData, read_model_data
from local.deployment.secrets import with_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from local.deployment.control_plane import ControlPlane
    from local.deployment.deployed_async import DeployedAsync
    from local.deployment.instance_sizes import Demand

FAILED = "Failed"
# Where a model has its weights, and where an inference component has them.
_ARTIFACTS = ("ModelDataUrl", "ModelDataSource", "ArtifactUrl")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedContainer:
    """The container of a model. Dynamic references in `environment` are resolved.

    With `has_artifact`, SageMaker gives it weights from S3: the files of `data`, or an archive, which is not unpacked.
    """

    model_name: str
    image: str
    environment: Mapping[str, str]
    has_artifact: bool = False
    data: ModelData | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedComponent:
    """An inference component: its container, its copies at creation, and what a copy takes of an instance."""

    name: str
    container: DeployedContainer
    copies: int
    demand: Demand


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedVariant:
    """A production variant that runs a model."""

    name: str
    instance_type: str
    instances: int
    weight: float
    container: DeployedContainer


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedEndpoint:
    """A SageMaker endpoint whose variants have a model each, or whose only variant has inference components by name.

    `variant`, `instance_type`, `instances`, `max_instances` and `container` are those of its first variant. `config`
    is the name of its configuration. `adapters` has the component whose copies have an adapter, by the adapter's name.
    With `retains_count`, an update keeps the instances that there are. `deployment` is its DeploymentConfig, for
    updates.
    """

    name: str
    config: str
    variant: str
    instance_type: str
    instances: int
    max_instances: int
    retains_count: bool = False
    deployment: Mapping[str, Any] = field(default_factory=dict)
    container: DeployedContainer | None = None
    components: Mapping[str, DeployedComponent] = field(default_factory=dict)
    adapters: Mapping[str, str] = field(default_factory=dict)
    variants: Sequence[DeployedVariant] = ()
    async_inference: DeployedAsync | None = None

    def containers(self) -> list[DeployedContainer]:
        """The containers of its variants, or those of its components."""
        return [container for _, container in self.placements()]

    def placements(self) -> list[tuple[str, DeployedContainer]]:
        """The same, each with the instance type that it runs on."""
        own = [(variant.instance_type, variant.container) for variant in self.variants]
        return [*own, *((self.instance_type, component.container) for component in self.components.values())]


def read_endpoints(plane: ControlPlane) -> list[DeployedEndpoint]:
    """The endpoints of the account with their components, without those that have failed: they stay so."""
    pages = plane.client("sagemaker").get_paginator("list_endpoints").paginate()
    found = [entry for page in pages for entry in page["Endpoints"]]
    return [_read_endpoint(plane, entry["EndpointName"]) for entry in found if entry["EndpointStatus"] != FAILED]


def _read_endpoint(plane: ControlPlane, name: str) -> DeployedEndpoint:
    client = plane.client("sagemaker")
    endpoint = client.describe_endpoint(EndpointName=name)
    config = client.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    variant = config["ProductionVariants"][0]
    properties = _properties(plane, endpoint["EndpointArn"])
    recorded = [
        resource
        for resource in plane.recorded(COMPONENT)
        if resource.properties["EndpointName"] == name and getattr(resource, "endpoint_status", None) != FAILED
    ]
    bases = {resource.name: base_of(resource.properties) for resource in recorded}
    components = [
        _read_component(plane, resource.name, resource.properties, instance_type_of(variant))
        for resource in recorded
        if bases[resource.name] is None
    ]
    return DeployedEndpoint(
        name=name,
        config=endpoint["EndpointConfigName"],
        variant=variant["VariantName"],
        instance_type=instance_type_of(variant),
        instances=int(variant.get("InitialInstanceCount", 1)),
        max_instances=max_instances(variant),
        retains_count=_retains_count(properties),
        deployment=properties.get("DeploymentConfig", {}),
        container=_read_model(plane, variant["ModelName"]) if "ModelName" in variant else None,
        components={component.name: component for component in components},
        adapters={adapter: base for adapter, base in bases.items() if base is not None},
        async_inference=read_async(plane, config),
        variants=[_read_variant(plane, one) for one in config["ProductionVariants"] if "ModelName" in one],
    )


def _read_variant(plane: ControlPlane, variant: Mapping[str, Any]) -> DeployedVariant:
    return DeployedVariant(
        name=variant["VariantName"],
        instance_type=instance_type_of(variant),
        instances=int(variant.get("InitialInstanceCount", 1)),
        weight=float(variant.get("InitialVariantWeight", 1)),
        container=_read_model(plane, variant["ModelName"]),
    )


def _properties(plane: ControlPlane, arn: str) -> Mapping[str, Any]:
    """The properties of the endpoint in its stack; none if no stack has it."""
    found = plane.stacks.resources("AWS::SageMaker::Endpoint")
    return next((resource.properties for resource in found if resource.physical_id == arn), {})


def _retains_count(properties: Mapping[str, Any]) -> bool:
    excluded = properties.get("ExcludeRetainedVariantProperties", [])
    types = {entry["VariantPropertyType"] for entry in excluded}
    return properties.get("RetainAllVariantProperties") in (True, "true") and "DesiredInstanceCount" not in types


def _read_component(
    plane: ControlPlane, name: str, properties: Mapping[str, Any], instance_type: str
) -> DeployedComponent:
    specification = specification_for(properties, instance_type)
    if "ModelName" in specification:
        container = _read_model(plane, specification["ModelName"])
    else:
        container = _container(plane, name, specification["Container"])
    demand = demand_of(properties, instance_type)
    return DeployedComponent(name=name, container=container, copies=copies_of(properties), demand=demand)


def _read_model(plane: ControlPlane, name: str) -> DeployedContainer:
    model = plane.client("sagemaker").describe_model(ModelName=name)
    return _container(plane, name, model.get("PrimaryContainer") or model["Containers"][0])


def _container(plane: ControlPlane, model_name: str, container: Mapping[str, Any]) -> DeployedContainer:
    return DeployedContainer(
        model_name=model_name,
        image=container["Image"],
        environment={key: with_secrets(plane, str(value)) for key, value in container.get("Environment", {}).items()},
        has_artifact=any(container.get(name) for name in _ARTIFACTS),
        data=read_model_data(plane, container),
    )
