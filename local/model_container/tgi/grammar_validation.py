"""Validates grammars as TGI's router does before a generation (router/src/validation.rs, outlines-core ba10c61)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import jsonschema

from local.model_container.serde.errors import JsonError
from local.model_container.serde.requests import Grammar
from local.model_container.serde.types import compact, parse_document
from local.model_container.settings import Settings
from local.model_container.tgi.errors import GenerationError, ValidationError

_OF_ONE, _OF_MANY = ("items",), ("anyOf", "oneOf", "allOf", "prefixItems")


def validate_grammar(grammar: Grammar | None, limits: Settings) -> tuple[dict[str, Any] | None, str | None]:
    """The JSON schema or the regular expression of a text, if any.

    Raises:
        ValidationError: The router rejects the grammar.
        GenerationError: The shard fails on a regular expression, which the router passes on unread.
    """
    if grammar is None:
        return None, None
    if limits.disable_grammar_support:
        raise ValidationError("grammar is not supported")
    if grammar.kind == "regex":
        _check_regex(grammar.value)
        return None, grammar.value
    schema = grammar.value["schema"] if grammar.kind == "json_schema" else _read_json(grammar.value)
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        raise ValidationError(f"grammar is not valid: {_in_rust(error)}") from error
    if not isinstance(schema, dict) or "properties" not in schema:
        raise ValidationError("grammar is not valid: Grammar must have a 'properties' field")
    for part in _missing_parts(schema, schema, ()):
        raise ValidationError(f"cannot compile regex from schema: Invalid reference path: {part}")
    return schema, None


def _read_json(value: Any) -> Any:
    if isinstance(value, dict):
        return value
    if not isinstance(value, str):
        raise ValidationError("grammar is not supported")
    try:
        return parse_document(value)
    except JsonError as error:
        raise ValidationError(f"grammar is not valid: {error}") from error


def _check_regex(pattern: str) -> None:
    # The shard reads it with another library than Python's, and its message is empty.
    try:
        re.compile(pattern)
    except re.error as error:
        raise GenerationError("Server error: ") from error


def _in_rust(error: jsonschema.SchemaError) -> str:
    """The message of the jsonschema crate, where it differs for what schemas usually have wrong."""
    if error.validator in ("anyOf", "oneOf"):
        return (
            f"{compact(error.instance)} is not valid under any of the schemas listed in the '{error.validator}' keyword"
        )
    if error.validator == "type" and isinstance(error.validator_value, str):
        return f'{compact(error.instance)} is not of type "{error.validator_value}"'
    return str(error.message)


def _missing_parts(node: Any, root: dict[str, Any], within: tuple[str, ...]) -> Iterator[str]:
    """The first missing part of each reference that leads nowhere."""
    if not isinstance(node, dict):
        return
    reference = node.get("$ref")
    if isinstance(reference, str) and reference not in within:
        target: Any = root
        for part in filter(None, reference.rpartition("#")[2].split("/")):
            if not isinstance(target, dict) or part not in target:
                yield part
                return
            target = target[part]
        yield from _missing_parts(target, root, (*within, reference))
    properties = node.get("properties")
    children = list(properties.values()) if isinstance(properties, dict) else []
    children += [node.get(keyword) for keyword in _OF_ONE]
    children += [each for keyword in _OF_MANY for each in node.get(keyword) or ()]
    for child in children:
        yield from _missing_parts(child, root, within)
