"""The EndpointConfig of a plan, and a production variant of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_cdk import aws_sagemaker as sagemaker

from constructs_lib._nag import acknowledge
from constructs_lib.acknowledgements import LOCAL_STORAGE
from constructs_lib.endpoint.metrics_config import metrics_config
from constructs_lib.planning.scaling.capacity_reservation import ONLY_RESERVED
from constructs_lib.planning.scaling.routing import PREFIX_AWARE

if TYPE_CHECKING:
    from constructs import Construct

    from constructs_lib.endpoint.execution_role import ExecutionRole
    from constructs_lib.endpoint.sagemaker_model import Hosting, SageMakerModel
    from constructs_lib.planning.request import EndpointPlan, EndpointRequest
    from constructs_lib.planning.scaling.capacity_reservation import CapacityReservation
    from constructs_lib.planning.scaling.routing import Routing


@dataclass(frozen=True, kw_only=True)
class ManagedInstances:
    """Instances that SageMaker adds and removes for the copies of inference components.

    The variant has no Model that says with which role and in which VPC its containers run.

    Args:
        minimum: The smallest number.
        maximum: The largest number.
        role: The role that SageMaker assumes.
        vpc_config: The subnets and security groups; None outside of a VPC.
    """

    minimum: int
    maximum: int
    role: ExecutionRole
    vpc_config: sagemaker.CfnModel.VpcConfigProperty | None


def render_config(
    scope: Construct,
    *,
    request: EndpointRequest,
    plan: EndpointPlan,
    runs: SageMakerModel | ManagedInstances,
    hosting: Hosting,
) -> sagemaker.CfnEndpointConfig:
    """Render the EndpointConfig.

    Args:
        scope: The endpoint.
        request: What the caller asks for.
        plan: Its plan, without problems.
        runs: The Model that the variant runs, or one for each instance type; the instances if it runs inference
            components.
        hosting: What the endpoint needs besides its plan.
    """
    config = sagemaker.CfnEndpointConfig(
        scope,
        "EndpointConfig",
        production_variants=[render_variant(request=request, plan=plan, runs=runs, hosting=hosting)],
        kms_key_id=hosting.volume_key.key_arn if hosting.volume_key else None,
        metrics_config=metrics_config(hosting.detailed_observability),
        data_capture_config=hosting.data_capture.render() if hosting.data_capture else None,
        async_inference_config=hosting.async_inference.render(plan) if hosting.async_inference else None,
        **_host(runs, request) if isinstance(runs, ManagedInstances) else {},
    )
    if hosting.volume_key is None and _has_local_storage(request, plan):
        acknowledge(config, LOCAL_STORAGE)
    if isinstance(runs, ManagedInstances):
        runs.role.allow_before(config)
    return config


def _has_local_storage(request: EndpointRequest, plan: EndpointPlan) -> bool:
    """Whether SageMaker takes no key, as there are drives of instances, of whatever type."""
    instances = [pool.instance for pool in plan.pools] or [request.instance]
    return not all(instance.volume_configurable for instance in instances)


def _host(instances: ManagedInstances, request: EndpointRequest) -> dict[str, Any]:
    """What a Model says otherwise."""
    vpc = instances.vpc_config
    return {
        "execution_role_arn": instances.role.role.role_arn,
        "enable_network_isolation": request.network_isolation or None,
        "vpc_config": vpc
        and sagemaker.CfnEndpointConfig.VpcConfigProperty(
            subnets=vpc.subnets, security_group_ids=vpc.security_group_ids
        ),
    }


def render_variant(
    *, request: EndpointRequest, plan: EndpointPlan, runs: SageMakerModel | ManagedInstances, hosting: Hosting
) -> sagemaker.CfnEndpointConfig.ProductionVariantProperty:
    """Render a production variant; `render_config` describes the arguments."""
    pools = _instance_pools(plan, None if isinstance(runs, ManagedInstances) else runs)
    return sagemaker.CfnEndpointConfig.ProductionVariantProperty(
        variant_name=request.variant_name,
        instance_type=None if pools else request.instance.name,
        instance_pools=pools,
        initial_instance_count=request.instance_count,
        **_managed(runs) if isinstance(runs, ManagedInstances) else _runs_model(request, plan, runs, hosting.weight),
        variant_instance_provision_timeout_in_seconds=request.instance_provision_timeout_seconds,
        volume_size_in_gb=request.volume_size_gib or plan.volume_size_gib,
        inference_ami_version=plan.inference_ami_version,
        routing_config=_routing(hosting.routing),
        capacity_reservation_config=_reservation(hosting.capacity_reservation),
    )


def _runs_model(request: EndpointRequest, plan: EndpointPlan, model: SageMakerModel, weight: float) -> dict[str, Any]:
    return {
        "model_name": model.resource.attr_model_name,
        "initial_variant_weight": weight,
        # What the caller gives may be a token, which the plan does not know.
        "container_startup_health_check_timeout_in_seconds": request.startup_timeout_seconds
        or plan.startup_timeout_seconds,
        "model_data_download_timeout_in_seconds": request.model_download_timeout_seconds
        or plan.model_download_timeout_seconds,
    }


def _managed(instances: ManagedInstances) -> dict[str, Any]:
    """Without a Model, with which SageMaker accepts no component, and without the timeouts of its container."""
    scaling = sagemaker.CfnEndpointConfig.ManagedInstanceScalingProperty(
        status="ENABLED", min_instance_count=instances.minimum, max_instance_count=instances.maximum
    )
    return {"managed_instance_scaling": scaling}


def _instance_pools(
    plan: EndpointPlan, model: SageMakerModel | None
) -> list[sagemaker.CfnEndpointConfig.InstancePoolProperty] | None:
    """The instance types by priority; None for one alone, which SageMaker does not take as a pool.

    Args:
        plan: The plan.
        model: The Models that the variant runs; None if it runs inference components, which say so themselves.
    """
    if len(plan.pools) < 2:
        return None
    own = [None] * len(plan.pools) if model is None else [_override(one, model) for one in model.pools]
    return [
        sagemaker.CfnEndpointConfig.InstancePoolProperty(
            instance_type=pool.instance.name, priority=priority, model_name_override=name
        )
        for priority, (pool, name) in enumerate(zip(plan.pools, own, strict=True), start=1)
    ]


def _override(own: sagemaker.CfnModel, model: SageMakerModel) -> str | None:
    return None if own is model.resource else own.attr_model_name


def _routing(routing: Routing | None) -> sagemaker.CfnEndpointConfig.RoutingConfigProperty | None:
    config = sagemaker.CfnEndpointConfig
    if routing is None:
        return None
    if routing.strategy != PREFIX_AWARE:
        return config.RoutingConfigProperty(routing_strategy=routing.strategy)
    return config.RoutingConfigProperty(
        routing_strategy=routing.strategy,
        prefix_aware_routing_config=config.PrefixAwareRoutingConfigProperty(
            prefix_length=routing.shared_bytes, concurrency_threshold=routing.threshold
        ),
    )


def _reservation(
    reservation: CapacityReservation | None,
) -> sagemaker.CfnEndpointConfig.CapacityReservationConfigProperty | None:
    if reservation is None:
        return None
    return sagemaker.CfnEndpointConfig.CapacityReservationConfigProperty(
        capacity_reservation_preference=ONLY_RESERVED, ml_reservation_arn=reservation.arn
    )
