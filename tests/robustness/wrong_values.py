"""JSON values of every kind, and how they get into every place of another."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

WRONG: list[Any] = [
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
    """Where there is something in a JSON value, from the inside to the outside."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from paths_in(inner, (*path, name))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from paths_in(inner, (*path, at))
    if path:
        yield path


def with_value_at(body: Any, place: tuple[Any, ...], value: Any) -> Any:
    """The body with another value in a place."""
    changed = copy.deepcopy(body)
    inner = changed
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    return changed
