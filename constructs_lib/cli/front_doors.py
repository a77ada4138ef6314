"""The models of the front doors in a cloud assembly, from the files that their functions read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from constructs_lib.cli.assembly import read_json
from constructs_lib.cli.formatting import number
from constructs_lib.cli.output import Column

if TYPE_CHECKING:
    from constructs_lib.cli.assembly import SynthesizedStack

# As in constructs_lib.front_door.models_file, which this package does not import.
MODELS_PATH = "front_door/models.json"

COLUMNS = [
    Column("FRONT DOOR IN"),
    Column("SERVES"),
    Column("MODEL", wraps=True),
    Column("CONTEXT", is_number=True),
    Column("ENDPOINT"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedModel:
    """A model of a front door.

    Args:
        stack: The front door's stack.
        served_as: The name that clients use.
        model: Repository on the hub; None if synth does not know it.
        context: Longest request in tokens; None if it is not known.
        endpoint_name: Its endpoint; None if the name is given at deployment.
    """

    stack: str
    served_as: str
    model: str | None
    context: int | None
    endpoint_name: str | None

    def to_json(self) -> dict[str, Any]:
        """The members by name."""
        return asdict(self)

    def to_row(self) -> list[str]:
        """A row of `COLUMNS`."""
        context = "-" if self.context is None else number(self.context)
        return [self.stack, self.served_as, self.model or "-", context, self.endpoint_name or "named at deployment"]


def served_models(stack: SynthesizedStack) -> Iterator[ServedModel]:
    """The models of the front doors of a stack, and of the stacks nested in it."""
    for asset in stack.assets.values():
        file = stack.folder / asset["source"].get("path", "") / MODELS_PATH
        if file.is_file():
            for name, entry in read_json(file).items():
                yield ServedModel(
                    stack=stack.name,
                    served_as=name,
                    model=_known(entry["model_id"]),
                    context=entry.get("max_total_tokens"),
                    endpoint_name=_known(entry["endpoint_name"]),
                )


def _known(value: object) -> str | None:
    """The value; None for `{"deployed": n}`, which stands for one that only the deployment knows."""
    return value if isinstance(value, str) else None
