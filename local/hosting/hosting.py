"""Runs the containers of endpoints, and scales them by their policies."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

from local.autoscaling.clock import Clock
from local.autoscaling.metrics import Metrics, metric_key
from local.errors import UserError
from local.hosting.capacity import Capacity
from local.hosting.containers import launch_nothing, launch_toy
from local.hosting.hosted import Hosted, room_for
from local.hosting.queues import Queues
from local.hosting.rollout import Rollouts, mixed
from local.hosting.scalers import Scalers
from local.sagemaker_runtime import Endpoints, Variant

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Set

    from local.deployment.deployed_endpoint import (
        DeployedComponent,
        DeployedContainer,
        DeployedEndpoint,
        DeployedVariant,
    )
    from local.deployment.deployed_scaling import DeployedScaling
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
    """The containers of endpoints.

    Args:
        children: Starts the containers.
        container_url: Base URL of a running model server for every copy. Default: the toy model container.
        times: How long scaling takes.
        in_alarm: Tells which of the named alarms are in ALARM.
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
        in_alarm: Callable[[list[str]], Awaitable[list[str]]],
        log: Callable[[str], None],
    ) -> None:
        self._children = children
        self._rollouts = Rollouts(in_alarm, times.speed)
        self._container_url = container_url
        self._times = times
        self._log = log
        self._metrics = Metrics()
        self._clock = Clock(times.speed)
        self._labels: Mapping[str, str] = {}
        self._hosted: dict[str, Hosted] = {}
        self._scalers = Scalers(self._metrics, self._clock, log)
        self._retiring: set[asyncio.Task[None]] = set()
        self.endpoints = Endpoints()
        self._queues = Queues(self.endpoints, self._metrics, self._clock, log)

    @property
    def capacities(self) -> list[Capacity]:
        """The instances of every variant, and the copies of every inference component."""
        return [capacity for hosted in self._hosted.values() for capacity in hosted.capacities()]

    async def follow(
        self,
        endpoints: Mapping[str, DeployedEndpoint],
        scaling: DeployedScaling,
        labels: Mapping[str, str],
        *,
        awaited: Set[str] | None = None,
    ) -> None:
        """Brings the containers in line with what is deployed.

        Containers of a new configuration replace the former ones as soon as they serve. Containers that are no longer
        needed answer what they have, and stop.

        Args:
            endpoints: The endpoints by name.
            scaling: What scales in the account.
            labels: What the log calls an endpoint or inference component.
            awaited: The names of the endpoints whose failure is raised; that of others is logged. Default: all.

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
            hosted.label(labels)
        capacities = [capacity for hosted in self._hosted.values() for capacity in hosted.capacities()]
        await self._scalers.follow(scaling, capacities)
        for name, result in zip(endpoints, results, strict=True):
            if isinstance(result, UserError) and awaited is not None and name not in awaited:
                self._log(result.problem)
            elif isinstance(result, BaseException):
                raise result

    async def close(self) -> None:
        """Stops everything."""
        await self._scalers.close()
        for task in self._retiring:
            task.cancel()
        await asyncio.gather(*self._retiring, return_exceptions=True)
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
        former = hosted or Hosted(endpoint)
        new = Hosted(endpoint, {variant.name: self._instances(endpoint, variant) for variant in endpoint.variants})
        new.label(self._labels)
        await self._start(new, former)
        if hosted is not None:
            await self._shift(hosted, new)
            self._log(f"endpoint {endpoint.name}: the containers of {endpoint.config} serve")
        self._serve(new)
        self._hosted[endpoint.name] = new
        self._retire(former.capacities())

    async def _start(self, new: Hosted, former: Hosted) -> None:
        """Starts the containers of a configuration. With `retains_count` there are as many as scaling has left."""
        endpoint = new.definition
        counts = {variant.name: variant.instances for variant in endpoint.variants}
        if endpoint.retains_count:
            counts |= {name: capacity.desired for name, capacity in former.instances.items() if name in counts}
        starting = [capacity.start(counts[name]) for name, capacity in new.instances.items()]
        failures = [each for each in await asyncio.gather(*starting, return_exceptions=True) if each is not None]
        if failures:
            await asyncio.gather(*(capacity.close() for capacity in new.capacities()))
            raise failures[0]

    def _serve(self, hosted: Hosted, former: Hosted | None = None, share: Fraction = Fraction(1)) -> None:
        """Lets containers of a configuration serve, with a share of those of each variant beside the former ones."""
        variants = []
        for variant in hosted.definition.variants:
            fleet = hosted.instances[variant.name].fleet
            if former is not None and variant.name in former.instances:
                fleet = fleet.of(mixed(former.instances[variant.name].fleet, fleet, share))
            variants.append(Variant(variant.name, fleet, variant.weight))
        endpoint = hosted.definition
        if endpoint.async_inference is None:
            self.endpoints.add(endpoint.name, *variants)
        else:
            self._queues.open(endpoint.name, endpoint.variant, endpoint.async_inference, variants[0].fleet)

    async def _shift(self, former: Hosted, new: Hosted) -> None:
        """Moves the traffic to the containers of a new configuration.

        Raises:
            UserError: An alarm went off; the former containers have all the traffic again.
        """
        endpoint = new.definition
        former.hold(held=True)
        try:
            count = max(capacity.desired for capacity in new.instances.values())
            async for share in self._rollouts.run(endpoint.name, endpoint.deployment, count):
                self._serve(new, former, share)
        except BaseException:
            self._serve(former)
            former.hold(held=False)
            self._retire(new.capacities())
            raise

    async def _bring_components(self, endpoint: DeployedEndpoint, hosted: Hosted | None) -> None:
        former = hosted or Hosted(endpoint)
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
            capacity.room = partial(room_for, endpoint, copies, name)
        fleets = {name: capacity.fleet for name, capacity in copies.items()}
        self.endpoints.add_components(endpoint.name, fleets, adapters=endpoint.adapters)
        self._hosted[endpoint.name] = Hosted(endpoint, copies=copies)
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
        capacity.label = self._labels.get(name, name)
        return capacity

    def _retire(self, capacities: Iterable[Capacity]) -> None:
        for capacity in capacities:
            self._run(capacity.retire())

    def _run(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)
