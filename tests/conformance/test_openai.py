"""OpenAI's routes: our description of them, and what they answer, against the `openai` package's own types."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from openai.types import Completion, Model
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming as ChatParams
from openai.types.completion_create_params import CompletionCreateParamsStreaming as CompletionParams
from openai.types.shared import ErrorObject

from scripts.openapi.document import generate
from tests.conformance.emulated_door import MODEL_ID, Answer, Door
from tests.conformance.package_types import problems

SCHEMAS = generate()["components"]["schemas"]
QUESTION = [{"role": "user", "content": "What is the weather in Zürich?"}]
CHAT = {"model": "llama", "messages": QUESTION, "max_tokens": 20, "seed": 1}
COMPLETION = {"model": "llama", "prompt": "Once upon a time", "max_tokens": 20, "seed": 1}
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a place.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CHATS: dict[str, dict[str, Any]] = {
    "plain": {},
    "several": {"n": 3},
    "stopped": {"stop": "toy"},
    "with log probabilities": {"logprobs": True, "top_logprobs": 2},
    "with a tool": {"tools": [WEATHER], "tool_choice": "required", "max_tokens": 200},
    "with a tool it need not use": {"tools": [WEATHER], "max_tokens": 200},
    "of a schema": {"response_format": {"type": "json_schema", "json_schema": {"name": "city", "schema": CITY}}},
    "of JSON": {"response_format": {"type": "json_object"}},
    "cut": {"max_tokens": 1},
}
COMPLETIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "of several prompts": {"prompt": ["Once", "upon"], "n": 2},
    "echoed": {"echo": True},
    "cut": {"max_tokens": 1},
}


def streamed(door: Door, path: str, body: dict[str, Any]) -> list[Any]:
    answer = door.post(path, {**body, "stream": True, "stream_options": {"include_usage": True}})
    assert (answer.status, answer.content_type) == (200, "text/event-stream"), answer.body
    assert answer.data()[-1] == "[DONE]"
    return answer.events()


@pytest.mark.parametrize("kind", CHATS)
def test_a_chat_completion_is_openais(door: Door, kind: str) -> None:
    answer = door.post("/v1/chat/completions", CHAT | CHATS[kind])
    assert answer.status == 200, answer.body
    assert problems(ChatCompletion, answer.json()) == []
    assert answer.json()["model"] == "llama"
    assert [choice["index"] for choice in answer.json()["choices"]] == list(range(CHATS[kind].get("n", 1)))
    assert answer.json()["usage"]["completion_tokens"] > 0


@pytest.mark.parametrize("kind", CHATS)
def test_a_streamed_chat_completion_is_openais(door: Door, kind: str) -> None:
    *chunks, last = streamed(door, "/v1/chat/completions", CHAT | CHATS[kind])
    assert [problem for chunk in [*chunks, last] for problem in problems(ChatCompletionChunk, chunk)] == []
    assert last["choices"] == []
    assert last["usage"]["completion_tokens"] > 0
    assert len({chunk["id"] for chunk in [*chunks, last]}) == 1
    ended = [choice["index"] for chunk in chunks for choice in chunk["choices"] if choice["finish_reason"]]
    assert sorted(ended) == list(range(CHATS[kind].get("n", 1)))


def test_both_forms_of_a_tool_call_are_openais(door: Door) -> None:
    body = CHAT | CHATS["with a tool"]
    (choice,) = door.post("/v1/chat/completions", body).json()["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["tool_calls"][0]["function"]["name"] == "weather"
    deltas = [c["delta"] for chunk in streamed(door, "/v1/chat/completions", body) for c in chunk["choices"]]
    calls = [call for delta in deltas for call in delta.get("tool_calls", [])]
    assert calls[0]["function"]["name"] == "weather"
    arguments = "".join(call["function"]["arguments"] for call in calls)
    assert '"city"' in arguments


def as_package_has_it(chunk: dict[str, Any]) -> dict[str, Any]:
    """The package has one type for whole completions and chunks, whose choices always have ended."""
    chunk = copy.deepcopy(chunk)
    for choice in chunk["choices"]:
        choice["finish_reason"] = choice["finish_reason"] or "stop"
    return chunk


@pytest.mark.parametrize("kind", COMPLETIONS)
def test_a_completion_is_openais(door: Door, kind: str) -> None:
    body = COMPLETION | COMPLETIONS[kind]
    answer = door.post("/v1/completions", body)
    assert answer.status == 200, answer.body
    assert problems(Completion, answer.json()) == []
    count = (len(body["prompt"]) if isinstance(body["prompt"], list) else 1) * body.get("n", 1)
    assert [choice["index"] for choice in answer.json()["choices"]] == list(range(count))
    *chunks, last = streamed(door, "/v1/completions", body)
    assert [problem for chunk in [*chunks, last] for problem in problems(Completion, as_package_has_it(chunk))] == []
    texts = [""] * count
    for chunk in chunks:
        for choice in chunk["choices"]:
            texts[choice["index"]] += choice["text"]
    assert texts == [choice["text"] for choice in answer.json()["choices"]]


def test_the_models_are_openais(door: Door) -> None:
    listed = door.get("/v1/models").json()
    assert listed.keys() == {"object", "data"}
    assert [problem for model in listed["data"] for problem in problems(Model, model)] == []
    assert problems(Model, door.get("/v1/models/llama").json()) == []
    assert door.get(f"/v1/models/{MODEL_ID.replace('/', '%2F')}").json() == listed["data"][0]


def assert_openai_error(answer: Answer, status: int, param: str | None) -> None:
    assert (answer.status, answer.content_type) == (status, "application/json"), answer.body
    told = answer.json()
    # TGI's name of the error stands beside OpenAI's object, for clients of both.
    assert told.keys() == {"error", "error_type"}
    assert problems(ErrorObject, told["error"]) == []
    assert told["error"].keys() == {"message", "type", "param", "code"}
    assert told["error"]["param"] == param
    assert told["error"]["message"]


@pytest.mark.parametrize(
    ("change", "status", "param"),
    [
        ({"model": "gpt-5"}, 404, "model"),
        ({"messages": []}, 400, "messages"),
        ({"temperature": "hot"}, 400, "temperature"),
        ({"stop": [""]}, 400, "stop"),
        ({"n": 9}, 400, "n"),
        ({"logit_bias": {"50256": -100}}, 400, "logit_bias"),
        ({"functions": []}, 400, "functions"),
        ({"made_up": 1}, 400, "made_up"),
    ],
)
def test_an_error_is_openais(door: Door, change: dict[str, Any], status: int, param: str) -> None:
    assert_openai_error(door.post("/v1/chat/completions", CHAT | change), status, param)


def test_an_error_of_a_path_is_openais(door: Door) -> None:
    assert_openai_error(door.get("/v1/models/gpt-5"), 404, "model")
    assert_openai_error(door.get("/v1/embeddings"), 404, None)
    assert_openai_error(door.get("/v1/chat/completions"), 405, None)


# A value that means something else than leaving the parameter out.
CHANGES: dict[str, Any] = {
    "audio": {"format": "mp3", "voice": "alloy"},
    "function_call": "auto",
    "functions": [{"name": "f"}],
    "moderation": {"model": "omni-moderation-latest"},
    "prediction": {"type": "content", "content": "x"},
    "reasoning_effort": "high",
    "web_search_options": {},
}


@pytest.mark.parametrize("name", sorted(ChatParams.__annotations__))
def test_each_parameter_of_a_chat_is_described_or_refused_by_name(door: Door, name: str) -> None:
    if name in SCHEMAS["ChatCompletionRequest"]["properties"]:
        assert name not in CHANGES
    else:
        assert_openai_error(door.post("/v1/chat/completions", CHAT | {name: CHANGES[name]}), 400, name)


@pytest.mark.parametrize("name", sorted(CompletionParams.__annotations__))
def test_each_parameter_of_a_completion_is_described(name: str) -> None:
    assert name in SCHEMAS["CompletionRequest"]["properties"]


@pytest.mark.parametrize(
    ("schema", "path", "values"),
    [
        (
            "ChatCompletionRequest",
            "/v1/chat/completions",
            {
                "presence_penalty": 0.5,
                "logit_bias": {"1": 1},
                "modalities": ["audio"],
                "service_tier": "flex",
                "verbosity": "high",
                "stream_options": 1,
                "response_format": {"type": "grammar"},
                "tool_choice": 1,
                "made_up": 1,
            },
        ),
        ("CompletionRequest", "/v1/completions", {"suffix": "end", "logprobs": 1, "best_of": "1", "prompt": [1, 2]}),
    ],
)
def test_what_the_description_excludes_is_refused(door: Door, schema: str, path: str, values: dict[str, Any]) -> None:
    base = CHAT if "messages" in SCHEMAS[schema]["properties"] else COMPLETION
    for name, value in values.items():
        answer = door.post(path, base | {name: value})
        assert answer.status == 400, name
        assert answer.json()["error"]["param"].startswith(name)
