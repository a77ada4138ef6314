"""What SageMaker and Application Auto Scaling know of an endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from constructs_lib.cli.doctor.reader import Missing, Reader
from constructs_lib.cli.doctor.stack import deployed
from constructs_lib.planning.diagnosis.signals import Deployed, Line, Source

_COMPONENTS, _ACTIVITIES = 20, 10


@dataclass(frozen=True, kw_only=True)
class EndpointRead:
    """An endpoint.

    Args:
        name: Its name.
        status: Its status; empty if it is gone or could not be read.
        lines: Why it, its variants, components or scaling have failed.
        deployed: Its variants and components.
        changed: When it was changed last.
        is_gone: Whether there is no such endpoint.
    """

    name: str
    status: str = ""
    lines: tuple[Line, ...] = ()
    deployed: tuple[Deployed, ...] = ()
    changed: datetime | None = None
    is_gone: bool = False


def read_endpoint(reader: Reader, name: str) -> EndpointRead:
    """An endpoint with its configuration, Models, components and scaling.

    Args:
        reader: Calls AWS.
        name: Its name.
    """
    try:
        answer = reader.call(f"the endpoint {name}", "sagemaker", "describe_endpoint", EndpointName=name)
    except Missing:
        return EndpointRead(name=name, is_gone=True)
    if answer is None:
        return EndpointRead(name=name)
    lines = list(_reasons(answer))
    found = [*_variants(reader, answer)]
    for component, reasons in _components(reader, name):
        found.append(component)
        lines += reasons
    scaled = [_with_scaling(reader, name, one) for one in found]
    for _, activities in scaled:
        lines += activities
    return EndpointRead(
        name=answer.get("EndpointName", name),
        status=answer.get("EndpointStatus", ""),
        lines=tuple(lines),
        deployed=tuple(one for one, _ in scaled),
        changed=answer.get("LastModifiedTime"),
    )


def stack_of(reader: Reader, endpoint: str) -> str | None:
    """The stack that an endpoint is of, by its tags; None if there is none."""
    answer = reader.find(
        "the endpoint's tags", "sagemaker", "list_tags", ResourceArn=_arn(reader, endpoint), MaxResults=50
    )
    tags = {tag["Key"]: tag["Value"] for tag in answer.get("Tags", ())}
    return tags.get("aws:cloudformation:stack-name")


def _arn(reader: Reader, endpoint: str) -> str:
    answer = reader.find(f"the endpoint {endpoint}", "sagemaker", "describe_endpoint", EndpointName=endpoint)
    return str(answer.get("EndpointArn", ""))


def _reasons(answer: dict[str, Any]) -> Iterator[Line]:
    at = answer.get("LastModifiedTime")
    if reason := answer.get("FailureReason"):
        yield Line(Source.STATUS, reason, at)
    for variant in answer.get("ProductionVariants") or ():
        for status in variant.get("VariantStatus") or ():
            if message := status.get("StatusMessage"):
                yield Line(Source.STATUS, message, status.get("StartTime"), variant.get("VariantName", ""))


def _variants(reader: Reader, endpoint: dict[str, Any]) -> Iterator[Deployed]:
    config = reader.find(
        "the endpoint's configuration",
        "sagemaker",
        "describe_endpoint_config",
        EndpointConfigName=endpoint.get("EndpointConfigName", ""),
    )
    running = {one["VariantName"]: one for one in endpoint.get("ProductionVariants") or ()}
    for variant in config.get("ProductionVariants") or ():
        state = running.get(variant["VariantName"], {})
        model = _model(reader, variant["ModelName"]) if variant.get("ModelName") else {}
        yield deployed(
            variant, model, current=state.get("CurrentInstanceCount"), desired=state.get("DesiredInstanceCount")
        )


def _model(reader: Reader, name: str) -> dict[str, Any]:
    return reader.find("the endpoint's Model", "sagemaker", "describe_model", ModelName=name)


def _components(reader: Reader, endpoint: str) -> Iterator[tuple[Deployed, list[Line]]]:
    listed = reader.pages(
        "the endpoint's inference components",
        "sagemaker",
        "list_inference_components",
        "InferenceComponents",
        most=1,
        EndpointNameEquals=endpoint,
        MaxResults=_COMPONENTS,
    )
    names = [one["InferenceComponentName"] for one in listed]
    described = reader.together({f"the component {name}": _component_task(reader, name) for name in names})
    for one in described.values():
        if one is not None:
            yield one


def _component_task(reader: Reader, name: str) -> Any:
    return lambda: _component(reader, name)


def _component(reader: Reader, name: str) -> tuple[Deployed, list[Line]] | None:
    answer = reader.find(
        "the inference components", "sagemaker", "describe_inference_component", InferenceComponentName=name
    )
    if not answer:
        return None
    specification: dict[str, Any] = answer.get("Specification") or next(iter(answer.get("Specifications") or ()), {})
    container = specification.get("Container") or {}
    model = _model(reader, specification["ModelName"]) if specification.get("ModelName") else {}
    if container:
        model = {"PrimaryContainer": {"Image": container.get("DeployedImage", {}).get("SpecifiedImage"), **container}}
    runtime = answer.get("RuntimeConfig") or {}
    startup = specification.get("StartupParameters") or {}
    found = deployed(
        {"InstanceType": specification.get("InstanceType"), **startup},
        model,
        name=name,
        current=runtime.get("CurrentCopyCount"),
        desired=runtime.get("DesiredCopyCount"),
        is_component=True,
        status=answer.get("InferenceComponentStatus", ""),
    )
    reason = answer.get("FailureReason")
    return found, [Line(Source.STATUS, reason, answer.get("LastModifiedTime"), name)] if reason else []


def _with_scaling(reader: Reader, endpoint: str, one: Deployed) -> tuple[Deployed, list[Line]]:
    """The variant or component with how far it scales, and why scaling has failed."""
    resource = f"inference-component/{one.name}" if one.is_component else f"endpoint/{endpoint}/variant/{one.name}"
    of = {"ServiceNamespace": "sagemaker"}
    targets = reader.find(
        "how far it scales", "application-autoscaling", "describe_scalable_targets", **of, ResourceIds=[resource]
    ).get("ScalableTargets", ())
    if not targets:
        return one, []
    activities = reader.find(
        "the scaling activities",
        "application-autoscaling",
        "describe_scaling_activities",
        **of,
        ResourceId=resource,
        MaxResults=_ACTIVITIES,
    ).get("ScalingActivities", ())
    lines = [
        Line(
            Source.SCALING, activity.get("StatusMessage") or activity.get("Cause", ""), activity["StartTime"], one.name
        )
        for activity in activities
        if activity.get("StatusCode") in ("Failed", "Unfulfilled")
    ]
    return replace(one, most=targets[0].get("MaxCapacity")), lines
