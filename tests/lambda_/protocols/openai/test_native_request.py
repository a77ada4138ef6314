"""What containers that speak OpenAI's protocol get, and what the front door refuses before they do."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from front_door.config import Model

from tests.lambda_.conftest import ApiClient
from tests.lambda_.protocols.openai.events import DONE, TOOLS, Read
from tests.lambda_.protocols.openai.natives import (
    ANSWER,
    CONTAINER,
    FIRST,
    HI,
    LMI,
    SGLANG,
    VLLM,
    chat_chunk,
    usage_chunk,
)
from tests.lambda_.sagemaker_double import SageMakerDouble, parts

Api = Callable[..., ApiClient]
CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"
STREAMED = {"stream": True, "stream_options": {"include_usage": True}}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
FORMAT = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}


def sent(api: ApiClient, sagemaker: SageMakerDouble, path: str, body: dict[str, Any]) -> dict[str, Any]:
    sagemaker.replies.append(parts(*ANSWER))
    response = api.send(path, body)
    assert response.status == 200, response.body
    found: dict[str, Any] = sagemaker.received[-1].json()
    return found


def problem(api: ApiClient, path: str, body: dict[str, Any]) -> tuple[str | None, str]:
    response = api.send(path, body)
    assert (response.status, response.json()["error"]["type"]) == (400, "invalid_request_error"), response.body
    error = response.json()["error"]
    return error["param"], error["message"]


@pytest.mark.parametrize("model", [VLLM, SGLANG, LMI])
def test_the_request_is_the_clients_with_a_limit_and_without_the_models_name(
    api_for: Api, sagemaker: SageMakerDouble, model: Model
) -> None:
    body = {
        "model": "llama",
        "temperature": 0.5,
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Ho", "reasoning_content": "x"},
        ],
        "top_k": 5,
        "min_p": 0.1,
        "chat_template_kwargs": {"enable_thinking": False},
        "reasoning_effort": "low",
        "parallel_tool_calls": False,
        "stop": ["a", "b"],
        "seed": None,
        "user": "u",
        "timeout": 5,
    }
    api = api_for(model)
    got = sent(api, sagemaker, CHAT, body)
    left_out = {"model", "seed", "timeout"}
    expected = {name: value for name, value in body.items() if name not in left_out}
    assert got == {**expected, **STREAMED, "max_tokens": 1024}
    assert next(iter(got)) == "messages"
    assert "x-amzn-sagemaker-custom-attributes" not in sagemaker.received[0].headers


def test_a_container_of_ones_own_gets_every_member_and_the_models_hub_id(
    api_for: Api, sagemaker: SageMakerDouble
) -> None:
    body = {**HI, "model": "llama", "my_option": {"a": 1}, "guided_json": {}, "functions": []}
    got = sent(api_for(CONTAINER), sagemaker, CHAT, body)
    assert got == {**body, **STREAMED, "model": "meta-llama/Llama-3.1-8B-Instruct", "max_tokens": 1024}
    completion = {"prompt": "Hi", "best_of": 2}
    assert sent(api_for(CONTAINER), sagemaker, COMPLETIONS, completion)["best_of"] == 2
    assert "best_of" not in sent(api_for(VLLM), sagemaker, COMPLETIONS, {**completion, "best_of": 1})


@pytest.mark.parametrize(
    ("facts", "given", "limit"),
    [
        ({}, {}, {"max_tokens": 1024}),
        ({"max_total_tokens": 512}, {}, {"max_tokens": 511}),
        ({"max_total_tokens": 512}, {"max_tokens": 900}, {"max_tokens": 900}),
        ({}, {"max_completion_tokens": 7}, {"max_completion_tokens": 7}),
        ({}, {"max_completion_tokens": 7, "max_tokens": 7}, {"max_completion_tokens": 7, "max_tokens": 7}),
    ],
)
def test_a_limit_of_tokens_is_always_sent(
    api_for: Api, sagemaker: SageMakerDouble, facts: dict[str, Any], given: dict[str, Any], limit: dict[str, Any]
) -> None:
    assert sent(api_for(replace(VLLM, facts=facts)), sagemaker, CHAT, {**HI, **given}) == {**HI, **STREAMED, **limit}


@pytest.mark.parametrize("prompt", ["Hi", ["Hi", "Ho"], [1, 2, 3], [[1, 2], [3]]])
def test_a_prompt_may_be_tokens(api_for: Api, sagemaker: SageMakerDouble, prompt: object) -> None:
    got = sent(api_for(VLLM), sagemaker, COMPLETIONS, {"prompt": prompt, "logprobs": 20, "echo": True, "top_k": 3})
    assert got == {"prompt": prompt, "logprobs": 20, "echo": True, "top_k": 3, **STREAMED, "max_tokens": 1024}


@pytest.mark.parametrize(
    ("given", "param", "words"),
    [
        (
            {"guided_json": {}},
            "guided_json",
            "guided_json is not supported by this model's server: use `response_format`",
        ),
        ({"guided_choice": ["a"]}, "guided_choice", "by this model's server: use `structured_outputs`"),
        ({"best_of": 2}, "best_of", "best_of is not supported by this model's server: use `n`"),
        ({"nonsense": 1}, "nonsense", "Unrecognized request argument supplied: nonsense"),
        (
            {"kv_transfer_params": {}},
            "kv_transfer_params",
            "Unrecognized request argument supplied: kv_transfer_params",
        ),
        ({"typical_p": 0.5}, "typical_p", "typical_p is TGI's own parameter, which this model's server does not have"),
        ({"adapter_id": "sql"}, "adapter_id", "adapter_id is not supported on this route: use `model`"),
        ({"max_new_tokens": 5}, "max_new_tokens", "max_new_tokens is not supported on this route: use `max_tokens`"),
        ({"top_k": "5"}, "top_k", "top_k: invalid type: string, expected an integer of 32 bits"),
        ({"min_p": []}, "min_p", "min_p: invalid type: sequence, expected a number"),
        ({"seed": 2**63}, "seed", "seed: 9223372036854775808 is not an integer of 64 bits with a sign"),
        ({"logit_bias": [1, 2]}, "logit_bias", "logit_bias: invalid type: sequence, expected an object"),
        ({"max_tokens": 0}, "max_tokens", "max_tokens: 0 is not a number of tokens, at least 1"),
        ({"max_tokens": 3, "max_completion_tokens": 4}, "max_tokens", "are the same parameter and differ"),
        ({"n": 9}, "n", "n (9) is more than the 8 choices that one request may have"),
        ({"stop": ["a"] * 5}, "stop", "stop has 5 sequences, this model accepts at most 4"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs", "top_logprobs is 21, this model returns at most 20"),
        ({"top_logprobs": 2}, "top_logprobs", "top_logprobs is allowed with logprobs only"),
        ({"stream_options": {}}, "stream_options", "stream_options is allowed with stream only"),
        ({"functions": []}, "functions", "functions is not supported: use `tools`"),
        ({"tools": TOOLS, "tool_choice": "nope"}, "tool_choice", "names a function that is not among the tools"),
        (
            {"response_format": {"type": "json", "value": {}}},
            "response_format.type",
            "is TGI's own form, use `json_schema`",
        ),
        (
            {"response_format": {"type": "regex", "value": "a"}},
            "response_format.type",
            "response_format: `regex` is TGI's own form, use `structured_outputs`",
        ),
        (
            {"response_format": {"type": "json_schema", "value": {"schema": {}}}},
            "response_format.json_schema",
            "response_format.json_schema: missing field `json_schema`, an object with `name` and `schema`",
        ),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "str"}}}},
            "response_format.json_schema.schema.type",
            "schema.type: must be `object` or `array` or `string` or `number` or `integer` or `boolean` or `null`",
        ),
        ({"messages": []}, "messages", "messages: must be an array with at least one message"),
        (
            {"messages": [{"role": "user", "content": 5}]},
            "messages[0].content",
            "expected a string or an array of parts",
        ),
    ],
)
def test_what_the_container_would_ignore_or_report_badly_is_refused(
    api_for: Api, sagemaker: SageMakerDouble, given: dict[str, Any], param: str, words: str
) -> None:
    api = api_for(replace(VLLM, facts={"max_stop_sequences": 4, "max_top_n_tokens": 20}))
    found, message = problem(api, CHAT, {**HI, **given})
    assert (found, sagemaker.received) == (param, [])
    assert words in message


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "prompt: missing field `prompt`"),
        ({"prompt": []}, "prompt: must be a string or an array with at least one string"),
        ({"prompt": ""}, "prompt: must not be empty"),
        ({"prompt": ["a", ""]}, "prompt[1]: must not be empty"),
        ({"prompt": [[1], []]}, "prompt[1]: must not be empty"),
        ({"prompt": [1, "a"]}, "prompt[1]: invalid type: string, expected a token id"),
        ({"prompt": ["a"] * 3, "n": 3}, "n (3) times the number of prompts (3) is more than the 8 choices"),
        ({"prompt": "a", "reasoning_effort": "low"}, "reasoning_effort is not supported: leave it out"),
        ({"prompt": "a", "max_tokens": 0}, "max_tokens: 0 is allowed with echo only, which returns the prompt"),
        ({"prompt": "a", "max_tokens": -1, "echo": True}, "max_tokens: -1 is not a number of tokens"),
    ],
)
def test_completions_are_checked_too(api_for: Api, given: dict[str, Any], words: str) -> None:
    assert words in problem(api_for(VLLM), COMPLETIONS, given)[1]


def test_an_echo_needs_no_tokens(api_for: Api, sagemaker: SageMakerDouble) -> None:
    body = {"prompt": "Hi", "echo": True, "logprobs": 1, "max_tokens": 0}
    assert sent(api_for(VLLM), sagemaker, COMPLETIONS, body) == {**body, **STREAMED}


def test_logprobs_may_be_false(api_for: Api, sagemaker: SageMakerDouble) -> None:
    for path, body in ((CHAT, HI), (COMPLETIONS, {"prompt": "Hi"})):
        assert sent(api_for(VLLM), sagemaker, path, {**body, "logprobs": False}) == {
            **body,
            **STREAMED,
            "max_tokens": 1024,
        }


def test_on_sagemakers_own_route_an_unknown_name_is_left_out(api_for: Api, sagemaker: SageMakerDouble) -> None:
    got = sent(api_for(VLLM), sagemaker, "/invocations", {**HI, "nonsense": 1, "top_k": 2})
    assert got == {**HI, "top_k": 2, **STREAMED, "max_tokens": 1024}
    refused = api_for(VLLM).send("/invocations", {**HI, "guided_regex": "a"})
    assert (refused.status, refused.json()["error"]) == (
        400,
        "guided_regex is not supported by this model's server: use `structured_outputs`",
    )


def test_what_tgis_clients_send_means_the_same(api_for: Api, sagemaker: SageMakerDouble) -> None:
    body = {"prompt": "Hi", "do_sample": False, "return_full_text": True, "details": True, "watermark": False}
    got = sent(api_for(VLLM), sagemaker, COMPLETIONS, body)
    assert got == {"prompt": "Hi", "temperature": 0, "echo": True, **STREAMED, "max_tokens": 1024}
    named = sent(api_for(VLLM), sagemaker, CHAT, {**HI, "tools": TOOLS, "tool_choice": "now"})
    assert named["tool_choice"] == {"type": "function", "function": {"name": "now"}}


IMAGE = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}, {"type": "text", "text": "?"}]


@pytest.mark.parametrize("model", [VLLM, SGLANG, LMI])
@pytest.mark.parametrize("member", ["schema", "value"])
def test_a_json_object_by_a_schema_is_one_by_a_schema_in_openais_form(
    api_for: Api, sagemaker: SageMakerDouble, model: Model, member: str
) -> None:
    form = {"type": "json_object", member: SCHEMA}
    body = {**HI, "max_tokens": 5}
    api = api_for(model)
    found = sent(api, sagemaker, CHAT, {**body, "response_format": form})["response_format"]
    assert found == {"type": "json_schema", "json_schema": {"name": "response", "schema": SCHEMA}}
    free = {"type": "json_object"}
    assert sent(api, sagemaker, CHAT, {**body, "response_format": free})["response_format"] == free


@pytest.mark.parametrize("member", ["json_schema", "schema", "value"])
@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("{", "must be a JSON schema or the text of one"),
        ("[]", "must be a JSON schema or the text of one"),
        (1, "invalid type: integer, expected a JSON schema"),
    ],
)
def test_what_a_json_object_has_in_place_of_a_schema_is_rejected(
    api_for: Api, member: str, value: object, message: str
) -> None:
    form = {"type": "json_object", member: value}
    found = problem(api_for(VLLM), CHAT, {**HI, "response_format": form})
    assert found == (f"response_format.{member}", f"response_format.{member}: {message}")


def test_a_message_has_no_null_but_its_content(api_for: Api, sagemaker: SageMakerDouble) -> None:
    # As text-generation sends them.
    call = {"id": "0", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "Hi", "name": None, "tool_calls": None},
        {"role": "assistant", "content": None, "name": None, "tool_calls": [call]},
        {"role": "tool", "content": "x", "tool_call_id": "0"},
    ]
    body = {"model": "llama", "messages": messages, "max_tokens": 5}
    assert sent(api_for(VLLM), sagemaker, CHAT, body)["messages"] == [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        messages[2],
    ]


def test_images_are_refused_only_for_models_that_read_none(api_for: Api, sagemaker: SageMakerDouble) -> None:
    audio = [*IMAGE, {"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}}]
    body = {"messages": [{"role": "user", "content": audio}]}
    assert sent(api_for(VLLM), sagemaker, CHAT, body)["messages"] == body["messages"]
    _, message = problem(api_for(replace(VLLM, facts={"reads_images": False})), CHAT, body)
    assert message == "messages[0].content[0].image_url: `llama` does not read images, send it text only"


def test_tools_need_a_parser(api_for: Api, sagemaker: SageMakerDouble) -> None:
    api = api_for(replace(VLLM, facts={"tools": False}))
    param, message = problem(api, CHAT, {**HI, "tools": TOOLS})
    assert param == "tools"
    assert message == (
        "tools: this model's server does not read tool calls: deploy it with `tool_call_parser`, or leave `tools` out"
    )
    _, message = problem(api_for(replace(CONTAINER, facts={"tools": False})), CHAT, {**HI, "tools": TOOLS})
    assert "declare it with `tools=True` if it does, or leave `tools` out" in message
    assert sent(api, sagemaker, CHAT, {**HI, "tools": TOOLS, "tool_choice": "none"})["tools"] == TOOLS
    # Frameworks send an empty list, which vLLM rejects.
    assert sent(api, sagemaker, CHAT, {**HI, "tools": [], "tool_choice": "auto"}) == {
        **HI,
        **STREAMED,
        "max_tokens": 1024,
    }


def test_only_the_tools_that_are_allowed_are_sent(api_for: Api, sagemaker: SageMakerDouble) -> None:
    allowed = {"mode": "required", "tools": [{"type": "function", "function": {"name": "now"}}]}
    choice = {"type": "allowed_tools", "allowed_tools": allowed}
    got = sent(api_for(VLLM), sagemaker, CHAT, {**HI, "tools": TOOLS, "tool_choice": choice})
    assert (got["tools"], got["tool_choice"]) == ([TOOLS[1]], "required")


def test_a_format_beside_tools_is_one_more_tool(api_for: Api, sagemaker: SageMakerDouble) -> None:
    got = sent(api_for(VLLM), sagemaker, CHAT, {**HI, "tools": TOOLS, "response_format": FORMAT})
    assert [tool["function"]["name"] for tool in got["tools"]] == ["weather", "now", "final_answer"]
    assert got["tools"][2]["function"]["parameters"] == SCHEMA
    assert (got["tool_choice"], got["parallel_tool_calls"]) == ("required", False)
    assert "response_format" not in got
    # A call is required anyway, or none is allowed.
    assert "response_format" not in sent(
        api_for(VLLM), sagemaker, CHAT, {**HI, "tools": TOOLS, "tool_choice": "required", "response_format": FORMAT}
    )
    plain = {**HI, "tools": TOOLS, "tool_choice": "none", "response_format": FORMAT}
    assert sent(api_for(VLLM), sagemaker, CHAT, plain) == {
        "tools": TOOLS,
        **HI,
        "tool_choice": "none",
        "response_format": FORMAT,
        **STREAMED,
        "max_tokens": 1024,
    }


def call(arguments: str, name: str | None = None) -> dict[str, Any]:
    function = {"arguments": arguments} if name is None else {"name": name, "arguments": arguments}
    return {
        "tool_calls": [{"index": 0, **({} if name is None else {"id": "c1", "type": "function"}), "function": function}]
    }


@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize("name", ["final_answer", "weather"])
def test_the_call_of_the_last_tool_is_the_content(
    api_for: Api, sagemaker: SageMakerDouble, name: str, is_stream: bool
) -> None:
    events = [FIRST, chat_chunk(call('{"ci', name)), chat_chunk(call('ty":"Oslo"}')), chat_chunk({}, "tool_calls")]
    sagemaker.replies.append(parts(*events, usage_chunk(), DONE))
    body = {**HI, "tools": TOOLS, "response_format": FORMAT, "stream": is_stream}
    response = api_for(VLLM).send(CHAT, body)
    is_answer = name == "final_answer"
    if is_stream:
        read = Read.of(response.body)
        assert (read.text(), read.arguments())[:: 1 if is_answer else -1] == ('{"city":"Oslo"}', "")
        assert read.finish_reasons() == ["stop" if is_answer else "tool_calls"]
        assert {each["model"] for each in read.chunks} == {"llama"}
        return
    (choice,) = response.json()["choices"]
    assert choice["finish_reason"] == ("stop" if is_answer else "tool_calls")
    if is_answer:
        assert choice["message"] == {"role": "assistant", "content": '{"city":"Oslo"}'}
    else:
        assert choice["message"]["tool_calls"][0]["function"] == {"name": "weather", "arguments": '{"city":"Oslo"}'}


def test_sglang_answers_chats_alone(api_for: Api, sagemaker: SageMakerDouble) -> None:
    response = api_for(SGLANG).send(COMPLETIONS, {"prompt": "Hi"})
    assert (response.status, sagemaker.received) == (400, [])
    assert response.json() == {
        "error": {
            "message": "llama runs on SGLang, which does not answer /v1/completions here; use /v1/chat/completions.",
            "type": "invalid_request_error",
            "param": None,
            "code": "engine_cannot",
        },
        "error_type": "engine_cannot",
    }
    message = api_for(SGLANG).send("/invocations", {"prompt": "Hi"}).json()["error"]
    assert message.endswith("use /v1/chat/completions.")


def test_a_container_answers_what_is_declared(api_for: Api) -> None:
    api = api_for(replace(CONTAINER, facts={"chat": False}))
    assert api.send(CHAT, HI).json()["error"]["message"] == (
        "llama runs on a container of its own, which does not answer /v1/chat/completions here; use /v1/completions."
    )


@pytest.mark.parametrize("path", ["/", "/generate", "/generate_stream", "/invocations", "/models/llama/generate"])
@pytest.mark.parametrize(
    ("model", "name"),
    [
        (SGLANG, "SGLang"),
        (replace(VLLM, facts={"completions": False}), "vLLM"),
        (replace(CONTAINER, facts={"completions": False}), "a container of its own"),
    ],
)
def test_tgis_routes_need_a_container_that_completes_prompts(
    api_for: Api, sagemaker: SageMakerDouble, path: str, model: Model, name: str
) -> None:
    response = api_for(model).send(path, {"inputs": "Hi"})
    assert (response.status, sagemaker.received) == (501, [])
    assert response.json() == {
        "error": f"llama runs on {name}, which does not answer TGI's requests here: its container answers chats, no"
        " prompts; use /v1/chat/completions.",
        "error_type": "engine_cannot",
    }


def test_a_body_as_large_as_the_endpoint_accepts_is_sent(api_for: Api, sagemaker: SageMakerDouble) -> None:
    body = {"messages": [{"role": "user", "content": "x" * 2000}]}
    size = len(json.dumps({**body, **STREAMED, "max_tokens": 1024}, separators=(",", ":")))
    assert sent(api_for(replace(VLLM, max_body_bytes=size)), sagemaker, CHAT, body)
    assert api_for(replace(VLLM, max_body_bytes=size - 1)).send(CHAT, body).status == 413


def test_what_is_known_of_the_server_is_not_what_tgi_would_be(api_for: Api) -> None:
    info = api_for(replace(VLLM, facts={"version": "0.30.0", "max_total_tokens": 512})).send("/info").json()
    assert (info["router"], info["version"], info["max_total_tokens"]) == ("vllm", "0.30.0", 512)
    assert (info["max_concurrent_requests"], info["validation_workers"]) == (None, None)
    limits = [api_for(model).send("/info").json() for model in (VLLM, SGLANG)]
    # Its routes are checked for vLLM as TGI does, and do not exist for SGLang.
    assert [(each["max_best_of"], each["max_stop_sequences"]) for each in limits] == [(2, 4), (None, None)]
