"""What an update of a running endpoint keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_sagemaker as sagemaker

if TYPE_CHECKING:
    from aws_cdk.aws_sagemaker import CfnEndpoint


def keep_instance_count(endpoint: CfnEndpoint) -> None:
    """Let updates keep the number of instances that scaling has set; nothing else of the variant.

    Without this, an update applies all that the EndpointConfig says. SageMaker knows no list of what to keep, only one
    of what not to keep (`RetainAllVariantProperties`, `ExcludeRetainedVariantProperties`).

    Args:
        endpoint: The endpoint, whose instances something scales.
    """
    excluded = sagemaker.CfnEndpoint.VariantPropertyProperty
    endpoint.retain_all_variant_properties = True
    endpoint.exclude_retained_variant_properties = [
        excluded(variant_property_type="DesiredWeight"),
        excluded(variant_property_type="DataCaptureConfig"),
    ]
