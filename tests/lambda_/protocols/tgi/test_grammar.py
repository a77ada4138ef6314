"""TGI's grammars are read as its router reads them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from front_door.errors import ApiError
from front_door.generation.generate_request import Grammar
from front_door.protocols.tgi.generate_checks import read_request
from front_door.protocols.tgi.grammar import read_grammar

SCHEMA: dict[str, Any] = {"type": "object", "properties": {"a": {"type": ["integer", "null"]}}, "required": ["a"]}
NOT_VALID = "Input validation error: grammar is not valid: "
NOT_READ = "Failed to deserialize the JSON body into the target type: parameters.grammar.value: "
NO_PROPERTIES = "Grammar must have a 'properties' field"


@pytest.mark.parametrize(
    "grammar",
    [
        {"type": "json", "value": SCHEMA},
        {"type": "json_object", "value": SCHEMA},
        {"type": "json", "value": json.dumps(SCHEMA)},
        {"type": "json_schema", "value": {"schema": SCHEMA}},
        {"type": "json_schema", "value": {"name": "n", "strict": True, "schema": SCHEMA}},
    ],
)
def test_a_schema_comes_in_each_of_tgis_forms(grammar: dict[str, Any]) -> None:
    assert read_grammar(grammar) == Grammar(schema=SCHEMA)


def test_references_are_followed() -> None:
    schema = {
        "properties": {"a": {"$ref": "#/$defs/x"}, "b": {"$ref": "#"}},
        "$defs": {"x": {"$ref": "#/properties/a"}},
    }
    assert read_grammar({"type": "json", "value": schema}) == Grammar(schema=schema)


def test_a_regular_expression_is_not_read() -> None:
    assert read_grammar({"type": "regex", "value": "[0-9"}) == Grammar(regex="[0-9")


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        ("json", {"type": "object"}, NOT_VALID + NO_PROPERTIES),
        ("json", "true", NOT_VALID + NO_PROPERTIES),
        ("json", "3", NOT_VALID + '3 is not of types "boolean", "object"'),
        ("json", "{", NOT_VALID + "its `value` is not JSON"),
        ("json", 3, "Input validation error: grammar is not supported"),
        ("json", None, "Input validation error: grammar is not supported"),
        ("json", {"properties": []}, NOT_VALID + '[] is not of type "object"'),
        ("json", {"properties": {"a": 3}}, NOT_VALID + '3 is not of types "boolean", "object"'),
        (
            "json",
            {"properties": {"a": {"anyOf": [{"type": "text"}]}}},
            NOT_VALID + "\"text\" is not valid under any of the schemas listed in the 'anyOf' keyword",
        ),
        ("json", {"properties": {"a": {"anyOf": {}}}}, NOT_VALID + '{} is not of type "array"'),
        (
            "json_schema",
            {"schema": {"properties": {}, "$defs": {"x": {"items": {"type": []}}}}},
            NOT_VALID + "[] is not valid under any of the schemas listed in the 'anyOf' keyword",
        ),
        ("json_schema", {"schema": {}}, NOT_VALID + NO_PROPERTIES),
        (
            "json",
            {"properties": {"a": {"items": {"$ref": "#/$defs/x/y"}}}, "$defs": {"x": {}}},
            "Input validation error: cannot compile regex from schema: Invalid reference path: y",
        ),
        ("json_schema", {"name": "x"}, NOT_READ + "missing field `schema`"),
        ("json_schema", "x", NOT_READ + "invalid type: string, expected struct JsonSchemaConfig"),
        ("regex", 3, NOT_READ + "invalid type: integer, expected a string"),
    ],
)
def test_what_tgi_does_not_accept_is_refused(kind: str, value: object, message: str) -> None:
    with pytest.raises(ApiError) as raised:
        read_grammar({"type": kind, "value": value})
    assert (raised.value.kind, raised.value.message) == ("validation", message)


def test_a_schema_that_is_nested_too_deeply_is_no_defect() -> None:
    schema: dict[str, Any] = SCHEMA
    for _ in range(5000):
        schema = {"properties": {"a": schema}}
    body = {"inputs": "Hi", "parameters": {"grammar": {"type": "json", "value": schema}}}
    with pytest.raises(ApiError) as raised:
        read_request(body, {}, stream=False, full_text=False)
    assert raised.value.message == "Failed to parse the request body as JSON: recursion limit exceeded"
