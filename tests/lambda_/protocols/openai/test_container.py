"""Over the emulated container: buffered responses equal streamed ones, and every request gets a valid response."""

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lambda_.protocols.openai.events import Read
from tests.lambda_.protocols.tgi.test_container import TOOLS, Cloud
from tests.lambda_.protocols.tgi.test_container import cloud as cloud  # noqa: PLC0414 - a fixture

WORDS = st.sampled_from(["Hello", "weather", "now", "Zürich", "🧸 👩‍🚀", "a\nb", "你好", "\u2028", 'data: {"x"}'])
PROMPTS = st.lists(WORDS, min_size=1, max_size=4).map(" ".join)
SHARED: dict[str, st.SearchStrategy[Any]] = {
    "max_tokens": st.integers(1, 60),
    "temperature": st.sampled_from([0, 0.7, 2]),
    "top_p": st.sampled_from([0, 0.5, 1]),
    "stop": st.sampled_from(["toy", ".", "o", "age mod", "ñ", "\n", "»"])
    | st.lists(st.sampled_from(["a toy", " is", "words", "only", "🚀"]), max_size=4),
    "frequency_penalty": st.sampled_from([0, -2, 0.5]),
    "presence_penalty": st.just(0),
    "logit_bias": st.just({}),
    "n": st.integers(1, 3),
    "user": st.just("u"),
}
MESSAGE = st.builds(lambda role, text: {"role": role, "content": text}, st.sampled_from(["user", "developer"]), PROMPTS)
SCHEMA = {"type": "object", "properties": {"a": {"type": ["string", "null"]}, "b": {"type": "integer"}}}


