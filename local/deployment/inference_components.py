"""SageMaker's rules for endpoints with inference components, which moto does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.deployment.instance_sizes import Demand, InstanceSize, instances_for
from local.deployment.recorded_resources import RecordedResource, others, refusal, resources_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

COMPONENT = "AWS::SageMaker::InferenceComponent"
# As reports quote them: pulumi/pulumi-aws issue 4940, stdapi-ai/stdapi.ai issue 43, and the source of instance_sizes.
NOT_SUPPORTED = "Inference Components are not supported in this Endpoint"
COPY_COUNT = "Inference components copy count must be an integer larger than 0"
NO_ROOM = (
    "There is not enough hardware resources on the instances for this endpoint to create a copy of the inference "
    "component."
)


def check_component(component: RecordedResource) -> None:
    """Refuses what CreateInferenceComponent refuses, and a component that never finds room.

    Raises:
        ValidationError: SageMaker would not create it.
    """
    from moto.sagemaker.models import sagemaker_backends

    sagemaker = sagemaker_backends[component.account][component.region]
    properties = component.properties
    if any(other.name == component.name for other in others(component, COMPONENT)):
        raise refusal(f"{component.name}: an inference component of this name exists.")
    if base_of(properties) is not None:
        _check_adapter(component)
        return
    variant = _variant(sagemaker, properties)
    if "ModelName" in variant:
        raise refusal(NOT_SUPPORTED)
    if copies_of(properties) < 1:
        raise refusal(COPY_COUNT)
    for specification in specifications(properties):
        if "ModelName" in specification:
            sagemaker.describe_model(specification["ModelName"])
    beside = [
        other.properties
        for other in others(component, COMPONENT)
        if base_of(other.properties) is None and _same_variant(other.properties, properties)
    ]
    demands = [demand for each in [*beside, properties] for demand in demands_of(each, instance_type_of(variant))]
    needed = instances_for(demands, InstanceSize.of(instance_type_of(variant)))
    if needed is None or needed > max_instances(variant):
        raise refusal(f"{component.name}: {NO_ROOM}")


def base_of(properties: Mapping[str, Any]) -> str | None:
    """The component whose copies have an adapter; None for a component with copies of its own."""
    found: str | None = specifications(properties)[0].get("BaseInferenceComponentName")
    return found


def _check_adapter(adapter: RecordedResource) -> None:
    """Refuses an adapter of a component that the endpoint does not have, or that has no place of its own."""
    base, endpoint = base_of(adapter.properties), adapter.properties["EndpointName"]
    known = {other.name for other in others(adapter, COMPONENT) if other.properties["EndpointName"] == endpoint}
    if base not in known:
        raise refusal(f"BaseInferenceComponentName={base}: the endpoint has no inference component of this name.")
    if not specifications(adapter.properties)[0].get("Container", {}).get("ArtifactUrl"):
        raise refusal(f"{adapter.name}: an adapter requires Container.ArtifactUrl.")


def _variant(sagemaker: Any, properties: Mapping[str, Any]) -> dict[str, Any]:
    endpoint = sagemaker.describe_endpoint(properties["EndpointName"])
    config = sagemaker.describe_endpoint_config(endpoint["EndpointConfigName"])
    variants: dict[str, dict[str, Any]] = {entry["VariantName"]: entry for entry in config["ProductionVariants"]}
    name = properties.get("VariantName")
    if name not in variants:
        raise refusal(f"VariantName={name}: the endpoint has only {', '.join(variants)}.")
    return variants[name]


def _same_variant(one: Mapping[str, Any], two: Mapping[str, Any]) -> bool:
    return (one["EndpointName"], one["VariantName"]) == (two["EndpointName"], two["VariantName"])


def copies_of(properties: Mapping[str, Any]) -> int:
    """The copies of a component at its creation."""
    return int(properties.get("RuntimeConfig", {}).get("CopyCount", 0))


def specifications(properties: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The specification of a component, or one for each instance type."""
    return list(properties.get("Specifications", [])) or [properties["Specification"]]


def specification_for(properties: Mapping[str, Any], instance_type: str) -> Mapping[str, Any]:
    """The specification of a component on an instance type."""
    found = specifications(properties)
    return next((each for each in found if each.get("InstanceType") == instance_type), found[0])


