"""The types of a chat: each wrong one has its message, and the container can read all that are accepted."""

import copy
import json
from typing import Any

import pytest
from front_door.errors import ApiError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from local.model_container.serde.chat_requests import CHAT
from local.model_container.serde.errors import JsonError
from local.model_container.serde.types import read_json
from tests.lambda_.conftest import ApiClient
from tests.lambda_.protocols.openai.bodies import chat_bodies
from tests.lambda_.sagemaker_double import SageMakerDouble

SECRET = "the-prompt"
FUNCTION = {"name": "now", "description": None, "parameters": {"type": "object"}, "strict": True}
IMAGE = {"type": "image_url", "image_url": {"url": "data:,", "detail": "low"}}
FULL: dict[str, Any] = {
    "model": "llama",
    "messages": [
        {"role": "developer", "content": SECRET, "name": None},
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
    "presence_penalty": 0,
    "logit_bias": {},
    "logprobs": True,
    "top_logprobs": 5,
    "max_tokens": 10,
    "max_completion_tokens": 10,
    "metadata": {"a": "b"},
    "modalities": ["text"],
    "n": 2,
    "parallel_tool_calls": True,
    "prompt_cache_key": "k",
    "safety_identifier": "s",
    "seed": -1,
    "service_tier": "auto",
    "stop": "a",
    "store": False,
    "stream": True,
    "stream_options": {"include_usage": True, "include_obfuscation": False},
    "temperature": 0,
    "tool_choice": {"type": "function", "function": {"name": "now"}},
    "tool_prompt": "p",
    "tools": [{"type": "function", "function": FUNCTION}],
    "top_p": 1,
    "user": "u",
    "verbosity": "medium",
}
FORMAT = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": {"properties": {}}}}
FORMATTED = {"messages": FULL["messages"][:2], "response_format": FORMAT}


def validation_error(body: dict[str, Any]) -> ApiError | None:
    try:
        bodies = chat_bodies(body, {})
    except ApiError as failure:
        return failure
    for each in bodies:
        read_json(json.dumps(each).encode(), CHAT)
    return None


def container_error(body: dict[str, Any]) -> JsonError | None:
    try:
        read_json(json.dumps(body).encode(), CHAT)
    except JsonError as error:
        return error
    return None


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, member in members for place in places(member, (*path, key)))]


def changed(body: dict[str, Any], place: tuple[Any, ...], value: list[Any]) -> dict[str, Any]:
    """The body with another value in this place, or without one."""
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


def test_every_supported_parameter_is_accepted() -> None:
    assert validation_error(FULL) is None
    assert validation_error(FORMATTED) is None


VALUES: list[Any] = [None, True, 5, -1, 2**32, 2**64, 0.5, "x", "", "required", {}, {"type": "text"}, {"url": "x"}]
ARRAYS: list[Any] = [[], ["x"], [5], [True], [None, "x", {}], ["function", ["x"]], [{"type": "function"}], [[["x"]]]]
NOTHING: list[Any] = []


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(
        [(FULL, place) for place in places(FULL) if place] + [(FORMATTED, p) for p in places(FORMATTED) if p]
    ),
    st.sampled_from([NOTHING, *([value] for value in (*VALUES, *ARRAYS))]),
)
@example((FULL, ("messages", 0, "role")), NOTHING)
@example((FULL, ("messages", 2, "tool_calls")), NOTHING)
@example((FULL, ("tools", 0, "function", "parameters")), NOTHING)
@example((FULL, ("logit_bias",)), [[5]])
def test_the_container_can_read_every_request_that_is_accepted(
    body_and_place: tuple[dict[str, Any], tuple[Any, ...]], value: list[Any]
) -> None:
    body, place = body_and_place
    failure = validation_error(changed(body, place, value))
    if failure is not None:
        assert (failure.kind, failure.status) == ("bad_request", 400)
        assert failure.param
        assert failure.param.partition(".")[0].partition("[")[0] in failure.message
        assert SECRET not in failure.message


MESSAGE = {"role": "user", "content": SECRET}
CALL = {"id": "0", "type": "function", "function": {"name": "now", "arguments": SECRET}}
TOOL = {"type": "function", "function": {"name": "now"}}


def of(*messages: Any) -> dict[str, Any]:
    return {"messages": list(messages)}