def json_schema(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": schema}}


FORMATS = st.sampled_from(
    [
        {"type": "text"},
        {"type": "json_object"},
        {"type": "json_object", "schema": SCHEMA},
        json_schema(SCHEMA),
        json_schema({"$defs": {"A": {**SCHEMA, "properties": {"a": {"$ref": "#/$defs/A"}}}}, "$ref": "#/$defs/A"}),
    ]
)
WRAPPED_FORMATS = st.sampled_from(
    [
        json_schema({"type": "array", "minItems": 2, "items": {"type": "string"}}),
        json_schema({"anyOf": [SCHEMA, {"type": "null"}]}),
        json_schema({"type": "string"}),
    ]
)
CHATS = st.fixed_dictionaries(
    {"messages": st.lists(MESSAGE, min_size=1, max_size=2), "seed": st.integers(0, 2**40)},
    optional={
        **SHARED,
        "logprobs": st.booleans(),
        "response_format": FORMATS,
    },
)
WRAPPED_CHATS = st.fixed_dictionaries(
    {
        "messages": st.lists(MESSAGE, min_size=1, max_size=2),
        "seed": st.integers(0, 2**40),
        "response_format": WRAPPED_FORMATS,
    },
    optional=SHARED,
)
TOOL_CHATS = st.fixed_dictionaries(
    {"messages": st.lists(MESSAGE, min_size=1, max_size=2), "seed": st.integers(0, 2**40), "tools": st.just(TOOLS)},
    optional={
        "tool_choice": st.sampled_from(["auto", "required", "none", {"type": "function", "function": {"name": "now"}}]),
        "max_tokens": st.integers(1, 80),
        "n": st.integers(1, 2),
        "stop": st.sampled_from(["a", ["}", "toy"]]),
        "logprobs": st.booleans(),
    },
)
FORMATTED_TOOL_CHATS = st.fixed_dictionaries(
    {
        "messages": st.lists(MESSAGE, min_size=1, max_size=2),
        "seed": st.integers(0, 2**40),
        "tools": st.just(TOOLS),
        "response_format": FORMATS | WRAPPED_FORMATS,
    },
    optional={
        "tool_choice": st.sampled_from(["auto", "required", "none"]),
        "max_tokens": st.just(400),
        "n": st.integers(1, 2),
        "stop": st.sampled_from([["}"], ["age mod"]]),
    },
)
COMPLETIONS = st.fixed_dictionaries(
    {"prompt": PROMPTS | st.lists(PROMPTS, min_size=1, max_size=2), "seed": st.integers(0, 2**40)},
    optional={**SHARED, "echo": st.booleans()},
)


def both(cloud: Cloud, path: str, body: dict[str, Any]) -> tuple[Any, Read]:
    buffered = cloud.through_front_door(path, body)
    stream = cloud.through_front_door(path, {**body, "stream": True, "stream_options": {"include_usage": True}})
    assert (buffered.status, stream.status) == (200, 200), (buffered.body, stream.body)
    read = Read.of(stream.body)
    assert (read.errors, read.is_done) == ([], True)
    *chunks, last = read.chunks
    assert (last["choices"], last["usage"]) == ([], buffered.json()["usage"])
    assert all(chunk["usage"] is None for chunk in chunks)
    assert {chunk["model"] for chunk in read.chunks} == {"llama"} == {buffered.json()["model"]}
    for choice in buffered.json()["choices"]:
        assert read.finish_reasons(choice["index"]) == [choice["finish_reason"]]
    assert len(buffered.json()["choices"]) == len({c["index"] for chunk in chunks for c in chunk["choices"]})
    return buffered.json(), read


@settings(max_examples=120, deadline=None)
@given(CHATS | WRAPPED_CHATS)
def test_a_buffered_chat_equals_its_stream(cloud: Cloud, body: dict[str, Any]) -> None:
    buffered, read = both(cloud, "/v1/chat/completions", body)
    stops = [body["stop"]] if isinstance(body.get("stop"), str) else body.get("stop", [])
    for choice in buffered["choices"]:
        content = choice["message"]["content"]
        assert read.text(choice["index"]) == content
        assert not any(stop in content for stop in stops)
        result = [c["logprobs"]["content"] for c in read.choices(choice["index"]) if c["logprobs"]]
        entries = (choice["logprobs"] or {"content": []})["content"]
        assert [entry for each in result for entry in each] == entries
        if body.get("logprobs"):
            assert "".join(entry["token"] for entry in entries).startswith(content)


@settings(max_examples=80, deadline=None)
@given(TOOL_CHATS)
def test_a_buffered_tool_call_equals_its_stream(cloud: Cloud, body: dict[str, Any]) -> None:
    if (refused := cloud.through_front_door("/v1/chat/completions", body)).status != 200:
        assert (refused.json()["error_type"], refused.json()["error"]["param"]) == ("tool_error", "max_tokens")
        stream = cloud.through_front_door("/v1/chat/completions", {**body, "stream": True})
        assert (stream.json() if stream.status == 400 else Read.of(stream.body).errors[-1]) == refused.json()
        return
    buffered, read = both(cloud, "/v1/chat/completions", body)
    for choice in buffered["choices"]:
        index = choice["index"]
        calls = [call for each in read.choices(index) for call in each["delta"].get("tool_calls", [])]
        if "tool_calls" not in choice["message"]:
            assert (calls, read.text(index)) == ([], choice["message"]["content"])
            continue
        (call,) = choice["message"]["tool_calls"]
        arguments = "".join(each["function"]["arguments"] for each in calls)
        assert (calls[0]["function"]["name"], read.text(index)) == (call["function"]["name"], "")
        if choice["finish_reason"] == "tool_calls":
            assert json.loads(arguments) == json.loads(call["function"]["arguments"])
        else:
            assert choice["finish_reason"] == "length"
            assert re.sub(r"\s", "", arguments) == re.sub(r"\s", "", call["function"]["arguments"])


@settings(max_examples=80, deadline=None)
@given(FORMATTED_TOOL_CHATS)
def test_a_buffered_answer_beside_tools_equals_its_stream(cloud: Cloud, body: dict[str, Any]) -> None:
    buffered, read = both(cloud, "/v1/chat/completions", body)
    for choice in buffered["choices"]:
        content, calls = choice["message"]["content"], choice["message"].get("tool_calls", [])
        assert read.text(choice["index"]) == (content or "")
        assert choice["finish_reason"] == ("tool_calls" if calls else "stop")
        assert all(call["function"]["name"] in ("weather", "now") for call in calls)
        if not calls and "stop" not in body and body["response_format"]["type"] != "text":
            json.loads(content)


@settings(max_examples=80, deadline=None)
@given(COMPLETIONS)
def test_a_buffered_completion_equals_its_stream(cloud: Cloud, body: dict[str, Any]) -> None:
    buffered, read = both(cloud, "/v1/completions", body)
    prompts = [body["prompt"]] if isinstance(body["prompt"], str) else body["prompt"]
    assert len(buffered["choices"]) == len(prompts) * body.get("n", 1)
    for choice in buffered["choices"]:
        assert read.text(choice["index"]) == choice["text"]
        prompt = prompts[choice["index"] // body.get("n", 1)]
        assert choice["text"].startswith(prompt) or not body.get("echo")
        assert "</s>" not in choice["text"]


def test_a_completion_of_two_prompts_is_what_the_container_returns(cloud: Cloud) -> None:
    body = {"prompt": ["Hello there", "weather"], "max_tokens": 12, "seed": 1}
    direct, through = (
        cloud.direct("/v1/completions", body).json(),
        cloud.through_front_door("/v1/completions", body).json(),
    )
    assert [choice["text"] for choice in through["choices"]] == [choice["text"] for choice in direct["choices"]]
    assert through["usage"] == direct["usage"]


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("streamed", [False, True])
def test_a_validation_error_of_the_container_is_a_bad_request(cloud: Cloud, n: int, streamed: bool) -> None:
    """Also if the container reports it inside a stream with status 200."""
    body = {"messages": [{"role": "user", "content": "Hi"}], "temperature": -1, "n": n, "stream": streamed}
    answer = cloud.through_front_door("/v1/chat/completions", body)
    assert answer.status == 400
    assert answer.json()["error"] == {
        "message": "Input validation error: `temperature` must be strictly positive",
        "type": "invalid_request_error",
        "param": "temperature",
        "code": None,
    }


def test_a_prompt_that_is_too_long_has_openais_code(cloud: Cloud) -> None:
    body = {"messages": [{"role": "user", "content": "word " * 5000}], "max_tokens": 5}
    answer = cloud.through_front_door("/v1/chat/completions", body)
    assert (answer.status, answer.json()["error"]["code"]) == (400, "context_length_exceeded")
