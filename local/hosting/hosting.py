"""Runs the containers of endpoints, and scales them by their policies."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from local.autoscaling.clock import Clock
from local.autoscaling.metrics import Metrics, metric_key
from local.autoscaling.scaler import Scaler
from local.deployment.deployed_scaling import DeployedScaling
from local.deployment.instance_sizes import InstanceSize, instances_for
from local.errors import UserError
from local.hosting.capacity import Capacity
from local.hosting.containers import launch_nothing, launch_toy
from local.hosting.queues import Queues
from local.sagemaker_runtime import Endpoints, Variant

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping

    from local.autoscaling.policies import Target
    from local.deployment.deployed_endpoint import (
        DeployedComponent,
        DeployedContainer,
        DeployedEndpoint,
        DeployedVariant,
    )
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


@dataclass(slots=True)
class _Hosted:
    """An endpoint whose containers run: those of its variants, or those of its components, by name."""

    definition: DeployedEndpoint
    instances: dict[str, Capacity] = field(default_factory=dict)
    copies: dict[str, Capacity] = field(default_factory=dict)

    def capacities(self) -> list[Capacity]:
        return [*self.instances.values(), *self.copies.values()]


class Hosting:
    """The containers of endpoints.

    Args:
        children: Starts the containers.
        container_url: Base URL of a running model server for every copy. Default: the toy model container.
        times: How long scaling takes.
        log: Receives a line for each change of capacity.

    Attributes:
        endpoints: What SageMaker Runtime can invoke.
    """

    def __init__(
        self,
        children: ChildProcesses,
        *,
        container_url: str | None,
        times: ScalingTimes,
        log: Callable[[str], None],
    ) -> None:
        self._children = children
        self._container_url = container_url
        self._times = times
        self._log = log
        self._metrics = Metrics()
        self._clock = Clock(times.speed)
        self._labels: Mapping[str, str] = {}
        self._hosted: dict[str, _Hosted] = {}
        self._scaling = DeployedScaling()
        self._scaled: list[Capacity] = []
        self._scalers: list[asyncio.Task[None]] = []
        self._retiring: set[asyncio.Task[None]] = set()
        self.endpoints = Endpoints()
        self._queues = Queues(self.endpoints, self._metrics, self._clock, log)

    async def follow(
        self, endpoints: Mapping[str, DeployedEndpoint], scaling: DeployedScaling, labels: Mapping[str, str]
    ) -> None:
        """Brings the containers in line with what is deployed.

        Containers of a new configuration replace the former ones as soon as they serve. Containers that are no longer
        needed answer what they have, and stop.

        Args:
            endpoints: The endpoints by name.
            scaling: What scales in the account.
            labels: What the log calls an endpoint or inference component.

        Raises:
            UserError: The containers of an endpoint exit. What served before serves on.
        """
        self._labels = labels
        for name in self._hosted.keys() - endpoints.keys():
            self.endpoints.remove(name)
            self._queues.drop(name)
            self._retire(self._hosted.pop(name).capacities())
        changes = [self._bring(endpoint) for endpoint in endpoints.values()]
        results = await asyncio.gather(*changes, return_exceptions=True)
        for hosted in self._hosted.values():
            for capacity in hosted.capacities():
                capacity.label = self._label(capacity.name)
            if len(hosted.instances) > 1:
                for name, capacity in hosted.instances.items():
                    capacity.label += f", {name}"
        await self._scale(scaling)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def close(self) -> None:
        """Stops everything."""
        for task in [*self._scalers, *self._retiring]:
            task.cancel()
        await asyncio.gather(*self._scalers, *self._retiring, return_exceptions=True)
        await self._queues.close()
        await asyncio.gather(*(each.close() for hosted in self._hosted.values() for each in hosted.capacities()))
        self._hosted.clear()

    async def _bring(self, endpoint: DeployedEndpoint) -> None:
        hosted = self._hosted.get(endpoint.name)
        if hosted is not None and hosted.definition == endpoint:
            return
        if not endpoint.variants:
            await self._bring_components(endpoint, hosted)
            return
        if hosted is not None and hosted.definition.config == endpoint.config:
            hosted.definition = endpoint
            return
        await self._bring_variants(endpoint, hosted)
        if hosted is not None:
            self._log(f"endpoint {self._label(endpoint.name)}: the containers of {endpoint.config} serve")
            self._retire(hosted.capacities())

    async def _bring_variants(self, endpoint: DeployedEndpoint, hosted: _Hosted | None) -> None:
        """Starts the instances of each variant, which have nothing in common but the endpoint."""
        instances = {variant.name: self._instances(endpoint, variant) for variant in endpoint.variants}
        starting = [instances[variant.name].start(_count(endpoint, variant, hosted)) for variant in endpoint.variants]
        results = await asyncio.gather(*starting, return_exceptions=True)
        failures = [result for result in results if isinstance(result, BaseException)]
        if failures:
            await asyncio.gather(*(capacity.close() for capacity in instances.values()))
            raise failures[0]
        if endpoint.async_inference is None:
            variants = [Variant(one.name, instances[one.name].fleet, one.weight) for one in endpoint.variants]
            self.endpoints.add(endpoint.name, *variants)
        else:
            fleet = instances[endpoint.variant].fleet
            self._queues.open(endpoint.name, endpoint.variant, endpoint.async_inference, fleet)
        self._hosted[endpoint.name] = _Hosted(endpoint, instances)

    async def _bring_components(self, endpoint: DeployedEndpoint, hosted: _Hosted | None) -> None:
        former = hosted or _Hosted(endpoint)
        kept = {
            name: capacity
            for name, capacity in former.copies.items()
            if former.definition.components[name] == endpoint.components.get(name)
        }
        added = {name: self._copies(component) for name, component in endpoint.components.items() if name not in kept}
        results = await asyncio.gather(
            *(capacity.start(endpoint.components[name].copies) for name, capacity in added.items()),
            return_exceptions=True,
        )
        failures = [result for result in results if isinstance(result, BaseException)]
        defects = [failure for failure in failures if not isinstance(failure, UserError)]
        if failures and (defects or hosted is not None or len(failures) == len(added)):
            await asyncio.gather(*(capacity.close() for capacity in added.values()))
            raise (defects or failures)[0]
        for failure in failures:
            self._log(str(failure))
        copies = {name: (kept | added)[name] for name in endpoint.components}
        for name, capacity in copies.items():
            capacity.room = partial(_room, endpoint, copies, name)
        self.endpoints.add_components(endpoint.name, {name: capacity.fleet for name, capacity in copies.items()})
        self._hosted[endpoint.name] = _Hosted(endpoint, copies=copies)
        self._retire([capacity for name, capacity in former.copies.items() if copies.get(name) is not capacity])

    def _instances(self, endpoint: DeployedEndpoint, variant: DeployedVariant) -> Capacity:
        return self._capacity(
            endpoint.name,
            "instance",
            f"endpoint/{endpoint.name}/variant/{variant.name}",
            {"EndpointName": endpoint.name, "VariantName": variant.name},
            variant.container,
        )

    def _copies(self, component: DeployedComponent) -> Capacity:
        name = component.name
        return self._capacity(
            name, "copy", f"inference-component/{name}", {"InferenceComponentName": name}, component.container
        )

    def _capacity(
        self, name: str, unit: str, resource_id: str, dimensions: Mapping[str, str], container: DeployedContainer
    ) -> Capacity:
        def record(metric: str, value: float) -> None:
            self._metrics.record(metric_key(metric, dimensions), self._clock.now(), value)

        kind = "the endpoint" if unit == "instance" else "the inference component"
        capacity = Capacity(
            name,
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
        capacity.label = self._label(name)
        return capacity

    def _label(self, name: str) -> str:
        return self._labels.get(name, name)

    def _retire(self, capacities: Iterable[Capacity]) -> None:
        for capacity in capacities:
            self._run(capacity.retire())

    def _run(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    async def _scale(self, scaling: DeployedScaling) -> None:
        """Starts what watches the alarms and policies of each scalable target, if something has changed."""
        capacities = [capacity for hosted in self._hosted.values() for capacity in hosted.capacities()]
        if scaling == self._scaling and capacities == self._scaled:
            return
        for note in scaling.notes:
            if note not in self._scaling.notes:
                self._log(f"scaling: {note}")
        for scaler in self._scalers:
            scaler.cancel()
        await asyncio.gather(*self._scalers, return_exceptions=True)
        self._scaling, self._scaled = scaling, capacities
        by_resource = {target.resource_id: target for target in scaling.targets}
        self._scalers = [
            self._scaler(capacity, by_resource[capacity.resource_id], scaling)
            for capacity in capacities
            if capacity.resource_id in by_resource
        ]

    def _scaler(self, capacity: Capacity, target: Target, scaling: DeployedScaling) -> asyncio.Task[None]:
        arns = {policy.arn for policy in target.steps}
        alarms = [alarm for alarm in scaling.alarms if arns & set(alarm.actions)]
        task = asyncio.create_task(Scaler(target, capacity, alarms, self._metrics, self._clock).run())
        task.add_done_callback(partial(self._report, capacity.label))
        return task

    def _report(self, label: str, scaler: asyncio.Task[None]) -> None:
        if not scaler.cancelled() and (error := scaler.exception()):
            self._log(f"scaling: {label}: stopped by {error!r}")


def _count(endpoint: DeployedEndpoint, variant: DeployedVariant, former: _Hosted | None) -> int:
    """The instances of a new configuration: what scaling has made of them, if the update retains that."""
    running = former.instances.get(variant.name) if former is not None and endpoint.retains_count else None
    return variant.instances if running is None else running.desired


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
