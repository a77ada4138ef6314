"""The alarms of an endpoint: of what its container answers, of its capacity and of its instances."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from constructs_lib.planning.monitoring.alarm import FIVE_MINUTES, HOUR, Alarm, Metric, five_minutes_in, share_of

REQUESTS = "AWS/SageMaker"
INSTANCES = "/aws/sagemaker/Endpoints"

MODEL_ERRORS = 5.0
DISK = 85.0
HOST_MEMORY = 90.0
IDLE_HOURS = 24
"""Defaults of thresholds; percent, and hours."""

_FIFTEEN_MINUTES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedModel:
    """What the alarms have to know of a model that an endpoint serves.

    Args:
        dimensions: The dimensions of its metrics of requests: endpoint and variant, or inference component.
        component: Whether it is an inference component.
        suffix: What the ids of its alarms end with, for an endpoint that serves several. Default: nothing.
        overload_seconds: How long an overload lasts before somebody is told.
        wake_seconds: How long it takes to come back from zero copies; None if it always has one.
    """

    dimensions: Mapping[str, str]
    component: bool
    suffix: str = ""
    overload_seconds: int
    wake_seconds: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelThresholds:
    """The thresholds of a model's alarms; None leaves an alarm out.

    Args:
        model_errors: Percent of the requests that the container failed to answer.
        no_capacity: Requests in five minutes that found no copy.
        overload: Requests in progress on one instance or copy, above which more wait than run.
        idle_hours: Hours without a request.
    """

    model_errors: float | None
    no_capacity: float | None
    overload: float | None
    idle_hours: int | None


def model_alarms(model: ServedModel, thresholds: ModelThresholds) -> Iterator[Alarm]:
    """The alarms of one model.

    Args:
        model: The model.
        thresholds: Their thresholds.
    """
    if thresholds.model_errors is not None:
        yield _model_errors(model, thresholds.model_errors)
    if thresholds.no_capacity is not None and model.component:
        yield _no_capacity(model, thresholds.no_capacity)
    if thresholds.overload is not None:
        yield _overload(model, thresholds.overload)
    if thresholds.idle_hours is not None and model.wake_seconds is None:
        yield _idle(model, thresholds.idle_hours)


def instance_alarms(
    dimensions: Mapping[str, str], *, disk: float | None, host_memory: float | None, suffix: str = ""
) -> Iterator[Alarm]:
    """The alarms of the instances of a variant.

    There is none of the GPUs' memory: engines reserve it when they start.

    Args:
        dimensions: Endpoint and variant.
        disk: Percent of the disk; None leaves the alarm out.
        host_memory: Percent of the host's memory; None leaves the alarm out.
        suffix: What the ids of the alarms end with. Default: nothing.
    """
    if disk is not None:
        yield Alarm(
            id=f"Disk{suffix}",
            metrics={
                "disk": Metric(namespace=INSTANCES, name="DiskUtilization", statistic="Maximum", dimensions=dimensions)
            },
            period=FIVE_MINUTES,
            periods=_FIFTEEN_MINUTES,
            threshold=disk,
            says=f"The containers have used more than {disk:g} % of an instance's disk for 15 minutes; a full disk ends"
            " them. Look for what grows, and give the endpoint a larger volume_size or an instance type with more"
            " disk.",
            section="disk-full",
        )
    if host_memory is not None:
        metric = Metric(namespace=INSTANCES, name="MemoryUtilization", statistic="Maximum", dimensions=dimensions)
        yield Alarm(
            id=f"HostMemory{suffix}",
            metrics={"memory": metric},
            period=FIVE_MINUTES,
            periods=_FIFTEEN_MINUTES,
            threshold=host_memory,
            says=f"The containers have used more than {host_memory:g} % of an instance's memory (not that of its GPUs)"
            " for 15 minutes; without any left the kernel kills the model server. See whether it grows, lower what the"
            " model server keeps on the host, or use an instance type with more memory.",
            section="host-memory",
        )


def _model_errors(model: ServedModel, percent: float) -> Alarm:
    """All that is not 2xx, less 4xx: those are mistakes of clients, and 429 is an overload."""
    return Alarm(
        id=f"ModelErrors{model.suffix}",
        metrics={
            "requests": _requests(model, "Invocations", "Sum"),
            "server": _requests(model, "Invocation5XXErrors", "Sum"),
            "client": _requests(model, "Invocation4XXErrors", "Sum"),
            "failed": _requests(model, "InvocationModelErrors", "Sum"),
        },
        terms={"unanswered": "failed - client", "errors": "MAX([server, unanswered])"},
        expression=share_of("errors", "requests"),
        period=FIVE_MINUTES,
        periods=3,
        breaching=2,
        threshold=percent,
        says=f"The container failed to answer more than {percent:g} % of the requests (5xx, time-outs, broken"
        " connections) in two of three periods of five minutes. Read its log: it may be out of memory, hang or"
        " restart.",
        section="424-and-modelerror",
    )


def _no_capacity(model: ServedModel, failures: float) -> Alarm:
    """A model that went to zero refuses requests until it is back: for twice as long, that is no failure."""
    periods = 1 if model.wake_seconds is None else five_minutes_in(2 * model.wake_seconds)
    meaning = (
        "Requests found no copy of the model."
        if model.wake_seconds is None
        else f"Requests have found no copy of the model for {periods * 5} minutes, and it takes"
        f" {math.ceil(model.wake_seconds / 60)} to come back from zero."
    )
    return Alarm(
        id=f"NoCapacity{model.suffix}",
        metrics={"refused": _requests(model, "NoCapacityInvocationFailures", "Sum")},
        period=FIVE_MINUTES,
        periods=periods,
        comparison="at least",
        threshold=failures,
        says=f"{meaning} Look whether SageMaker lacks instances of this type (InsufficientInstanceCapacity), the"
        " account's quota is used up, or the new copy does not start.",
        section="insufficientinstancecapacity",
    )


def _overload(model: ServedModel, held: float) -> Alarm:
    name = "ConcurrentRequestsPerCopy" if model.component else "ConcurrentRequestsPerModel"
    periods = five_minutes_in(model.overload_seconds)
    return Alarm(
        id=f"Overload{model.suffix}",
        metrics={"concurrent": _requests(model, name, "Maximum")},
        period=FIVE_MINUTES,
        periods=periods,
        threshold=held,
        says=f"One {'copy' if model.component else 'instance'} has had more than {held:g} requests at the same time for"
        f" {periods * 5} minutes, which is what it works on at once: others wait, and get 429 in the end. Add instances"
        " or copies, or let them scale.",
        section="429-and-overload",
    )


def _idle(model: ServedModel, hours: int) -> Alarm:
    """An instance that nobody asks reports 0 concurrent requests, and without an instance there is no data.

    A request that takes less than the 10 seconds between reports may be in the invocations only; `SUM` adds what there
    is of each hour.
    """
    name = "ConcurrentRequestsPerCopy" if model.component else "ConcurrentRequestsPerModel"
    return Alarm(
        id=f"Idle{model.suffix}",
        metrics={
            "concurrent": _requests(model, name, "Maximum"),
            "requests": _requests(model, "Invocations", "Sum"),
        },
        expression="SUM([concurrent, requests])",
        period=HOUR,
        periods=hours,
        comparison="below",
        threshold=1,
        says=f"Nobody has asked the model for {hours} hours, while its instances were billed. Delete the endpoint if"
        " nobody needs it, let it scale to zero, or reduce it by the clock.",
        section="idle-but-billed",
    )


def _requests(model: ServedModel, name: str, statistic: str) -> Metric:
    return Metric(namespace=REQUESTS, name=name, statistic=statistic, dimensions=model.dimensions)
