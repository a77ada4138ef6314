"""What Application Auto Scaling scales: instances of a variant, or copies of an inference component."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class ScaledResource:
    """One scalable target before it is one.

    Args:
        noun: What is counted: `instances` or `copies`.
        resource_id: As Application Auto Scaling names it. An endpoint's refers to it, which so exists before the
            target; a component's is only its name, so that the target has to depend on the component.
        dimension: The scalable dimension.
        metric_dimensions: The CloudWatch dimensions of its metrics.
        concurrency: The CloudWatch metric of concurrent requests.
        concurrency_metric: The predefined metric of the same, high resolution.
        invocations_metric: The predefined metric of requests a minute.
    """

    noun: str
    resource_id: str
    dimension: str
    metric_dimensions: Mapping[str, str]
    concurrency: str
    concurrency_metric: str
    invocations_metric: str


def variant_instances(endpoint_name: str, variant_name: str) -> ScaledResource:
    """The instances of a production variant.

    Args:
        endpoint_name: The endpoint.
        variant_name: The variant.
    """
    return ScaledResource(
        noun="instances",
        resource_id=f"endpoint/{endpoint_name}/variant/{variant_name}",
        dimension="sagemaker:variant:DesiredInstanceCount",
        metric_dimensions={"EndpointName": endpoint_name, "VariantName": variant_name},
        concurrency="ConcurrentRequestsPerModel",
        concurrency_metric="SageMakerVariantConcurrentRequestsPerModelHighResolution",
        invocations_metric="SageMakerVariantInvocationsPerInstance",
    )


def component_copies(component_name: str) -> ScaledResource:
    """The copies of an inference component.

    Args:
        component_name: The component.
    """
    return ScaledResource(
        noun="copies",
        resource_id=f"inference-component/{component_name}",
        dimension="sagemaker:inference-component:DesiredCopyCount",
        metric_dimensions={"InferenceComponentName": component_name},
        concurrency="ConcurrentRequestsPerCopy",
        concurrency_metric="SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution",
        invocations_metric="SageMakerInferenceComponentInvocationsPerCopy",
    )
