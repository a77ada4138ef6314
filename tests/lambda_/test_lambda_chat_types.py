"""What the door refuses of a chat request, held against the container's own reading of it."""

import copy
import json
from typing import Any

import pytest
from conftest import Door
from front_door import chat_types
from front_door.errors import Failure
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sagemaker_double import SageMakerDouble

from local.container.chat_requests import CHAT
from local.container.json_error import JsonError
from local.container.serde import read_json

WORDS = "Failed to deserialize the JSON body into the target type: "
SECRET = "the-prompt"
FUNCTION = {"name": "now", "description": None, "parameters": {"type": "object"}}
IMAGE = {"type": "image_url", "image_url": {"url": "data:,", "detail": "low"}}
FULL: dict[str, Any] = {
    "model": "llama",
    "messages": [
        {"role": "bogus", "content": SECRET, "name": None},
        {"role": "user", "content": [{"type": "text", "text": SECRET}, IMAGE], "name": "David"},
        {
            "role": "assistant",
            "content": None,
            "refusal": None,
            "tool_calls": [{"id": "0", "type": "function", "function": {"name": "now", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "0", "content": "12:00"},
    ],
    "frequency_penalty": 1,
    "logit_bias": [1, 0.5],
    "logprobs": True,
    "top_logprobs": 5,
    "max_completion_tokens": 10,
    "n": 1,
    "presence_penalty": 0.1,
    "stop": ["a", "b"],
    "stream": False,
    "seed": 2**64 - 1,
    "temperature": 0,
    "top_p": 1,
    "tools": [{"type": "function", "function": FUNCTION, "strict": True}],
    "tool_prompt": "p",
    "tool_choice": {"type": "function", "function": {"name": "now"}},
    "response_format": {"type": "json_schema", "value": {"name": "x", "schema": {}}},
    "stream_options": {"include_usage": True},
    "parallel_tool_calls": True,
    "user": 5,
}


def refusal(body: dict[str, Any]) -> Failure | None:
    try:
        chat_types.check(body)
    except Failure as failure:
        return failure
    return None


def containers_refusal(body: dict[str, Any]) -> JsonError | None:
    try:
        read_json(json.dumps(body).encode(), CHAT)
    except JsonError as error:
        return error
    return None


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, member in members for place in places(member, (*path, key)))]


def changed(body: dict[str, Any], place: tuple[Any, ...], value: list[Any]) -> dict[str, Any]:
    """The body with another value in this place, or with none."""
    body = copy.deepcopy(body)
    *way, last = place
    inner: Any = body
    for key in way:
        inner = inner[key]
    if value:
        inner[last] = value[0]
    else:
        del inner[last]
    return body


VALUES: list[Any] = [True, 5, -1, 2**32, 2**64, 0.5, "x", "required", "text", {}, {"type": "text"}, {"url": "x"}]
ARRAYS: list[Any] = [[], ["x"], [5], [True], [True, True], ["x", {}], [None, "x", {}], ["function", ["x"]]]
NOTHING: list[Any] = []


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([place for place in places(FULL) if place]),
    st.sampled_from([NOTHING, *([value] for value in (None, *VALUES, *ARRAYS))]),
)
@example(("messages", 0, "role"), NOTHING)
@example(("messages", 2, "tool_calls"), NOTHING)
@example(("tools", 0, "function", "parameters"), NOTHING)
@example(("tools", 0), [["function", [None, "now", {}]]])
@example(("stream_options",), [[True]])
@example(("messages", 0), [["user", "Hi"]])
def test_the_door_refuses_what_the_container_could_not_read_and_nothing_else(
    place: tuple[Any, ...], value: list[Any]
) -> None:
    body = {name: member for name, member in changed(FULL, place, value).items() if member is not None}
    is_chunk = len(place) == 4 and place[2] == "content"
    if (is_chunk or place == ("response_format",)) and value and isinstance(value[0], list):
        return  # serde reads an array in the place of such an enum; the local container does not
    if body.get("messages") == []:
        return  # a list of none is the door's own refusal
    assert (refusal(body) is None) == (containers_refusal(body) is None)


def test_an_array_in_the_place_of_a_tagged_enum_passes_as_serde_reads_it() -> None:
    messages = [{"role": "user", "content": [["text", "Hi"], ["image_url", ["data:,"]]]}]
    assert refusal({"messages": messages, "response_format": ["json", {}]}) is None


@pytest.mark.parametrize("body", [FULL, {"messages": FULL["messages"][:1]}])
def test_everything_that_tgi_reads_passes(body: dict[str, Any]) -> None:
    assert containers_refusal(body) is None
    chat_types.check(body)


@pytest.mark.parametrize("choice", ["auto", "none", "now", {"type": "function", "function": {"name": "now"}}])
@pytest.mark.parametrize(
    "form", [{"type": "json_object", "value": {}}, {"type": "json", "value": None}, {"type": "regex", "value": "a"}]
)
def test_every_tool_choice_and_grammar_passes(choice: Any, form: Any) -> None:
    body = {**FULL, "tool_choice": choice, "response_format": form}
    assert containers_refusal(body) is None
    chat_types.check(body)


