"""Generated texts that satisfy a grammar."""

import json
import re

import jsonschema
import pytest

from tests.local.model_container.servers import post


@pytest.fixture(scope="module")
def container(servers):
    return servers.container(max_input_tokens=100, max_total_tokens=200, enable_prefill_logprobs=True)


def generate(container, inputs="What is deep learning?", route="/generate", **parameters):
    return post(container + route, {"inputs": inputs, "parameters": parameters})


SCHEMA = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "minLength": 3, "maxLength": 8},
        "people": {"type": "integer", "minimum": 10, "maximum": 20},
        "share": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
        "capital": {"type": "boolean"},
        "kind": {"enum": ["big", "small"]},
        "rivers": {"type": "array", "items": {"$ref": "#/$defs/river"}, "minItems": 2},
        "code": {"type": "string", "pattern": "^[A-Z]{2}-\\d{3}$"},
        "founded": {"type": "string", "format": "date"},
        "twin": {"anyOf": [{"type": "null"}, {"type": "string"}]},
    },
    "required": ["city", "people", "share", "capital", "kind", "rivers", "code", "founded", "twin"],
    "additionalProperties": False,
    "$defs": {"river": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}},
}


@pytest.mark.parametrize(
    "grammar",
    [
        {"type": "json", "value": SCHEMA},
        {"type": "json", "value": json.dumps(SCHEMA)},
        {"type": "json_object", "value": SCHEMA},
        {"type": "json_schema", "value": {"name": "city", "schema": SCHEMA}},
    ],
)
def test_a_text_satisfies_the_json_schema_of_its_grammar(container, grammar):
    response = generate(container, "Tell me of Budapest", grammar=grammar).json["generated_text"]
    jsonschema.validate(json.loads(response), SCHEMA)


@pytest.mark.parametrize(
    "regex", [r"((25[0-5]|2[0-4]\d|[01]?\d\d?)\.){3}\d", "(yes|no)!", "[^a-z ]{2,5}x+", r"(a)\1\w"]
)
def test_a_text_matches_the_regular_expression_of_its_grammar(container, regex):
    response = generate(container, grammar={"type": "regex", "value": regex}).json["generated_text"]
    assert re.fullmatch(regex, response)


def test_grammar_support_can_be_disabled(servers):
    response = generate(servers.container(disable_grammar_support=True), grammar={"type": "regex", "value": "a"})
    assert response.json["error"] == "Input validation error: grammar is not supported"


def rejected(container, grammar):
    response = generate(container, grammar=grammar)
    return response.status, response.json["error"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "EOF while parsing an object at line 1 column 1"),
        ('{"a": [1 2]}', "expected `,` or `]` at line 1 column 10"),
        ("{} x", "trailing characters at line 1 column 4"),
    ],
)
def test_a_schema_that_is_no_json_is_reported_in_serdes_words(container, text, message):
    expected = f"Input validation error: grammar is not valid: {message}"
    assert rejected(container, {"type": "json", "value": text}) == (422, expected)


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"type": "x"}, "\"x\" is not valid under any of the schemas listed in the 'anyOf' keyword"),
        ({"properties": ["a"]}, '["a"] is not of type "object"'),
        ({"type": "array"}, "Grammar must have a 'properties' field"),
    ],
)
def test_an_invalid_schema_is_reported_in_the_words_of_tgis_library(container, schema, message):
    expected = f"Input validation error: grammar is not valid: {message}"
    assert rejected(container, {"type": "json", "value": schema}) == (422, expected)


@pytest.mark.parametrize(
    ("schema", "part"),
    [
        ({"$ref": "#/$defs/none"}, "$defs"),
        ({"anyOf": [{"type": "null"}, {"items": {"$ref": "#/definitions/a/b"}}]}, "b"),
        ({"$ref": "#/definitions/a"}, "none"),
    ],
)
def test_a_reference_that_leads_nowhere_is_rejected_by_its_first_missing_part(container, schema, part):
    root = {"properties": {"x": schema}, "definitions": {"a": {"properties": {"y": {"$ref": "#/none"}}}}}
    expected = f"Input validation error: cannot compile regex from schema: Invalid reference path: {part}"
    assert rejected(container, {"type": "json", "value": root}) == (422, expected)


def test_a_schema_that_refers_to_itself_is_read_once(container):
    schema = {"properties": {"next": {"$ref": "#"}}}
    assert generate(container, grammar={"type": "json", "value": schema}, max_new_tokens=5).status == 200


def test_an_invalid_regular_expression_fails_in_the_generation(container):
    message = "Request failed during generation: Server error: "
    assert rejected(container, {"type": "regex", "value": "[0-9"}) == (424, message)
    events = generate(container, route="/generate_stream", grammar={"type": "regex", "value": "("}).events
    assert events == [{"error": message, "error_type": "generation"}]
