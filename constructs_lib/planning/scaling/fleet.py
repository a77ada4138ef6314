"""How many instances the copies of several models need: the GPUs of a copy are those of one instance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from constructs_lib.planning.hardware.gpu_memory import GIB
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.hardware.storage import STORAGE_SHARE, storage_bytes
from constructs_lib.planning.validation.problem import PlanWarning, Problem
from constructs_lib.planning.validation.rules import Integer
from constructs_lib.planning.validation.unknown import Unknown

MOST = 1000
"""Most copies of a model and instances of an endpoint that a plan is made for."""

MAX_COPIES = "scale_to_zero.max_copies"
"""The largest number of copies of a model that goes to zero, as the caller writes it."""

_UNLIMITED = 2**62


@dataclass(frozen=True, slots=True)
class CopySize:
    """What one copy takes of an instance, or what an instance has.

    Args:
        gpus: GPUs.
        host: Memory of the host while the model loads, in bytes. Default: not known.
        storage: Storage of the published weights, in bytes. Default: not known.
    """

    gpus: int
    host: int = 0
    storage: int = 0

    def fits(self, room: CopySize) -> bool:
        """Whether it fits what is left of an instance."""
        return self.gpus <= room.gpus and self.host <= room.host and self.storage <= room.storage

    def left_in(self, room: CopySize) -> CopySize:
        """What it leaves of an instance."""
        return CopySize(room.gpus - self.gpus, room.host - self.host, room.storage - self.storage)


@dataclass(frozen=True, slots=True)
class Copies:
    """The copies of one model.

    Args:
        size: What one of them takes.
        least: The smallest number of them.
        most: The largest number of them.
        goes_to_zero: Whether the largest number is `max_copies` of `scale_to_zero`. Default: False, that of `copies`.
        batch: How many new ones an update starts beside them. Default: as many as the smallest number.
    """

    size: CopySize
    least: int
    most: int
    goes_to_zero: bool = False
    batch: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Models that share instances of one type.

    Args:
        models: The copies of each model, by its name.
        instance: The instance type, whose number of GPUs is known.
        least: The smallest number of instances; 0 if all models go to zero, which begin with their least copies all
            the same.
        most: The largest number of instances.
        volume_size_gib: Storage volume. Default: SageMaker's.
    """

    models: Mapping[str, Copies]
    instance: InstanceType
    least: int
    most: int
    volume_size_gib: int | None = None

    @property
    def room(self) -> CopySize:
        """What one instance has; what is not known does not limit."""
        host, storage = self.instance.host_memory_gib, storage_bytes(self.instance, self.volume_size_gib)
        return CopySize(
            self.instance.accelerator_count or 0,
            _UNLIMITED if host is None else int(host * GIB),
            _UNLIMITED if storage is None else int(storage * STORAGE_SHARE),
        )

    def needed(self, more: Mapping[str, int]) -> int:
        """The instances that each model's smallest number of copies needs, and further copies of some models.

        Args:
            more: The further copies by the name of the model.
        """
        return instances_needed(self.copies(more), self.room)

    def copies(self, more: Mapping[str, int]) -> list[CopySize]:
        """The same copies one by one."""
        return [copies.size for name, copies in self.models.items() for _ in range(copies.least + more.get(name, 0))]

    @property
    def name(self) -> str:
        """The instance type with its GPUs, for messages."""
        count = self.instance.accelerator_count
        return f"{self.instance.name} ({count} GPU{'' if count == 1 else 's'})"


def instances_needed(copies: list[CopySize], room: CopySize) -> int:
    """The instances that some copies need, by first fit, the largest copies first.

    Args:
        copies: The copies, each of which fits an instance.
        room: What one instance has.
    """
    free: list[CopySize] = []
    for copy in sorted(copies, key=lambda one: (one.gpus, one.host, one.storage), reverse=True):
        index = next((index for index, left in enumerate(free) if copy.fits(left)), len(free))
        if index == len(free):
            free.append(room)
        free[index] = copy.left_in(free[index])
    return len(free)


@dataclass(frozen=True)
class Range:
    """The least and the most of something that is scaled.

    Args:
        noun: What is counted.
        example: Two numbers for messages.
        lowest: The least that the smallest number may be. Default: 1.
        to_zero: How to get to zero, if the smallest number may not be 0. Default: not at all.
    """

    noun: str
    example: tuple[int, int]
    lowest: int = 1
    to_zero: str = ""

    def problem(self, keyword: str, value: object) -> Problem | None:
        """What is wrong with a range, if anything."""
        numbers = tuple(value) if isinstance(value, tuple | list) else ()
        if isinstance(value, Unknown) or any(isinstance(one, Unknown) for one in numbers):
            message = f"must be known at synth, as the plan checks that the {self.noun} fit together"
            return Problem(keyword, value, message, f"Write numbers, such as {self.example}.")
        if len(numbers) != 2 or any(Integer(0).validate(one) for one in numbers):
            message = f"must be two whole numbers, the least and the most {self.noun}"
            return Problem(keyword, value, message, f"Write {self.example}.")
        least, most = numbers
        if not self.lowest <= least <= most <= MOST or most < 1:
            message = f"must be the least and the most {self.noun}, from {self.lowest} to {MOST}"
            instead = f", or {self.to_zero}" if least == 0 and self.to_zero else ""
            return Problem(keyword, value, message, f"Write {self._nearest(least, most)}{instead}.")
        return None

    def _nearest(self, least: int, most: int) -> tuple[int, int]:
        first, last = sorted(min(MOST, max(self.lowest, one)) for one in (least, most))
        return first, max(1, last)