MESSAGE = {"role": "user", "content": SECRET}
CALL = {"id": "0", "type": "function", "function": {"name": "now", "arguments": SECRET}}


@pytest.mark.parametrize(
    ("change", "param", "problem"),
    [
        ({"messages": SECRET}, "messages", "invalid type: string, expected an array of messages"),
        ({"messages": [5]}, "messages[0]", "invalid type: integer, expected an object with `role` and `content`"),
        ({"messages": [MESSAGE, {"content": SECRET}]}, "messages[1].role", "missing field `role`"),
        ({"messages": [{**MESSAGE, "role": 5}]}, "messages[0].role", "invalid type: integer, expected a string"),
        ({"messages": [{"role": "user"}]}, "messages[0].content", "missing field `content` or `tool_calls`"),
        (
            {"messages": [{"role": "user", "content": None}]},
            "messages[0].content",
            "invalid type: null, expected a string or an array of parts",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "input_audio", "text": SECRET}]}]},
            "messages[0].content[0].type",
            "unknown variant, expected `text` or `image_url`",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": SECRET}]}]},
            "messages[0].content[0].image_url",
            "invalid type: string, expected an object with `url`",
        ),
        (
            {"messages": [{"role": "assistant", "content": None, "tool_calls": [{**CALL, "id": 0}]}]},
            "messages[0].tool_calls[0].id",
            "invalid type: integer, expected a string",
        ),
        ({"max_tokens": "many"}, "max_tokens", "invalid type: string, expected u32"),
        ({"max_tokens": 1.0}, "max_tokens", "invalid type: floating point, expected u32"),
        ({"max_completion_tokens": -1}, "max_completion_tokens", "invalid value: integer `-1`, expected u32"),
        ({"temperature": "hot"}, "temperature", "invalid type: string, expected f32"),
        ({"stream_options": 5}, "stream_options", "invalid type: integer, expected an object"),
        ({"tools": {}}, "tools", "invalid type: map, expected an array of tools"),
        (
            {"tools": [{"type": "function", "function": {"name": "now"}}]},
            "tools[0].function.arguments",
            "missing field `arguments` or `parameters`",
        ),
        ({"tool_choice": 5}, "tool_choice", "invalid type: integer, expected a string or an object with `type` and"),
        ({"tool_choice": {"type": "any"}}, "tool_choice.type", "unknown variant, expected `function`"),
        ({"stop": SECRET}, "stop", "invalid type: string, expected an array of strings"),
        ({"stop": ["a", 5]}, "stop[1]", "invalid type: integer, expected a string"),
        ({"logit_bias": {"1": 5}}, "logit_bias", "invalid type: map, expected an array of numbers"),
        (
            {"response_format": {"type": "text"}},
            "response_format.type",
            "unknown variant, expected `json` or `json_object` or `regex` or `json_schema`",
        ),
        (
            {"response_format": {"type": "json_object"}},
            "response_format.value",
            "missing field `value`, the JSON schema",
        ),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}},
            "response_format.value",
            "missing field `value`, an object with `name` and `schema`",
        ),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_a_wrong_type_is_named_in_openais_words_before_the_call(
    door: Door, sagemaker: SageMakerDouble, change: dict[str, Any], param: str, problem: str, streamed: bool
) -> None:
    body = {"messages": [MESSAGE], "stream": streamed, **change}
    theirs = containers_refusal(body)
    assert theirs is not None
    assert param.startswith(str(theirs).partition(": ")[0]), theirs
    answer = door.ask("/v1/chat/completions", body)
    error = answer.json()["error"]
    assert (answer.status, answer.json()["error_type"]) == (422, "validation")
    assert (error["param"], error["type"], error["code"]) == (param, "invalid_request_error", None)
    assert error["message"].startswith(f"{WORDS}{param}: {problem}")
    assert SECRET not in answer.body.decode()
    assert sagemaker.received == []


def test_all_problems_are_in_one_message() -> None:
    failure = refusal({"messages": [{}, 5], "temperature": "hot", "max_tokens": 1, "max_completion_tokens": 1})
    assert failure is not None
    assert failure.param == "messages[0].role"
    assert failure.message.removeprefix(WORDS).split("; ") == [
        "messages[0].role: missing field `role`",
        "messages[0].content: missing field `content` or `tool_calls`",
        "messages[1]: invalid type: integer, expected an object with `role` and `content`",
        "max_tokens: duplicate field, `max_completion_tokens` is the same",
        "temperature: invalid type: string, expected f32",
    ]


def test_a_thousand_problems_are_counted_and_not_all_told() -> None:
    failure = refusal({"messages": [5] * 1000})
    assert failure is not None
    assert failure.message.endswith("; and 980 more")
    assert failure.message.count("invalid type") == 20
