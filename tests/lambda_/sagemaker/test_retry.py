"""What is sent again, what never is, and how many tokens a request without a number gets."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from front_door.sagemaker import retry

from tests.lambda_.conftest import LLAMA, ApiClient
from tests.lambda_.sagemaker_double import HEAD, Reply, SageMakerDouble, chunk, error, part, parts, plain_response

DETAILS = {"finish_reason": "length", "generated_tokens": 1, "seed": None, "input_length": 6}
TOKEN = {"id": 1, "text": "x", "logprob": -1, "special": False}
END = f"data: {json.dumps({'index': 1, 'token': TOKEN, 'generated_text': 'x', 'details': DETAILS})}\n\n".encode()
ANSWER = parts(END)
OVERLOADED = parts(b'data: {"error":"Model is overloaded","error_type":"overloaded"}\n\n')
CUT = Reply([HEAD, chunk(part(END)[:30])], then="close")

REFUSED = {
    "throttled by SageMaker": error(429, "ThrottlingException"),
    "throttled by TGI": error(
        424,
        "ModelError",
        OriginalStatusCode=429,
        OriginalMessage='{"error":"Model is overloaded","error_type":"overloaded"}',
    ),
    "throttled by TGI in the stream": OVERLOADED,
    "not loaded yet": error(429, "ModelNotReadyException"),
}
RAN_PERHAPS = {
    "a broken connection": Reply([], then="close"),
    "a connection that broke in the head": Reply([HEAD[:20]], then="reset"),
    "a connection that broke in the stream": CUT,
    "an unavailable service": error(503, "ServiceUnavailable"),
    "a failure inside SageMaker": error(500, "InternalFailure"),
    "a failure of the model": error(424, "ModelError", OriginalStatusCode=500, OriginalMessage="CUDA error"),
    "a failed generation in the stream": parts(b'data: {"error":"Request failed","error_type":"generation"}\n\n'),
}


@pytest.mark.parametrize("refusal", REFUSED)
@pytest.mark.parametrize("path", ["/generate", "/generate_stream"])
def test_a_request_is_repeated_if_nothing_was_generated(
    api: ApiClient, sagemaker: SageMakerDouble, path: str, refusal: str
) -> None:
    sagemaker.replies += [REFUSED[refusal], REFUSED[refusal], ANSWER]
    answer = api.send(path, {"inputs": "Hi"})
    assert answer.status == 200
    assert b"error" not in answer.body
    assert len({request.body for request in sagemaker.received}) == 1
    assert api.log()[0]["Retries"] == 2


@pytest.mark.parametrize("refusal", REFUSED)
def test_a_request_is_sent_three_times_at_most(api: ApiClient, sagemaker: SageMakerDouble, refusal: str) -> None:
    sagemaker.replies, sagemaker.repeats = [REFUSED[refusal]], True
    assert api.send("/generate", {"inputs": "Hi"}).status in (429, 503)
    assert len(sagemaker.received) == 3


@pytest.mark.parametrize("end", RAN_PERHAPS)
@pytest.mark.parametrize("path", ["/generate", "/generate_stream"])
def test_a_request_that_may_have_reached_the_model_is_never_repeated(
    api: ApiClient, sagemaker: SageMakerDouble, path: str, end: str
) -> None:
    sagemaker.replies += [RAN_PERHAPS[end], ANSWER]
    assert b"error" in api.send(path, {"inputs": "Hi"}).body
    assert len(sagemaker.received) == 1
    assert api.log()[0]["Retries"] == 0


def test_a_request_whose_stream_has_begun_is_never_repeated(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    begun = f"data: {json.dumps({'index': 1, 'token': TOKEN, 'generated_text': None})}\n\n".encode()
    sagemaker.replies += [
        parts(begun, b'data: {"error":"Model is overloaded","error_type":"overloaded"}\n\n'),
        ANSWER,
    ]
    assert api.send("/generate", {"inputs": "Hi"}).status == 429
    assert len(sagemaker.received) == 1


def test_a_refused_connection_is_retried(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.close()
    answer = api.send("/generate", {"inputs": "Hi"})
    assert (answer.status, api.log()[0]["Retries"]) == (503, 2)


def test_a_request_without_streaming_is_repeated_too(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies += [error(429, "ThrottlingException"), plain_response(b'[{"generated_text":"x"}]')]
    body = {"inputs": "Hi", "parameters": {"best_of": 2, "do_sample": True}}
    assert api.send("/generate", body).status == 200
    assert api.log()[0]["Retries"] == 1


def test_no_pause_exceeds_the_deadline(
    api: ApiClient, sagemaker: SageMakerDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "FIRST_PAUSE_SECONDS", 1000)
    monkeypatch.setattr(retry.random, "uniform", lambda _low, high: high)
    sagemaker.replies += [error(429, "ThrottlingException"), ANSWER]
    started = time.monotonic()
    assert api.send("/generate", {"inputs": "Hi"}).status == 429
    assert time.monotonic() - started < 1


def test_the_pauses_are_random_and_grow(
    api: ApiClient, sagemaker: SageMakerDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    requested: list[tuple[float, float]] = []
    monkeypatch.setattr(retry.random, "uniform", lambda low, high: requested.append((low, high)) or 0.0)
    sagemaker.replies, sagemaker.repeats = [REFUSED["throttled by SageMaker"]], True
    api.send("/generate", {"inputs": "Hi"})
    assert requested == [(0, 0.001), (0, 0.002)]


def tokens_of(sagemaker: SageMakerDouble) -> list[Any]:
    return [request.json()["parameters"]["max_new_tokens"] for request in sagemaker.received]


@pytest.mark.parametrize(
    ("facts", "parameters", "sent"),
    [
        ({}, {}, 1024),
        ({}, {"max_new_tokens": None}, 1024),
        ({}, {"max_new_tokens": 3000}, 3000),
        ({"max_total_tokens": 512}, {}, 511),
        ({"max_total_tokens": 8192}, {}, 1024),
        ({"max_total_tokens": 512}, {"max_new_tokens": 3000}, 3000),
        ({"max_total_tokens": 1}, {}, 1),
    ],
)
def test_a_request_without_a_number_of_tokens_gets_the_default(
    api_for: Callable[..., ApiClient],
    sagemaker: SageMakerDouble,
    facts: dict[str, Any],
    parameters: dict[str, Any],
    sent: int,
) -> None:
    sagemaker.replies.append(ANSWER)
    api_for(replace(LLAMA, facts=facts)).send("/generate", {"inputs": "Hi", "parameters": parameters})
    assert tokens_of(sagemaker) == [sent]


TOO_MUCH = (
    "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 4000 `inputs` tokens and"
    " 1024 `max_new_tokens`"
)
IN_BAND = parts(f'data: {{"error":"{TOO_MUCH}","error_type":"validation"}}\n\n'.encode())
AS_STATUS = error(
    424,
    "ModelError",
    OriginalStatusCode=422,
    OriginalMessage=json.dumps({"error": TOO_MUCH, "error_type": "validation"}),
)


@pytest.mark.parametrize("refusal", [IN_BAND, AS_STATUS])
@pytest.mark.parametrize("path", ["/generate", "/generate_stream"])
def test_a_default_that_does_not_fit_behind_the_prompt_is_lowered(
    api: ApiClient, sagemaker: SageMakerDouble, path: str, refusal: Reply
) -> None:
    sagemaker.replies += [refusal, ANSWER]
    answer = api.send(path, {"inputs": "Hi"})
    assert (answer.status, b"error" in answer.body) == (200, False)
    assert tokens_of(sagemaker) == [1024, 96]


@pytest.mark.parametrize("parameters", [{"max_new_tokens": 1024}])
def test_a_number_of_tokens_that_the_client_chose_is_never_changed(
    api: ApiClient, sagemaker: SageMakerDouble, parameters: dict[str, Any]
) -> None:
    sagemaker.replies += [IN_BAND, ANSWER]
    answer = api.send("/generate", {"inputs": "Hi", "parameters": parameters})
    assert (answer.status, answer.json()["error"]) == (422, TOO_MUCH)
    assert tokens_of(sagemaker) == [1024]


def test_a_default_is_lowered_only_once(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies, sagemaker.repeats = [IN_BAND], True
    assert api.send("/generate", {"inputs": "Hi"}).status == 422
    assert tokens_of(sagemaker) == [1024, 96]


def test_a_prompt_that_leaves_no_token_is_an_error(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    full = TOO_MUCH.replace("4000", "4096")
    sagemaker.replies += [parts(f'data: {{"error":"{full}","error_type":"validation"}}\n\n'.encode()), ANSWER]
    assert api.send("/generate", {"inputs": "Hi"}).json()["error"] == full
    assert len(sagemaker.received) == 1
