"""Unit tests of the toy: tokenizer, grammars and tool choice."""

import re

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.model_container import conversation, grammar, tokenizer
from local.model_container.tgi import chat_template, tools
from local.model_container.tgi.errors import ToolError


@given(st.text(), st.booleans())
def test_the_concatenated_tokens_are_the_text(text, special):
    pieces = list(tokenizer.tokenize(text, add_special_tokens=special))
    assert "".join(piece.text for piece in pieces) == text
    assert len(pieces) == tokenizer.count(text, add_special_tokens=special)
    encoded = text.encode()
    spans = list(dict.fromkeys((piece.start, piece.stop) for piece in pieces if piece.stop))
    assert b"".join(encoded[start:stop] for start, stop in spans) == encoded


@given(st.text(st.sampled_from("aé🦙 \n<|>_.,😀"), max_size=30))
def test_the_concatenated_tokens_are_the_text_with_special_characters(text):
    assert "".join(piece.text for piece in tokenizer.tokenize(text)) == text
    assert len(list(tokenizer.tokenize(text))) == tokenizer.count(text, add_special_tokens=False)


def test_tokens_have_stable_ids():
    assert [piece.id for piece in tokenizer.tokenize("Hello world")] == [112153, 88588]


simple_schemas = st.recursive(
    st.one_of(
        st.just({"type": "string"}),
        st.builds(
            lambda low, more: {"type": "string", "minLength": low, "maxLength": low + more},
            st.integers(0, 9),
            st.integers(0, 9),
        ),
        st.builds(
            lambda low, more: {"type": "integer", "minimum": low, "maximum": low + more},
            st.integers(-50, 50),
            st.integers(0, 50),
        ),
        st.builds(lambda low: {"type": "number", "exclusiveMinimum": low}, st.integers(-5, 5)),
        st.builds(lambda step: {"type": "integer", "multipleOf": step, "minimum": 1}, st.integers(1, 9)),
        st.sampled_from([{"type": "boolean"}, {"type": "null"}, {"enum": ["a", 2]}, {"const": {"x": 1}}]),
        st.sampled_from([{"type": ["string", "null"]}, {"type": "string", "format": "date-time"}]),
    ),
    lambda inner: st.one_of(
        st.builds(lambda items, n: {"type": "array", "items": items, "minItems": n}, inner, st.integers(0, 3)),
        st.builds(
            lambda properties: {
                "type": "object",
                "properties": properties,
                "required": list(properties),
                "additionalProperties": False,
            },
            st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
        ),
        st.builds(lambda first, second: {"anyOf": [first, second]}, inner, inner),
        st.builds(lambda one: {"allOf": [one]}, inner),
    ),
    max_leaves=8,
)


@given(simple_schemas)
def test_a_generated_instance_satisfies_its_schema(schema):
    instance = grammar.InstanceGenerator(schema, ["zebra", "lion"]).generate(schema)
    jsonschema.validate(instance, schema)


@pytest.mark.parametrize(
    "pattern",
    ["[0-9]{4}-[01][0-9]", "a|b", "(?:x|y)+?z*", "[^aeiou]", "[^\\d]\\D", "\\s\\S", "(?P<q>['\"]).(?P=q)", "ab{0,1}"],
)  # fmt: skip
def test_a_generated_text_matches_its_pattern(pattern):
    assert re.fullmatch(pattern, grammar.generate_match(pattern))


def tool(name):
    return {"type": "function", "function": {"name": name, "description": None, "arguments": {}}}


def test_only_auto_allows_no_tool():
    assert [each["function"]["name"] for each in tools.allowed_tools([tool("a")], "auto")] == ["a", "no_tool"]
    assert tools.allowed_tools([tool("a")], "required") == [tool("a")]
    assert tools.allowed_tools([tool("a")], "none") == []
    with pytest.raises(ToolError, match="Tool error: Tool with name b not found"):
        tools.allowed_tools([tool("a")], "function:b")


@pytest.mark.parametrize(
    ("words", "name"), [(["stock", "of", "ACME"], "getStockPrice"), (["Weather"], "get_weather"), (["hm"], "no_tool")]
)
def test_the_tool_whose_name_shares_a_word_with_the_prompt_is_chosen(words, name):
    schema = tools.tool_schema(tools.allowed_tools([tool("get_weather"), tool("getStockPrice")], "auto"))
    call = grammar.InstanceGenerator(schema, words).generate({**tools.choose_tool(schema, words), "type": "object"})
    assert call == {"function": {"_name": name}}


@pytest.mark.parametrize(("choice", "name"), [("auto", "no_tool"), ("required", "final_answer")])
def test_after_the_result_of_a_call_none_follows_but_the_last_tool_if_one_must(choice, name):
    schema = tools.tool_schema(tools.allowed_tools([tool("get_weather"), tool("final_answer")], choice))
    chosen = tools.choose_tool(schema, ["weather"], has_result=True)
    assert chosen["properties"]["function"] == {"$ref": f"#/$functions/{name}"}
    assert tools.choose_tool(schema, ["weather"])["properties"]["function"] == {"$ref": "#/$functions/get_weather"}


@pytest.mark.parametrize(("roles", "last"), [(["user"], "user"), (["user", "assistant", "tool"], "tool")])
@pytest.mark.parametrize("text", ["5", ""])
def test_the_last_message_of_a_prompt_has_a_role(roles, last, text):
    messages = [{"role": role, "content": text} for role in roles]
    assert conversation.last_role(chat_template.render(messages, None, None)) == last


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "array", "maxItems": 0}, []),
        ({"type": "array", "minItems": 2, "items": {"type": "null"}}, [None, None]),
        ({"type": "array", "prefixItems": [{"const": 1}, {"type": "null"}]}, [1, None]),
    ],
)
def test_an_array_has_as_many_items_as_it_may(schema, value):
    assert grammar.InstanceGenerator(schema, ["a"]).generate(schema) == value
