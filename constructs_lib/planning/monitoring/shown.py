"""What a dashboard knows of front doors, endpoints and instances. Names may be known at deployment only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from constructs_lib.planning.monitoring.alarm import Metric
from constructs_lib.planning.monitoring.capacity import Held

REQUESTS = "AWS/SageMaker"
INSTANCES = "/aws/sagemaker/Endpoints"
COMPONENTS = "/aws/sagemaker/InferenceComponents"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownDoor:
    """A front door.

    Args:
        label: What it is called; empty if it is the only one.
        namespace: The namespace of its metrics.
        dimensions: Their dimensions.
        models: Those of each of its models, by what it is called.
        with_fallback: Those of its models that have an endpoint for what another one refuses.
        mirrors: Those of the copies of requests that Mirrors make, by what they are called.
        api: Name of its API, and the stage.
        function: Name of its function.
        log_group: Name of the function's log group.
    """

    label: str
    namespace: str
    dimensions: Mapping[str, str]
    models: Mapping[str, Mapping[str, str]]
    api: tuple[str, str]
    function: str
    log_group: str
    with_fallback: Sequence[str] = ()
    mirrors: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def metric(self, name: str, statistic: str, model: str | None = None) -> Metric:
        """A metric of the front door, of one of its models, or of the copies of one's requests."""
        dimensions = self.dimensions if model is None else {**self.models, **self.mirrors}[model]
        return Metric(namespace=self.namespace, name=name, statistic=statistic, dimensions=dimensions)

    def gateway_metric(self, name: str) -> Metric:
        """A metric of its API."""
        dimensions = {"ApiName": self.api[0], "Stage": self.api[1]}
        return Metric(namespace="AWS/ApiGateway", name=name, statistic="Sum", dimensions=dimensions)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownModel:
    """What answers requests: a variant of an endpoint, or an inference component.

    Args:
        label: What it is called.
        endpoint: Name of the endpoint.
        variant: Name of the variant.
        component: Name of the inference component. None: it is a variant.
        held: What one instance or copy works on at once; None if that is not known.
        is_async: Whether its requests are queued.
        place: Account and Region of its metrics, if they are not the dashboard's.
    """

    label: str
    endpoint: str
    variant: str
    component: str | None = None
    held: Held | None = None
    is_async: bool = False
    place: Mapping[str, str] = field(default_factory=dict)

    def metric(self, name: str, statistic: str, namespace: str = REQUESTS) -> Metric:
        """A metric of its requests, or in another namespace of its use of an instance."""
        variant = {"EndpointName": self.endpoint, "VariantName": self.variant}
        dimensions = variant if self.component is None else {"InferenceComponentName": self.component}
        return Metric(namespace=namespace, name=name, statistic=statistic, dimensions=dimensions)

    def queue_metric(self, name: str, statistic: str) -> Metric:
        """A metric of its endpoint's queue."""
        return Metric(namespace=REQUESTS, name=name, statistic=statistic, dimensions={"EndpointName": self.endpoint})


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownInstances:
    """The instances of a variant, and what they cost.

    Args:
        label: What they are called.
        endpoint: Name of the endpoint.
        variant: Name of the variant.
        gpus: GPUs of one instance, 0 if it has other accelerators; None if that is not known.
        cores: Virtual CPUs of one instance; None if that is not known.
        usd_per_hour: The price of one instance; None if it is not known or not the same for all.
        least_usd: What the smallest number costs in an hour; None if that is not known.
        most_usd: What the largest number costs in an hour; None if that is not known.
        price: The price in words; None if it is not known.
        place: Account and Region of their metrics, if they are not the dashboard's.
    """

    label: str
    endpoint: str
    variant: str
    gpus: int | None = None
    cores: int | None = None
    usd_per_hour: float | None = None
    least_usd: float | None = None
    most_usd: float | None = None
    price: str | None = None
    place: Mapping[str, str] = field(default_factory=dict)

    def metric(self, name: str) -> Metric:
        """How much of something is in use, on average."""
        dimensions = {"EndpointName": self.endpoint, "VariantName": self.variant}
        return Metric(namespace=INSTANCES, name=name, statistic="Average", dimensions=dimensions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Everything that a dashboard shows.

    Args:
        title: What it is of.
        runbook: Where the runbook is.
        doors: The front doors.
        models: What answers requests.
        instances: The instances.
        alarms: The ARNs of alarms.
    """

    title: str
    runbook: str
    doors: Sequence[ShownDoor] = ()
    models: Sequence[ShownModel] = ()
    instances: Sequence[ShownInstances] = ()
    alarms: Sequence[str] = ()
