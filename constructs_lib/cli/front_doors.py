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
    Column("SHARE"),
    Column("MODEL", wraps=True),
    Column("ENGINE"),
    Column("CONTEXT", is_number=True),
    Column("ENDPOINT"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedModel:
    """An endpoint of a model of a front door.

    Args:
        stack: The front door's stack.
        served_as: The name that clients use.
        share: Which of their requests the endpoint gets: `100 %` of one that is alone, `5 %` of the callers, `fallback`
            for what others refuse, `5 % copied` of a Mirror.
        target: What a model with several endpoints calls it, its construct path; None if it is alone.
        model: Repository on the hub; None if synth does not know it.
        engine: What runs in its container.
        context: Longest request in tokens; None if it is not known.
        endpoint_name: Its endpoint; None if the name is given at deployment.
    """

    stack: str
    served_as: str
    share: str
    target: str | None
    model: str | None
    engine: str
    context: int | None
    endpoint_name: str | None

    def to_json(self) -> dict[str, Any]:
        """The members by name."""
        return asdict(self)

    def to_row(self) -> list[str]:
        """A row of `COLUMNS`."""
        context = "-" if self.context is None else number(self.context)
        endpoint = self.endpoint_name or "named at deployment"
        return [self.stack, self.served_as, self.share, self.model or "-", self.engine, context, endpoint]


def served_models(stack: SynthesizedStack) -> Iterator[ServedModel]:
    """The models of the front doors of a stack, and of the stacks nested in it."""
    for asset in stack.assets.values():
        file = stack.folder / asset["source"].get("path", "") / MODELS_PATH
        if file.is_file():
            for name, model in read_json(file).items():
                # One that is an alias names a model that has an entry of its own.
                for share, entry in () if "alias" in model else _shares(model):
                    yield ServedModel(
                        stack=stack.name,
                        served_as=name,
                        share=share,
                        target=entry.get("target"),
                        model=_known(entry["model_id"]),
                        engine=entry["engine"],
                        context=entry.get("max_total_tokens"),
                        endpoint_name=_known(entry["endpoint_name"]),
                    )


def _shares(model: dict[str, Any], share: str = "100 %") -> Iterator[tuple[str, dict[str, Any]]]:
    """The endpoints of a model, each with its share in words."""
    if "mirror" in model:
        yield from _shares(model["mirror"]["primary"])
        yield f"{model['mirror']['percent']:g} % copied", model["mirror"]["to"]
    elif "split" in model:
        total = sum(each["weight"] for each in model["split"])
        for each in model["split"]:
            yield from _shares(each["to"], f"{100 * each['weight'] / total:.3g} %")
    elif "fallback" in model:
        first, *others = model["fallback"]
        yield share, first
        yield from (("fallback", each) for each in others)
    else:
        yield share, model


def _known(value: object) -> str | None:
    """The value; None for `{"deployed": n}`, which stands for one that only the deployment knows."""
    return value if isinstance(value, str) else None
