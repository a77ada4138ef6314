"""JSON mode and JSON schemas as TGI's grammars."""

import json
import re
from typing import Any

import pytest
from front_door.engines.tgi.grammar import JSON_OBJECT
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lambda_.protocols.openai.bodies import chat_bodies
from tests.lambda_.protocols.openai.events import HI

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


def nested(levels: int) -> st.SearchStrategy[Any]:
    if levels == 0:
        return SCALARS
    inner = nested(levels - 1)
    return SCALARS | st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)


def spoken(value: object, **options: Any) -> str:
    """JSON without the escapes of characters that need none, as models write it."""
    return json.dumps(value, ensure_ascii=False, **options)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.text(), nested(2), max_size=3))
def test_json_mode_allows_every_object_of_three_levels(value: dict[str, Any]) -> None:
    for text in (spoken(value), spoken(value, separators=(",", ":"))):
        if re.search(r"\\u|[\x7f-\x9f]", text):
            continue  # control characters, which the grammar leaves out
        assert re.fullmatch(JSON_OBJECT, text)


@settings(max_examples=200, deadline=None)
@given(st.from_regex(JSON_OBJECT, fullmatch=True))
def test_whatever_json_mode_allows_is_a_json_object(text: str) -> None:
    assert isinstance(json.loads(text), dict)


@pytest.mark.parametrize("text", ["", "5", "[]", '"x"', "{a:1}", '{"a":1,}', '{"a"}', '{"a":01}', '{"a":"\n"}', "{}{}"])
def test_json_mode_allows_nothing_but_objects(text: str) -> None:
    assert re.fullmatch(JSON_OBJECT, text) is None


def grammar(requested: dict[str, Any]) -> dict[str, Any] | None:
    (body,) = chat_bodies({**HI, "response_format": requested}, {})
    result: dict[str, Any] | None = body.get("response_format")
    return result


SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}


@pytest.mark.parametrize(
    ("requested", "result"),
    [
        ({"type": "text"}, None),
        ({"type": "json_object"}, {"type": "regex", "value": JSON_OBJECT}),
        (
            {"type": "json_schema", "json_schema": {"name": "x", "description": "d", "strict": True, "schema": SCHEMA}},
            {"type": "json_schema", "value": {"name": "x", "schema": SCHEMA}},
        ),
        (
            {"type": "json_schema", "json_schema": {"schema": SCHEMA}},
            {"type": "json", "value": SCHEMA},
        ),
        (
            {"type": "json_schema", "value": {"name": "x", "schema": SCHEMA}},
            {"type": "json_schema", "value": {"name": "x", "schema": SCHEMA}},
        ),
        ({"type": "json", "value": SCHEMA}, {"type": "json", "value": SCHEMA}),
        ({"type": "json_object", "value": SCHEMA}, {"type": "json", "value": SCHEMA}),
        ({"type": "json_object", "schema": SCHEMA}, {"type": "json", "value": SCHEMA}),
        ({"type": "json_object", "schema": SCHEMA, "value": None}, {"type": "json", "value": SCHEMA}),
        ({"type": "json", "value": json.dumps(SCHEMA)}, {"type": "json", "value": SCHEMA}),
        ({"type": "json_object", "schema": {"type": "object"}}, {"type": "regex", "value": JSON_OBJECT}),
        ({"type": "regex", "value": "a+"}, {"type": "regex", "value": "a+"}),
    ],
)
def test_openais_and_tgis_response_formats_are_translated(
    requested: dict[str, Any], result: dict[str, Any] | None
) -> None:
    assert grammar(requested) == result


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "items": {"type": "integer"}},
        {"type": "string"},
        {"enum": ["a", 1, None]},
        {"anyOf": [SCHEMA, {"type": "null"}]},
        {"type": "object", "additionalProperties": {"type": "integer"}},
    ],
    ids=json.dumps,
)
def test_a_schema_without_properties_is_sent_as_the_only_property_of_an_object(schema: dict[str, Any]) -> None:
    wrapped = {"type": "object", "properties": {"value": schema}, "required": ["value"]}
    requested = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    assert grammar(requested) == {"type": "json", "value": wrapped}


def test_stop_sequences_are_not_looked_for_in_what_is_around_the_text() -> None:
    wrapped = {"response_format": {"type": "json", "value": {"type": "string"}}, "stop": [":"]}
    plain = {"response_format": {"type": "json", "value": SCHEMA}, "stop": [":"]}
    assert ["stop" in body for body in (*chat_bodies({**HI, **wrapped}, {}), *chat_bodies({**HI, **plain}, {}))] == [
        False,
        True,
    ]
