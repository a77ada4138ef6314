"""Runs the containers of a deployment, and scales them by its policies."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Self

from local.autoscaling.clock import Clock
from local.autoscaling.metrics import Metrics, metric_key
from local.autoscaling.scaler import Scaler
from local.deployment.instance_sizes import InstanceSize, instances_for
from local.errors import UserError
from local.hosting.capacity import Capacity
from local.hosting.containers import launch_nothing, launch_toy
from local.sagemaker_runtime import Endpoints, Variant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from local.deployment.deployed_endpoint import DeployedContainer, DeployedEndpoint, DeployedVariant
    from local.deployment.deployed_stack import Deployment
    from local.processes import ChildProcesses


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingTimes:
    """How long scaling takes here.

    Args:
        speed: AWS's seconds in one second, for the periods of alarms and the cooldowns of policies.
        start_seconds: Seconds until a new instance or copy serves; it replaces minutes of start-up on AWS.
    """

    speed: float = 60.0
    start_seconds: float = 5.0


class Hosting:
    """The containers of the endpoints that an API calls.

    Args:
        deployment: The deployment.
        children: Starts the containers.
        container_url: Base URL of a running model server for every copy. Default: the toy model container.
        times: How long scaling takes.
        log: Receives a line for each change of capacity.

    Attributes:
        endpoints: What SageMaker Runtime can invoke.
    """

    def __init__(
        self,
        deployment: Deployment,
        children: ChildProcesses,
        *,
        container_url: str | None,
        times: ScalingTimes,
        log: Callable[[str], None],
    ) -> None:
        self._deployment = deployment
        self._children = children
        self._container_url = container_url
        self._times = times
        self._log = log
        self._metrics = Metrics()
        self._clock = Clock(times.speed)
        self._labels = _labels(deployment)
        self._capacities: list[Capacity] = []
        self._scalers: list[asyncio.Task[None]] = []
        self.endpoints = Endpoints()

    async def __aenter__(self) -> Self:
        """Starts the containers.

        Raises:
            UserError: The container of an endpoint exits, or those of all its components.
        """
        try:
            starting = [self._start(endpoint) for endpoint in self._deployment.called_endpoints()]
            for result in await asyncio.gather(*starting, return_exceptions=True):
                if isinstance(result, BaseException):
                    raise result
            self._scale()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def _close(self) -> None:
        for scaler in self._scalers:
            scaler.cancel()
        await asyncio.gather(*self._scalers, return_exceptions=True)
        await asyncio.gather(*(capacity.close() for capacity in self._capacities))

    async def _start(self, endpoint: DeployedEndpoint) -> None:
        if endpoint.variants:
            await self._start_variants(endpoint)
            return
        copies = self._copies(endpoint)
        self.endpoints.add_components(endpoint.name, {name: capacity.fleet for name, capacity in copies.items()})
        results = await asyncio.gather(
            *(capacity.start(endpoint.components[name].copies) for name, capacity in copies.items()),
            return_exceptions=True,
        )
        failures = [result for result in results if isinstance(result, BaseException)]
        defects = [failure for failure in failures if not isinstance(failure, UserError)]
        if defects or (failures and len(failures) == len(copies)):
            raise (defects or failures)[0]
        for failure in failures:
            self._log(str(failure))

    async def _start_variants(self, endpoint: DeployedEndpoint) -> None:
        """Starts the instances of each variant, which have nothing in common but the endpoint."""
        instances = {variant.name: self._instances(endpoint, variant) for variant in endpoint.variants}
        weights = {variant.name: variant.weight for variant in endpoint.variants}
        self.endpoints.add(endpoint.name, *(Variant(name, one.fleet, weights[name]) for name, one in instances.items()))
        starting = [instances[variant.name].start(variant.instances) for variant in endpoint.variants]
        for result in await asyncio.gather(*starting, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result

    def _instances(self, endpoint: DeployedEndpoint, variant: DeployedVariant) -> Capacity:
        capacity = self._capacity(
            endpoint.name,
            "instance",
            f"endpoint/{endpoint.name}/variant/{variant.name}",
            {"EndpointName": endpoint.name, "VariantName": variant.name},
            variant.container,
        )
        if len(endpoint.variants) > 1:
            capacity.label = f"{capacity.label}, {variant.name}"
        return capacity

    def _copies(self, endpoint: DeployedEndpoint) -> dict[str, Capacity]:
        """The capacities of the components, which share the instances."""
        copies = {
            name: self._capacity(
                name,
                "copy",
                f"inference-component/{name}",
                {"InferenceComponentName": name},
                component.container,
            )
            for name, component in endpoint.components.items()
        }
        for name, capacity in copies.items():
            capacity.room = partial(_room, endpoint, copies, name)
        return copies

    def _capacity(
        self, name: str, unit: str, resource_id: str, dimensions: Mapping[str, str], container: DeployedContainer
    ) -> Capacity:
        def record(metric: str, value: float) -> None:
            self._metrics.record(metric_key(metric, dimensions), self._clock.now(), value)

        kind = "the endpoint" if unit == "instance" else "the inference component"
        capacity = Capacity(
            self._labels.get(name, name),
            unit,
            resource_id,
            dimensions,
            launch_nothing(self._container_url)
            if self._container_url is not None
            else launch_toy(self._children, f"{kind} {name}", container),
            start_seconds=self._times.start_seconds,
            record=record,
            log=self._log,
        )
        self._capacities.append(capacity)
        return capacity

    def _scale(self) -> None:
        """Starts what watches the alarms and policies of each scalable target."""
        for note in self._deployment.scaling.notes:
            self._log(f"scaling: {note}")
        by_resource = {capacity.resource_id: capacity for capacity in self._capacities}
        for target in self._deployment.scaling.targets:
            capacity = by_resource.get(target.resource_id)
            if capacity is None:
                continue  # an endpoint that the API does not call
            arns = {policy.arn for policy in target.steps}
            alarms = [alarm for alarm in self._deployment.scaling.alarms if arns & set(alarm.actions)]
            scaler = Scaler(target, capacity, alarms, self._metrics, self._clock)
            task = asyncio.create_task(scaler.run())
            task.add_done_callback(partial(self._report, capacity.label))
            self._scalers.append(task)

    def _report(self, label: str, scaler: asyncio.Task[None]) -> None:
        if not scaler.cancelled() and (error := scaler.exception()):
            self._log(f"scaling: {label}: stopped by {error!r}")


def _labels(deployment: Deployment) -> dict[str, str]:
    """The public names of models by endpoint or inference component."""
    return {
        entry.get("inference_component") or entry["endpoint_name"]: name for name, entry in deployment.models().items()
    }


def _room(endpoint: DeployedEndpoint, copies: Mapping[str, Capacity], name: str, wanted: int) -> int:
    """How many copies of a component find room beside those of the others."""
    size = InstanceSize.of(endpoint.instance_type)
    for count in range(wanted, copies[name].desired, -1):
        counts = {other: capacity.desired for other, capacity in copies.items()} | {name: count}
        demands = [endpoint.components[other].demand for other, number in counts.items() for _ in range(number)]
        needed = instances_for(demands, size)
        if needed is not None and needed <= endpoint.max_instances:
            return count
    return min(wanted, copies[name].desired)
