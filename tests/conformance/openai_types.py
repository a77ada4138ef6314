"""Holds answers to the types of the `openai` package, which are made from OpenAI's published description."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openai import BaseModel
from pydantic import TypeAdapter, ValidationError


def problems(type_: Any, value: object) -> list[str]:
    """What in a JSON value is not of a type, and which members the type does not have."""
    try:
        # Strict: a number for a text is a mistake here, which the package itself would overlook.
        read = TypeAdapter(type_).validate_python(value, strict=True)
    except ValidationError as error:
        return [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
    return list(_unknown(read, ""))


def _unknown(value: object, at: str) -> Iterator[str]:
    if isinstance(value, BaseModel):
        for name in value.model_extra or {}:
            yield f"{at}.{name}: OpenAI has no such member"
        for name in value.model_fields_set:
            yield from _unknown(getattr(value, name), f"{at}.{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unknown(item, f"{at}[{index}]")
