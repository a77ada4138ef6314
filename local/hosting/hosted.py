"""An endpoint whose containers run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from local.deployment.instance_sizes import InstanceSize, instances_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.deployment.deployed_endpoint import DeployedEndpoint
    from local.hosting.capacity import Capacity


@dataclass(slots=True)
class Hosted:
    """An endpoint whose containers run: those of its variants by name, or those of its components by name."""

    definition: DeployedEndpoint
    instances: dict[str, Capacity] = field(default_factory=dict)
    copies: dict[str, Capacity] = field(default_factory=dict)

    def capacities(self) -> list[Capacity]:
        """The capacities of its variants and components."""
        return [*self.instances.values(), *self.copies.values()]

    def hold(self, *, held: bool) -> None:
        """Keeps each capacity as it is, or no longer."""
        for capacity in self.capacities():
            capacity.held = held

    def label(self, labels: Mapping[str, str]) -> None:
        """Gives each capacity what the log calls it."""
        for capacity in self.capacities():
            capacity.label = labels.get(capacity.name, capacity.name)
        if len(self.instances) > 1:
            for variant, capacity in self.instances.items():
                capacity.label = f"{capacity.label}, {variant}"


def room_for(endpoint: DeployedEndpoint, copies: Mapping[str, Capacity], name: str, wanted: int) -> int:
    """How many copies of a component find room beside those of the others."""
    size = InstanceSize.of(endpoint.instance_type)
    for count in range(wanted, copies[name].desired, -1):
        counts = {other: capacity.desired for other, capacity in copies.items()} | {name: count}
        demands = [endpoint.components[other].demand for other, number in counts.items() for _ in range(number)]
        needed = instances_for(demands, size)
        if needed is not None and needed <= endpoint.max_instances:
            return count
    return min(wanted, copies[name].desired)
