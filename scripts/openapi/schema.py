"""Shorthand for JSON Schema (2020-12, the dialect of OpenAPI 3.1)."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def text(description: str = "", **more: Any) -> Schema:
    """A string."""
    return _typed("string", description, more)


def integer(description: str = "", **more: Any) -> Schema:
    """An integer."""
    return _typed("integer", description, more)


def number(description: str = "", **more: Any) -> Schema:
    """A number."""
    return _typed("number", description, more)


def boolean(description: str = "", **more: Any) -> Schema:
    """`true` or `false`."""
    return _typed("boolean", description, more)


def array(items: Schema, description: str = "", **more: Any) -> Schema:
    """An array of items of one schema."""
    return _typed("array", description, {"items": items, **more})


def one_of(*values: str, description: str = "", **more: Any) -> Schema:
    """One of these strings."""
    return _typed("string", description, {"enum": list(values), **more})


def record(
    properties: dict[str, Schema], *, required: tuple[str, ...] = (), description: str = "", **more: Any
) -> Schema:
    """An object.

    Args:
        properties: Its properties; others are allowed unless `additionalProperties` is False.
        required: Names of the required properties.
        description: Its meaning.
        **more: Further keywords.
    """
    needed = {"required": list(required)} if required else {}
    return _typed("object", description, {**needed, "properties": properties, **more})


def nullable(schema: Schema) -> Schema:
    """The same schema, or null."""
    if "$ref" in schema or "anyOf" in schema:
        kept = {name: value for name, value in schema.items() if name not in ("$ref", "anyOf")}
        choices = schema.get("anyOf", [{"$ref": schema["$ref"]}] if "$ref" in schema else [])
        return {**kept, "anyOf": [*choices, {"type": "null"}]}
    more = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return {**schema, "type": [schema["type"], "null"], **more}


def any_of(*choices: Schema, description: str = "", **more: Any) -> Schema:
    """At least one of several schemas."""
    return {**({"description": description} if description else {}), "anyOf": list(choices), **more}


def typed(kind: str, **members: Schema) -> Schema:
    """An object that its `type` tells from others, with the members that it needs."""
    return record({"type": {"const": kind}, **members}, required=("type", *members))


def ref(name: str, kind: str = "schemas") -> Schema:
    """A reference to a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


def _typed(kind: str, description: str, more: dict[str, Any]) -> Schema:
    return {"type": kind, **({"description": description} if description else {}), **more}