@pytest.mark.parametrize(
    ("change", "param", "problem"),
    [
        ({"messages": SECRET}, "messages", "invalid type: string, expected an array of messages"),
        ({"messages": []}, "messages", "must be an array with at least one message"),
        ({"messages": None}, "messages", "invalid type: null, expected an array of messages"),
        (of(5), "messages[0]", "invalid type: integer, expected an object with `role` and `content`"),
        (of(MESSAGE, {"content": SECRET}), "messages[1].role", "missing field `role`"),
        (of({**MESSAGE, "role": 5}), "messages[0].role", "invalid type: integer, expected a string"),
        (of({"role": "user"}), "messages[0].content", "missing field `content` or `tool_calls`"),
        (of({"role": "user", "content": None}), "messages[0].content", "missing field `content` or `tool_calls`"),
        (
            of({"role": "user", "content": 5}),
            "messages[0].content",
            "invalid type: integer, expected a string or an array of parts",
        ),
        (
            of({"role": "user", "content": [{"type": "input_audio", "text": SECRET}]}),
            "messages[0].content[0].type",
            "must be `text` or `image_url`",
        ),
        (
            of({"role": "user", "content": [{"type": "image_url", "image_url": SECRET}]}),
            "messages[0].content[0].image_url",
            "invalid type: string, expected an object with `url`",
        ),
        (
            of({"role": "assistant", "content": None, "tool_calls": [{**CALL, "id": 0}]}),
            "messages[0].tool_calls[0].id",
            "invalid type: integer, expected a string",
        ),
        (
            of({"role": "assistant", "tool_calls": [{**CALL, "type": "custom"}]}),
            "messages[0].tool_calls[0].type",
            "must be `function`",
        ),
        (
            of({"role": "assistant", "function_call": {"name": "now", "arguments": "{}"}, "content": ""}),
            "messages[0].function_call",
            "is not supported, give the message `tool_calls`",
        ),
        (of({"role": "assistant", "audio": {"id": "a"}, "content": ""}), "messages[0].audio", "is not supported"),
        ({"max_tokens": "many"}, "max_tokens", "invalid type: string, expected a number of tokens"),
        ({"max_tokens": 1.0}, "max_tokens", "invalid type: floating point, expected a number of tokens"),
        ({"max_completion_tokens": -1}, "max_completion_tokens", "-1 is not a number of tokens"),
        ({"temperature": "hot"}, "temperature", "invalid type: string, expected a number"),
        ({"temperature": True}, "temperature", "invalid type: boolean, expected a number"),
        ({"seed": 2**64}, "seed", "18446744073709551616 is not an integer of 64 bits"),
        ({"n": 0}, "n", "0 is not a number of choices, at least 1"),
        ({"stream": "yes"}, "stream", "invalid type: string, expected a boolean"),
        ({"stream_options": 5}, "stream_options", "invalid type: integer, expected an object"),
        ({"tools": {}}, "tools", "invalid type: map, expected an array of tools"),
        ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "tools[0].type", "must be `function`"),
        ({"tools": [{"type": "function"}]}, "tools[0].function", "missing field `function`"),
        *(
            (
                {
                    "tools": [
                        {"type": "function", "function": {"name": "f"}},
                        {"type": "function", "function": function},
                    ]
                },
                "tools[1].function.name",
                problem,
            )
            for function, problem in [
                ({"name": "a/b"}, "must be 1 to 64 letters (a-z, A-Z), digits, _ or -"),
                ({"name": "météo"}, "must be 1 to 64 letters (a-z, A-Z), digits, _ or -"),
                ({"name": ""}, "must be 1 to 64 letters (a-z, A-Z), digits, _ or -"),
                ({"name": "a" * 65}, "must be 1 to 64 letters (a-z, A-Z), digits, _ or -"),
                ({"name": "a\n"}, "must be 1 to 64 letters (a-z, A-Z), digits, _ or -"),
                ({"name": 5}, "invalid type: integer, expected a string"),
                ({}, "missing field `name`"),
            ]
        ),
        (
            {"tools": [{"type": "function", "function": {"name": "now", "parameters": SECRET}}]},
            "tools[0].function.parameters",
            "invalid type: string, expected a JSON schema",
        ),
        ({"tool_choice": 5}, "tool_choice", "invalid type: integer, expected a string or an object with `type`"),
        ({"tool_choice": {"type": "any"}}, "tool_choice.type", "must be `function` or `allowed_tools`"),
        ({"stop": 5}, "stop", "invalid type: integer, expected a string or an array of strings"),
        ({"stop": ["a", 5]}, "stop[1]", "invalid type: integer, expected a string"),
        ({"stop": ["a", ""]}, "stop", "must not be an empty string"),
        ({"logit_bias": 5}, "logit_bias", "invalid type: integer, expected an object"),
        (
            {"response_format": {"type": "grammar"}},
            "response_format.type",
            "must be `text` or `json_object` or `json_schema` or `json` or `regex`",
        ),
        (
            {"response_format": {"type": "json_schema"}},
            "response_format.json_schema",
            "missing field `json_schema`, an object with `name` and `schema`",
        ),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}},
            "response_format.json_schema.schema",
            "missing field `schema`",
        ),
        ({"response_format": {"type": "json"}}, "response_format.value", "missing field `value`, the JSON schema"),
        ({"response_format": {"type": "regex"}}, "response_format.value", "missing field `value`, the regular"),
        (
            {"response_format": {"type": "text", "schema": {}}},
            "response_format.schema",
            "unknown parameter, allowed are `type`",
        ),
        (
            {"response_format": {"type": "json_object", "json_schema": {"schema": {}}}},
            "response_format.json_schema",
            "unknown parameter, allowed are `type`, `schema`",
        ),
        (
            {"response_format": {"type": "json_object", "value": {}, "schema": {}}},
            "response_format.schema",
            "unknown parameter, allowed are `type`, `value`",
        ),
        (
            {"response_format": {"type": "json_object", "schema": SECRET}},
            "response_format.schema",
            "must be a JSON schema or the text of one",
        ),
        (
            {"response_format": {"type": "json", "value": {}, "schema": {}}},
            "response_format.schema",
            "unknown parameter, allowed are `type`, `value`",
        ),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"schema": {}}, "schema": {}, "value": {}}},
            "response_format.schema",
            "unknown parameter, allowed are `type`, `json_schema`",
        ),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"schema": {}, "schemas": {}}}},
            "response_format.json_schema.schemas",
            "unknown parameter, allowed are `name`, `description`, `schema`, `strict`",
        ),
        (
            {"response_format": {"type": "regex", "value": "a", "pattern": "a"}},
            "response_format.pattern",
            "unknown parameter, allowed are `type`, `value`",
        ),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_a_wrong_type_is_named_before_the_model_is_invoked(
    api: ApiClient, sagemaker: SageMakerDouble, change: dict[str, Any], param: str, problem: str, streamed: bool
) -> None:
    answer = api.send("/v1/chat/completions", {"messages": [MESSAGE], "stream": streamed, **change})
    error = answer.json()["error"]
    assert (answer.status, answer.json()["error_type"]) == (400, "bad_request")
    assert (error["param"], error["type"], error["code"]) == (param, "invalid_request_error", None)
    assert error["message"].startswith(f"{param}: {problem}")
    assert SECRET not in answer.body.decode()
    assert sagemaker.received == []


def test_all_problems_are_in_one_message() -> None:
    failure = validation_error(
        {
            "messages": [{}, 5],
            "temperature": "hot",
            "max_tokens": 1,
            "max_completion_tokens": 2,
            "made_up": 5,
            "min_p": 0.1,
            "reasoning_effort": "high",
            "presence_penalty": 1,
        }
    )
    assert failure is not None
    assert failure.param == "messages[0].role"
    assert failure.message.split("; ") == [
        "messages[0].role: missing field `role`",
        "messages[0].content: missing field `content` or `tool_calls`",
        "messages[1]: invalid type: integer, expected an object with `role` and `content`",
        "temperature: invalid type: string, expected a number",
        "reasoning_effort is not supported: leave it out",
        "Unrecognized request arguments supplied: made_up, min_p",
        "max_tokens and max_completion_tokens are the same parameter and differ: set one of them",
        "presence_penalty is supported as 0 only, unlike frequency_penalty",
    ]


def test_of_a_thousand_problems_twenty_are_reported_and_the_others_counted() -> None:
    failure = validation_error({"messages": [5] * 1000})
    assert failure is not None
    assert failure.message.endswith("; and 980 more")
    assert failure.message.count("invalid type") == 20
