"""Checks of decoded JSON against types: combinators, and what the bodies of OpenAI's routes have in common."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from front_door.http.request import json_type
from front_door.protocols.tgi.schema import BOOLEAN, TEXT, Check, wrong_type

Problem = tuple[str, str]
"""Where it is, such as `messages[0].role`, and what it is; never the value, which may be a prompt."""
Type = Callable[[Any, str], Iterator[Problem]]


class Field(NamedTuple):
    """A member of an object; optional ones may be null, which means the default to OpenAI."""

    type: Type
    is_required: bool = False
    hint: str = ""


def is_(wrong: Check) -> Type:
    """A value that `wrong` has nothing against."""

    def problems(value: Any, path: str) -> Iterator[Problem]:
        if problem := wrong(value):
            yield path, problem

    return problems


def integer(low: int, high: int, expected: str) -> Type:
    """A whole number from `low` to `high`; `high` itself is too much."""

    def wrong(value: Any) -> str | None:
        if type(value) is not int:
            return wrong_type(value, expected)
        return None if low <= value < high else f"{str(value)[:21]} is not {expected}"

    return is_(wrong)


def number(value: Any, path: str) -> Iterator[Problem]:
    """A number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        yield path, wrong_type(value, "a number")


def one_of(*names: str) -> Type:
    """One of some strings."""

    def wrong(value: Any) -> str | None:
        return None if isinstance(value, str) and value in names else f"must be {any_of(names)}"

    return is_(wrong)


def anything(_value: Any, _path: str) -> Iterator[Problem]:
    """Whatever it is."""
    return iter(())


def array(item: Type, expected: str) -> Type:
    """An array of one type."""

    def problems(value: Any, path: str) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield path, wrong_type(value, expected)
            return
        for index, element in enumerate(value):
            yield from item(element, f"{path}[{index}]")

    return problems


def text_or(other: Type) -> Type:
    """A string or another type."""
    return lambda value, path: iter(()) if isinstance(value, str) else other(value, path)


def struct(fields: dict[str, Field], expected: str = "an object") -> Type:
    """An object; members that are not among `fields` are nobody's concern."""

    def problems(value: Any, path: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield path, wrong_type(value, expected)
            return
        for name, field in fields.items():
            where = f"{path}.{name}".lstrip(".")
            found = value.get(name)
            if name in value and (found is not None or field.is_required):
                yield from field.type(found, where)
            elif field.is_required:
                yield where, f"missing field `{name}`{field.hint}"

    return problems


def tagged(variants: dict[str, Type], expected: str, tag: str = "type") -> Type:
    """An object whose `type` decides what else it has."""

    def problems(value: Any, path: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield path, wrong_type(value, expected)
        elif tag not in value:
            yield f"{path}.{tag}", f"missing field `{tag}`"
        elif isinstance(value[tag], str) and value[tag] in variants:
            yield from variants[value[tag]](value, path)
        else:
            yield f"{path}.{tag}", f"must be {any_of(variants)}"

    return problems


def any_of(names: Iterable[str]) -> str:
    """The names as words."""
    return " or ".join(f"`{name}`" for name in names)


def _stop(value: Any, path: str) -> Iterator[Problem]:
    if isinstance(value, str):
        value = [value]
    found = list(array(text, "a string or an array of strings")(value, path))
    yield from found
    if not found and "" in value:
        yield path, "must not be an empty string, where every text would stop at once"


def _logit_bias(value: Any, path: str) -> Iterator[Problem]:
    if not isinstance(value, (dict, list)):
        yield path, f"invalid type: {json_type(value)}, expected an object"


text, flag = is_(TEXT), is_(BOOLEAN)
tokens = integer(0, 2**32, "a number of tokens")
_OPTIONAL: dict[str, Type] = {
    "model": text,
    "n": integer(1, 2**32, "a number of choices, at least 1"),
    "stop": _stop,
    "stream": flag,
    "stream_options": struct({"include_usage": Field(flag), "include_obfuscation": Field(flag)}),
    "seed": integer(-(2**63), 2**64, "an integer of 64 bits"),
    "temperature": number,
    "top_p": number,
    "frequency_penalty": number,
    "presence_penalty": number,
    "logit_bias": _logit_bias,
    "max_tokens": tokens,
    "user": anything,
}
SHARED: dict[str, Field] = {name: Field(type_) for name, type_ in _OPTIONAL.items()}
"""What a chat and a completion both may have."""
