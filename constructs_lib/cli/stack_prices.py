"""What the stacks of a cloud assembly cost, and what changes between two assemblies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from constructs_lib.cli.endpoints import SynthesizedEndpoint, endpoints
from constructs_lib.cli.formatting import HOURS_PER_MONTH

_PRECISION = 6


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for an hour, on demand, in us-east-1; of a change, the difference.

    Args:
        least: The smallest number of instances.
        most: The largest number of instances, of the dearest of their types.
        front_door: The front doors, while as many streams are open as the endpoints serve; None if that is not known.
        is_derived: Whether a price is worked out from EC2's.
    """

    least: float = 0.0
    most: float = 0.0
    front_door: float | None = 0.0
    is_derived: bool = False

    def plus(self, other: Price, sign: int = 1) -> Price:
        """The sum of both, or with `sign=-1` the difference."""
        doors = self.front_door, other.front_door
        return Price(
            self.least + sign * other.least,
            self.most + sign * other.most,
            None if doors[0] is None or doors[1] is None else doors[0] + sign * doors[1],
            self.is_derived or other.is_derived,
        )

    def to_json(self) -> dict[str, Any]:
        """The price per hour and for a month of 730 hours."""
        figures = {"min": self.least, "max": self.most, "front_door": self.front_door}
        found: dict[str, Any] = {}
        for period, hours in (("hour", 1), ("month", HOURS_PER_MONTH)):
            for name, usd in figures.items():
                found[f"{name}_usd_per_{period}"] = None if usd is None else round(usd * hours, _PRECISION)
        return {**found, "price_is_derived": self.is_derived}


@dataclass(frozen=True, slots=True, kw_only=True)
class StackPrice:
    """What a stack costs.

    Args:
        stack: Its name, with account and Region if the assembly has several of that name.
        endpoints: Its endpoints, at least one.
    """

    stack: str
    endpoints: tuple[SynthesizedEndpoint, ...]

    @property
    def price(self) -> Price | None:
        """The price; None if one of its endpoints has none: no published price, or an unknown number of instances."""
        total = Price()
        for endpoint in self.endpoints:
            least, most = endpoint.summary.min_usd_per_hour, endpoint.summary.max_usd_per_hour
            if least is None or most is None:
                return None
            door = 0.0 if endpoint.memory_mib is None else endpoint.front_door_price
            total = total.plus(Price(least, most, door, endpoint.summary.price_is_derived))
        return total

    def to_json(self) -> dict[str, Any]:
        """The price, and that of each endpoint."""
        return {**price_json(self.price), "endpoints": [_endpoint_json(endpoint) for endpoint in self.endpoints]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A stack in two cloud assemblies, at least in one of them.

    Args:
        stack: Its name.
        before: What it cost; None if it is new.
        after: What it costs; None if it is removed.
    """

    stack: str
    before: StackPrice | None
    after: StackPrice | None

    @property
    def prices(self) -> tuple[Price, Price] | None:
        """The price before and after; None if one of them is not known. A stack that is not there costs nothing."""
        before = Price() if self.before is None else self.before.price
        after = Price() if self.after is None else self.after.price
        return None if before is None or after is None else (before, after)

    @property
    def price(self) -> Price | None:
        """The difference; None if a price is not known."""
        return None if self.prices is None else self.prices[1].plus(self.prices[0], -1)

    @property
    def is_change(self) -> bool:
        """Whether instances or a price are not what they were."""
        return self.before is None or self.after is None or _facts(self.before) != _facts(self.after)


def read_prices(assembly: Path) -> list[StackPrice]:
    """What each stack of a cloud assembly costs that has an endpoint, in the order of their names.

    Args:
        assembly: The folder written by cdk synth.

    Raises:
        CommandError: It is not a cloud assembly.
    """
    by_place: dict[tuple[str, str], list[SynthesizedEndpoint]] = {}
    for endpoint in endpoints(assembly):
        by_place.setdefault((endpoint.stack, endpoint.environment), []).append(endpoint)
    names = [name for name, _ in by_place]
    found = []
    for (name, environment), members in by_place.items():
        where = f" ({environment.removeprefix('aws://')})" if names.count(name) > 1 else ""
        found.append(StackPrice(stack=f"{name}{where}", endpoints=tuple(members)))
    return sorted(found, key=lambda each: each.stack)


def compare(before: Iterable[StackPrice], after: Iterable[StackPrice]) -> list[Change]:
    """What has become of each stack, in the order of their names."""
    old, new = ({each.stack: each for each in prices} for prices in (before, after))
    return [Change(stack=name, before=old.get(name), after=new.get(name)) for name in sorted({*old, *new})]


def total(prices: Iterable[Price | None]) -> Price:
    """The sum of those that are known; of front doors too."""
    found = Price()
    for price in prices:
        if price is not None:
            door = price.front_door or 0.0
            found = found.plus(Price(price.least, price.most, door, price.is_derived))
    return found


def price_json(price: Price | None) -> dict[str, Any]:
    """A price as JSON values; null for what is not known."""
    return dict.fromkeys(Price().to_json()) if price is None else price.to_json()


def _facts(stack: StackPrice) -> tuple[Any, ...]:
    """What a change of is a change."""
    summaries = [endpoint.summary for endpoint in stack.endpoints]
    counts = [(each.instances, each.min_instances, each.max_instances) for each in summaries]
    return price_json(stack.price), counts


def _endpoint_json(endpoint: SynthesizedEndpoint) -> dict[str, Any]:
    summary = endpoint.summary
    return {
        "path": endpoint.path,
        "model": summary.model,
        "instances": summary.instances,
        "min_instances": summary.min_instances,
        "max_instances": summary.max_instances,
        "min_usd_per_hour": summary.min_usd_per_hour,
        "max_usd_per_hour": summary.max_usd_per_hour,
        "streams": summary.streams,
        "front_door_usd_per_hour": endpoint.front_door_price,
    }
