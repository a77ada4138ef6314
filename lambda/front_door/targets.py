"""The endpoints behind one name of a model, as its entry in the file of models has them; imported if one has several.

An entry is that of an endpoint, with a `target`, or one of these, which contain each other in this order:

- `{"mirror": {"primary": entry, "to": endpoint, "percent": 5}}`: a copy of some requests goes to another endpoint.
- `{"split": [{"weight": 95, "to": entry}, …]}`: the callers are divided.
- `{"fallback": [endpoint, …]}`: the next one gets what one refuses.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

from front_door.config import ConfigError, Model

ReadEndpoint = Callable[[dict[str, Any]], Model]


@dataclass(frozen=True, slots=True)
class Branch:
    """The callers of one share.

    Attributes:
        weight: The share, in proportion to the other weights; 0: none.
        targets: The endpoints that their requests are sent to, each if the one before it refuses.
    """

    weight: float
    targets: tuple[Model, ...]


@dataclass(frozen=True, slots=True)
class Routing:
    """Where the requests for one name go.

    Attributes:
        branches: One, unless the callers are divided.
        mirror: The endpoint that gets copies; None if there are none.
        percent: How many of a hundred requests are copied.
    """

    branches: tuple[Branch, ...]
    mirror: Model | None = None
    percent: float = 0

    def live(self) -> tuple[Branch, ...]:
        """The branches that have callers."""
        return tuple(branch for branch in self.branches if branch.weight)

    def targets(self) -> tuple[Model, ...]:
        """The endpoints that answer clients, in the order of the file, first those that have callers."""
        branches = sorted(self.branches, key=lambda branch: not branch.weight)
        found = {each.key: each for branch in branches for each in branch.targets}
        return tuple(found.values())

    def all_targets(self) -> tuple[Model, ...]:
        """The same, and the one that gets copies."""
        return self.targets() if self.mirror is None else (*self.targets(), self.mirror)

    def target(self, name: str) -> Model | None:
        """The endpoint with this name."""
        return next((each for each in self.all_targets() if each.target == name), None)


def read_targets(entry: dict[str, Any], read_endpoint: ReadEndpoint) -> Model:
    """The model of an entry with several endpoints.

    Args:
        entry: The entry.
        read_endpoint: Reads that of an endpoint.

    Raises:
        ConfigError: Two branches begin with the same endpoint, or none has callers; or a weight or `percent` is no
            share.
    """
    mirror, percent = None, 0.0
    if (mirrored := entry.get("mirror")) is not None:
        mirror, percent = read_endpoint(mirrored["to"]), _share(mirrored["percent"], "percent")
        entry = mirrored["primary"]
    shares = entry.get("split", [{"weight": 1, "to": entry}])
    branches = [Branch(_share(each["weight"], "weight"), _read_branch(each["to"], read_endpoint)) for each in shares]
    first = [branch.targets[0].target for branch in branches]
    if len(set(first)) < len(first) or not all(each.target for branch in branches for each in branch.targets):
        raise ConfigError(f"Each target needs a name, and those of a split one of their own: {first}.")
    if not any(branch.weight for branch in branches):
        raise ConfigError(f"No weight of {first} is above 0.")
    common = _common_adapters(branches)
    branches = [
        replace(branch, targets=tuple(_with_adapters(each, common) for each in branch.targets)) for branch in branches
    ]
    routing = Routing(tuple(branches), mirror, percent)
    ids = [each.model_id for each in routing.targets() if each.model_id]
    return replace(routing.targets()[0], model_id=next(iter(ids), None), routing=routing)


def _read_branch(entry: dict[str, Any], read_endpoint: ReadEndpoint) -> tuple[Model, ...]:
    targets = tuple(read_endpoint(each) for each in entry.get("fallback", [entry]))
    if not targets:
        raise ConfigError("A fallback has no endpoint.")
    return targets


def _share(value: Any, name: str) -> float:
    share = float(value)
    if not isfinite(share) or share < 0:
        raise ConfigError(f"{name} is {value}, and must be a number from 0.")
    return share


def _common_adapters(branches: Iterable[Branch]) -> set[str]:
    """The adapters that a request may name whichever endpoint gets it."""
    names = [set(each.adapters) for branch in branches if branch.weight for each in branch.targets]
    return set.intersection(*names)


def _with_adapters(target: Model, names: set[str]) -> Model:
    return replace(target, adapters={name: part for name, part in target.adapters.items() if name in names})
