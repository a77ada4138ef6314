"""The EndpointConfig of a plan: one production variant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_sagemaker as sagemaker

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from constructs import Construct

    from constructs_lib.planning.request import EndpointPlan, EndpointRequest


def render_config(
    scope: Construct,
    *,
    request: EndpointRequest,
    plan: EndpointPlan,
    model: sagemaker.CfnModel,
    volume_key: kms.IKey | None,
) -> sagemaker.CfnEndpointConfig:
    """Render the EndpointConfig.

    Args:
        scope: The endpoint.
        request: What the caller asks for.
        plan: Its plan, without problems.
        model: The Model that the variant runs.
        volume_key: Key that encrypts the storage volume. None: AWS's.
    """
    return sagemaker.CfnEndpointConfig(
        scope,
        "EndpointConfig",
        production_variants=[_variant(request, plan, model)],
        kms_key_id=volume_key.key_arn if volume_key else None,
    )


def _variant(
    request: EndpointRequest, plan: EndpointPlan, model: sagemaker.CfnModel
) -> sagemaker.CfnEndpointConfig.ProductionVariantProperty:
    return sagemaker.CfnEndpointConfig.ProductionVariantProperty(
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
        routing_config=sagemaker.CfnEndpointConfig.RoutingConfigProperty(routing_strategy="LEAST_OUTSTANDING_REQUESTS"),
    )
