"""The types in a JSON schema for the text: vLLM fails without a word at one that JSON does not have."""

from collections.abc import Iterator
from typing import Any

from front_door.http.json_schema import Problem, any_of

_TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")
# What of a schema is schemas: by the names of members, or by themselves or in an array.
_BY_NAME = ("properties", "patternProperties", "$defs", "definitions")
_DIRECT = ("items", "prefixItems", "additionalProperties", "anyOf", "oneOf", "allOf", "not", "if", "then", "else")


def type_problems(schema: Any, path: str) -> Iterator[Problem]:
    """Each `type` that is none."""
    if isinstance(schema, list):
        for at, each in enumerate(schema):
            yield from type_problems(each, f"{path}[{at}]")
    if not isinstance(schema, dict):
        return
    kind = schema.get("type", [])
    if not all(each in _TYPES for each in (kind if isinstance(kind, list) else [kind])):
        yield f"{path}.type", f"must be {any_of(_TYPES)}"
    for name in _DIRECT:
        yield from type_problems(schema.get(name), f"{path}.{name}")
    for name in _BY_NAME:
        members = schema.get(name)
        for member, each in members.items() if isinstance(members, dict) else ():
            yield from type_problems(each, f"{path}.{name}.{member[:100]}")
