"""Answers of containers that speak OpenAI's protocol are passed on."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.conformance.vllm.exchanges import RECORDED
from tests.lambda_.conftest import ApiClient
from tests.lambda_.protocols.openai.events import DONE, Read, sse
from tests.lambda_.protocols.openai.natives import (
    ANSWER,
    CONTAINER,
    FIRST,
    HI,
    LMI,
    NAME,
    SGLANG,
    USAGE,
    VLLM,
    chat_chunk,
    lines,
    refused,
    renamed,
    usage_chunk,
)
from tests.lambda_.sagemaker_double import SageMakerDouble, part, parts, plain_response, stream

Api = Callable[..., ApiClient]


@pytest.fixture
def vllm(api_for: Api) -> ApiClient:
    return api_for(VLLM)


def recorded_streams() -> list[Any]:
    """Streams of a real vLLM 0.32 that end as they should."""
    found = []
    for name in ("plain", "adapters_and_tools"):
        for exchange in json.loads((RECORDED / f"{name}.json").read_text()):
            request, answer = exchange["request"], exchange["answer"]
            body = request.get("json")
            is_stream = isinstance(answer.get("body"), list) and answer["body"][-1:] == ["data: [DONE]"]
            is_asked = isinstance(body, dict) and body.get("stream") is True and "stream_options" not in body
            if is_stream and is_asked and ("messages" in body or "prompt" in body):
                found.append(pytest.param(request["path"], body, answer["body"], id=exchange["name"]))
    return found


@pytest.mark.parametrize(("path", "body", "events"), recorded_streams())
def test_a_stream_of_vllm_reaches_the_client_as_it_is_but_for_the_models_name(
    vllm: ApiClient, sagemaker: SageMakerDouble, path: str, body: dict[str, Any], events: list[Any]
) -> None:
    sent = [DONE if event == "data: [DONE]" else sse(event) for event in events]
    usage = sse({**events[0], "choices": [], "usage": USAGE})
    sagemaker.replies.append(parts(*sent[:-1], usage, DONE))
    asked = {name: value for name, value in body.items() if name != "model"}
    path = path if path.startswith("/v1") else "/invocations"
    response = vllm.send(path, {**asked, "max_tokens": 5})
    assert response.status == 200, response.body
    theirs = events[0]["model"]
    assert response.body == b"".join(sent).replace(f'"model":"{theirs}"'.encode(), b'"model":"llama"')
    (line,) = vllm.log()
    assert (line["PromptTokens"], line["GeneratedTokens"]) == (9, 2)


def test_events_that_arrive_together_or_in_pieces_are_the_same_to_the_client(
    vllm: ApiClient, sagemaker: SageMakerDouble
) -> None:
    whole = b"".join(ANSWER)
    expected = renamed([*ANSWER[:3], DONE])
    for pieces in ([whole], [whole[at : at + 50] for at in range(0, len(whole), 50)]):
        sagemaker.replies.append(parts(*pieces))
        assert vllm.send("/v1/chat/completions", {**HI, "stream": True}).body == expected


def test_lines_may_end_with_crlf(vllm: ApiClient, sagemaker: SageMakerDouble) -> None:
    whole = b"".join(ANSWER).replace(b"\n", b"\r\n")
    for pieces in ([whole], [whole[at : at + 50] for at in range(0, len(whole), 50)]):
        sagemaker.replies.append(parts(*pieces))
        assert vllm.send("/v1/chat/completions", {**HI, "stream": True}).body == renamed([*ANSWER[:3], DONE])
        (line,) = vllm.log()
        assert (line["PromptTokens"], line["finish_reason"]) == (9, "stop")


def test_the_end_is_seen_behind_a_chunk_of_two_choices(vllm: ApiClient, sagemaker: SageMakerDouble) -> None:
    both = json.loads(ANSWER[1].removeprefix(b"data: "))
    both["choices"].append({**both["choices"][0], "index": 1})
    reply = parts(FIRST, sse(both) + usage_chunk(), chat_chunk({}, "length"), DONE)
    for at in (2, 4):
        reply.pieces.insert(at, lambda: time.sleep(0.1))  # so that the second part is read by itself
    sagemaker.replies.append(reply)
    response = vllm.send("/v1/chat/completions", {**HI, "n": 2, "stream": True})
    assert response.body == renamed([FIRST, sse(both), chat_chunk({}, "length"), DONE])
    assert vllm.log()[0]["GeneratedTokens"] == 2


@pytest.mark.parametrize("options", [{}, {"include_usage": False}, {"include_usage": None}], ids=str)
def test_options_of_a_stream_need_not_ask_for_the_token_counts(
    vllm: ApiClient, sagemaker: SageMakerDouble, options: dict[str, Any]
) -> None:
    sagemaker.replies.append(parts(*ANSWER))
    body = {**HI, "stream": True, "stream_options": options}
    assert vllm.send("/v1/chat/completions", body).body == renamed([*ANSWER[:3], DONE])
    assert sagemaker.received[0].json()["stream_options"] == {"include_usage": True}


def test_a_client_that_asks_for_the_token_counts_gets_them(vllm: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*ANSWER))
    body = {**HI, "stream": True, "stream_options": {"include_usage": True, "continuous_usage_stats": True}}
    assert vllm.send("/v1/chat/completions", body).body == renamed(ANSWER)
    assert sagemaker.received[0].json()["stream_options"] == body["stream_options"]


def test_a_comment_that_keeps_the_connection_open_is_no_chunk(vllm: ApiClient, sagemaker: SageMakerDouble) -> None:
    comment = b": keep-alive\n\n"
    sagemaker.replies.append(parts(comment, FIRST, comment, *ANSWER[1:]))
    body = vllm.send("/v1/chat/completions", {**HI, "stream": True}).body
    assert body == renamed([comment, FIRST, comment, *ANSWER[1:3], DONE])


def test_a_text_that_looks_like_the_end_or_like_a_name_is_passed_on(
    vllm: ApiClient, sagemaker: SageMakerDouble
) -> None:
    text = f'"model":"{NAME}" data: [DONE] {{"error": 1}} "choices":[] "finish_reason":"stop"'
    events = [FIRST, *[chat_chunk({"content": text})] * 2, chat_chunk({}, "stop"), DONE]
    sagemaker.replies.append(parts(*events))
    read = Read.of(vllm.send("/v1/chat/completions", {**HI, "stream": True}).body)
    assert (read.text(), read.errors, read.is_done) == (text * 2, [], True)
    assert {each["model"] for each in read.chunks} == {"llama"}


def test_a_response_is_assembled_from_a_stream(vllm: ApiClient, sagemaker: SageMakerDouble) -> None:
    call = {"id": "call-1", "type": "function", "index": 0, "function": {"name": "weather", "arguments": '{"ci'}}
    logprobs = [{"content": [{"token": token, "logprob": -0.5}]} for token in ("a", "b")]
    events = [
        chat_chunk({"role": "assistant", "content": ""}, index=1),
        FIRST,
        chat_chunk({"reasoning_content": "Let me"}, token_ids=[4]),
        chat_chunk({"reasoning_content": " see"}, token_ids=[5, 6]),
        chat_chunk({"content": "Un"}, logprobs=logprobs[0]),
        chat_chunk({"content": " été"}, logprobs=logprobs[1]),
        chat_chunk({"content": None, "tool_calls": [call]}, index=1),
        chat_chunk({"tool_calls": [{"index": 0, "function": {"arguments": 'ty":1}'}}]}, index=1),
        chat_chunk({"tool_calls": [{"index": 1, "id": "call-2", "function": {"name": "now"}}]}, index=1),
        chat_chunk({}, "stop", stop_reason=7),
        chat_chunk({"content": ""}, "tool_calls", index=1),
        usage_chunk(prompt_tokens_details={"cached_tokens": 8}),
        DONE,
    ]
    sagemaker.replies.append(parts(*events))
    response = vllm.send("/v1/chat/completions", {**HI, "n": 2, "temperature": 1})
    assert response.json() == {
        "id": "chatcmpl-1",
        "created": 17,
        "model": "llama",
        "object": "chat.completion",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Un été", "reasoning_content": "Let me see"},
                "logprobs": {"content": [entry["content"][0] for entry in logprobs]},
                "finish_reason": "stop",
                "token_ids": [4, 5, 6],
                "stop_reason": 7,
            },
            {
                "index": 1,
                "message": {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {
                            "id": "call-1",
                            "type": "function",
                            "function": {"name": "weather", "arguments": '{"city":1}'},
                        },
                        {"id": "call-2", "function": {"name": "now"}},
                    ],
                },
                "logprobs": None,
                "finish_reason": "tool_calls",
            },
        ],
        "usage": {**USAGE, "prompt_tokens_details": {"cached_tokens": 8}},
    }
    (line,) = vllm.log()
    assert (line["PromptTokens"], line["GeneratedTokens"], line["cached_tokens"]) == (9, 2, 8)
    assert line["finish_reason"] == "tool_calls"


def test_a_completion_is_assembled_with_its_prompts_and_logprobs(vllm: ApiClient, sagemaker: SageMakerDouble) -> None:
    head = {"id": "cmpl-1", "object": "text_completion", "created": 17, "model": NAME}
    pieces = [
        {"index": 0, "text": "a", "logprobs": {"tokens": ["a"], "top_logprobs": [{"a": -1}]}, "finish_reason": None},
        {"index": 1, "text": "x", "logprobs": None, "finish_reason": "length"},
        {"index": 0, "text": "b", "logprobs": {"tokens": ["b"], "top_logprobs": [{"b": -2}]}, "finish_reason": "stop"},
    ]
    events = [sse({**head, "choices": [piece]}) for piece in pieces]
    sagemaker.replies.append(parts(*events, sse({**head, "choices": [], "usage": USAGE}), DONE))
    response = vllm.send("/v1/completions", {"prompt": ["One", "Two"], "logprobs": 1}).json()
    logprobs = {"tokens": ["a", "b"], "top_logprobs": [{"a": -1}, {"b": -2}]}
    assert response == {
        **head,
        "model": "llama",
        "choices": [
            {"index": 0, "text": "ab", "logprobs": logprobs, "finish_reason": "stop"},
            {"index": 1, "text": "x", "logprobs": None, "finish_reason": "length"},
        ],
        "usage": USAGE,
    }
    assert sagemaker.received[0].json()["prompt"] == ["One", "Two"]


def test_a_response_that_the_container_did_not_stream_is_passed_on(vllm: ApiClient, sagemaker: SageMakerDouble) -> None:
    answer = {
        "id": "1",
        "model": NAME,
        "choices": [{"index": 0, "message": {}, "finish_reason": "stop"}],
        "usage": USAGE,
    }
    plain = stream([part(json.dumps(answer).encode())])
    plain.pieces[0] = plain.pieces[0].replace(b"text/event-stream", b"application/json")  # type: ignore[union-attr]
    for is_stream in (False, True):
        sagemaker.replies.append(plain)
        response = vllm.send("/v1/chat/completions", {**HI, "stream": is_stream})
        assert response.headers["Content-Type"] == "application/json"
        assert response.json() == {**answer, "model": "llama"}
    assert [line["GeneratedTokens"] for line in vllm.log()] == [2, 2]


@pytest.mark.parametrize("member", [{"prompt_logprobs": 0}, {"use_beam_search": True}], ids=str)
def test_what_vllm_cannot_stream_is_asked_for_without_streaming(
    vllm: ApiClient, sagemaker: SageMakerDouble, member: dict[str, Any]
) -> None:
    answer = {"model": NAME, "choices": [{"index": 0, "text": "x", "finish_reason": "stop"}], "usage": USAGE}
    sagemaker.replies.append(plain_response(json.dumps(answer).encode()))
    response = vllm.send("/v1/completions", {"prompt": "Hi", **member})
    assert response.json() == {**answer, "model": "llama"}
    (request,) = sagemaker.received
    assert request.path.endswith("/invocations")
    assert request.json() == {"prompt": "Hi", **member, "max_tokens": 1024}


@pytest.mark.parametrize("is_stream", [False, True])
def test_the_lines_of_lmi_are_events_to_the_client(api_for: Api, sagemaker: SageMakerDouble, is_stream: bool) -> None:
    api = api_for(LMI)
    data = [event.removeprefix(b"data: ").strip() + b"\n" for event in ANSWER[:-1]]
    whole = b"".join(data) + b"\n"
    sagemaker.replies.append(lines(whole[:70], whole[70:200], whole[200:]))
    response = api.send("/v1/chat/completions", {**HI, "stream": is_stream})
    if is_stream:
        assert response.headers["Content-Type"] == "text/event-stream"
        assert response.body == renamed([*ANSWER[:3], DONE])
    else:
        assert response.json()["choices"][0]["message"]["content"] == "Un été 🧸"
        assert response.json()["usage"] == USAGE


@pytest.mark.parametrize("is_stream", [False, True])
def test_lmis_error_in_a_line_is_an_error(api_for: Api, sagemaker: SageMakerDouble, is_stream: bool) -> None:
    api = api_for(LMI)
    begun = ANSWER[1].removeprefix(b"data: ").strip() + b"\n"
    sagemaker.replies.append(lines(begun, b'{"code":500,"message":"Inference Engine Failure"}'))
    response = api.send("/v1/chat/completions", {**HI, "stream": is_stream})
    error = Read.of(response.body).errors[0] if is_stream else response.json()
    assert error == {
        "error": {
            "message": "The model's server failed.",
            "type": "server_error",
            "param": None,
            "code": "upstream_error",
        },
        "error_type": "upstream",
    }
    assert response.status == (200 if is_stream else 502)


@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize(("blank", "last"), [(b"", b"\n"), (b" ", b"\n"), (b"", b"")])
def test_lines_that_break_off_are_no_answer(
    api_for: Api, sagemaker: SageMakerDouble, blank: bytes, last: bytes, is_stream: bool
) -> None:
    api = api_for(LMI)
    data = [event.removeprefix(b"data: ").strip().replace(b'":', b'":' + blank) for event in ANSWER[:2]]
    sagemaker.replies.append(lines(b"\n".join(data) + last))
    response = api.send("/v1/chat/completions", {**HI, "stream": is_stream})
    error = Read.of(response.body).errors[0] if is_stream else response.json()
    assert error["error_type"] == "incomplete_generation"
    assert (response.status, api.log()[0]["cause"]) == (200 if is_stream else 500, "no end")


def test_a_container_may_end_its_stream_without_done_but_not_without_an_end(
    api_for: Api, sagemaker: SageMakerDouble
) -> None:
    api = api_for(CONTAINER)
    sagemaker.replies.append(parts(*ANSWER[:3]))
    assert api.send("/v1/chat/completions", {**HI, "stream": True}).body == renamed(ANSWER[:3])
    sagemaker.replies.append(parts(*ANSWER[:2]))
    read = Read.of(api.send("/v1/chat/completions", {**HI, "stream": True}).body)
    assert [each["error"]["code"] for each in read.errors] == ["incomplete_generation"]
    sagemaker.replies.append(parts(*ANSWER[:2]))
    assert api.send("/v1/chat/completions", HI).json()["error"]["message"] == "Incomplete generation"


@pytest.mark.parametrize(("declared", "media_type"), [("jsonlines", b"application/json"), ("sse", b"text/plain")])
def test_a_container_whose_format_is_declared_need_not_name_it(
    api_for: Api, sagemaker: SageMakerDouble, declared: str, media_type: bytes
) -> None:
    api = api_for(replace(CONTAINER, facts={"stream_format": declared}))
    events = ANSWER if declared == "sse" else [each.removeprefix(b"data: ").strip() + b"\n" for each in ANSWER[:-1]]
    reply = parts(*events)
    assert isinstance(reply.pieces[0], bytes)
    reply.pieces[0] = reply.pieces[0].replace(b"text/event-stream", media_type)
    sagemaker.replies.append(reply)
    assert api.send("/v1/chat/completions", {**HI, "stream": True}).body == renamed([*ANSWER[:3], DONE])


@pytest.mark.parametrize(
    "error",
    [
        {"error": {"message": "EngineCore encountered an issue.", "type": "InternalServerError", "code": 500}},
        {"error": {"object": "error", "message": "Aborted", "type": "X", "param": None, "code": 500}},
    ],
)
def test_an_error_in_a_stream_ends_it(vllm: ApiClient, sagemaker: SageMakerDouble, error: dict[str, Any]) -> None:
    sagemaker.replies.append(parts(*ANSWER[:2], ANSWER[2] + sse(error), DONE))
    response = vllm.send("/v1/chat/completions", {**HI, "stream": True})
    read = Read.of(response.body)
    assert response.body.startswith(renamed(ANSWER[:3]))
    assert (read.is_done, len(read.errors)) == (True, 1)
    assert read.errors[0]["error"]["message"] == "The model's server failed."
    assert vllm.log()[0]["error"] == "upstream"


def test_an_engine_that_dies_during_a_response_is_an_error_with_a_status(
    vllm: ApiClient, sagemaker: SageMakerDouble
) -> None:
    sagemaker.replies.append(parts(ANSWER[0], sse({"error": {"message": "EngineDeadError", "code": 500}}), DONE))
    response = vllm.send("/v1/chat/completions", HI)
    assert (response.status, response.json()["error"]["type"]) == (502, "server_error")


def test_sglangs_full_queue_in_a_stream_is_asked_again(api_for: Api, sagemaker: SageMakerDouble) -> None:
    full = sse({"error": {"object": "error", "message": "The request queue is full.", "type": "X", "code": 503}})
    sagemaker.replies += [parts(full, DONE), parts(*ANSWER)]
    api = api_for(SGLANG)
    assert api.send("/v1/chat/completions", HI).status == 200
    assert api.log()[0]["Retries"] == 1


def test_an_overload_is_429_in_openais_words_after_some_attempts(vllm: ApiClient, sagemaker: SageMakerDouble) -> None:
    busy = {"message": "The engine is currently busy and cannot accept new requests.", "type": "X", "code": 503}
    sagemaker.replies, sagemaker.repeats = [refused(503, {"error": busy})], True
    response = vllm.send("/v1/chat/completions", HI)
    assert (response.status, response.headers["Retry-After"], len(sagemaker.received)) == (429, "1", 3)
    assert response.json()["error"] == {
        "message": "Model is overloaded",
        "type": "rate_limit_error",
        "param": None,
        "code": "rate_limit_exceeded",
    }


def test_a_container_may_have_an_overload_status_of_its_own(api_for: Api, sagemaker: SageMakerDouble) -> None:
    api = api_for(replace(CONTAINER, facts={"overload_statuses": [529]}))
    sagemaker.replies += [refused(529, "busy"), parts(*ANSWER)]
    assert api.send("/v1/chat/completions", HI).status == 200


def test_a_request_that_failed_is_not_sent_again(vllm: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(refused(500, {"error": {"message": "EngineCore encountered an issue", "code": 500}}))
    response = vllm.send("/v1/chat/completions", HI)
    assert (response.status, response.json()["error_type"]) == (502, "upstream")
    assert len(sagemaker.received) == 1


TOO_LONG = (
    "This model's maximum context length is 2048 tokens. However, you requested {asked} output tokens and your prompt"
    " contains at least {prompt} input tokens, for a total of at least 2049 tokens."
)


def too_long(asked: int) -> Any:
    return refused(400, {"error": {"message": TOO_LONG.format(asked=asked, prompt=2049 - asked), "code": 400}})


def test_the_default_limit_is_lowered_until_the_prompt_fits(vllm: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies += [too_long(1024), too_long(512), parts(*ANSWER)]
    assert vllm.send("/v1/chat/completions", HI).status == 200
    assert [request.json()["max_tokens"] for request in sagemaker.received] == [1024, 512, 256]


def test_a_prompt_that_never_fits_is_the_clients_error(vllm: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies += [too_long(1024 >> step) for step in range(11)]
    response = vllm.send("/v1/chat/completions", HI)
    assert (response.status, response.json()["error"]["code"]) == (400, "context_length_exceeded")
    assert len(sagemaker.received) == 11


def test_a_limit_of_the_client_is_not_lowered(vllm: ApiClient, sagemaker: SageMakerDouble) -> None:
    for limit in ("max_tokens", "max_completion_tokens"):
        sagemaker.replies.append(too_long(1024))
        assert vllm.send("/v1/chat/completions", {**HI, limit: 1024}).status == 400
    assert len(sagemaker.received) == 2


def test_an_event_of_another_form_ends_a_stream(vllm: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*ANSWER[:2], sse({"detail": "x"}), *ANSWER[2:]))
    read = Read.of(vllm.send("/v1/chat/completions", {**HI, "stream": True}).body)
    assert (read.text(), read.is_done) == ("Un été", True)
    assert read.errors[0]["error"]["message"] == "The model sent an event of an unknown form."


CHOICES: list[Any] = [
    "text",
    [None],
    ["text"],
    [{"index": "0", "delta": {}}],
    [{"index": [1], "delta": {}}],
    [{"index": 0, "delta": "text"}],
    [{"index": 0, "delta": {"tool_calls": "text"}}],
    [{"index": 0, "delta": {"tool_calls": ["text"]}}],
    [{"index": 0, "delta": {"tool_calls": [{"function": "text"}]}}],
]


@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize("choices", CHOICES, ids=str)
@pytest.mark.parametrize("before", [[], ANSWER[:2]], ids=["first", "later"])
def test_choices_of_another_form_are_an_error(
    api_for: Api, sagemaker: SageMakerDouble, before: list[bytes], choices: object, is_stream: bool
) -> None:
    api = api_for(CONTAINER)
    sagemaker.replies.append(parts(*before, sse({"model": NAME, "choices": choices}), *ANSWER[2:]))
    response = api.send("/v1/chat/completions", {**HI, "stream": is_stream})
    is_begun = is_stream and bool(before)
    error = Read.of(response.body).errors[0] if is_begun else response.json()
    assert error["error"]["message"] == "The model sent an event of an unknown form."
    assert response.status == (200 if is_begun else 502)


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_stream_without_a_choice_is_no_answer(vllm: ApiClient, sagemaker: SageMakerDouble, is_stream: bool) -> None:
    for events in ([DONE], [usage_chunk(), DONE]):
        sagemaker.replies.append(parts(*events))
        response = vllm.send("/v1/chat/completions", {**HI, "stream": is_stream})
        error = Read.of(response.body).errors[0] if is_stream else response.json()
        assert error["error_type"] == "incomplete_generation"