def demand_of(properties: Mapping[str, Any], instance_type: str) -> Demand:
    """What a copy of a component takes."""
    required = specification_for(properties, instance_type).get("ComputeResourceRequirements", {})
    return Demand(
        float(required.get("NumberOfAcceleratorDevicesRequired", 0)), int(required.get("MinMemoryRequiredInMb", 128))
    )


def demands_of(properties: Mapping[str, Any], instance_type: str) -> Iterator[Demand]:
    """What each copy at creation takes."""
    for _ in range(copies_of(properties)):
        yield demand_of(properties, instance_type)


def instance_type_of(variant: Mapping[str, Any]) -> str:
    """The instance type of a variant, or that of its pool of the first priority."""
    if "InstancePools" in variant:
        first: str = min(variant["InstancePools"], key=lambda pool: int(pool["Priority"]))["InstanceType"]
        return first
    found: str = variant["InstanceType"]
    return found


def max_instances(variant: Mapping[str, Any]) -> int:
    """The most instances of a variant with inference components."""
    managed = variant.get("ManagedInstanceScaling", {})
    initial = int(variant.get("InitialInstanceCount", 1))
    return int(managed.get("MaxInstanceCount", initial)) if managed.get("Status") == "ENABLED" else initial


CHECKS = {COMPONENT: check_component}


def install() -> None:
    """Patches moto's SageMaker: variants without a model, pools of instances, names, updates, deletion."""
    from moto.sagemaker import models

    _patch_endpoint_configs(models)
    _patch_endpoints(models)


def _patch_endpoint_configs(models: Any) -> None:
    config, backend = models.FakeEndpointConfig, models.SageMakerModelBackend
    validate, create = config.validate_production_variants, config.create_from_cloudformation_json
    validate_models = backend.validate_production_variants

    def validate_variants(self: Any, variants: list[dict[str, Any]]) -> None:
        for variant in variants:
            for pool in variant.get("InstancePools", []):
                self.validate_instance_type(pool["InstanceType"])
        validate(self, [variant for variant in variants if "InstancePools" not in variant])

    def create_config(name: str, entry: dict[str, Any], account: str, region: str, **more: Any) -> Any:
        properties = entry["Properties"]
        role = properties.get("ExecutionRoleArn")
        for variant in properties["ProductionVariants"]:
            if "ModelName" not in variant and not role:
                raise refusal(f"Variant {variant['VariantName']} has no ModelName: ExecutionRoleArn is required.")
        created = create(name, entry, account, region, **more)
        created.execution_role_arn = role
        return created

    config.validate_production_variants = validate_variants
    config.create_from_cloudformation_json = create_config
    backend.validate_production_variants = lambda self, variants: validate_models(
        self, [variant for variant in variants if "ModelName" in variant]
    )


def _configure(endpoint: Any, config: Any) -> None:
    endpoint.endpoint_config_name = config.endpoint_config_name
    endpoint.production_variants = endpoint._process_production_variants(config.production_variants)


def _patch_endpoints(models: Any) -> None:
    endpoint, backend = models.FakeEndpoint, models.SageMakerModelBackend
    create, delete = endpoint.create_from_cloudformation_json, backend.delete_endpoint

    def create_endpoint(name: str, entry: dict[str, Any], account: str, region: str, **more: Any) -> Any:
        return create(entry["Properties"].get("EndpointName", name), entry, account, region, **more)

    def update_endpoint(
        original_resource: Any,
        new_resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> Any:
        """Updates in place, as SageMaker does; moto would delete the endpoint below its components."""
        old, properties = original_resource, cloudformation_json["Properties"]
        sagemaker = models.sagemaker_backends[account_id][region_name]
        _configure(old, sagemaker.endpoint_configs[properties["EndpointConfigName"]])
        return old

    def delete_endpoint(self: Any, endpoint_name: str) -> None:
        left = [
            resource.name
            for resource in resources_of(self.account_id, self.region_name).values()
            if resource.cf_resource_type == COMPONENT and resource.properties["EndpointName"] == endpoint_name
        ]
        if left:
            raise refusal(
                f"Cannot delete endpoint {endpoint_name}: it still has the inference components {', '.join(left)}."
            )
        delete(self, endpoint_name)

    endpoint.create_from_cloudformation_json = create_endpoint
    endpoint.update_from_cloudformation_json = update_endpoint
    backend.delete_endpoint = delete_endpoint
