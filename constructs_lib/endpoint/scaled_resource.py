"""What Application Auto Scaling scales: instances of a variant, or copies of an inference component."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from constructs import IDependable


@dataclass(frozen=True, kw_only=True)
class ScaledResource:
    """One scalable target before it is one.

    Args:
        noun: What is counted: `instances` or `copies`.
        resource_id: As Application Auto Scaling names it.
        dimension: The scalable dimension.
        metric_dimensions: The CloudWatch dimensions of its metrics.
        concurrency_metric: The predefined metric of concurrent requests, high resolution.
        invocations_metric: The predefined metric of requests a minute.
        required: What CloudFormation creates before the scalable target.
    """

    noun: str
    resource_id: str
    dimension: str
    metric_dimensions: Mapping[str, str]
    concurrency_metric: str
    invocations_metric: str
    required: Sequence[IDependable]


def variant_instances(endpoint_name: str, variant_name: str, required: IDependable) -> ScaledResource:
    """The instances of a production variant.

    Args:
        endpoint_name: The endpoint.
        variant_name: The variant.
        required: The endpoint's resource.
    """
    return ScaledResource(
        noun="instances",
        resource_id=f"endpoint/{endpoint_name}/variant/{variant_name}",
        dimension="sagemaker:variant:DesiredInstanceCount",
        metric_dimensions={"EndpointName": endpoint_name, "VariantName": variant_name},
        concurrency_metric="SageMakerVariantConcurrentRequestsPerModelHighResolution",
        invocations_metric="SageMakerVariantInvocationsPerInstance",
        required=[required],
    )


def component_copies(component_name: str, required: IDependable) -> ScaledResource:
    """The copies of an inference component.

    Args:
        component_name: The component.
        required: The component's resource.
    """
    return ScaledResource(
        noun="copies",
        resource_id=f"inference-component/{component_name}",
        dimension="sagemaker:inference-component:DesiredCopyCount",
        metric_dimensions={"InferenceComponentName": component_name},
        concurrency_metric="SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution",
        invocations_metric="SageMakerInferenceComponentInvocationsPerCopy",
        required=[required],
    )
