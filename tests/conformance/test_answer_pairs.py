"""Responses and messages in front of each engine: the clients' accumulators make a stream what is not streamed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from local.model_container.openai.engines import ENGINES, Image
from tests.conformance.answer_pairs import check_message_pair, check_response_pair
from tests.conformance.emulated_front_door import FrontDoorClient, start_front_door
from tests.conformance.test_openai import CITY
from tests.conformance.test_openai_servers import ENVIRONMENTS

QUESTION = "What is the weather in Zürich?"
FUNCTION = {"type": "function", "name": "weather", "description": "The weather.", "parameters": CITY, "strict": False}
CALL = {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": '{"city":"Zürich"}'}
RESULT = {"type": "function_call_output", "call_id": "c1", "output": "snow 🌨"}
RESPONSE: dict[str, Any] = {"model": "llama", "input": QUESTION, "max_output_tokens": 60, "temperature": 0}
RESPONSES: dict[str, dict[str, Any]] = {
    "plain": {"instructions": "Be brief."},
    "cut off": {"max_output_tokens": 2},
    "with log probabilities": {"include": ["message.output_text.logprobs"], "top_logprobs": 2},
    "with a tool": {"tools": [FUNCTION], "tool_choice": "required", "max_output_tokens": 300},
    "with an optional tool": {"tools": [FUNCTION], "max_output_tokens": 300},
    "with a named tool": {"tools": [FUNCTION], "tool_choice": {"type": "function", "name": "weather"}},
    "with a result": {"input": [{"role": "user", "content": QUESTION}, CALL, RESULT], "tools": [FUNCTION]},
    "with a JSON schema": {"text": {"format": {"type": "json_schema", "name": "city", "schema": CITY}}},
    "as a JSON object": {"text": {"format": {"type": "json_object"}}},
}
TOOL = {"name": "weather", "description": "The weather.", "input_schema": CITY}
MESSAGE: dict[str, Any] = {
    "model": "llama",
    "messages": [{"role": "user", "content": QUESTION}],
    "max_tokens": 60,
    "extra_body": {"temperature": 0},
}
TURNS = [
    {"role": "user", "content": QUESTION},
    {
        "role": "assistant",
        "content": [{"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Zürich"}}],
    },
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "snow 🌨", "is_error": True}]},
]
MESSAGES: dict[str, dict[str, Any]] = {
    "plain": {"system": "Be brief."},
    "cut off": {"max_tokens": 2},
    "stopped": {"stop_sequences": ["language"]},
    "with a tool": {"tools": [TOOL], "tool_choice": {"type": "any"}, "max_tokens": 300},
    "with an optional tool": {"tools": [TOOL], "max_tokens": 300},
    "with a named tool": {"tools": [TOOL], "tool_choice": {"type": "tool", "name": "weather"}},
    "with a result": {"messages": TURNS, "tools": [TOOL]},
    "with a beginning": {"messages": [*MESSAGE["messages"], {"role": "assistant", "content": "In Zürich"}]},
    "with a JSON schema": {"output_config": {"format": {"type": "json_schema", "schema": CITY}}},
}


@pytest.fixture(scope="module", params=["tgi", *ENVIRONMENTS])
def client(request: pytest.FixtureRequest) -> Iterator[FrontDoorClient]:
    if request.param == "tgi":
        with start_front_door("llama") as front_door:
            yield front_door
        return
    environment = {**ENVIRONMENTS[request.param], "TOY_TOKENS_PER_SECOND": "0"}
    container = ENGINES[request.param](environment, Image())
    with start_front_door("llama", container=container, engine=request.param) as front_door:
        yield front_door


@pytest.mark.parametrize("kind", RESPONSES)
def test_a_streamed_response_is_what_is_not_streamed(client: FrontDoorClient, kind: str) -> None:
    response = check_response_pair(client, RESPONSE | RESPONSES[kind])
    assert response["model"] == "llama"
    assert response["usage"]["output_tokens"] > 0
    is_cut = kind == "cut off"
    assert response["incomplete_details"] == ({"reason": "max_output_tokens"} if is_cut else None)
    types = [item["type"] for item in response["output"]]
    assert types == ["function_call" if kind.endswith("tool") else "message"]
    if kind == "with log probabilities":
        logprobs = response["output"][0]["content"][0]["logprobs"]
        assert logprobs
        assert all(len(each["top_logprobs"]) >= 2 for each in logprobs)


@pytest.mark.parametrize("kind", MESSAGES)
def test_a_streamed_message_is_what_is_not_streamed(client: FrontDoorClient, kind: str) -> None:
    message = check_message_pair(client, MESSAGE | MESSAGES[kind])
    assert message["model"] == "llama"
    assert message["usage"]["output_tokens"] > 0
    is_call = kind.endswith("tool")
    reasons = {"cut off": "max_tokens", "stopped": "stop_sequence"}
    assert message["stop_reason"] == reasons.get(kind, "tool_use" if is_call else "end_turn")
    assert message["stop_sequence"] == ("language" if kind == "stopped" else None)
    assert [block["type"] for block in message["content"]] == ["tool_use" if is_call else "text"]
