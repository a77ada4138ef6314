"""Type checks of decoded JSON, combined into the types of whole bodies.

A problem quotes no value, which may be a prompt, except a number that is out of range. Its words are serde's, which
TGI's clients know.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from front_door.http.json import type_name

Problem = tuple[str, str]
"""Where it is, such as `messages[0].role`, and what it is."""
Type = Callable[[Any, str], Sequence[Problem]]
"""The problems of a value at a path."""


class Field(NamedTuple):
    """A member of an object; `hint` is added to the message if it is missing, null may mean that it is missing."""

    type: Type
    is_required: bool = False
    hint: str = ""
    is_nullable: bool = True


def wrong_type(value: object, expected: str) -> str:
    """Serde's words for a value of the wrong type, without the value."""
    return f"invalid type: {type_name(value)}, expected {expected}"


def any_of(names: Iterable[str]) -> str:
    """The names as an enumeration."""
    return " or ".join(f"`{name}`" for name in names)


def anything(_value: Any, _path: str) -> Sequence[Problem]:
    """Any value."""
    return ()


def instance(kind: type | tuple[type, ...], expected: str) -> Type:
    """A value of one of Python's types; a boolean is not a number."""

    def check(value: Any, path: str) -> Sequence[Problem]:
        if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
            return ()
        return ((path, wrong_type(value, expected)),)

    return check


def integer(low: int, high: int, expected: str, out_of_range: str = "{value} is not {expected}") -> Type:
    """An integer from `low` to `high`, without `high` itself."""

    def check(value: Any, path: str) -> Sequence[Problem]:
        if type(value) is not int:
            return ((path, wrong_type(value, expected)),)
        if low <= value < high:
            return ()
        return ((path, out_of_range.format(value=str(value)[:21], expected=expected)),)

    return check


def one_of(*names: str) -> Type:
    """One of some strings."""

    def check(value: Any, path: str) -> Sequence[Problem]:
        return () if isinstance(value, str) and value in names else ((path, f"must be {any_of(names)}"),)

    return check


def array(item: Type, expected: str) -> Type:
    """An array of one type."""

    def check(value: Any, path: str) -> Sequence[Problem]:
        if not isinstance(value, list):
            return ((path, wrong_type(value, expected)),)
        return [problem for index, each in enumerate(value) for problem in item(each, f"{path}[{index}]")]

    return check


def string_or(other: Type) -> Type:
    """A string or another type."""
    return lambda value, path: () if isinstance(value, str) else other(value, path)


def struct(fields: dict[str, Field], expected: str = "an object") -> Type:
    """An object; other members than `fields` are ignored."""

    def check(value: Any, path: str) -> Sequence[Problem]:
        if not isinstance(value, dict):
            return ((path, wrong_type(value, expected)),)
        found: list[Problem] = []
        for name, (type_, is_required, hint, is_nullable) in fields.items():
            member = value.get(name)
            if member is not None or (name in value and (is_required or not is_nullable)):
                found += type_(member, f"{path}.{name}" if path else name)
            elif is_required:
                found.append((f"{path}.{name}" if path else name, f"missing field `{name}`{hint}"))
        return found

    return check


def tagged(variants: dict[str, Type], expected: str) -> Type:
    """An object whose `type` decides its other members."""

    def check(value: Any, path: str) -> Sequence[Problem]:
        if not isinstance(value, dict):
            return ((path, wrong_type(value, expected)),)
        if "type" not in value:
            return ((f"{path}.type", "missing field `type`"),)
        kind = value["type"]
        if isinstance(kind, str) and kind in variants:
            return variants[kind](value, path)
        return ((f"{path}.type", f"must be {any_of(variants)}"),)

    return check


STRING = instance(str, "a string")
BOOLEAN = instance(bool, "a boolean")
NUMBER = instance((int, float), "a number")
