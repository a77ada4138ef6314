"""Runs the queues of asynchronous endpoints."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from local.autoscaling.metrics import metric_key
from local.deployment.control_plane import REGION
from local.sagemaker_runtime.async_queue import QUEUE_METRICS, AsyncQueue

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.autoscaling.clock import Clock
    from local.autoscaling.metrics import Metrics
    from local.deployment.deployed_async import DeployedAsync
    from local.sagemaker_runtime import Endpoints, Fleet


class Queues:
    """The queues of asynchronous endpoints.

    Args:
        endpoints: What SageMaker Runtime can invoke.
        metrics: Where SageMaker records.
        clock: The clock of scaling.
        log: Receives a line for what goes wrong.
    """

    def __init__(self, endpoints: Endpoints, metrics: Metrics, clock: Clock, log: Callable[[str], None]) -> None:
        self._endpoints = endpoints
        self._metrics = metrics
        self._clock = clock
        self._log = log
        self._queues: dict[str, tuple[AsyncQueue, asyncio.Task[None]]] = {}

    def open(self, endpoint: str, variant: str, deployed: DeployedAsync, fleet: Fleet) -> None:
        """Takes requests for an endpoint from now on; those that wait already get the new containers.

        Args:
            endpoint: Name of the endpoint.
            variant: Name of its variant.
            deployed: How it takes requests.
            fleet: Its containers.
        """
        if endpoint in self._queues:
            self._queues[endpoint][0].move(deployed.settings, fleet)
            return
        queue = AsyncQueue(
            endpoint,
            REGION,
            deployed.settings,
            fleet,
            deployed.storage,
            now=self._clock.now,
            record=partial(self._record, endpoint, variant),
            log=self._log,
        )
        self._endpoints.add_queue(endpoint, queue)
        task = asyncio.create_task(queue.run())
        task.add_done_callback(partial(self._report, endpoint))
        self._queues[endpoint] = queue, task

    def drop(self, endpoint: str) -> None:
        """Forgets the requests of an endpoint that is gone; one without a queue is none."""
        if endpoint in self._queues:
            self._queues.pop(endpoint)[1].cancel()

    async def close(self) -> None:
        """Stops taking requests; those that wait are forgotten."""
        tasks = [task for _, task in self._queues.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _record(self, endpoint: str, variant: str, metric: str, value: float) -> None:
        dimensions = {"EndpointName": endpoint}
        if metric not in QUEUE_METRICS:
            dimensions["VariantName"] = variant
        self._metrics.record(metric_key(metric, dimensions), self._clock.now(), value)

    def _report(self, endpoint: str, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            self._log(f"async: {endpoint}: stopped by {error!r}")
