"""What a container that speaks OpenAI's protocol says of an error is said in TGI's words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from front_door.engines.openai.errors import container_error, stream_error
from front_door.engines.openai.generate_errors import in_tgi_words
from front_door.errors import ApiError
from front_door.generation.generate_request import GenerateRequest, Grammar

HI = GenerateRequest("Hi", max_new_tokens=100)
SUM = "`inputs` tokens + `max_new_tokens` must be <= {}. Given: {} `inputs` tokens and {} `max_new_tokens`"
INPUTS = "`inputs` must have less than {} tokens. Given: {}"


def vllm_error(message: str, code: int = 400) -> ApiError:
    body = {"error": {"message": message, "type": "BadRequestError", "param": None, "code": code}}
    return container_error(code, json.dumps(body))


def translated(error: ApiError, **parameters: Any) -> tuple[str, int, str]:
    found = in_tgi_words(error, HI._replace(**parameters))
    assert found.log_detail == error.log_detail
    return found.kind, found.status, found.message


@pytest.mark.parametrize(
    ("message", "parameters", "words"),
    [
        # 0.32, 0.30 and 0.17 of vLLM.
        (
            (
                "This model's maximum context length is 2048 tokens. However, your prompt contains at least 2049 input"
                " tokens, which exceeds this limit even without any output tokens. Please reduce the length of the"
                " input prompt. (parameter=input_tokens, value=2049)"
            ),
            {},
            INPUTS.format(2048, 2049),
        ),
        (
            (
                "This model's maximum context length is 512 tokens. However, you requested 100 output tokens and your"
                " prompt contains at least 413 input tokens, for a total of at least 513 tokens. Please reduce the"
                " length of the input prompt or the number of requested output tokens."
            ),
            {},
            SUM.format(512, 413, 100),
        ),
        (
            (
                "This model's maximum context length is 2048 tokens. However, you requested 2000 output tokens and your"
                " prompt contains at least 49 input tokens, for a total of at least 2049 tokens."
            ),
            {"max_new_tokens": 3000, "truncate": 40},
            SUM.format(2048, 40, 1024),
        ),
        (
            (
                "'max_tokens' or 'max_completion_tokens' is too large: 100. This model's maximum context length is 512"
                " tokens and your request has 450 input tokens (100 > 512 - 450)."
            ),
            {},
            SUM.format(512, 450, 100),
        ),
        (
            (
                "This model's maximum context length is 512 tokens. However, you requested 100 output tokens and your"
                " prompt contains 90000 characters (more than 8240 characters, which is the upper bound for 412 input"
                " tokens). Please reduce the length of the input prompt or the number of requested output tokens."
            ),
            {},
            SUM.format(512, 413, 100),
        ),
        (
            (
                "max_tokens=5000 cannot be greater than max_model_len=2048. Please request fewer output tokens."
                " (parameter=max_tokens, value=5000)"
            ),
            {"max_new_tokens": 5000},
            "`max_new_tokens` must be <= 2048. Given: 5000",
        ),
        (
            (
                "max_tokens=9000 cannot be greater than max_model_len=max_total_tokens=8192. Please request fewer"
                " output tokens. (parameter=max_tokens, value=9000)"
            ),
            {"max_new_tokens": 9000},
            "`max_new_tokens` must be <= 8192. Given: 9000",
        ),
        ("longer than the model's context length", {}, "longer than the model's context length"),
    ],
)
def test_lengths_are_tgis(message: str, parameters: dict[str, Any], words: str) -> None:
    expected = ("validation", 422, f"Input validation error: {words}")
    assert translated(vllm_error(message), **parameters) == expected


def test_other_mistakes_are_validation_errors() -> None:
    assert translated(vllm_error("top_p must be in (0, 1], got 2.")) == (
        "validation",
        422,
        "Input validation error: top_p must be in (0, 1], got 2.",
    )
    assert translated(ApiError("validation", "field required"))[::2] == (
        "validation",
        "Input validation error: field required",
    )


def test_a_truncation_that_vllm_does_not_take_has_tgis_name() -> None:
    error = vllm_error(
        "truncate_prompt_tokens=500 cannot be greater than max_model_len - max_tokens = 452. Please request a smaller"
        " truncation size. (parameter=truncate_prompt_tokens, value=500)"
    )
    words = "Input validation error: `truncate` must be strictly positive and less than 452. Given: 500"
    assert translated(error, truncate=500) == ("validation", 422, words)


def test_grammars_fail_as_in_tgi() -> None:
    error = vllm_error("Grammar error: Invalid type: nosuch")
    assert translated(error, grammar=Grammar({"properties": {}})) == (
        "validation",
        422,
        "Input validation error: grammar is not valid: Grammar error: Invalid type: nosuch",
    )
    # TGI's shard compiles regular expressions, and fails.
    assert translated(error, grammar=Grammar(regex="[0-9")) == (
        "generation",
        424,
        "Request failed during generation: Server error: Grammar error: Invalid type: nosuch",
    )


def test_the_servers_own_failure_is_a_failed_generation() -> None:
    failed = ("generation", 424, "Request failed during generation: The model's server failed.")
    dead = "EngineCore encountered an issue. See stack trace (above) for the root cause."
    assert translated(vllm_error(dead, 500)) == failed
    event = {"error": {"message": dead, "type": "InternalServerError", "param": None, "code": 500}}
    assert translated(stream_error(event)) == failed
    assert translated(container_error(502, "<html>")) == failed
    assert translated(container_error(424, '{"error": "boom", "code": 424}')) == (
        "generation",
        424,
        "Request failed during generation: boom",
    )


def test_a_full_queue_is_tgis_overload() -> None:
    busy = "The engine is currently busy and cannot accept new requests."
    error = vllm_error(busy, 503)
    assert translated(error) == ("overloaded", 429, "Model is overloaded")
    assert in_tgi_words(error, HI).may_retry


@pytest.mark.parametrize("kind", ["no_capacity", "timeout", "permission", "endpoint_not_found", "too_large"])
def test_errors_of_sagemaker_stay_as_they_are(kind: str) -> None:
    error = ApiError(kind, "x")
    assert in_tgi_words(error, HI) is error


def test_a_container_that_refuses_the_front_door_is_not_the_clients_concern() -> None:
    assert translated(container_error(401, '{"error": "Unauthorized"}'))[:2] == ("upstream", 502)
    unknown = vllm_error("The model `sql` does not exist.", 404)
    assert translated(unknown)[:2] == ("model_not_found", 404)
