"""Validates responses with the types of the `openai` and `anthropic` packages, made from their API descriptions."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cache
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError


def violations(type_: Any, value: object) -> list[str]:
    """Everything in a JSON value that does not conform to a type, unknown members included."""
    try:
        # Strict: a number in place of a string is an error here, though the package itself accepts it.
        parsed = _adapter(type_).validate_python(value, strict=True)
    except ValidationError as error:
        return [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
    return list(_unknown_members(parsed, ""))


@cache
def _adapter(type_: Any) -> TypeAdapter[Any]:
    return TypeAdapter(type_)


def _unknown_members(value: object, at: str) -> Iterator[str]:
    if isinstance(value, BaseModel):
        for name in value.model_extra or {}:
            yield f"{at}.{name}: the API has no such member"
        for name in value.model_fields_set:
            yield from _unknown_members(getattr(value, name), f"{at}.{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unknown_members(item, f"{at}[{index}]")


def with_finish_reasons(chunk: dict[str, Any]) -> dict[str, Any]:
    """The package has the same type for completions and chunks, which requires a finish reason."""
    chunk = copy.deepcopy(chunk)
    for choice in chunk["choices"]:
        choice["finish_reason"] = choice["finish_reason"] or "stop"
    return chunk
