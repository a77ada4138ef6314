"""Completions that are sent to TGI as its own requests: log probabilities, best_of, and TGI's parameters."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.lambda_.conftest import LLAMA, ApiClient
from tests.lambda_.protocols.openai.bodies import completion_bodies
from tests.lambda_.protocols.openai.events import Read, sse
from tests.lambda_.sagemaker_double import SageMakerDouble, error, parts, plain_response

PATH = "/v1/completions"
BODY = {"prompt": "Once 🧸", "max_tokens": 3}
GREEDY = {"do_sample": False, "details": True, "return_full_text": False}
SAMPLED = {"do_sample": True, "details": True, "return_full_text": False}


def token(text: str, logprob: float | None, id_: int = 5, *, special: bool = False) -> dict[str, Any]:
    return {"id": id_, "text": text, "logprob": logprob, "special": special}


def event(each: dict[str, Any], *top: dict[str, Any], reason: str | None = None, count: int = 3) -> bytes:
    details = reason and {"finish_reason": reason, "generated_tokens": count, "seed": None, "input_length": 6}
    return sse({"index": 1, "token": each, "top_tokens": top, "generated_text": reason and "…", "details": details})


STREAM = [
    event(token(" ", -0.5, 1), token(" ", -0.5, 1), token("the", -1.5, 2)),
    event(token("été", -1.25, 3), token("a", -0.25, 4), token("et", None, 9)),
    event(token("</s>", -0.125, 0, special=True), token("</s>", -0.125, 0, special=True), reason="eos_token"),
]
LOGPROBS = {
    "tokens": [" ", "été", "</s>"],
    "token_logprobs": [-0.5, -1.25, -0.125],
    "top_logprobs": [{" ": -0.5, "the": -1.5}, {"été": -1.25, "a": -0.25}, {"</s>": -0.125}],
    "text_offset": [0, 1, 4],
}
PREFILL = [
    {"id": 0, "text": "<s>", "logprob": None},
    {"id": 1, "text": "Once", "logprob": -2.5},
    {"id": 2, "text": " \ufffd", "logprob": -3.5},
    {"id": 3, "text": "\ufffd", "logprob": -0.5},
    {"id": 4, "text": "\ufffd", "logprob": -0.25},
]
PROMPT_LOGPROBS = {
    "tokens": ["Once", " ", "", "🧸"],
    "token_logprobs": [None, -3.5, -0.5, -0.25],
    "top_logprobs": [None, {" ": -3.5}, {"": -0.5}, {"🧸": -0.25}],
    "text_offset": [0, 4, 5, 5],
}


def whole(prefill: list[dict[str, Any]] = PREFILL, tokens: list[dict[str, Any]] | None = None, **details: Any) -> bytes:
    tokens = [token("!", -0.75)] if tokens is None else tokens
    text = "".join(each["text"] for each in tokens if not each["special"])
    details = {"finish_reason": "length", "generated_tokens": len(tokens), "seed": None, **details}
    return json.dumps([{"generated_text": text, "details": {**details, "prefill": prefill, "tokens": tokens}}]).encode()


def sent(body: dict[str, Any], facts: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """The parameters of TGI's own requests, without those that are always the same."""
    bodies = completion_bodies({"prompt": "Once", **body}, facts or {})
    assert all(each.keys() == {"inputs", "parameters", "stream"} for each in bodies)
    return [each["parameters"] for each in bodies]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"logprobs": 0}, [SAMPLED]),
        ({"logprobs": 2}, [{**SAMPLED, "top_n_tokens": 2}]),
        ({"logprobs": 1, "temperature": 0}, [{**GREEDY, "top_n_tokens": 1}]),
        ({"logprobs": 1, "temperature": 0, "top_p": 0.5}, [{**GREEDY, "top_n_tokens": 1}]),
        ({"logprobs": 0, "temperature": 0.5, "top_p": 0.5}, [{**SAMPLED, "temperature": 0.5, "top_p": 0.5}]),
        ({"logprobs": 0, "echo": True}, [{**SAMPLED, "decoder_input_details": True}]),
        ({"logprobs": 0, "stop": "a", "max_tokens": 7}, [{**SAMPLED, "stop": ["a"], "max_new_tokens": 7}]),
        ({"logprobs": 0, "max_tokens": 0}, [{**SAMPLED, "max_new_tokens": 1}]),
        ({"logprobs": 0, "frequency_penalty": 1}, [{**SAMPLED, "frequency_penalty": 1}]),
        ({"best_of": 3}, [SAMPLED] * 3),
        ({"best_of": 3, "n": 2, "seed": 7}, [{**SAMPLED, "seed": seed} for seed in (7, 8, 9)]),
        ({"top_k": 5, "repetition_penalty": 1.5}, [{**SAMPLED, "top_k": 5, "repetition_penalty": 1.5}]),
        ({"typical_p": 0.5, "truncate": 9}, [{**SAMPLED, "typical_p": 0.5, "truncate": 9}]),
        ({"watermark": True, "adapter_id": "a/b"}, [{**SAMPLED, "watermark": True, "adapter_id": "a/b"}]),
        ({"grammar": {"type": "regex", "value": "a"}}, [{**SAMPLED, "grammar": {"type": "regex", "value": "a"}}]),
        ({"do_sample": False, "top_k": 5, "typical_p": 0.5, "watermark": True}, [{**GREEDY, "watermark": True}]),
    ],
)
def test_what_tgis_openai_route_would_leave_out_is_sent_as_its_own_request(
    body: dict[str, Any], expected: list[dict[str, Any]]
) -> None:
    assert sent(body) == expected


