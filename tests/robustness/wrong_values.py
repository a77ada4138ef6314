"""JSON values of every type, and how to put them anywhere in another value."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

WRONG_VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    2**63,
    10**400,
    0.5,
    1e308,
    float("nan"),
    "",
    "x",
    "\ud800",
    [],
    [None],
    [[]],
    ["x"],
    [{}],
    {},
    {"type": "x"},
    {"type": None, "value": None},
    {"type": "function", "function": None},
]


def paths_in(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all values in a JSON value, inner ones first."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from paths_in(inner, (*path, name))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from paths_in(inner, (*path, at))
    if path:
        yield path


def with_value_at(body: Any, at: tuple[Any, ...], value: Any) -> Any:
    """A copy of the body with another value at a path."""
    changed = copy.deepcopy(body)
    inner = changed
    for step in at[:-1]:
        inner = inner[step]
    inner[at[-1]] = value
    return changed
