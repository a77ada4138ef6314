"""How many accelerators and how much memory an instance has for inference components."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# SageMaker keeps a part of the memory for itself; how much is not documented. On ml.g5.xlarge, 1024 MiB are accepted
# and 4096 refused (a measurement of July 2026, published with a skill for Hugging Face models on SageMaker).
_LARGEST_ACCEPTED_MEMORY = {"ml.g5.xlarge": 1024}


@dataclass(frozen=True, slots=True)
class Demand:
    """What a copy of an inference component takes of an instance; the memory is in MiB."""

    accelerators: float
    memory: int


@dataclass(frozen=True, slots=True)
class InstanceSize:
    """What an instance has; the memory is in MiB, that of the host."""

    accelerators: int
    memory: int

    @classmethod
    def of(cls, instance_type: str) -> InstanceSize:
        """The size of a SageMaker instance type, that of EC2's type in moto's copy of DescribeInstanceTypes.

        Raises:
            ValueError: Moto does not know the type.
        """
        from moto.ec2.models.instance_types import INSTANCE_TYPES

        described = INSTANCE_TYPES.get(instance_type.removeprefix("ml."))
        if described is None:
            raise ValueError(f"{instance_type}: EC2 has no such instance type.")
        gpus = described.get("GpuInfo", {}).get("Gpus", [])
        cores = described.get("NeuronInfo", {}).get("NeuronDevices", [])
        memory: int = described["MemoryInfo"]["SizeInMiB"]
        return cls(
            accelerators=sum(device["Count"] for device in [*gpus, *cores]),
            memory=_LARGEST_ACCEPTED_MEMORY.get(instance_type, memory),
        )


def instances_for(demands: Sequence[Demand], size: InstanceSize) -> int | None:
    """How many instances the copies take, each on the first that has room; None if a copy never fits."""
    free: list[list[float]] = []
    for demand in sorted(demands, key=lambda each: (each.accelerators, each.memory), reverse=True):
        if demand.accelerators > size.accelerators or demand.memory > size.memory:
            return None
        room = next((each for each in free if each[0] >= demand.accelerators and each[1] >= demand.memory), None)
        if room is None:
            room = [size.accelerators, size.memory]
            free.append(room)
        room[0] -= demand.accelerators
        room[1] -= demand.memory
    return len(free)
