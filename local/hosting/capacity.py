"""The instances of a variant, or the copies of an inference component: containers that come and go."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from local.errors import UserError
from local.sagemaker_runtime import Copy, Fleet

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence

    from local.hosting.containers import Launch, Running

DRAIN_POLL_SECONDS = 0.05


class Capacity:
    """Containers of one model.

    Args:
        name: The name of the endpoint or inference component.
        unit: What there is more or less of: `instance` or `copy`.
        resource_id: What a scalable target calls it.
        dimensions: The dimensions of its metrics.
        launch: Starts a container.
        start_seconds: How long a new one takes until it serves, at least.
        record: Receives the names and values of its metrics.
        log: Receives a line for each change.

    Attributes:
        label: What the log calls it. Default: the name.
        fleet: The containers that serve.
        desired: The capacity that was asked for last.
        room: How many of a number of copies find room on the instances. Default: all.
        held: Whether the capacity stays as it is: SageMaker scales no endpoint while it updates it.
    """

    def __init__(
        self,
        name: str,
        unit: str,
        resource_id: str,
        dimensions: Mapping[str, str],
        launch: Launch,
        *,
        start_seconds: float,
        record: Callable[[str, float], None],
        log: Callable[[str], None],
    ) -> None:
        self.name = self.label = name
        self.resource_id = resource_id
        self.dimensions = dimensions
        self.fleet = Fleet(record=record)
        self.desired = 0
        self.room: Callable[[int], int] = lambda wanted: wanted
        self.held = False
        self._unit = unit
        self._launch = launch
        self._start_seconds = start_seconds
        self._log = log
        self._running: dict[Copy, Running] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._starting = 0

    @property
    def concurrency_metric(self) -> str:
        """The metric of concurrent requests per container."""
        return "ConcurrentRequestsPerModel" if self._unit == "instance" else "ConcurrentRequestsPerCopy"

    @property
    def is_changing(self) -> bool:
        """Whether a container is still starting, or the capacity is held."""
        return self._starting > 0 or self.held

    @property
    def in_flight(self) -> Sequence[int]:
        """The requests in each container that serves."""
        return [copy.in_flight for copy in self.fleet.copies]

    async def start(self, count: int) -> None:
        """Starts the first containers, which serve at once.

        Raises:
            UserError: One of them exits.
        """
        self.desired = count
        started = await asyncio.gather(*(self._launch() for _ in range(count)), return_exceptions=True)
        for running in started:
            if not isinstance(running, BaseException):
                self._serve(running)
        for running in started:
            if isinstance(running, BaseException):
                self.desired = 0
                await self.close()
                raise running

    def scale(self, desired: int, reason: str) -> None:
        """Changes the capacity, as far as there is room and it isn't held.

        Args:
            desired: The new capacity.
            reason: Why, for the log.
        """
        if self.held:
            return
        possible = self.room(desired)
        if possible < desired:
            self._log(f"scaling: {self.label}: no room for {self._count(desired)} ({reason})")
        if possible == self.desired:
            return
        self._log(f"scaling: {self.label}: {self.desired} → {self._count(possible)} ({reason})")
        before, self.desired = self.desired, possible
        for _ in range(before, possible):
            self._run(self._add())
        for copy in sorted(self.fleet.copies, key=lambda each: each.in_flight)[: max(0, before - possible)]:
            self.fleet.copies.remove(copy)
            self._run(self._drain(copy))

    async def retire(self) -> None:
        """Stops every container once it has answered what it has."""
        try:
            await asyncio.sleep(DRAIN_POLL_SECONDS)  # who has just chosen a container calls it now
            while any(copy.in_flight for copy in self.fleet.copies):
                await asyncio.sleep(DRAIN_POLL_SECONDS)
        finally:
            await self.close()

    async def close(self) -> None:
        """Stops every container."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.fleet.copies.clear()
        await asyncio.gather(*(running.stop() for running in self._running.values()))
        self._running.clear()

    async def _add(self) -> None:
        self._starting += 1
        clock = asyncio.get_running_loop().time
        serves_at = clock() + self._start_seconds
        try:
            running = await self._launch()
            await asyncio.sleep(serves_at - clock())
        except UserError as error:
            self.desired -= 1
            self._log(f"scaling: {self.label}: {error.problem}")
            return
        except Exception:
            self.desired -= 1
            raise
        finally:
            self._starting -= 1
        self._serve(running)
        serving = len(self.fleet.copies)
        self._log(f"scaling: {self.label}: {self._count(serving)} {'serves' if serving == 1 else 'serve'}")

    async def _drain(self, copy: Copy) -> None:
        while copy.in_flight:
            await asyncio.sleep(DRAIN_POLL_SECONDS)
        await self._running.pop(copy).stop()

    def _serve(self, running: Running) -> None:
        copy = Copy(running.url.rstrip("/"))
        self._running[copy] = running
        self.fleet.copies.append(copy)

    def _run(self, change: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(change)
        self._tasks.add(task)
        task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._log(f"scaling: {self.label}: failed with {error!r}")

    def _count(self, number: int) -> str:
        plural = {"copy": "copies", "instance": "instances"}
        return f"{number} {self._unit if number == 1 else plural[self._unit]}"
