"""The error that a construct raises if it could not be deployed with its arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from constructs_lib.planning.validation.problem import Described

if TYPE_CHECKING:
    from collections.abc import Iterable

    from constructs import Construct

    from constructs_lib.planning.validation.problem import Problem


class ConfigurationError(ValueError):
    """All problems of one construct, raised together at synth before any of its resources is created.

    Args:
        path: Path of the construct in the tree, such as `LlamaTgiStack/Llama`.
        problems: The problems; each has the keyword, the value, what is allowed and what to change. A construct is
            shown as its path.
    """

    def __init__(self, path: str, problems: Iterable[Problem]) -> None:
        self.path: str = path
        self.problems: tuple[Problem, ...] = tuple(
            replace(problem, value=_readable(problem.value)) for problem in problems
        )
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        lines = "".join(f"\n  - {problem}" for problem in self.problems)
        super().__init__(f"{path}: {count} to solve before this can be deployed{lines}")


def raise_if_any(scope: Construct, id: str, problems: Iterable[Problem]) -> None:
    """Raise the problems of the construct `id` that is about to be created in `scope`, if there are any.

    Raises:
        ConfigurationError: There is at least one problem.
    """
    found = tuple(problems)
    if found:
        raise ConfigurationError("/".join(part for part in (scope.node.path, id) if part), found)


def _readable(value: object) -> object:
    """The value with each construct in it as its type and path, which say which one of the app it is."""
    if isinstance(value, type | str | bytes):
        return value
    path = getattr(getattr(value, "node", None), "path", None)
    if isinstance(path, str):
        # What the CDK imports has no class of its own in Python.
        kind = type(value).__name__.removeprefix("_").removesuffix("Proxy")
        return Described(path if kind == "InterfaceDynamic" else f"{kind} {path}")
    if isinstance(value, Mapping):
        return {key: _readable(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        items = [_readable(item) for item in value]
        return tuple(items) if isinstance(value, tuple) else items
    return value
