"""Reads tgi-3.3.6.json: what TGI's bodies are, beside its own description, which is not ours to copy."""

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
        type: Such as `u32`, `[Token]`.
        is_nullable: Whether it may be null.
        is_required: Whether it is always there; in a request, whether TGI refuses without.
        default: What it is where it is absent from a request, as JSON.
        limits: Its range, as JSON Schema's keywords.
    """

    type: str
    is_nullable: bool
    is_required: bool
    default: str | None
    limits: dict[str, float]


def fields(struct: str) -> dict[str, Field]:
    """The members of a struct."""
    is_request = struct in TABLE["requests"]
    return {name: _field(text, is_request) for name, text in (TABLE["requests"] | TABLE["answers"])[struct].items()}


def _field(text: str, is_request: bool) -> Field:
    found = _NOTATION.fullmatch(text)
    assert found is not None, text
    limits = {_KEYWORDS[sign]: float(value) for sign, value in re.findall(r"([<>]=?) (-?\d+)", found["range"])}
    may_be_absent = found["mark"] == "~" or found["default"] is not None or (is_request and found["mark"] == "?")
    return Field(found["type"], found["mark"] == "?", not may_be_absent, found["default"], limits)


def problems(struct: str, value: object, at: str = "") -> Iterator[str]:
    """Everything in a JSON value that TGI would not have answered as this struct."""
    if not isinstance(value, dict):
        yield f"{at}: {value!r} is no {struct}"
        return
    wanted = fields(struct)
    for name in value.keys() - wanted.keys():
        yield f"{at}.{name}: {struct} has no such member"
    for name, field in wanted.items():
        if name in value:
            yield from _problems_of(field, value[name], f"{at}.{name}")
        elif field.is_required:
            yield f"{at}.{name}: missing"


def _problems_of(field: Field, value: object, at: str) -> Iterator[str]:
    if value is None:
        if not field.is_nullable:
            yield f"{at}: null"
    else:
        yield from _problems_of_type(field.type, value, at)


def _problems_of_type(type_: str, value: object, at: str) -> Iterator[str]:
    if type_.startswith("["):
        if not isinstance(value, list):
            yield f"{at}: {value!r} is no array"
            return
        for index, item in enumerate(value):
            yield from _problems_of_type(type_[1:-1], item, f"{at}[{index}]")
    elif type_ in TABLE["enums"]:
        if value not in TABLE["enums"][type_]:
            yield f"{at}: {value!r} is no {type_}"
    elif type_ in JSON_TYPES:
        kind = JSON_TYPES[type_]
        is_it = isinstance(value, _PYTHON[kind]) and (kind == "boolean" or not isinstance(value, bool))  # type: ignore[arg-type]
        if not is_it or (type_.startswith("u") and isinstance(value, int) and value < 0):
            yield f"{at}: {value!r} is no {type_}"
    else:
        yield from problems(type_, value, at)
