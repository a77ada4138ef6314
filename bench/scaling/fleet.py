"""The copies of a model behind one endpoint: which are in service, who gets a request, and what the instances cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bench.scaling.container import Container


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long it takes to add and to release a copy, in seconds.

    Args:
        launch: A new instance, until a container can start on it.
        start: A copy, until it answers its health check: image, weights, warm-up.
        release: How long an instance without a copy is kept.
    """

    launch: float
    start: float
    release: float = 0.0


@dataclass(slots=True, eq=False)
class Copy:
    """A copy of the model on an instance of its own.

    Args:
        number: In the order of creation.
        container: What runs in it.
        ready: When it is in service.
        draining: Whether it gets no more requests.
    """

    number: int
    container: Container
    ready: float
    draining: bool = False


@dataclass(slots=True)
class Fleet:
    """The copies and instances.

    Args:
        timing: How long adding and releasing takes.
        new_container: Makes the container of a copy.
    """

    timing: Timing
    new_container: Callable[[], Container]
    copies: list[Copy] = field(default_factory=list)
    starting: list[Copy] = field(default_factory=list)
    draining: list[Copy] = field(default_factory=list)
    _idle_instances: list[float] = field(default_factory=list)
    _held: float = 0.0
    _counted_to: float = 0.0
    _created: int = 0

    @property
    def desired(self) -> int:
        """Copies that are or will be in service."""
        return len(self.copies) + len(self.starting)

    @property
    def instances(self) -> int:
        """Instances that are paid for."""
        return len(self.copies) + len(self.starting) + len(self.draining) + len(self._idle_instances)

    def begin(self, count: int) -> None:
        """Put the copies in service that exist before the simulation starts."""
        self.copies = [self._new_copy(0.0) for _ in range(count)]

    def scale_to(self, count: int, now: float) -> float:
        """Add or remove copies.

        Args:
            count: Copies that there will be.
            now: The time.

        Returns:
            When the change is complete.
        """
        self.count_to(now)
        while self.desired < count:
            launch = self.timing.launch
            if self._idle_instances:
                self._idle_instances.pop()
                launch = 0.0
            self.starting.append(self._new_copy(now + launch + self.timing.start))
        excess = self.desired - count
        for copy in sorted(self.copies, key=lambda one: (one.container.in_flight, -one.number))[: max(0, excess)]:
            self.copies.remove(copy)
            copy.draining = True
            self.draining.append(copy)
        self.drain(now)
        return max((copy.ready for copy in self.starting), default=now)

    def put_in_service(self, now: float) -> list[Copy]:
        """The copies that have become ready."""
        ready = [copy for copy in self.starting if copy.ready <= now]
        self.starting = [copy for copy in self.starting if copy.ready > now]
        self.copies += ready
        return ready

    def drain(self, now: float) -> None:
        """Give up the copies that have answered their last request."""
        empty = [copy for copy in self.draining if not copy.container.in_flight]
        if empty:
            self.count_to(now)
            self.draining = [copy for copy in self.draining if copy.container.in_flight]
            self._idle_instances += [now + self.timing.release] * len(empty)

    def count_to(self, now: float) -> None:
        """Count the seconds of all instances up to now, and release those whose time is over."""
        for release in self._idle_instances:
            self._held += max(0.0, min(now, release) - self._counted_to)
        self._idle_instances = [release for release in self._idle_instances if release > now]
        busy = len(self.copies) + len(self.starting) + len(self.draining)
        self._held += busy * (now - self._counted_to)
        self._counted_to = now

    @property
    def instance_seconds(self) -> float:
        """Seconds of all instances, from launch to release, up to the last count."""
        return self._held

    def __iter__(self) -> Iterator[Copy]:
        return iter(self.copies)

    def _new_copy(self, ready: float) -> Copy:
        self._created += 1
        return Copy(self._created, self.new_container(), ready)