COPIES = Range("copies", (1, 3), to_zero="scale_to_zero=ScaleToZero()")
INSTANCES = Range("instances", (1, 2), to_zero="give every model scale_to_zero")
NO_INSTANCES = Range("instances", (0, 1), lowest=0)
"""Of a fleet whose models all go to zero."""


def fleet_problems(fleet: Fleet) -> Iterator[Problem]:
    """Why the copies cannot all be placed on the instances."""
    needed = fleet.needed({})
    if needed > (fleet.least or fleet.most):
        least = needed if fleet.least else 0
        yield Problem(
            "instances",
            (fleet.least, fleet.most),
            f"must {'begin with' if least else 'end with'} {needed} or more: {_taken(fleet)}, and {fleet.name}"
            f" {_bound(fleet, needed)}",
            f"Write ({least}, {max(needed, fleet.most)}), or lower the smallest numbers of copies.",
        )
        return
    for name, copies in fleet.models.items():
        reached = _reachable(fleet, name)
        if reached < copies.most:
            more = fleet.needed({name: copies.most - copies.least})
            value, fix = (copies.least, copies.most), (copies.least, reached)
            yield Problem(
                f"models[{name!r}].{MAX_COPIES if copies.goes_to_zero else 'copies'}",
                copies.most if copies.goes_to_zero else value,
                f"can never reach {copies.most}: beside the smallest numbers of copies of the other models,"
                f" {fleet.most} × {fleet.name} have room for {reached}",
                f"Write {reached if copies.goes_to_zero else fix}, or instances=({fleet.least}, {more}).",
            )


def fleet_warnings(fleet: Fleet) -> Iterator[PlanWarning]:
    """What the instances have no room for, though each model has its own; for a fleet without problems."""
    everything = fleet.needed({name: copies.most - copies.least for name, copies in fleet.models.items()})
    if everything > fleet.most:
        yield PlanWarning(
            "tgi-endpoint:copiesCompete",
            f"All models at their largest numbers of copies take {everything} × {fleet.name}, and instances allows"
            f" {fleet.most}: when several are busy at the same time, copies wait until another model gives up its own."
            f" Write instances=({fleet.least}, {everything}), or lower the largest numbers.",
        )
    updated = {
        name: fleet.needed({name: copies.least if copies.batch is None else copies.batch})
        for name, copies in fleet.models.items()
    }
    most = max(updated.values())
    if most > fleet.most:
        names = " or ".join(f"models[{name!r}]" for name, needed in updated.items() if needed > fleet.most)
        yield PlanWarning(
            "tgi-endpoint:noRoomForUpdates",
            f"SageMaker starts the new copies of a model before it stops the old ones. For an update of {names} it"
            f" needs {most} × {fleet.name}, and instances allows {fleet.most}, so the update may fail for want of GPUs."
            f" Write instances=({fleet.least}, {most}); the further instance is billed only while it is needed.",
        )


def _taken(fleet: Fleet) -> str:
    parts = [
        f"models[{name!r}] takes {copies.least} × {copies.size.gpus} GPU{'' if copies.size.gpus == 1 else 's'}"
        for name, copies in fleet.models.items()
    ]
    return ", ".join(parts)


def _bound(fleet: Fleet, needed: int) -> str:
    """What of an instance the copies do not share."""
    room, copies = fleet.room, fleet.copies({})
    if instances_needed([CopySize(one.gpus) for one in copies], room) == needed:
        return "has no room for more"
    if instances_needed([CopySize(one.gpus, one.host) for one in copies], room) == needed:
        return f"has {room.host / GIB:.0f} GiB of memory, which loading them takes"
    return f"has {room.storage / STORAGE_SHARE / GIB:.0f} GiB of storage, which their weights take"


def _reachable(fleet: Fleet, name: str) -> int:
    """The largest number of copies of a model that fits beside the smallest numbers of the others."""
    copies = fleet.models[name]
    fitting, too_many = copies.least, copies.most + 1
    while too_many - fitting > 1:
        middle = (fitting + too_many) // 2
        if fleet.needed({name: middle - copies.least}) <= fleet.most:
            fitting = middle
        else:
            too_many = middle
    return fitting
