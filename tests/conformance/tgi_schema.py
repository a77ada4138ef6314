"""Reads tgi-3.3.6.json, the types of TGI's bodies, and validates JSON values against them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TABLE: dict[str, Any] = json.loads(Path(__file__).with_name("tgi-3.3.6.json").read_text(encoding="utf-8"))
JSON_TYPES = {
    "usize": "integer",
    "u32": "integer",
    "u64": "integer",
    "i32": "integer",
    "f32": "number",
    "bool": "boolean",
    "String": "string",
}
_PYTHON = {"integer": int, "number": (int, float), "boolean": bool, "string": str}
_NOTATION = re.compile(r"(?P<type>[\[\]\w]+)(?P<mark>[?~]?)(?: = (?P<default>.+?))?(?P<range>(?: [<>]=? -?\d+)*)")
_KEYWORDS = {">": "exclusiveMinimum", ">=": "minimum", "<": "exclusiveMaximum", "<=": "maximum"}


@dataclass(frozen=True)
class Field:
    """One member of a struct.

    Attributes:
        type: Rust's type, such as `u32` or `[Token]`.
        is_nullable: Whether it may be null.
        is_required: In a response, whether it is always present; in a request, whether TGI requires it.
        default: Its value if a request does not have it, as JSON.
        limits: Its range, by JSON Schema's keywords.
    """

    type: str
    is_nullable: bool
    is_required: bool
    default: str | None
    limits: dict[str, float]


F32_MEMBERS = frozenset(
    name for members in TABLE["requests"].values() for name, text in members.items() if text.startswith("f32")
)
"""The members of requests that TGI reads as 32-bit floats, and rounds to them before it checks their range."""


def fields(struct: str) -> dict[str, Field]:
    """The members of a struct."""
    is_request = struct in TABLE["requests"]
    return {name: _field(text, is_request) for name, text in (TABLE["requests"] | TABLE["answers"])[struct].items()}


def _field(text: str, is_request: bool) -> Field:
    match = _NOTATION.fullmatch(text)
    assert match is not None, text
    limits = {_KEYWORDS[sign]: float(value) for sign, value in re.findall(r"([<>]=?) (-?\d+)", match["range"])}
    may_be_absent = match["mark"] == "~" or match["default"] is not None or (is_request and match["mark"] == "?")
    return Field(match["type"], match["mark"] == "?", not may_be_absent, match["default"], limits)


def violations(struct: str, value: object, at: str = "") -> Iterator[str]:
    """Everything in a JSON value that does not conform to this struct."""
    if not isinstance(value, dict):
        yield f"{at}: {value!r} is not a {struct}"
        return
    expected = fields(struct)
    for name in value.keys() - expected.keys():
        yield f"{at}.{name}: {struct} has no such member"
    for name, field in expected.items():
        if name in value:
            yield from _violations_of_field(field, value[name], f"{at}.{name}")
        elif field.is_required:
            yield f"{at}.{name}: missing"


def _violations_of_field(field: Field, value: object, at: str) -> Iterator[str]:
    if value is None:
        if not field.is_nullable:
            yield f"{at}: null"
    else:
        yield from _violations_of_type(field.type, value, at)


def _violations_of_type(type_: str, value: object, at: str) -> Iterator[str]:
    if type_.startswith("["):
        if not isinstance(value, list):
            yield f"{at}: {value!r} is not an array"
            return
        for index, item in enumerate(value):
            yield from _violations_of_type(type_[1:-1], item, f"{at}[{index}]")
    elif type_ in TABLE["enums"]:
        if value not in TABLE["enums"][type_]:
            yield f"{at}: {value!r} is not a {type_}"
    elif type_ in JSON_TYPES:
        kind = JSON_TYPES[type_]
        has_type = isinstance(value, _PYTHON[kind]) and (kind == "boolean" or not isinstance(value, bool))  # type: ignore[arg-type]
        if not has_type or (type_.startswith("u") and isinstance(value, int) and value < 0):
            yield f"{at}: {value!r} is not a {type_}"
    else:
        yield from violations(type_, value, at)
