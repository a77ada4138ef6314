"""JSON schemas as TGI's grammar compiler reads them."""

import json
import re
import time
from typing import Any

import jsonschema
import pytest
from front_door.engines.tgi.schema import normalize_schema
from front_door.generation.request import Problems
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


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
        ({"maxProperties": 0, "description": "d"}, "object"),
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
            {"properties": {"next": {"$ref": "#"}}, "required": ["next"]},
            "nothing matches the schema, such as where it refers to itself without an end",
        ),
        (
            {
                "$defs": {"A": {"properties": {"b": {"$ref": "#/$defs/A"}}, "required": ["b"]}},
                "properties": {"a": {"$ref": "#/$defs/A"}},
                "required": ["a"],
            },
            "nothing matches the schema",
        ),
        ({"$defs": {"A": {"$ref": "#/$defs/A"}}, "$ref": "#/$defs/A"}, "nothing matches the schema"),
        ({"type": "array", "items": {"$ref": "#"}, "minItems": 1}, "nothing matches the schema"),
        ({"allOf": [{"type": "string"}, {"type": "integer"}]}, "nothing matches the schema"),
        (
            {"enum": [[1]], "items": {"type": "string"}},
            "an array or object in `const` or `enum` allows no other rules beside it",
        ),
        (
            {"allOf": [{"pattern": "a+"}, {"pattern": "b+"}]},
            "parts of the schema that hold together have different values of `pattern`",
        ),
        ({"properties": {"a": {"properties": {}, "required": True}}}, "`required` must be an array of strings"),
        ({"allOf": [{"required": ["a"]}, {"required": [{}]}]}, "`required` must be an array of strings"),
        ({"type": "object", "required": ["a", 1]}, "`required` must be an array of strings"),
        ({"properties": {"a": {"$ref": "#/$defs/A"}}}, "a $ref points to something that is not in the schema"),
        ({"properties": {"a": {"$ref": "https://example.com/a"}}}, "a $ref must point into the same schema"),
    ],
)
def test_endless_and_dangling_references_and_contradictions_are_rejected(
    schema: dict[str, Any], expected_message: str
) -> None:
    problems = Problems()
    assert normalize_schema(schema, "response_format.value", problems) == schema
    with pytest.raises(Exception, match=re.escape(f"response_format.value: {expected_message}")):
        problems.raise_if_any()


def test_many_names_and_values_that_hold_together_take_no_longer_each() -> None:
    names = [f"a{at}" for at in range(40_000)]
    started = time.process_time()
    both = [{"required": names, "enum": names}, {"required": [*names[1:], "b"], "enum": [*names[1:], "b"]}]
    result = normalize_schema({"allOf": both}, "s", Problems())
    assert (len(result["enum"]), time.process_time() - started < 5) == (39_999, True)


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


