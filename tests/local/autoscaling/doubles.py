"""A clock that stands still, and something that scales at once."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Mapping, Sequence
from itertools import count

from local.autoscaling.clock import Clock


class VirtualClock(Clock):
    """A clock that only `advance` moves."""

    def __init__(self) -> None:
        super().__init__(1)
        self._now = 0.0
        self._order = count()  # of two that wait for the same moment, the first one goes first
        self._sleeping: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> float:
        return self._now

    async def sleep_until(self, moment: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleeping, (moment, next(self._order), woken))
        await woken

    async def advance(self, seconds: float) -> None:
        end = self._now + seconds
        await _settle()
        while self._sleeping and self._sleeping[0][0] <= end:
            moment, _, woken = heapq.heappop(self._sleeping)
            self._now = max(self._now, moment)
            if not woken.done():
                woken.set_result(None)
            await _settle()
        self._now = end

    def stall(self, seconds: float) -> None:
        """Moves the clock while nobody runs, as on a busy machine."""
        self._now += seconds


async def _settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


class Copies:
    """Copies of a component that serve at once, with as many requests in each as a test says."""

    concurrency_metric = "ConcurrentRequestsPerCopy"
    dimensions: Mapping[str, str] = {"InferenceComponentName": "llama"}

    def __init__(self, desired: int) -> None:
        self.desired = desired
        self.is_changing = False
        self.load = 0
        self.history: list[tuple[int, str]] = []

    @property
    def in_flight(self) -> Sequence[int]:
        return [self.load // max(self.desired, 1)] * self.desired

    def scale(self, desired: int, reason: str) -> None:
        self.desired = desired
        self.history.append((desired, reason))