def test_a_buffered_completion_has_openais_logprobs(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*STREAM))
    response = api.send(PATH, {**BODY, "logprobs": 2})
    completion = response.json()
    assert completion["choices"] == [{"index": 0, "text": " été", "logprobs": LOGPROBS, "finish_reason": "stop"}]
    assert completion["usage"] == {"prompt_tokens": 6, "completion_tokens": 3, "total_tokens": 9}
    assert completion["system_fingerprint"] is None
    assert "x-tgi-difference" not in response.headers
    parameters = {**SAMPLED, "top_n_tokens": 2, "max_new_tokens": 3}
    assert sagemaker.received[0].json() == {"inputs": "Once 🧸", "parameters": parameters, "stream": True}


def test_a_stream_has_them_in_each_chunk(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*STREAM))
    answer = api.send(PATH, {**BODY, "logprobs": 2, "stream": True, "stream_options": {"include_usage": True}})
    read = Read.of(answer.body)
    assert (read.text(), read.finish_reasons(), read.is_done) == (" été", ["stop"], True)
    *chunks, last = read.choices()
    assert last["logprobs"] is None
    assert {name: [each["logprobs"][name][0] for each in chunks] for name in LOGPROBS} == LOGPROBS
    assert read.usage()[-1] == {"prompt_tokens": 6, "completion_tokens": 3, "total_tokens": 9}


def test_a_token_is_not_its_own_alternative(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    """An alternative is decoded by itself, so it may lack the space that the token begins with."""
    sagemaker.replies.append(
        parts(event(token(" is", -0.5, 1), token("is", -0.5, 1), token("was", -1.5, 2), reason="length"))
    )
    choice = api.send(PATH, {**BODY, "logprobs": 2}).json()["choices"][0]
    assert choice["logprobs"]["top_logprobs"] == [{" is": -0.5, "was": -1.5}]


def test_a_stop_sequence_ends_the_text_and_its_logprobs(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*STREAM))
    choice = api.send(PATH, {**BODY, "logprobs": 0, "stop": "t"}).json()["choices"][0]
    assert (choice["text"], choice["finish_reason"]) == (" é", "stop")
    assert (choice["logprobs"]["tokens"], choice["logprobs"]["text_offset"]) == ([" ", "été"], [0, 1])


