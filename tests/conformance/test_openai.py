"""OpenAI's routes: our description of them and their responses conform to the types of the `openai` package."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types import Completion, Model
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming as ChatParams
from openai.types.completion_create_params import CompletionCreateParamsStreaming as CompletionParams
from openai.types.shared import ErrorObject

from scripts.openapi.document import generate
from tests.conformance.emulated_front_door import MODEL_ID, FrontDoorClient, Response
from tests.conformance.openai_types import violations, with_finish_reasons

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
    "three choices": {"n": 3},
    "stopped": {"stop": "toy"},
    "with log probabilities": {"logprobs": True, "top_logprobs": 2},
    "with a tool": {"tools": [WEATHER], "tool_choice": "required", "max_tokens": 200},
    "with an optional tool": {"tools": [WEATHER], "max_tokens": 200},
    "with a JSON schema": {"response_format": {"type": "json_schema", "json_schema": {"name": "city", "schema": CITY}}},
    "as a JSON object": {"response_format": {"type": "json_object"}},
    "cut off": {"max_tokens": 1},
}
COMPLETIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "with two prompts and two choices": {"prompt": ["Once", "upon"], "n": 2},
    "with echo": {"echo": True},
    "cut off": {"max_tokens": 1},
}


def stream_events(client: FrontDoorClient, path: str, body: dict[str, Any]) -> list[Any]:
    response = client.post(path, {**body, "stream": True, "stream_options": {"include_usage": True}})
    assert (response.status, response.content_type) == (200, "text/event-stream"), response.body
    assert response.data()[-1] == "[DONE]"
    return response.events()


@pytest.mark.parametrize("kind", CHATS)
def test_a_chat_completion_conforms_to_openai(client: FrontDoorClient, kind: str) -> None:
    response = client.post("/v1/chat/completions", CHAT | CHATS[kind])
    assert response.status == 200, response.body
    assert violations(ChatCompletion, response.json()) == []
    assert response.json()["model"] == "llama"
    assert [choice["index"] for choice in response.json()["choices"]] == list(range(CHATS[kind].get("n", 1)))
    assert response.json()["usage"]["completion_tokens"] > 0


@pytest.mark.parametrize("kind", CHATS)
def test_a_streamed_chat_completion_conforms_to_openai(client: FrontDoorClient, kind: str) -> None:
    *chunks, last = stream_events(client, "/v1/chat/completions", CHAT | CHATS[kind])
    assert [problem for chunk in [*chunks, last] for problem in violations(ChatCompletionChunk, chunk)] == []
    assert last["choices"] == []
    assert last["usage"]["completion_tokens"] > 0
    assert len({chunk["id"] for chunk in [*chunks, last]}) == 1
    finished = [choice["index"] for chunk in chunks for choice in chunk["choices"] if choice["finish_reason"]]
    assert sorted(finished) == list(range(CHATS[kind].get("n", 1)))


def test_a_tool_call_is_complete_streamed_or_not(client: FrontDoorClient) -> None:
    body = CHAT | CHATS["with a tool"]
    (choice,) = client.post("/v1/chat/completions", body).json()["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["tool_calls"][0]["function"]["name"] == "weather"
    deltas = [c["delta"] for chunk in stream_events(client, "/v1/chat/completions", body) for c in chunk["choices"]]
    calls = [call for delta in deltas for call in delta.get("tool_calls", [])]
    assert calls[0]["function"]["name"] == "weather"
    arguments = "".join(call["function"]["arguments"] for call in calls)
    assert '"city"' in arguments


@pytest.mark.parametrize("kind", COMPLETIONS)
def test_a_completion_conforms_to_openai(client: FrontDoorClient, kind: str) -> None:
    body = COMPLETION | COMPLETIONS[kind]
    response = client.post("/v1/completions", body)
    assert response.status == 200, response.body
    assert violations(Completion, response.json()) == []
    count = (len(body["prompt"]) if isinstance(body["prompt"], list) else 1) * body.get("n", 1)
    assert [choice["index"] for choice in response.json()["choices"]] == list(range(count))
    *chunks, last = stream_events(client, "/v1/completions", body)
    assert [
        problem for chunk in [*chunks, last] for problem in violations(Completion, with_finish_reasons(chunk))
    ] == []
    texts = [""] * count
    for chunk in chunks:
        for choice in chunk["choices"]:
            texts[choice["index"]] += choice["text"]
    assert texts == [choice["text"] for choice in response.json()["choices"]]


def test_models_conform_to_openai(client: FrontDoorClient) -> None:
    listed = client.get("/v1/models").json()
    assert listed.keys() == {"object", "data"}
    assert [problem for model in listed["data"] for problem in violations(Model, model)] == []
    assert violations(Model, client.get("/v1/models/llama").json()) == []
    assert client.get(f"/v1/models/{MODEL_ID.replace('/', '%2F')}").json() == listed["data"][0]


def assert_openai_error(response: Response, status: int, param: str | None) -> None:
    assert (response.status, response.content_type) == (status, "application/json"), response.body
    body = response.json()
    # TGI's error type is beside OpenAI's object, for clients that know TGI.
    assert body.keys() == {"error", "error_type"}
    assert violations(ErrorObject, body["error"]) == []
    assert body["error"].keys() == {"message", "type", "param", "code"}
    assert body["error"]["param"] == param
    assert body["error"]["message"]


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
        ({"unknown_parameter": 1}, 400, "unknown_parameter"),
    ],
)
def test_an_error_conforms_to_openai(client: FrontDoorClient, change: dict[str, Any], status: int, param: str) -> None:
    assert_openai_error(client.post("/v1/chat/completions", CHAT | change), status, param)


def test_an_error_for_a_path_conforms_to_openai(client: FrontDoorClient) -> None:
    assert_openai_error(client.get("/v1/models/gpt-5"), 404, "model")
    assert_openai_error(client.get("/v1/embeddings"), 404, None)
    assert_openai_error(client.get("/v1/chat/completions"), 405, None)


# For each parameter, a value other than its default.
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
def test_each_chat_parameter_is_described_or_rejected_by_name(client: FrontDoorClient, name: str) -> None:
    if name in SCHEMAS["ChatCompletionRequest"]["properties"]:
        assert name not in CHANGES
    else:
        assert_openai_error(client.post("/v1/chat/completions", CHAT | {name: CHANGES[name]}), 400, name)


@pytest.mark.parametrize("name", sorted(CompletionParams.__annotations__))
def test_each_completion_parameter_is_described(name: str) -> None:
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
                "unknown_parameter": 1,
            },
        ),
        ("CompletionRequest", "/v1/completions", {"suffix": "end", "logprobs": 6, "best_of": "1", "prompt": [1, 2]}),
    ],
)
def test_a_value_that_the_description_excludes_is_rejected(
    client: FrontDoorClient, schema: str, path: str, values: dict[str, Any]
) -> None:
    base = CHAT if "messages" in SCHEMAS[schema]["properties"] else COMPLETION
    for name, value in values.items():
        response = client.post(path, base | {name: value})
        assert response.status == 400, name
        assert response.json()["error"]["param"].startswith(name)