NODE = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
TREE = {**NODE, "properties": {**NODE["properties"], "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}}}}  # type: ignore[dict-item]
LIST = {
    "type": "object",
    "properties": {"value": {"type": "integer"}, "next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}},
    "required": ["value", "next"],
}
TERM = {
    "type": "object",
    "properties": {"left": {"$ref": "#/$defs/Term"}, "right": {"type": "integer"}},
    "required": ["left", "right"],
}
RECURSIVE: dict[str, dict[str, Any]] = {
    "array": {"$defs": {"Node": TREE}, "$ref": "#/$defs/Node"},
    "nullable": LIST,
    "optional": {"$ref": "#/$defs/A", "$defs": {"A": {"type": "object", "properties": {"b": {"$ref": "#/$defs/A"}}}}},
    "map": {"type": "object", "additionalProperties": {"$ref": "#"}},
    "alternative": {"$defs": {"Term": {"anyOf": [TERM, {"type": "integer"}]}}, "$ref": "#/$defs/Term"},
    "mutual": {
        "$defs": {
            "A": {"type": "object", "properties": {"b": {"$ref": "#/$defs/B"}}, "required": ["b"]},
            "B": {"type": "array", "items": {"$ref": "#/$defs/A"}},
        },
        "$ref": "#/$defs/A",
    },
    "all of": {
        "$defs": {"Node": {"allOf": [NODE, {"properties": {"next": {"$ref": "#/$defs/Node"}}}]}},
        "$ref": "#/$defs/Node",
    },
}


def instances(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values of a normalized schema, optional properties present or not."""
    if "anyOf" in schema:
        return st.one_of([instances(each) for each in schema["anyOf"]])
    if schema["type"] == "object" and "properties" in schema:
        members = {name: instances(each) for name, each in schema["properties"].items()}
        required = schema.get("required", [])
        return st.fixed_dictionaries(
            {name: each for name, each in members.items() if name in required},
            optional={name: each for name, each in members.items() if name not in required},
        )
    if schema["type"] == "object":
        values = instances(schema["additionalProperties"]) if "additionalProperties" in schema else st.none()
        return st.dictionaries(st.text(max_size=2), values, max_size=schema.get("maxProperties", 2))
    if schema["type"] == "array":
        items = instances(schema["items"]) if "items" in schema else st.none()
        return st.lists(items, max_size=schema.get("maxItems", 2))
    return {"string": st.text(max_size=2), "integer": st.integers(), "null": st.none()}[schema["type"]]


@pytest.mark.parametrize("schema", RECURSIVE.values(), ids=RECURSIVE.keys())
def test_what_an_unrolled_schema_allows_the_recursive_one_allows(schema: dict[str, Any]) -> None:
    result = renormalize_schema(schema)
    assert "$ref" not in json.dumps(result)
    whole = jsonschema.Draft202012Validator(schema)

    @settings(max_examples=60, deadline=None)
    @given(instances(result))
    def check(value: Any) -> None:
        assert whole.is_valid(value)

    check()


def linked(levels: int) -> dict[str, Any]:
    return {"value": levels, "next": linked(levels - 1) if levels else None}


@pytest.mark.parametrize(("references", "is_allowed"), [(0, True), (1, True), (3, True), (4, False)])
def test_a_reference_is_followed_three_times_within_itself(references: int, is_allowed: bool) -> None:
    result = jsonschema.Draft202012Validator(renormalize_schema(LIST))
    assert result.is_valid(linked(references)) == is_allowed


def test_a_recursive_schema_is_followed_less_often_if_its_grammar_would_be_large() -> None:
    properties = {f"p{at}": {"anyOf": [{"$ref": "#"}, {"type": "null"}]} for at in range(3)}
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    result = renormalize_schema(schema)["properties"]["p2"]["anyOf"]
    twice = result[0]["properties"]["p2"]["anyOf"]
    assert [each["type"] for each in twice] == ["object", "null"]
    assert twice[0]["properties"]["p2"]["anyOf"] == [{"type": "null"}]


BESIDE = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (
            {"allOf": [{**BESIDE, "required": ["a"]}, {"properties": {"c": {"const": 1}}, "required": ["c"]}]},
            {
                "type": "object",
                "properties": {**BESIDE["properties"], "c": {"const": 1}},  # type: ignore[dict-item]
                "required": ["a", "c"],
            },
        ),
        (
            {"allOf": [{"$ref": "#/$defs/A"}], "description": "d", "$defs": {"A": {"type": "integer"}}},
            {"type": "integer", "description": "d"},
        ),
        ({"allOf": [{"type": "number"}, {"type": ["integer", "null"]}]}, {"anyOf": [{"type": "integer"}]}),
        (
            {**BESIDE, "oneOf": [{"required": ["a"]}, {"required": ["b"]}], "description": "d"},
            {"description": "d", "anyOf": [{**BESIDE, "required": ["a"]}, {**BESIDE, "required": ["b"]}]},
        ),
        (
            {"$ref": "#/$defs/A", "required": ["b"], "$defs": {"A": {**BESIDE, "required": ["a"]}}},
            {**BESIDE, "required": ["b", "a"]},
        ),
        (
            {"type": "object", "required": ["a"], "additionalProperties": {"type": "null"}},
            {
                "type": "object",
                "required": ["a"],
                "properties": {"a": {"type": "null"}},
                "additionalProperties": False,
            },
        ),
        (
            {"anyOf": [{"type": "string"}, False, {"type": "null"}]},
            {"anyOf": [{"type": "string"}, {"type": "null"}]},
        ),
        (
            {"const": {"a": [1, []], "b": "x"}},
            {
                "anyOf": [
                    {
                        "type": "object",
                        "properties": {
                            "a": {"type": "array", "prefixItems": [{"const": 1}, {"type": "array", "maxItems": 0}]},
                            "b": {"const": "x"},
                        },
                        "required": ["a", "b"],
                    }
                ]
            },
        ),
        ({"type": "string", "enum": ["x", 1, None]}, {"type": "string", "enum": ["x"]}),
        ({"allOf": [{"enum": [1, 2, 3]}, {"enum": [2, 3, 4]}]}, {"enum": [2, 3]}),
        ({"type": "number", "enum": [1, 1.5, "x"]}, {"type": "number", "enum": [1, 1.5]}),
        ({"enum": [[], "x"]}, {"anyOf": [{"type": "array", "maxItems": 0}, {"const": "x"}]}),
        ({"type": "string", "format": "email"}, {"type": "string"}),
        ({"type": "string", "format": "date"}, {"type": "string", "format": "date"}),
        ({"type": "string", "pattern": "^a|b$"}, {"type": "string", "pattern": "(a|b)"}),
        ({"type": "string", "pattern": "^a\\$"}, {"type": "string", "pattern": "a\\$"}),
        ({"type": "array", "items": [{"type": "null"}]}, {"type": "array", "prefixItems": [{"type": "null"}]}),
        (
            {"type": "object", "properties": {"a": False, "b": {"type": "null"}}},
            {"type": "object", "properties": {"b": {"type": "null"}}},
        ),
    ],
    ids=str,
)
def test_what_outlines_core_would_misread_or_reject_is_rewritten(
    schema: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert renormalize_schema(schema) == expected


KEYS = st.sampled_from(["a", "b", "c d"])
LEAVES = st.sampled_from(
    [
        {},
        True,
        {"type": "string", "minLength": 1, "maxLength": 3},
        {"type": "string", "format": "email"},
        {"type": "string", "pattern": "^[a-z]+$"},
        {"type": ["integer", "null"]},
        {"type": "number"},
        {"const": [1, {"a": None}]},
        {"enum": ["x", 1, None, [2]]},
        {"type": "object"},
        {"type": "array"},
        {"$ref": "#"},
        {"$ref": "#/$defs/A"},
    ]
)


def compound(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    properties = st.dictionaries(KEYS, inner, max_size=3)
    return st.one_of(
        st.builds(
            lambda each, names: {"type": "object", "properties": each, "required": names},
            properties,
            st.lists(KEYS, max_size=2, unique=True),
        ),
        st.builds(lambda each: {"properties": each}, properties),
        st.builds(lambda each: {"type": "array", "items": each}, inner),
        st.builds(lambda each: {"type": "array", "prefixItems": each}, st.lists(inner, min_size=1, max_size=2)),
        st.builds(lambda each: {"type": "object", "additionalProperties": each}, inner),
        st.builds(
            lambda key, each: {key: each},
            st.sampled_from(["anyOf", "oneOf", "allOf"]),
            st.lists(inner, min_size=1, max_size=3),
        ),
        st.builds(lambda base, each: {**base, "anyOf": each}, st.just(NODE), st.lists(inner, min_size=1, max_size=2)),
    )


SCHEMAS = st.recursive(LEAVES, compound, max_leaves=6).filter(lambda each: isinstance(each, dict))


def compiled(schema: dict[str, Any]) -> str | None:
    """The regular expression of TGI's own compiler, as TGI is asked for it; None if the schema is rejected.

    outlines-core 0.1.17 has the same src/json_schema as the commit that TGI 3.3.6 is built with.
    """
    compiler = pytest.importorskip(
        "outlines_core.fsm.json_schema", reason="outlines-core is not installed: it has no wheel for each system"
    )
    problems = Problems()
    result = normalize_schema(schema, "schema", problems)
    if problems.is_about("schema"):
        return None
    wrapped = {"type": "object", "properties": {"value": result}, "required": ["value"]}
    jsonschema.Draft202012Validator.check_schema(wrapped)
    regex: str = compiler.build_regex_from_schema(json.dumps(wrapped))
    return regex


@settings(max_examples=300, deadline=None)
@given(SCHEMAS, SCHEMAS)
def test_every_schema_that_is_accepted_is_compiled_by_outlines_core(
    schema: dict[str, Any], definition: dict[str, Any]
) -> None:
    assert compiled({**schema, "$defs": {"A": definition}}) != ""


@settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(SCHEMAS, SCHEMAS, st.data())
def test_whatever_the_compiled_grammar_allows_the_clients_schema_allows(
    schema: dict[str, Any], definition: dict[str, Any], data: st.DataObject
) -> None:
    whole = {**schema, "$defs": {"A": definition}}
    regex = compiled(whole)
    text = json.dumps(whole)
    if regex is None or len(regex) > 800 or "oneOf" in text or ("pattern" in text and "maxLength" in text):
        return  # a grammar takes `oneOf` for `anyOf`, and leaves out a pattern beside a length
    value = json.loads(data.draw(st.from_regex(regex, fullmatch=True)))["value"]
    try:
        is_valid = jsonschema.Draft202012Validator(whole).is_valid(value)
    except RecursionError:
        return  # of the package, where a schema is its own alternative
    assert is_valid, (value, regex)
