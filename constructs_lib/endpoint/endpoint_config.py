"""The EndpointConfig of a plan: one production variant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_sagemaker as sagemaker

from constructs_lib.planning.scaling.capacity_reservation import ONLY_RESERVED
from constructs_lib.planning.scaling.routing import PREFIX_AWARE

if TYPE_CHECKING:
    from constructs import Construct

    from constructs_lib.endpoint.sagemaker_model import Hosting, SageMakerModel
    from constructs_lib.planning.request import EndpointPlan, EndpointRequest
    from constructs_lib.planning.scaling.capacity_reservation import CapacityReservation
    from constructs_lib.planning.scaling.routing import Routing


def render_config(
    scope: Construct,
    *,
    request: EndpointRequest,
    plan: EndpointPlan,
    model: SageMakerModel,
    hosting: Hosting,
) -> sagemaker.CfnEndpointConfig:
    """Render the EndpointConfig.

    Args:
        scope: The endpoint.
        request: What the caller asks for.
        plan: Its plan, without problems.
        model: The Model that the variant runs, or one for each instance type.
        hosting: What the endpoint needs besides its plan.
    """
    return sagemaker.CfnEndpointConfig(
        scope,
        "EndpointConfig",
        production_variants=[_variant(request, plan, model, hosting)],
        kms_key_id=hosting.volume_key.key_arn if hosting.volume_key else None,
    )


def _variant(
    request: EndpointRequest, plan: EndpointPlan, model: SageMakerModel, hosting: Hosting
) -> sagemaker.CfnEndpointConfig.ProductionVariantProperty:
    pools = _instance_pools(plan, model)
    return sagemaker.CfnEndpointConfig.ProductionVariantProperty(
        variant_name=request.variant_name,
        model_name=model.resource.attr_model_name,
        instance_type=None if pools else request.instance.name,
        instance_pools=pools,
        initial_instance_count=request.instance_count,
        initial_variant_weight=1,
        # What the caller gives may be a token, which the plan does not know.
        container_startup_health_check_timeout_in_seconds=request.startup_timeout_seconds
        or plan.startup_timeout_seconds,
        model_data_download_timeout_in_seconds=request.model_download_timeout_seconds
        or plan.model_download_timeout_seconds,
        variant_instance_provision_timeout_in_seconds=request.instance_provision_timeout_seconds,
        volume_size_in_gb=request.volume_size_gib,
        inference_ami_version=plan.inference_ami_version,
        routing_config=_routing(hosting.routing),
        capacity_reservation_config=_reservation(hosting.capacity_reservation),
    )


def _instance_pools(
    plan: EndpointPlan, model: SageMakerModel
) -> list[sagemaker.CfnEndpointConfig.InstancePoolProperty] | None:
    """The instance types by priority; None for one alone, which SageMaker does not take as a pool."""
    if len(plan.pools) < 2:
        return None
    return [
        sagemaker.CfnEndpointConfig.InstancePoolProperty(
            instance_type=pool.instance.name,
            priority=priority,
            model_name_override=None if own is model.resource else own.attr_model_name,
        )
        for priority, (pool, own) in enumerate(zip(plan.pools, model.pools, strict=True), start=1)
    ]


def _routing(routing: Routing) -> sagemaker.CfnEndpointConfig.RoutingConfigProperty:
    config = sagemaker.CfnEndpointConfig
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
