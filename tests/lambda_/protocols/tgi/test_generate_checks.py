"""Requests in TGI's words for other engines are checked as TGI does, before anything is sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from front_door.errors import ApiError
from front_door.generation.generate_request import GenerateRequest, Grammar
from front_door.protocols.tgi.generate_checks import check_lengths, fit, read_request

from tests.conformance.exchanges import RECORDED
from tests.lambda_.conftest import ApiClient
from tests.lambda_.protocols.openai.natives import VLLM
from tests.lambda_.sagemaker_double import SageMakerDouble

Api = Callable[..., ApiClient]
LIMITS = {"max_input_tokens": 12288, "max_total_tokens": 16384}
"""Those of the TGI whose answers are recorded."""

# What TGI says itself, and the front door only once the container has failed or has counted the prompt's tokens.
NOT_BEFORE = {"grammar regex broken"}
OTHER_WORDS = {"grammar json bad string"}


def read(parameters: dict[str, Any] | None = None, *, stream: bool = False, **facts: Any) -> GenerateRequest:
    body = {"inputs": "Hi"} if parameters is None else {"inputs": "Hi", "parameters": parameters}
    return read_request(body, facts, stream=stream, full_text=False)


def refusal(parameters: dict[str, Any], *, inputs: str = "Hi", stream: bool = False, **facts: Any) -> str:
    with pytest.raises(ApiError) as raised:
        read_request({"inputs": inputs, "parameters": parameters}, facts, stream=stream, full_text=False)
    assert (raised.value.kind, raised.value.status) == ("validation", 422)
    assert raised.value.message.startswith("Input validation error: ")
    return raised.value.message.removeprefix("Input validation error: ")


def recorded(*files: str) -> list[Any]:
    """The exchanges in which TGI has read a request and refused it."""
    found = []
    for name in files:
        for exchange in json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8")):
            body = exchange["answer"].get("body")
            error = body[0] if isinstance(body, list) and len(body) == 1 else body
            if isinstance(error, dict) and "error_type" in error and exchange["name"] not in NOT_BEFORE:
                found.append(pytest.param(exchange, error, id=exchange["name"]))
    return found


@pytest.mark.parametrize(
    ("exchange", "error"), recorded("generate", "generate_stream", "compat_generate", "invocations")
)
def test_what_tgi_refuses_is_refused_in_its_words(
    api_for: Api, sagemaker: SageMakerDouble, exchange: dict[str, Any], error: dict[str, Any]
) -> None:
    request = exchange["request"]
    response = api_for(replace(VLLM, facts=LIMITS)).send(request["path"], request["json"])
    assert sagemaker.received == []
    is_event = response.headers["Content-Type"] == "text/event-stream"
    found = json.loads(response.body.removeprefix(b"data: ")) if is_event else response.json()
    if exchange["name"] in OTHER_WORDS:
        assert found["error"] == "Input validation error: grammar is not valid: its `value` is not JSON"
        found["error"] = error["error"]
    assert found == error
    # The decoder's details of a stream are none of what another engine can do: that has its own status.
    expected = 422 if "decoder_input_details" in error["error"] else exchange["answer"]["status"]
    assert (response.status, is_event) == (expected, expected == 200)


def test_the_recorded_refusals_are_found() -> None:
    assert len(recorded("generate")) > 25
    assert len(recorded("generate_stream")) > 4
    assert Path(RECORDED).is_dir()


@pytest.mark.parametrize(
    ("parameters", "samples"),
    [
        (None, True),
        ({}, False),
        ({"temperature": 1.0}, False),
        ({"temperature": 1}, False),
        ({"seed": 4}, False),
        ({"temperature": 0.5}, True),
        ({"temperature": 1.5}, True),
        ({"top_k": 1}, True),
        ({"top_p": 0.9}, True),
        ({"typical_p": 0.9}, True),
        ({"do_sample": True}, True),
        ({"do_sample": False, "top_k": 3}, True),
        ({"temperature": None, "top_k": None, "top_p": None}, False),
    ],
)
def test_it_samples_where_tgi_does(parameters: dict[str, Any] | None, samples: bool) -> None:
    request = read(parameters)
    assert (request.samples, request.seed is not None) == (samples, samples)


def test_a_random_seed_is_one_that_other_engines_take() -> None:
    seeds = {read({"do_sample": True}).seed or 0 for _ in range(200)}
    assert len(seeds) == 200
    assert max(seeds) < 2**63
    assert max(seeds) >= 2**62


def test_the_clients_seed_is_used_where_it_has_an_effect() -> None:
    assert read({"seed": 4, "do_sample": True})[3:5] == (4, 4)
    greedy = read({"seed": 4})
    assert (greedy.seed, greedy.client_seed) == (None, 4)


def test_every_parameter_is_read() -> None:
    parameters: dict[str, Any] = {
        "max_new_tokens": 7,
        "temperature": 0.5,
        "top_k": 3,
        "top_p": 0.9,
        "typical_p": 0.8,
        "repetition_penalty": 1.2,
        "frequency_penalty": -0.5,
        "seed": 4,
        "stop": ["a", ""],
        "truncate": 5,
        "return_full_text": True,
        "details": True,
        "decoder_input_details": True,
        "top_n_tokens": 2,
        "watermark": True,
        "grammar": {"type": "regex", "value": "a+"},
    }
    others = {"samples": True, "client_seed": 4, "stop": ("a", ""), "grammar": Grammar(regex="a+"), "stream": True}
    assert read(parameters, stream=True) == GenerateRequest("Hi", **{**parameters, **others})
    assert read({"best_of": 0}).best_of == read({"best_of": None}).best_of == 1
    assert read(dict.fromkeys(parameters)) == GenerateRequest("Hi")


def test_the_limits_of_the_plan_come_first() -> None:
    assert refusal({"stop": ["a"] * 3}, max_stop_sequences=2) == "`stop` supports up to 2 stop sequences. Given: 3"
    sampled = {"do_sample": True}
    assert refusal({"best_of": 4, **sampled}, max_best_of=3) == "`best_of` must be > 0 and <= 3. Given: 4"
    assert refusal({"best_of": 2, **sampled}, max_best_of=1) == "`best_of` != 1 is not allowed for this endpoint"
    assert read({"best_of": 3, **sampled}, max_best_of=3).best_of == 3
    message = "`truncate` must be strictly positive and less than 9. Given: 10"
    assert refusal({"truncate": 10}, max_input_tokens=9) == message
    assert refusal({"truncate": 10}, max_total_tokens=10) == message
    assert read({"truncate": 9}, max_total_tokens=10).truncate == 9
    assert read({"truncate": 10**6}).truncate == 10**6


def test_the_first_problem_in_tgis_order_is_reported() -> None:
    everything = {"best_of": 2, "temperature": 0, "top_p": 1, "max_new_tokens": 0, "stop": ["a"] * 5, "seed": 1}
    order = ["`temperature` must", "`top_p` must", "`max_new_tokens` must", "`stop` supports", "`seed` must not"]
    for name, start in zip(["temperature", "top_p", "max_new_tokens", "stop", "seed"], order, strict=True):
        assert refusal(everything, inputs="").startswith(start)
        everything[name] = None if name != "temperature" else 0.5
    assert refusal(everything, inputs="") == "`inputs` cannot be empty"


@pytest.mark.parametrize(
    ("request_", "prompt_tokens", "facts", "words"),
    [
        (
            GenerateRequest("x", max_new_tokens=100),
            413,
            {"max_total_tokens": 512},
            "`inputs` tokens + `max_new_tokens` must be <= 512. Given: 413 `inputs` tokens and 100 `max_new_tokens`",
        ),
        (
            GenerateRequest("x", max_new_tokens=9000),
            1025,
            {"max_total_tokens": 2048},
            "`inputs` tokens + `max_new_tokens` must be <= 2048. Given: 1025 `inputs` tokens and 1024 `max_new_tokens`",
        ),
        (
            GenerateRequest("x", max_new_tokens=100, truncate=450),
            500,
            {"max_total_tokens": 512},
            "`inputs` tokens + `max_new_tokens` must be <= 512. Given: 450 `inputs` tokens and 100 `max_new_tokens`",
        ),
        (
            GenerateRequest("x", max_new_tokens=4),
            101,
            {"max_input_tokens": 100, "max_total_tokens": 512},
            "`inputs` must have less than 100 tokens. Given: 101",
        ),
        (GenerateRequest("x"), 101, {"max_input_tokens": 100}, "`inputs` must have less than 100 tokens. Given: 101"),
    ],
)
def test_a_prompt_that_is_too_long_is_refused_once_its_length_is_known(
    request_: GenerateRequest, prompt_tokens: int, facts: dict[str, int], words: str
) -> None:
    with pytest.raises(ApiError) as raised:
        check_lengths(request_, prompt_tokens, facts)
    assert (raised.value.kind, raised.value.message) == ("validation", f"Input validation error: {words}")
    check_lengths(request_, 1, facts)
    check_lengths(request_, prompt_tokens, {})


@pytest.mark.parametrize(
    ("parameters", "limit", "truncate", "tokens"),
    [
        ({"max_new_tokens": 20}, 512, None, 20),
        # vLLM refuses a number of tokens that is the whole context or more.
        ({"max_new_tokens": 9000}, 2048, None, 2047),
        ({"max_new_tokens": 9000}, None, None, 9000),
        # An empty stop sequence ends the text behind the first token.
        ({"max_new_tokens": 20, "stop": ["a", ""]}, 512, None, 1),
        # A prompt of 14 bytes has fewer than 30 tokens.
        ({"max_new_tokens": 20, "truncate": 30}, 512, None, 20),
        ({"max_new_tokens": 20, "truncate": 10}, 512, 10, 20),
        ({"max_new_tokens": 20, "truncate": 10}, None, 10, 20),
        # A prompt so long that it would be cut does not fit anyway, and TGI refuses it.
        ({"max_new_tokens": 20, "truncate": 13}, 32, None, 20),
        ({"max_new_tokens": 20, "truncate": 12}, 32, 12, 20),
        # More than 1024 tokens need not fit; the default neither.
        ({"max_new_tokens": 2000, "truncate": 10}, 2004, 10, 1994),
        ({"truncate": 10}, 100, 10, 90),
    ],
)
def test_a_container_gets_numbers_that_it_does_not_refuse(
    parameters: dict[str, Any], limit: int | None, truncate: int | None, tokens: int
) -> None:
    body = {"inputs": "What is this?.", "parameters": parameters}
    request = read_request(body, {}, stream=False, full_text=False)
    wanted = request.max_new_tokens or 1024
    sent, found = fit(request, wanted, {} if limit is None else {"max_total_tokens": limit})
    assert (sent.truncate, found) == (truncate, tokens)
    assert sent._replace(truncate=request.truncate) == request
