"""Adds the alarms of endpoints, and the rule that reports changes of their state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Duration

from constructs_lib._arguments import quantity_problems
from constructs_lib._monitoring import add_monitoring, check_monitoring, place_problems
from constructs_lib.planning.monitoring.capacity import held, overload_seconds
from constructs_lib.planning.monitoring.endpoint_alarms import (
    DISK,
    HOST_MEMORY,
    IDLE_HOURS,
    MODEL_ERRORS,
    ModelThresholds,
    ServedModel,
    instance_alarms,
    model_alarms,
)
from constructs_lib.planning.monitoring.thresholds import INSTANCE_RULES, MODEL_RULES
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from aws_cdk import aws_sns as sns

    from constructs_lib.endpoint.interface import EndpointBase, EndpointResource
    from constructs_lib.endpoint.watched import WatchedVariant
    from constructs_lib.planning.monitoring.alarm import Alarm

_HOUR = 3600


def monitor_endpoint(
    endpoint: EndpointBase,
    variants: Sequence[WatchedVariant],
    *,
    topic: sns.ITopic | None,
    runbook: str,
    alarms: Mapping[str, Any],
) -> None:
    """Monitor an endpoint. `WatchedEndpoint.monitor` describes the arguments.

    Args:
        endpoint: The endpoint.
        variants: Its variants; the alarms of the first one have ids without its name, as most endpoints have one.
        topic: The topic.
        runbook: Where the runbook is.
        alarms: The thresholds.
    """
    _check(endpoint, topic, runbook, alarms, {**MODEL_RULES, **INSTANCE_RULES})
    planned: list[Alarm] = []
    for number, variant in enumerate(variants):
        suffix = f"-{variant.name}" if number else ""
        planned += [
            *_model_alarms(endpoint, variant, alarms, suffix),
            *own_instance_alarms(endpoint, variant.name, alarms, suffix),
        ]
    add_monitoring(endpoint, planned, topic=topic, runbook=runbook, endpoint_name=endpoint.endpoint_name)


def monitor_member(
    member: EndpointBase, variant: WatchedVariant, *, topic: sns.ITopic | None, runbook: str, alarms: Mapping[str, Any]
) -> None:
    """Monitor one model of a fleet; the fleet itself watches the instances.

    Args:
        member: The model.
        variant: The fleet's variant, with the plan of this model.
        topic: The topic.
        runbook: Where the runbook is.
        alarms: The thresholds.
    """
    _check(member, topic, runbook, alarms, MODEL_RULES)
    add_monitoring(member, _model_alarms(member, variant, alarms), topic=topic, runbook=runbook)


def monitor_fleet(fleet: EndpointBase, *, topic: sns.ITopic | None, runbook: str, alarms: Mapping[str, Any]) -> None:
    """Monitor the instances of a fleet, and the state of its endpoint.

    Args:
        fleet: The fleet.
        topic: The topic.
        runbook: Where the runbook is.
        alarms: The thresholds.
    """
    _check(fleet, topic, runbook, alarms, INSTANCE_RULES)
    planned = own_instance_alarms(fleet, fleet.variant_name, alarms)
    add_monitoring(fleet, planned, topic=topic, runbook=runbook, endpoint_name=fleet.endpoint_name)


def _check(
    endpoint: EndpointBase, topic: Any, runbook: Any, alarms: Mapping[str, Any], rules: Mapping[str, Any]
) -> None:
    given = dict(alarms)
    idle = given.pop("idle", None) if "idle" in rules else None
    units = quantity_problems(idle=idle)
    if idle is not None and not units:
        given["idle"] = _hours(idle)
    check_monitoring(
        endpoint,
        topic=topic,
        runbook=runbook,
        thresholds=given,
        rules=rules,
        problems=[*units, *_unfit(endpoint, alarms), *place_problems(endpoint)],
    )


def _unfit(endpoint: EndpointBase, alarms: Mapping[str, Any]) -> Iterator[Problem]:
    """Thresholds of alarms that such an endpoint cannot have."""
    component, wake = endpoint.inference_component_name, endpoint.wake
    if component is None and alarms.get("no_capacity") is not None:
        message = "is for inference components; an endpoint without has no such metric"
        yield Problem("no_capacity", alarms["no_capacity"], message, "Leave it out.")
    if wake is not None and alarms.get("idle") is not None:
        message = "is for models that always have a copy, and this one goes to zero by itself"
        yield Problem("idle", alarms["idle"], message, "Leave it out, and set idle of ScaleToZero.")


def _hours(idle: Duration) -> float:
    """Hours, as a whole number if they are."""
    if idle.is_unresolved():
        return idle.to_seconds()
    hours = idle.to_seconds(integral=False) / _HOUR
    return int(hours) if hours == int(hours) else hours


def _model_alarms(
    endpoint: EndpointBase, variant: WatchedVariant, alarms: Mapping[str, Any], suffix: str = ""
) -> Iterator[Alarm]:
    plan = variant.plan
    component, wake = endpoint.inference_component_name, endpoint.wake
    idle = alarms.get("idle", Duration.hours(IDLE_HOURS))
    model = ServedModel(
        dimensions=_dimensions(endpoint, variant.name) if component is None else {"InferenceComponentName": component},
        component=component is not None,
        suffix=suffix,
        overload_seconds=overload_seconds(plan),
        wake_seconds=None if wake is None else wake.seconds,
    )
    load = None if plan is None else held(plan, variant.request_tokens)
    thresholds = ModelThresholds(
        model_errors=alarms.get("model_errors", MODEL_ERRORS),
        no_capacity=alarms.get("no_capacity", 1),
        overload=alarms.get("overload", load and load.requests),
        idle_hours=None if idle is None else int(_hours(idle)),
    )
    yield from model_alarms(model, thresholds)


def own_instance_alarms(
    endpoint: EndpointResource, variant_name: str, alarms: Mapping[str, Any], suffix: str = ""
) -> Iterator[Alarm]:
    """The alarms of a variant's instances.

    Args:
        endpoint: The endpoint.
        variant_name: The variant.
        alarms: The thresholds, without problems; the defaults apply to those that are missing.
        suffix: Of the alarms' ids.
    """
    return instance_alarms(
        _dimensions(endpoint, variant_name),
        disk=alarms.get("disk", DISK),
        host_memory=alarms.get("host_memory", HOST_MEMORY),
        suffix=suffix,
    )


def _dimensions(endpoint: EndpointResource, variant_name: str) -> dict[str, str]:
    return {"EndpointName": endpoint.endpoint_name, "VariantName": variant_name}
