"""Answers of the real server through the front door: texts, streams, tools, formats, errors, token counts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from constructs_lib.planning.engines.vllm.engine import VLLM
from tests.engines.engine import Engine
from tests.engines.images import context
from tests.engines.stack import MODEL
from tests.engines.tiny_llama import ANSWER, MAX_LENGTH, TOOL

PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOLS = [{"type": "function", "function": {"name": TOOL["name"], "parameters": PARAMETERS}}]
FORMAT = {"type": "json_schema", "json_schema": {"name": "place", "schema": PARAMETERS, "strict": True}}
USAGE = {"stream_options": {"include_usage": True}}


def called(message: dict[str, Any]) -> dict[str, Any]:
    """The only tool call of a message."""
    (call,) = message["tool_calls"]
    return {"name": call["function"]["name"], "arguments": json.loads(call["function"]["arguments"])}


def test_a_chat_gets_the_answer_of_the_model(engine: Engine) -> None:
    answer = engine.chat().json()
    assert answer["choices"][0]["message"]["content"] == ANSWER
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert (answer["object"], answer["model"]) == ("chat.completion", MODEL)
    assert answer["usage"]["total_tokens"] == answer["usage"]["prompt_tokens"] + answer["usage"]["completion_tokens"]


def test_a_completion_continues_the_prompt(engine: Engine) -> None:
    body = {"model": MODEL, "prompt": "What is deep learning?", "max_tokens": 100}
    answer = engine.cloud.request("POST", "/v1/completions", body).json()
    assert (answer["choices"][0]["text"], answer["choices"][0]["finish_reason"]) == (ANSWER, "stop")
    assert (answer["object"], answer["model"]) == ("text_completion", MODEL)


def test_a_stream_has_the_same_text_and_no_token_counts_unless_they_are_asked_for(engine: Engine) -> None:
    response = engine.chat(stream=True)
    chunks = response.events()
    assert "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks) == ANSWER
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks][-1] == "stop"
    assert {chunk["model"] for chunk in chunks} == {MODEL}
    assert not [chunk for chunk in chunks if chunk.get("usage")]
    assert response.body.endswith(b"data: [DONE]\n\n")


def test_a_stream_ends_with_its_token_counts_if_they_are_asked_for(engine: Engine) -> None:
    chunks = engine.chat(stream=True, **USAGE).events()
    expected = engine.chat().json()["usage"]
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["completion_tokens"] == expected["completion_tokens"]
    assert chunks[-1]["usage"]["prompt_tokens"] == expected["prompt_tokens"]


def test_the_log_counts_the_tokens_of_a_stream(engine: Engine) -> None:
    expected = engine.chat().json()["usage"]
    response = engine.chat(stream=True)
    request_id = response.headers["x-request-id"]
    lines = [line for line in engine.cloud.log().splitlines() if request_id in line and "GeneratedTokens" in line]
    logged = json.loads(lines[0][lines[0].index("{") :])
    assert (logged["PromptTokens"], logged["GeneratedTokens"]) == (
        expected["prompt_tokens"],
        expected["completion_tokens"],
    )
    assert logged["finish_reason"] == "stop"


@pytest.mark.parametrize("stream", [False, True])
def test_a_text_ends_before_a_stop_sequence_inside_a_token(engine: Engine, stream: bool) -> None:
    response = engine.chat(stop="twork", stream=stream)
    if stream:
        text = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in response.events())
    else:
        text = response.json()["choices"][0]["message"]["content"]
    assert text == ANSWER[: ANSWER.index("twork")]


def test_an_answer_ends_at_the_limit(engine: Engine) -> None:
    choice = engine.chat("for ever", max_tokens=7).json()["choices"][0]
    assert choice["finish_reason"] == "length"
    assert len(choice["message"]["content"].split()) == 7


@pytest.mark.parametrize(
    ("choice", "reason"),
    [
        ("auto", "tool_calls"),
        ("required", "tool_calls"),
        # As OpenAI's own API has it.
        ({"type": "function", "function": {"name": TOOL["name"]}}, "stop"),
    ],
    ids=["auto", "required", "named"],
)
def test_the_model_calls_a_tool(engine: Engine, choice: Any, reason: str) -> None:
    answer = engine.chat(tools=TOOLS, tool_choice=choice).json()["choices"][0]
    assert called(answer["message"]) == TOOL
    assert answer["finish_reason"] == reason


def test_a_tool_call_is_streamed(engine: Engine) -> None:
    chunks = engine.chat(tools=TOOLS, stream=True).events()
    parts = [part for chunk in chunks for part in chunk["choices"][0]["delta"].get("tool_calls") or ()]
    assert [part["function"]["name"] for part in parts if part["function"].get("name")] == [TOOL["name"]]
    assert {part["index"] for part in parts} == {0}
    arguments = "".join(part["function"].get("arguments") or "" for part in parts)
    assert json.loads(arguments) == TOOL["arguments"]
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_the_model_answers_after_a_tool_has(engine: Engine) -> None:
    call = engine.chat(tools=TOOLS).json()["choices"][0]["message"]
    result = {"role": "tool", "tool_call_id": call["tool_calls"][0]["id"], "content": "Sunny."}
    messages = [{"role": "user", "content": "Weather?"}, call, result]
    body = {"model": MODEL, "messages": messages, "tools": TOOLS}
    answer = engine.cloud.request("POST", "/v1/chat/completions", body)
    assert answer.json()["choices"][0]["message"]["content"] == ANSWER


def test_an_answer_follows_a_schema(engine: Engine) -> None:
    answer = engine.chat(response_format=FORMAT).json()["choices"][0]["message"]["content"]
    assert set(json.loads(answer)) == {"city"}


def test_a_schema_does_not_keep_the_model_from_calling_a_tool(engine: Engine) -> None:
    answer = engine.chat(tools=TOOLS, response_format=FORMAT).json()["choices"][0]
    assert called(answer["message"])["name"] == TOOL["name"]


def test_several_choices_are_several_answers(engine: Engine) -> None:
    choices = engine.chat(n=2).json()["choices"]
    assert [(choice["index"], choice["message"]["content"]) for choice in choices] == [(0, ANSWER), (1, ANSWER)]


def test_a_token_has_its_log_probability(engine: Engine) -> None:
    tokens = engine.chat(logprobs=True, top_logprobs=2, max_tokens=3).json()["choices"][0]["logprobs"]["content"]
    assert [token["token"] for token in tokens] == ["Deep", " learning", " trains"]
    assert all(token["logprob"] > -0.01 and len(token["top_logprobs"]) == 2 for token in tokens)


@pytest.mark.parametrize("stream", [False, True])
def test_the_tokens_of_a_prompt_have_their_log_probability(engine: Engine, stream: bool) -> None:
    body = {"model": MODEL, "prompt": "What?", "echo": True, "logprobs": 1, "max_tokens": 0, "stream": stream}
    response = engine.cloud.request("POST", "/v1/completions", body)
    choice = (response.events()[0] if stream else response.json())["choices"][0]
    assert choice["text"] == "What?"
    assert choice["logprobs"]["tokens"] == ["<|begin|>", "W", "h", "at", "?"]
    first, *others = choice["logprobs"]["token_logprobs"]
    assert first is None
    assert all(logprob < 0 for logprob in others)


def test_a_prompt_that_is_too_long_is_an_error_in_openais_words(engine: Engine) -> None:
    response = engine.chat("x" * (2 * MAX_LENGTH))
    error = response.json()["error"]
    assert (response.status, error["type"], error["code"]) == (400, "invalid_request_error", "context_length_exceeded")
    assert str(MAX_LENGTH) in error["message"]


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"temperature": 3}, "temperature"),
        ({"top_p": 2}, "top_p"),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"top_logprobs": 2}, "top_logprobs"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_parameter_that_the_server_would_refuse_is_named(engine: Engine, options: Any, param: str) -> None:
    response = engine.chat(**options)
    error = response.json()["error"]
    assert (response.status, error["type"], error["param"]) == (400, "invalid_request_error", param)
    assert "prompt_embeds" not in error["message"]


def test_a_value_that_the_server_does_not_name_is_said_to_be_one(engine: Engine) -> None:
    response = engine.chat(truncate_prompt_tokens=-2)
    assert (response.status, response.json()["error"]["message"]) == (
        400,
        "The model's server cannot read the request: the prompt is empty, or a value is not one that it takes.",
    )


def test_as_many_stop_sequences_as_the_plan_says_are_taken(engine: Engine) -> None:
    ctx = context(engine.version, VLLM.images, {})
    limit = VLLM.serving_facts(ctx, ctx, None).max_stop_sequences
    assert engine.chat(stop=list("0123456789")[: limit or 10]).json()["choices"][0]["message"]["content"] == ANSWER
    if limit is not None:
        response = engine.chat(stop=list("0123456789")[: limit + 1])
        error = response.json()["error"]
        assert (response.status, error["type"], error["param"]) == (400, "invalid_request_error", "stop")


def test_an_unknown_model_is_not_found(engine: Engine) -> None:
    body = {"model": "other", "messages": [{"role": "user", "content": "Hi"}]}
    response = engine.cloud.request("POST", "/v1/chat/completions", body)
    assert (response.status, response.json()["error"]["code"]) == (404, "model_not_found")