def test_the_tokens_of_an_echoed_prompt_come_first(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(plain_response(whole(top_tokens=[[token("!", -0.75), token("?", -1.5, 6)]])))
    response = api.send(PATH, {**BODY, "logprobs": 1, "echo": True, "max_tokens": 1, "temperature": 0, "seed": 1234})
    assert response.headers["x-tgi-difference"] == "top_logprobs"
    (choice,) = response.json()["choices"]
    assert (choice["text"], choice["finish_reason"]) == ("Once 🧸!", "length")
    assert choice["logprobs"] == {
        "tokens": [*PROMPT_LOGPROBS["tokens"], "!"],
        "token_logprobs": [*PROMPT_LOGPROBS["token_logprobs"], -0.75],
        "top_logprobs": [*PROMPT_LOGPROBS["top_logprobs"], {"!": -0.75, "?": -1.5}],
        "text_offset": [*PROMPT_LOGPROBS["text_offset"], 6],
    }
    assert response.json()["usage"] == {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6}
    (request,) = sagemaker.received
    assert request.path.endswith("/invocations")
    assert request.json() == {
        "inputs": "Once 🧸",
        "parameters": {**GREEDY, "seed": 1234, "top_n_tokens": 1, "decoder_input_details": True, "max_new_tokens": 1},
    }


def test_the_token_that_ends_a_text_is_listed_behind_it(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    end = token("</s>", -0.5, special=True)
    sagemaker.replies.append(plain_response(whole(tokens=[end], finish_reason="eos_token")))
    (choice,) = api.send(PATH, {**BODY, "logprobs": 1, "echo": True, "max_tokens": 1}).json()["choices"]
    assert (choice["text"], choice["finish_reason"]) == ("Once 🧸", "stop")
    assert (choice["logprobs"]["tokens"][-1], choice["logprobs"]["text_offset"][-1]) == ("</s>", 6)


@pytest.mark.parametrize("is_streamed", [False, True])
def test_no_tokens_means_that_one_is_generated_and_dropped(
    api: ApiClient, sagemaker: SageMakerDouble, is_streamed: bool
) -> None:
    sagemaker.replies += [parts(*STREAM)] * 2
    answer = api.send(PATH, {**BODY, "logprobs": 2, "max_tokens": 0, "stream": is_streamed})
    read = Read.of(answer.body) if is_streamed else None
    text, reason = (read.text(), read.finish_reasons()[0]) if read else _text_and_reason(answer.json())
    assert (text, reason) == ("", "length")
    assert sagemaker.received[0].json()["parameters"]["max_new_tokens"] == 1
    assert api.log()[0]["GeneratedTokens"] == 3


def _text_and_reason(completion: dict[str, Any]) -> tuple[str, str]:
    assert completion["usage"] == {"prompt_tokens": 6, "completion_tokens": 0, "total_tokens": 6}
    return completion["choices"][0]["text"], completion["choices"][0]["finish_reason"]


def test_no_tokens_leave_the_echoed_prompt(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(plain_response(whole()))
    (choice,) = api.send(PATH, {**BODY, "logprobs": 1, "echo": True, "max_tokens": 0}).json()["choices"]
    assert choice == {"index": 0, "text": "Once 🧸", "logprobs": PROMPT_LOGPROBS, "finish_reason": "length"}


def test_each_prompt_is_a_request(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    prefill = [{"id": 7, "text": text, "logprob": -1} for text in ("a", "b")]
    sagemaker.replies += [plain_response(whole(prefill)), plain_response(whole(prefill))]
    completion = api.send(PATH, {"prompt": ["ab", "ab"], "logprobs": 0, "echo": True, "max_tokens": 0}).json()
    assert [choice["text"] for choice in completion["choices"]] == ["ab", "ab"]
    assert completion["choices"][1]["logprobs"]["tokens"] == ["a", "b"]
    assert completion["usage"]["prompt_tokens"] == 4


@pytest.mark.parametrize("added", [[], ["<s>"]])
def test_a_tokenizer_that_changes_the_text_makes_the_offsets_uncertain(
    api: ApiClient, sagemaker: SageMakerDouble, added: list[str]
) -> None:
    prefill = [{"id": 7, "text": text, "logprob": -1} for text in (*added, "once", " x")]
    sagemaker.replies.append(plain_response(whole(prefill)))
    response = api.send(PATH, {"prompt": "ONCE X", "logprobs": 0, "echo": True, "max_tokens": 1})
    assert response.headers["x-tgi-difference"] == "top_logprobs, text_offset"
    (choice,) = response.json()["choices"]
    assert (choice["text"], choice["logprobs"]["tokens"]) == ("ONCE X!", ["once", " x", "!"])
    assert choice["logprobs"]["token_logprobs"] == [None, -1, -0.75]


@pytest.mark.parametrize("prefill", [[], [{"id": 0, "text": "<pad>", "logprob": None}]])
def test_a_server_without_log_probabilities_of_prompts_is_told_by_its_response(
    api: ApiClient, sagemaker: SageMakerDouble, prefill: list[dict[str, Any]]
) -> None:
    sagemaker.replies.append(plain_response(whole(prefill)))
    response = api.send(PATH, {**BODY, "logprobs": 1, "echo": True})
    assert (response.status, response.json()["error"]["param"]) == (400, "logprobs")
    assert "enable_prefill_logprobs=True" in response.json()["error"]["message"]


def test_it_is_known_before_if_the_deployment_says_so(
    api_for: Callable[..., ApiClient], sagemaker: SageMakerDouble
) -> None:
    api = api_for(replace(LLAMA, facts={"enable_prefill_logprobs": False}))
    response = api.send(PATH, {**BODY, "logprobs": 1, "echo": True, "stream": True})
    assert (response.status, sagemaker.received) == (400, [])
    assert response.json()["error"]["message"] == (
        "logprobs with echo needs a model that is deployed with enable_prefill_logprobs=True: leave `echo` out, or ask"
        " for that; logprobs with echo cannot be streamed by this model's server: set `stream` to false"
    )


def test_the_likeliest_of_several_texts_are_returned(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    texts = {"bad": -3.0, "best": -0.5, "good": -1.0, "awful": -9.0}
    sagemaker.replies += [parts(event(token(text, value), reason="length", count=1)) for text, value in texts.items()]
    completion = api.send(PATH, {**BODY, "best_of": 4, "n": 2}).json()
    assert [(each["index"], each["text"]) for each in completion["choices"]] == [(0, "best"), (1, "good")]
    assert completion["usage"] == {"prompt_tokens": 6, "completion_tokens": 4, "total_tokens": 10}
    assert [choice["logprobs"] for choice in completion["choices"]] == [None, None]


def test_parameters_of_tgi_are_streamed_as_openais_chunks(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*STREAM))
    read = Read.of(api.send(PATH, {**BODY, "top_k": 5, "stream": True}).body)
    assert (read.text(), read.finish_reasons(), read.is_done) == (" été", ["stop"], True)
    assert [choice["logprobs"] for choice in read.choices()] == [None] * 3


@pytest.mark.parametrize("is_streamed", [False, True])
def test_an_error_of_the_container_is_openais(api: ApiClient, sagemaker: SageMakerDouble, is_streamed: bool) -> None:
    message = "Input validation error: `top_k` must be strictly positive"
    sagemaker.replies.append(parts(sse({"error": message, "error_type": "validation"})))
    response = api.send(PATH, {**BODY, "top_k": -5, "stream": is_streamed})
    assert (response.status, response.json()["error"]["message"]) == (400, message)


def test_an_error_of_a_prompts_log_probabilities_is_openais(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    message = "Input validation error: `inputs` must have less than 10 tokens. Given: 20"
    original = json.dumps({"error": message, "error_type": "validation"})
    sagemaker.replies.append(error(424, "ModelError", OriginalStatusCode=422, OriginalMessage=original))
    response = api.send(PATH, {**BODY, "logprobs": 1, "echo": True})
    assert (response.status, response.json()["error"]["code"]) == (400, "context_length_exceeded")


@pytest.mark.parametrize("body", [b"{}", b"[]", b"[{}]", b"x", b'[{"generated_text":"a"}]', whole()[:-9]])
def test_a_response_of_another_form_is_an_error(api: ApiClient, sagemaker: SageMakerDouble, body: bytes) -> None:
    sagemaker.replies.append(plain_response(body))
    assert api.send(PATH, {**BODY, "logprobs": 1, "echo": True}).status == 502


def test_a_stream_that_ends_too_early_is_an_error(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies += [parts(*STREAM[:2])] * 2
    assert api.send(PATH, {**BODY, "logprobs": 1}).status == 500
    read = Read.of(api.send(PATH, {**BODY, "logprobs": 1, "stream": True}).body)
    assert (read.text(), read.errors[0]["error"]["code"]) == (" été", "incomplete_generation")
