"""JSON mode and JSON schemas as TGI's grammars."""

import json
import re
from typing import Any

import jsonschema
import pytest
from front_door.engines.tgi.grammar import JSON_OBJECT, normalize_schema, response_format
from front_door.generation.request import Problems
from hypothesis import given, settings
from hypothesis import strategies as st

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


def form(value: dict[str, Any]) -> dict[str, Any] | None:
    problems = Problems()
    result = response_format(value, problems)
    problems.raise_if_any()
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
            {"type": "json_schema", "value": {"schema": SCHEMA}},
        ),
        (
            {"type": "json_schema", "value": {"name": "x", "schema": SCHEMA}},
            {"type": "json_schema", "value": {"name": "x", "schema": SCHEMA}},
        ),
        ({"type": "json", "value": SCHEMA}, {"type": "json", "value": SCHEMA}),
        ({"type": "json_object", "value": SCHEMA}, {"type": "json", "value": SCHEMA}),
        ({"type": "json", "value": json.dumps(SCHEMA)}, {"type": "json", "value": json.dumps(SCHEMA)}),
        ({"type": "regex", "value": "a+"}, {"type": "regex", "value": "a+"}),
    ],
)
def test_openais_and_tgis_response_formats_are_translated(
    requested: dict[str, Any], result: dict[str, Any] | None
) -> None:
    assert form(requested) == result


def renormalize_schema(schema: dict[str, Any]) -> dict[str, Any]:
    problems = Problems()
    result = normalize_schema(schema, "schema", problems)
    problems.raise_if_any()
    return result


PERSON = {
    "$defs": {
        "Name": {"type": "string", "description": "A name."},
        "Person": {"type": "object", "properties": {"name": {"$ref": "#/$defs/Name"}}, "required": ["name"]},
    },
    "type": "object",
    "properties": {"one": {"$ref": "#/$defs/Person", "description": "The first."}, "others": {"type": "array"}},
}
PERSON["properties"]["others"]["items"] = {"$ref": "#/$defs/Person"}  # type: ignore[index]


def test_references_are_merged_with_the_members_beside_them() -> None:
    result = renormalize_schema(PERSON)
    assert "$ref" not in json.dumps(result)
    assert "$defs" not in result
    assert result["properties"]["one"]["description"] == "The first."
    assert result["properties"]["others"]["items"]["properties"]["name"] == {"type": "string", "description": "A name."}


def test_a_property_may_have_the_name_of_a_keyword() -> None:
    schema = {"properties": {"$ref": {"type": "string"}, "items": {"type": "integer"}, "$defs": {"type": "null"}}}
    assert renormalize_schema(schema) == schema


ANYTHING = [None, True, 5, "x", [1], {"a": {"b": 1}}]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": {"type": ["string", "null"]}}, "required": ["a"]},
        {"type": "object", "properties": {"a": {}}, "required": ["a"]},
        {"type": "object", "properties": {"a": {"title": "A"}}, "required": ["a"]},
        {"type": "object", "properties": {"a": {"type": "array", "items": True}}},
        {"type": "object", "properties": {"a": {"type": "object", "additionalProperties": False}}},
        {"type": "object", "properties": {"a": {"enum": ["x", None], "type": ["string", "null"]}}},
        {
            "type": "object",
            "properties": {
                "a": {"type": ["object", "null"], "properties": {"b": {"type": "integer"}}, "required": ["b"]}
            },
        },
        {"type": "object", "properties": {"a": {"anyOf": [{"type": ["integer", "array"]}, {"const": "x"}]}}},
    ],
    ids=json.dumps,
)
def test_a_normalized_schema_accepts_the_same_values(schema: dict[str, Any]) -> None:
    result = renormalize_schema(schema)
    assert result != schema or "enum" in str(schema)
    for value in ANYTHING:
        instances = ({"a": value}, {"a": {"b": value}}, {})
        for instance in instances:
            before = jsonschema.Draft202012Validator(schema).is_valid(instance)
            assert jsonschema.Draft202012Validator(result).is_valid(instance) == before, instance


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        ({"items": {"type": "string"}}, "array"),
        ({"required": ["a"], "description": "d"}, "object"),
        ({"pattern": "a+"}, "string"),
        ({"minimum": 1}, "number"),
    ],
)
def test_a_schema_without_a_type_gets_the_type_that_its_keywords_imply(part: dict[str, Any], kind: str) -> None:
    assert renormalize_schema({"properties": {"a": part}})["properties"]["a"] == {**part, "type": kind}


def keywords(schema: Any) -> list[dict[str, Any]]:
    """All the schemas in a schema."""
    found = [schema]
    for inner in schema.get("properties", {}).values():
        found += keywords(inner)
    for name in ("anyOf", "allOf"):
        for inner in schema.get(name, []):
            found += keywords(inner)
    return found + (keywords(schema["items"]) if isinstance(schema.get("items"), dict) else [])


@pytest.mark.parametrize(
    "schema", [PERSON, {"properties": {"a": {"type": ["string", "null"]}, "b": {}, "c": {"items": {}}}}]
)
def test_every_subschema_has_a_keyword_that_outlines_core_knows(schema: dict[str, Any]) -> None:
    known = {"properties", "allOf", "anyOf", "oneOf", "prefixItems", "enum", "const", "type"}
    for part in keywords(renormalize_schema(schema)):
        assert part.keys() & known
        assert isinstance(part.get("type", ""), str)


@pytest.mark.parametrize(
    ("schema", "expected_message"),
    [
        (
            {"properties": {"next": {"$ref": "#"}}},
            "the schema refers to itself, which this model's server does not support",
        ),
        (
            {"$defs": {"A": {"properties": {"b": {"$ref": "#/$defs/A"}}}}, "properties": {"a": {"$ref": "#/$defs/A"}}},
            "the schema refers to itself",
        ),
        ({"$defs": {"A": {"$ref": "#/$defs/A"}}, "properties": {"a": {"$ref": "#/$defs/A"}}}, "the schema refers"),
        ({"properties": {"a": {"$ref": "#/$defs/A"}}}, "a $ref points to something that is not in the schema"),
        ({"properties": {"a": {"$ref": "https://example.com/a"}}}, "a $ref must point into the same schema"),
    ],
)
def test_dangling_and_recursive_references_are_rejected(schema: dict[str, Any], expected_message: str) -> None:
    problems = Problems()
    assert normalize_schema(schema, "response_format.value", problems) == schema
    with pytest.raises(Exception, match=re.escape(f"response_format.value: {expected_message}")):
        problems.raise_if_any()


def test_references_that_multiply_are_rejected_before_they_exhaust_memory() -> None:
    names = "abcdefghijklmnop"
    definitions = {
        name: {"properties": {"x": {"$ref": f"#/$defs/{following}"}, "y": {"$ref": f"#/$defs/{following}"}}}
        for name, following in zip(names, names[1:] + "!", strict=True)
    }
    schema = {"$defs": definitions | {"!": {"type": "null"}}, "properties": {"a": {"$ref": "#/$defs/a"}}}
    problems = Problems()
    normalize_schema(schema, "s", problems)
    with pytest.raises(Exception, match="the schema has more than 5000 parts once its references are followed"):
        problems.raise_if_any()
