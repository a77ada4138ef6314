"""The endpoints of a cloud assembly, each with its plan and what its front door costs beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from constructs_lib.cli.assembly import entries, read_stacks
from constructs_lib.planning.cost import streams_usd_per_hour
from constructs_lib.planning.summary import FRONT_DOOR_METADATA, METADATA, PlanSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class SynthesizedEndpoint:
    """An endpoint in a cloud assembly.

    Args:
        stack: Name of its stack.
        environment: Account and Region of its stack, as the assembly has them: `aws://111122223333/eu-west-1`.
        path: Path of its construct.
        summary: Its plan.
        memory_mib: Memory of the function of its front door, the largest of several; None without one.
    """

    stack: str
    environment: str
    path: str
    summary: PlanSummary
    memory_mib: float | None

    @property
    def front_door_price(self) -> float | None:
        """What an hour with as many open streams as it serves costs in the front door; None if that is not known."""
        streams, memory = self.summary.streams, self.memory_mib
        return None if streams is None or memory is None else streams_usd_per_hour(streams, memory)


def endpoints(assembly: Path) -> Iterator[SynthesizedEndpoint]:
    """The endpoints of a cloud assembly.

    Args:
        assembly: The folder written by cdk synth; the assemblies of stages are nested in it.

    Raises:
        CommandError: It is not a cloud assembly.
    """
    found = [(stack, *entry) for stack in read_stacks(assembly) for entry in entries(stack)]
    doors = [data for _, _, kind, data in found if kind == FRONT_DOOR_METADATA and data.get("memory_mib")]
    for stack, path, kind, data in found:
        if kind == METADATA:
            memory = [door["memory_mib"] for door in doors if _serves(door["endpoints"], path)]
            yield SynthesizedEndpoint(
                stack=stack.name,
                environment=str(stack.artifact.get("environment", "")),
                path=path,
                summary=PlanSummary.from_json(data),
                memory_mib=max(memory, default=None),
            )


def _serves(endpoints: list[str], path: str) -> bool:
    """Whether an endpoint, or a model of a fleet, which is below it, is among the endpoints of a front door."""
    return any(each == path or each.startswith(f"{path}/") for each in endpoints)
