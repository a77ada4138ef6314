"""Over the emulated vLLM, SGLang and LMI: every request gets a valid response, and a stream says the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from local.model_container.openai.engines import ENGINES, Image
from tests.conformance.emulated_front_door import FrontDoorClient, start_front_door
from tests.lambda_.protocols.openai.events import TOOLS, Read

CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"
QUESTION: dict[str, Any] = {"messages": [{"role": "user", "content": "What is this?"}], "temperature": 0, "seed": 3}
ENVIRONMENTS = {
    "vllm": {
        "SM_VLLM_MODEL": "org/toy",
        "SM_VLLM_MAX_MODEL_LEN": "512",
        "SM_VLLM_ENABLE_AUTO_TOOL_CHOICE": "true",
        "SM_VLLM_TOOL_CALL_PARSER": "hermes",
        "SM_VLLM_ENABLE_LORA": "true",
        "SM_VLLM_LORA_MODULES": "sql=/opt/ml/model/sql",
    },
    "sglang": {
        "SM_SGLANG_MODEL_PATH": "org/toy",
        "SM_SGLANG_CONTEXT_LENGTH": "512",
        "SM_SGLANG_TOOL_CALL_PARSER": "qwen25",
    },
    "lmi": {
        "HF_MODEL_ID": "org/toy",
        "OPTION_MAX_MODEL_LEN": "512",
        "OPTION_ENABLE_AUTO_TOOL_CHOICE": "true",
        "OPTION_TOOL_CALL_PARSER": "hermes",
    },
}
IMAGES = {"vllm": Image(tag="server-sagemaker-cuda-v2.6")}


@pytest.fixture(scope="module", params=ENVIRONMENTS)
def engine(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def front_door(engine: str) -> Iterator[FrontDoorClient]:
    environment = {**ENVIRONMENTS[engine], "TOY_TOKENS_PER_SECOND": "0"}
    container = ENGINES[engine](environment, IMAGES.get(engine, Image()))
    adapters = {"sql": None} if engine == "vllm" else {}
    with start_front_door("toy", container=container, engine=engine, adapters=adapters, max_stop_sequences=4) as client:
        yield client


def paths(engine: str) -> list[str]:
    return [CHAT] if engine == "sglang" else [CHAT, COMPLETIONS]


def asked(path: str, **members: Any) -> dict[str, Any]:
    prompt = {"prompt": "What is this?"} if path == COMPLETIONS else {"messages": QUESTION["messages"]}
    return {"temperature": 0, **prompt, **members}


@pytest.mark.parametrize(
    "members",
    [{}, {"max_tokens": 5}, {"stop": [" text"]}, {"n": 2, "temperature": 1, "seed": 4}, {"top_k": 3, "min_p": 0.1}],
    ids=str,
)
def test_a_stream_says_what_a_response_says(front_door: FrontDoorClient, engine: str, members: dict[str, Any]) -> None:
    for path in paths(engine):
        body = asked(path, **{"max_tokens": 40, **members})
        whole = front_door.post(path, body)
        streamed = front_door.post(path, {**body, "stream": True, "stream_options": {"include_usage": True}})
        assert (whole.status, streamed.status) == (200, 200), (whole.body, streamed.body)
        read = Read.of(streamed.body)
        assert read.is_done
        assert read.errors == []
        response = whole.json()
        assert {response["model"], *(each["model"] for each in read.chunks)} == {"toy"}
        assert response["usage"] == read.chunks[-1]["usage"]
        assert response["object"] == ("chat.completion" if path == CHAT else "text_completion")
        for choice in response["choices"]:
            text = choice["message"]["content"] if path == CHAT else choice["text"]
            assert text == read.text(choice["index"])
            assert [choice["finish_reason"]] == read.finish_reasons(choice["index"])
        plain = Read.of(front_door.post(path, {**body, "stream": True}).body)
        assert all(each["choices"] for each in plain.chunks)


@pytest.mark.parametrize(
    "members", [{}, {"n": 2, "temperature": 1}, {"logprobs": True, "top_logprobs": 2}, {"tools": TOOLS}], ids=str
)
def test_what_it_answers_is_described(front_door: FrontDoorClient, engine: str, members: dict[str, Any]) -> None:
    document = front_door.get("/openapi.json").json()
    for path in [CHAT] if "tools" in members else paths(engine):
        given = {**members, "logprobs": 2} if path == COMPLETIONS and "logprobs" in members else members
        given = {name: value for name, value in given.items() if path == CHAT or name != "top_logprobs"}
        name = document["paths"][path]["post"]["responses"]["200"]["$ref"].rpartition("/")[2]
        for is_stream in (False, True):
            response = front_door.post(path, asked(path, **given, max_tokens=30, stream=is_stream))
            assert response.status == 200, response.body
            media = document["components"]["responses"][name]["content"][response.content_type]
            validator = Draft202012Validator(media["schema"] | {"components": document["components"]})
            for answer in response.events() if is_stream else [response.json()]:
                assert validator.is_valid(answer), answer


def test_the_default_limit_fits_behind_any_prompt_that_leaves_room(front_door: FrontDoorClient, engine: str) -> None:
    for path in paths(engine):
        long = "word " * 200
        prompt = {"prompt": long} if path == COMPLETIONS else {"messages": [{"role": "user", "content": long}]}
        response = front_door.post(path, {**prompt, "temperature": 0})
        assert response.status == 200, response.body
        too_long = (
            {"prompt": long * 9} if path == COMPLETIONS else {"messages": [{"role": "user", "content": long * 9}]}
        )
        refused = front_door.post(path, too_long)
        assert (refused.status, refused.json()["error"]["code"]) == (400, "context_length_exceeded"), refused.body


def test_a_mistake_of_the_client_is_reported_in_openais_words(front_door: FrontDoorClient, engine: str) -> None:
    for path in paths(engine):
        for members in ({"temperature": -1}, {"top_p": 5}, {"max_tokens": 99999}):
            response = front_door.post(path, asked(path, **members))
            assert response.status == 400, (members, response.body)
            error = response.json()["error"]
            assert error["type"] == "invalid_request_error"
            (name, value), message = *members.items(), error["message"]
            assert name in message or f"{value}" in message


def test_a_model_calls_a_tool_or_answers_in_the_format(front_door: FrontDoorClient) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "maxLength": 5}}, "required": ["a"]}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    body = {**QUESTION, "tools": TOOLS, "response_format": form, "max_tokens": 200}
    choice = front_door.post(CHAT, body).json()["choices"][0]
    message = choice["message"]
    assert (choice["finish_reason"] == "tool_calls") == bool(message.get("tool_calls")), choice
    required = front_door.post(CHAT, {**QUESTION, "tools": TOOLS, "tool_choice": "required", "max_tokens": 200}).json()
    (call, *_) = required["choices"][0]["message"]["tool_calls"]
    assert call["function"]["name"] in ("weather", "now")


def test_an_adapter_of_the_container_answers(front_door: FrontDoorClient, engine: str) -> None:
    if engine != "vllm":
        pytest.skip("this one has no adapters")
    for path in paths(engine):
        response = front_door.post(path, asked(path, model="toy:sql", max_tokens=5))
        assert (response.status, response.json()["model"]) == (200, "toy:sql"), response.body
    assert front_door.post(CHAT, asked(CHAT, model="toy:nope")).status == 404
