"""Runs what watches the alarms and policies of everything that scales."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from local.autoscaling.scaler import Scaler
from local.deployment.deployed_scaling import DeployedScaling

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from local.autoscaling.clock import Clock
    from local.autoscaling.metrics import Metrics
    from local.autoscaling.policies import Target
    from local.hosting.capacity import Capacity


class Scalers:
    """The scalers of an account.

    Args:
        metrics: Where SageMaker records.
        clock: The clock.
        log: Receives what does not scale here, and why.
    """

    def __init__(self, metrics: Metrics, clock: Clock, log: Callable[[str], None]) -> None:
        self._metrics = metrics
        self._clock = clock
        self._log = log
        self._scaling = DeployedScaling()
        self._scaled: Sequence[Capacity] = []
        self._running: list[asyncio.Task[None]] = []

    async def follow(self, scaling: DeployedScaling, capacities: Sequence[Capacity]) -> None:
        """Scales capacities as the account says; begins anew if something has changed."""
        if scaling == self._scaling and capacities == self._scaled:
            return
        for note in scaling.notes:
            if note not in self._scaling.notes:
                self._log(f"scaling: {note}")
        await self.close()
        self._scaling, self._scaled = scaling, capacities
        by_resource = {target.resource_id: target for target in scaling.targets}
        self._running = [
            self._start(capacity, by_resource[capacity.resource_id])
            for capacity in capacities
            if capacity.resource_id in by_resource
        ]

    async def close(self) -> None:
        """Scales nothing any more."""
        for scaler in self._running:
            scaler.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _start(self, capacity: Capacity, target: Target) -> asyncio.Task[None]:
        arns = {policy.arn for policy in target.steps}
        alarms = [alarm for alarm in self._scaling.alarms if arns & set(alarm.actions)]
        task = asyncio.create_task(Scaler(target, capacity, alarms, self._metrics, self._clock).run())
        task.add_done_callback(partial(self._report, capacity.label))
        return task

    def _report(self, label: str, scaler: asyncio.Task[None]) -> None:
        if not scaler.cancelled() and (error := scaler.exception()):
            self._log(f"scaling: {label}: stopped by {error!r}")
