"""The simulation: discrete events from the first arrival to the last answer."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count

from bench.scaling.autoscaling import Alarm, MetricName, Policy, ScalableTarget
from bench.scaling.fleet import Copy, Fleet
from bench.scaling.requests import Request
from bench.scaling.routing import Route

TICK = 10.0
"""SageMaker publishes the high-resolution metrics every ten seconds."""

ACTION_SECONDS = 35.0
"""From the alarm to the change of capacity: Hugging Face's skill `hf-cloud-sagemaker-production-defaults` measured an
alarm after 67 s and the step policy after 102 s."""

FIRST_TRY, NEXT_TRY, TRY_SPREAD = 5.0, 20.0, 5.0
"""When a front door with `on_wake="hold"` asks again: after 5 s, then every 20 ± 5 s."""


@dataclass(slots=True)
class Outcome:
    """What a simulation found.

    Args:
        requests: All requests, in order of arrival.
        seconds: When the last one ended, or the load's length if that is later.
        instance_seconds: Seconds of all instances.
        timeline: Time, copies in service, instances paid for, and requests in flight, every ten seconds.
    """

    requests: list[Request]
    seconds: float
    instance_seconds: float
    timeline: list[tuple[float, int, int, int]]


@dataclass(slots=True)
class Simulation:
    """One run.

    Args:
        fleet: The copies; `fleet.begin` was called.
        target: What scales them; None for a fixed capacity.
        route: Which copy gets a request.
        rng: For the pauses of clients that wait.
        hold: Seconds that a request waits for capacity if there is none. Default: it fails at once.
    """

    fleet: Fleet
    target: ScalableTarget | None
    route: Route
    rng: random.Random
    hold: float = 0.0
    _events: list[tuple[float, int, Callable[[float], None]]] = field(default_factory=list)
    _order: count[int] = field(default_factory=count)
    _sums: dict[MetricName, float] = field(default_factory=dict)
    _busy: bool = False
    _open: int = 0
    _timeline: list[tuple[float, int, int, int]] = field(default_factory=list)

    def run(self, arrivals: Iterable[Request], seconds: float) -> Outcome:
        """Simulate until all requests have ended.

        Args:
            arrivals: The requests, in order.
            seconds: Length of the load; ticks and costs go on at least that long.
        """
        requests = list(arrivals)
        self._open = len(requests)
        for request in requests:
            self._at(request.arrived, lambda now, one=request: self._arrive(one, now))  # type: ignore[misc]
        self._at(TICK, self._tick)
        now = 0.0
        while self._events and (self._open or now < seconds):
            now, _, act = heappop(self._events)
            act(now)
        now = max(now, seconds)
        self.fleet.count_to(now)
        return Outcome(requests, now, self.fleet.instance_seconds, self._timeline)

    def _at(self, time: float, act: Callable[[float], None]) -> None:
        heappush(self._events, (time, next(self._order), act))

    def _end(self, request: Request, failure: str | None = None) -> None:
        if failure:
            request.failure = failure
        self._open -= 1

    def _arrive(self, request: Request, now: float) -> None:
        copies = self.fleet.copies
        if not copies:
            self._without_capacity(request, now)
            return
        self._add("invocations", 1)
        copy = self.route(copies, request)
        before = copy.container.wakes
        if not copy.container.accept(request, now):
            self._end(request, "429")
        elif copy.container.wakes != before:
            self._wake_at(copy)

    def _without_capacity(self, request: Request, now: float) -> None:
        self._add("no capacity", 1)
        waited = now - request.arrived
        pause = FIRST_TRY if waited == 0 else NEXT_TRY + self.rng.uniform(-TRY_SPREAD, TRY_SPREAD)
        if waited + pause > self.hold:
            self._end(request, "no capacity")
        else:
            self._at(now + pause, lambda later: self._arrive(request, later))

    def _wake_at(self, copy: Copy) -> None:
        time = copy.container.wakes
        self._at(time, lambda now: self._wake(copy, now))

    def _wake(self, copy: Copy, now: float) -> None:
        if copy.container.wakes != now:
            return
        for request in copy.container.wake(now):
            self._end(request)
        if copy.draining:
            self.fleet.drain(now)
        if copy.container.wakes != float("inf"):
            self._wake_at(copy)

    def _add(self, name: MetricName, value: float) -> None:
        self._sums[name] = self._sums.get(name, 0.0) + value

    def _tick(self, now: float) -> None:
        self._at(now + TICK, self._tick)
        each = [copy.container.in_flight for copy in self.fleet]
        highest = float(max(each, default=0))
        self._sums["concurrency"] = max(self._sums.get("concurrency", 0.0), highest)
        self.fleet.count_to(now)
        self._timeline.append((now, len(self.fleet.copies), self.fleet.instances, sum(each)))
        if self.target is None:
            return
        invoked: list[tuple[Policy, float]] = [
            (policy, alarm.value)
            for policy in self.target.policies
            for alarm in policy.alarms
            if now % alarm.period == 0 and alarm.add(self._datapoint(alarm, highest), now)
        ]
        if now % 60 == 0:
            self._sums.clear()
        self._scale(invoked, now)

    def _datapoint(self, alarm: Alarm, highest: float) -> float | None:
        copies = len(self.fleet.copies)
        if alarm.metric == "no capacity":
            return self._sums.get("no capacity")
        if not copies:
            return None
        if alarm.metric == "invocations":
            return self._sums.get("invocations", 0.0) / copies
        if alarm.metric == "concurrency" and alarm.period == TICK:
            return highest
        most = self._sums["concurrency"]
        return most if alarm.metric == "concurrency" else most + self._sums.get("invocations", 0.0)

    def _scale(self, invoked: list[tuple[Policy, float]], now: float) -> None:
        assert self.target is not None  # noqa: S101
        if self._busy or not invoked:
            return
        before = self.fleet.desired
        chosen = self.target.choose(invoked, before, now)
        if chosen is None:
            return
        self._busy = True
        count_wanted, policy = chosen
        self._at(now + ACTION_SECONDS, lambda then: self._change(policy, before, count_wanted, then))

    def _change(self, policy: Policy, before: int, after: int, now: float) -> None:
        assert self.target is not None  # noqa: S101
        done = self.fleet.scale_to(after, now)
        for time in {copy.ready for copy in self.fleet.starting if copy.ready > now}:
            self._at(time, self._ready)
        if self.target.waits:
            self._at(done, lambda then: self._complete(policy, before, after, then))
        else:
            self._complete(policy, before, after, now)

    def _ready(self, now: float) -> None:
        self.fleet.put_in_service(now)

    def _complete(self, policy: Policy, before: int, after: int, now: float) -> None:
        assert self.target is not None  # noqa: S101
        self.target.start_cooldown(policy, before, after, now)
        self._busy = False
