"""The rules of Application Auto Scaling for SageMaker's variants and inference components."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from local.deployment.inference_components import COMPONENT
from local.deployment.recorded_resources import RecordedResource, others, refusal

TARGET = "AWS::ApplicationAutoScaling::ScalableTarget"
POLICY = "AWS::ApplicationAutoScaling::ScalingPolicy"
INSTANCES = "sagemaker:variant:DesiredInstanceCount"
COPIES = "sagemaker:inference-component:DesiredCopyCount"
_RESOURCES = {
    INSTANCES: re.compile(r"endpoint/(?P<endpoint>[^/]+)/variant/(?P<variant>[^/]+)"),
    COPIES: re.compile(r"inference-component/(?P<component>[^/]+)"),
}


def check_target(target: RecordedResource) -> None:
    """Refuses what RegisterScalableTarget refuses.

    Raises:
        ValidationError: It scales nothing that exists, or its capacities are impossible.
    """
    properties = target.properties
    dimension, resource_id = str(properties["ScalableDimension"]), str(properties["ResourceId"])
    low, high = int(properties["MinCapacity"]), int(properties["MaxCapacity"])
    if properties["ServiceNamespace"] != "sagemaker" or dimension not in _RESOURCES:
        raise refusal(f"{dimension}: the emulated cloud scales only {' and '.join(_RESOURCES)}.")
    match = _RESOURCES[dimension].fullmatch(resource_id)
    if match is None:
        raise refusal(f"ResourceId={resource_id}: must be {_RESOURCES[dimension].pattern} for {dimension}.")
    if not 0 <= low <= high:
        raise refusal(f"MinCapacity={low}, MaxCapacity={high}: the minimum must be from 0 to the maximum.")
    if dimension == INSTANCES:
        _check_variant(target, match["endpoint"], match["variant"], low)
    elif not any(component.name == match["component"] for component in others(target, COMPONENT)):
        raise refusal(f"ResourceId={resource_id}: no such inference component.")


def _check_variant(target: RecordedResource, endpoint: str, variant: str, low: int) -> None:
    from moto.sagemaker.models import sagemaker_backends

    sagemaker: Any = sagemaker_backends[target.account][target.region]
    described = sagemaker.describe_endpoint(endpoint)
    if variant not in {entry["VariantName"] for entry in described["ProductionVariants"]}:
        raise refusal(f"ResourceId={target.properties['ResourceId']}: the endpoint has no such variant.")
    config = sagemaker.describe_endpoint_config(described["EndpointConfigName"])
    if low < 1 and not config.get("AsyncInferenceConfig"):
        raise refusal(f"MinCapacity={low}: a variant with a model keeps at least one instance.")


def check_policy(policy: RecordedResource) -> None:
    """Refuses a policy whose target is not registered, as PutScalingPolicy does.

    Raises:
        ValidationError: There is no such target.
    """
    key = target_key(policy.properties)
    if not any(target.physical_resource_id == key for target in others(policy, TARGET)):
        raise refusal(f"No scalable target is registered for {key}.")


def dimensions_of(target: Mapping[str, Any]) -> dict[str, str]:
    """The dimensions of the metrics of what a target scales."""
    match = _RESOURCES[target["ScalableDimension"]].fullmatch(target["ResourceId"])
    if match is None:
        raise AssertionError("a target without a resource is refused")
    names = {"component": "InferenceComponentName", "endpoint": "EndpointName", "variant": "VariantName"}
    return {names[name]: value for name, value in match.groupdict().items()}


def target_key(policy: Any) -> str:
    """The id of a policy's scalable target."""
    named = (policy.get(name, "") for name in ("ResourceId", "ScalableDimension", "ServiceNamespace"))
    return str(policy.get("ScalingTargetId") or "|".join(named))


CHECKS = {TARGET: check_target, POLICY: check_policy}
