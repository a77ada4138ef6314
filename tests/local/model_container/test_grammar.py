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
