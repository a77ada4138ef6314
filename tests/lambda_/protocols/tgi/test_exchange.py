"""Requests in TGI's words on their way to vLLM, LMI and other containers that speak OpenAI's protocol."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from front_door.config import Model
from front_door.sagemaker import connection

from tests.lambda_.conftest import ApiClient, ClientResponse
from tests.lambda_.protocols.openai.natives import CONTAINER, LMI, VLLM, lines, refused
from tests.lambda_.protocols.tgi.vllm_completions import HEAD, plain, stream
from tests.lambda_.sagemaker_double import HEAD as HEAD_OF_STREAMS
from tests.lambda_.sagemaker_double import Reply, SageMakerDouble, error, parts

Api = Callable[..., ApiClient]
ROUTES = ("/", "/generate", "/generate_stream", "/invocations", "/models/llama/generate")
ANSWER = stream(plain(" A", " b"), "length")
LENGTHS = {"max_total_tokens": 2048, "max_input_tokens": 2047}
TOO_LONG = (
    "This model's maximum context length is 2048 tokens. However, you requested {} output tokens and your prompt"
    " contains at least {} input tokens, for a total of at least 2049 tokens."
)


def with_prompt(tokens: int) -> Reply:
    """An answer to a prompt of this length."""
    return parts(*[each.replace(b'"prompt_tokens":3', b'"prompt_tokens":%d' % tokens) for each in ANSWER])


def sent(
    api: ApiClient, sagemaker: SageMakerDouble, parameters: dict[str, Any] | None = None, path: str = "/generate"
) -> dict[str, Any]:
    """What the container gets."""
    sagemaker.replies.append(parts(*ANSWER))
    body = {"inputs": "Hi", **({} if parameters is None else {"parameters": parameters})}
    response = api.send(path, body)
    assert response.status == 200, response.body
    found: dict[str, Any] = sagemaker.received[-1].json()
    return found


def failure(response: ClientResponse) -> tuple[int, str, str]:
    """Status, kind and words of an error, which in TGI's streams is an event."""
    body = response.json() if response.body.startswith(b"{") else json.loads(response.body.removeprefix(b"data: "))
    return response.status, body["error_type"], body["error"]


@pytest.mark.parametrize("path", ROUTES)
def test_every_route_sends_a_completion_to_be_streamed(api_for: Api, sagemaker: SageMakerDouble, path: str) -> None:
    body = sent(api_for(VLLM), sagemaker, {"max_new_tokens": 2}, path)
    assert (body["prompt"], body["max_tokens"], body["temperature"], body["stream"]) == ("Hi", 2, 0, True)
    assert next(iter(body)) == "prompt"
    assert not body.keys() & {"inputs", "parameters", "model"}
    assert sagemaker.received[0].path.endswith("/invocations-response-stream")


def test_without_parameters_it_samples_and_has_the_front_doors_number_of_tokens(
    api_for: Api, sagemaker: SageMakerDouble
) -> None:
    body = sent(api_for(VLLM), sagemaker)
    assert (body["temperature"], body["max_tokens"], body["seed"] < 2**63) == (1.0, 1024, True)
    assert sent(api_for(replace(VLLM, facts={"max_total_tokens": 64})), sagemaker)["max_tokens"] == 63


@pytest.mark.parametrize(
    ("model", "path", "parameters", "text"),
    [
        (VLLM, "/generate", {}, " A b"),
        (VLLM, "/", {}, "Hi A b"),
        (VLLM, "/invocations", {"return_full_text": None}, "Hi A b"),
        (VLLM, "/", {"return_full_text": False}, " A b"),
        (replace(VLLM, facts={"reads_images": True}), "/", {}, " A b"),
        (replace(VLLM, facts={"reads_images": False}), "/", {}, "Hi A b"),
    ],
)
def test_the_prompt_is_repeated_where_tgi_does(
    api_for: Api, sagemaker: SageMakerDouble, model: Model, path: str, parameters: dict[str, Any], text: str
) -> None:
    sagemaker.replies.append(parts(*ANSWER))
    answer = api_for(model).send(path, {"inputs": "Hi", "parameters": {**parameters, "max_new_tokens": 2}}).json()
    assert (answer[0] if path in ("/", "/invocations") else answer)["generated_text"] == text


def test_an_adapter_is_named_as_each_container_reads_it(api_for: Api, sagemaker: SageMakerDouble) -> None:
    names: list[Any] = []
    for model in (VLLM, LMI, CONTAINER):
        api = api_for(replace(model, adapters={"sql": None}))
        reply = [each.replace(b'"model":"/opt/ml/model"', b'"model":"sql"') for each in ANSWER]
        sagemaker.replies.append(lines(*_lines(reply)) if model is LMI else parts(*reply))
        assert api.send("/generate", {"inputs": "Hi", "parameters": {"adapter_id": "sql"}}).status == 200
        body = sagemaker.received[-1].json()
        attributes = sagemaker.received[-1].headers.get("x-amzn-sagemaker-custom-attributes")
        names.append((attributes, body.get("model"), body.get("adapters")))
    assert names == [("route=/v1/completions", "sql", None), (None, None, "sql"), (None, "sql", None)]


def test_an_adapter_of_its_own_component_is_invoked_there(api_for: Api, sagemaker: SageMakerDouble) -> None:
    api = api_for(replace(VLLM, inference_component="base", adapters={"sql": "sql-component"}))
    assert "model" not in sent(api, sagemaker, {"adapter_id": "sql"})
    assert sagemaker.received[0].headers["x-amzn-sagemaker-inference-component"] == "sql-component"


def test_an_adapter_that_there_is_not_is_an_error(api_for: Api, sagemaker: SageMakerDouble) -> None:
    response = api_for(VLLM).send("/generate", {"inputs": "Hi", "parameters": {"adapter_id": "zz"}})
    words = "The model `llama` has no adapter `zz`. It has none."
    assert failure(response) == (404, "model_not_found", words)
    assert sagemaker.received == []


@pytest.mark.parametrize("path", ["/generate", "/generate_stream"])
def test_the_answer_of_the_model_without_its_adapter_is_none(
    api_for: Api, sagemaker: SageMakerDouble, path: str
) -> None:
    sagemaker.replies.append(parts(*ANSWER))
    api = api_for(replace(VLLM, adapters={"sql": None}))
    response = api.send(path, {"inputs": "Hi", "parameters": {"adapter_id": "sql"}})
    words = "The model answered without the adapter: its container does not read what names one."
    assert failure(response) == (502, "upstream", words)


@pytest.mark.parametrize("path", ["/", "/generate", "/generate_stream", "/invocations"])
def test_what_the_engine_cannot_do_has_a_status_in_streams_too(
    api_for: Api, sagemaker: SageMakerDouble, path: str
) -> None:
    parameters = {"watermark": True, "typical_p": 0.9, "seed": 2**63, "top_n_tokens": 2, "temperature": 2.5}
    body = {"inputs": "Hi", "parameters": parameters, "stream": True}
    status, kind, words = failure(api_for(VLLM).send(path, body))
    assert (status, kind, sagemaker.received) == (422, "validation", [])
    assert words == (
        "Input validation error: `temperature` must be > 0.0 and <= 2.0 for this endpoint; `typical_p` is not allowed"
        " for this endpoint: leave it out, or use `top_p`; `watermark` == true is not allowed for this endpoint: leave"
        f" it out; `seed` must be < {2**63} for this endpoint. Given: {2**63}; `top_n_tokens` != 0 is not allowed for"
        " this endpoint"
    )


def test_the_log_names_what_the_engine_cannot_do_without_its_values(api_for: Api) -> None:
    api = api_for(VLLM)
    api.send("/generate", {"inputs": "Hi", "parameters": {"seed": 2**63, "typical_p": 0.9}})
    (line,) = api.log()
    assert (line["error"], line["cause"]) == ("validation", "typical_p, seed")
    assert str(2**63) not in json.dumps(line)


@pytest.mark.parametrize("path", ["/generate", "/generate_stream"])
@pytest.mark.parametrize("reply", ["late", "at once"])
def test_a_prompt_that_tgi_would_refuse_is_refused(
    api_for: Api, sagemaker: SageMakerDouble, path: str, reply: str
) -> None:
    busy = refused(400, {"error": {"message": TOO_LONG.format(100, 1949), "type": "BadRequestError", "code": 400}})
    sagemaker.replies.append(with_prompt(1949) if reply == "late" else busy)
    parameters = {"max_new_tokens": 100}
    response = api_for(replace(VLLM, facts=LENGTHS)).send(path, {"inputs": "Hi", "parameters": parameters})
    words = (
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048. Given: 1949 `inputs` tokens and"
        " 100 `max_new_tokens`"
    )
    # TGI has begun the stream before it counts.
    assert failure(response) == (200 if "stream" in path else 422, "validation", words)
    assert len(sagemaker.received) == 1


def test_a_prompt_of_a_container_that_does_not_stream_is_counted_too(api_for: Api, sagemaker: SageMakerDouble) -> None:
    whole = {**HEAD, "choices": [], "usage": {"prompt_tokens": 2040, "completion_tokens": 2, "total_tokens": 2042}}
    reply = parts(json.dumps(whole).encode())
    reply.pieces[0] = HEAD_OF_STREAMS.replace(b"text/event-stream", b"application/json")
    sagemaker.replies.append(reply)
    api = api_for(replace(VLLM, facts=LENGTHS))
    assert failure(api.send("/generate", {"inputs": "Hi", "parameters": {"max_new_tokens": 100}}))[0] == 422


def test_a_default_that_does_not_fit_is_lowered(api_for: Api, sagemaker: SageMakerDouble) -> None:
    for requested, prompt in ((1024, 1025), (512, 1537)):
        body = {"message": TOO_LONG.format(requested, prompt), "type": "BadRequestError", "code": 400}
        sagemaker.replies.append(refused(400, {"error": body}))
    sagemaker.replies.append(with_prompt(1600))
    response = api_for(replace(VLLM, facts=LENGTHS)).send("/generate", {"inputs": "Hi", "parameters": {}})
    assert (response.status, response.json()) == (200, {"generated_text": " A b"})
    assert [each.json()["max_tokens"] for each in sagemaker.received] == [1024, 512, 256]
    assert response.headers["x-tgi-difference"] == "max_new_tokens"


def test_a_long_text_gets_what_fits_but_no_less_than_tgi_asks_for(api_for: Api, sagemaker: SageMakerDouble) -> None:
    for requested, prompt in ((1500, 549), (1024, 1025)):
        body = {"message": TOO_LONG.format(requested, prompt), "type": "BadRequestError", "code": 400}
        sagemaker.replies.append(refused(400, {"error": body}))
    response = api_for(replace(VLLM, facts=LENGTHS)).send(
        "/generate", {"inputs": "Hi", "parameters": {"max_new_tokens": 1500}}
    )
    assert [each.json()["max_tokens"] for each in sagemaker.received] == [1500, 1024]
    words = (
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048. Given: 1025 `inputs` tokens and"
        " 1024 `max_new_tokens`"
    )
    assert failure(response) == (422, "validation", words)


@pytest.mark.parametrize(
    ("parameters", "facts", "prompt", "names"),
    [
        ({"max_new_tokens": 9}, LENGTHS, 3, None),
        ({"max_new_tokens": 9, "stop": ["x"]}, {}, 3, "stop"),
        ({}, LENGTHS, 3, "max_new_tokens"),
        (
            {"max_new_tokens": 9, "frequency_penalty": 0.5, "seed": 3, "top_k": 4, "details": True},
            {},
            3,
            "frequency_penalty, logprobs, seed",
        ),
        ({"max_new_tokens": 9, "top_k": 4, "details": True}, {"processed_logprobs": True}, 3, None),
        # TGI's text would be a multiple of 1024 tokens; the engine's is as long as fits.
        ({"max_new_tokens": 2000}, LENGTHS, 300, "max_new_tokens"),
        ({"max_new_tokens": 2000}, LENGTHS, 48, None),
        ({"max_new_tokens": 2000}, {}, 48, "max_new_tokens"),
        ({"max_new_tokens": 1024}, {}, 48, None),
        ({"max_new_tokens": 9000}, LENGTHS, 300, "max_new_tokens"),
    ],
)
@pytest.mark.parametrize("path", ["/generate", "/generate_stream"])
def test_a_header_names_what_may_differ(
    api_for: Api,
    sagemaker: SageMakerDouble,
    path: str,
    parameters: dict[str, Any],
    facts: dict[str, Any],
    prompt: int,
    names: str | None,
) -> None:
    if "stream" in path and "top_k" in parameters and not facts:
        names = "frequency_penalty, logprobs, seed"
    sagemaker.replies.append(with_prompt(prompt))
    api = api_for(replace(VLLM, facts=facts))
    response = api.send(path, {"inputs": "Hi", "parameters": parameters})
    assert (response.status, response.headers.get("x-tgi-difference")) == (200, names)
    (line,) = api.log()
    assert line.get("differences") == (None if names is None else names.split(", "))


@pytest.mark.parametrize("path", ["/generate", "/generate_stream"])
def test_a_full_queue_is_tgis_overload(api_for: Api, sagemaker: SageMakerDouble, path: str) -> None:
    busy = {"message": "The engine is currently busy and cannot accept new requests.", "code": 503}
    sagemaker.replies.append(refused(503, {"error": busy}))
    sagemaker.repeats = True
    response = api_for(VLLM).send(path, {"inputs": "Hi"})
    assert failure(response) == (429, "overloaded", "Model is overloaded")
    assert response.headers["Retry-After"] == "1"
    assert len(sagemaker.received) > 1


def test_a_failure_of_the_engine_is_a_failed_generation(api_for: Api, sagemaker: SageMakerDouble) -> None:
    dead = {"message": "EngineCore encountered an issue.", "type": "InternalServerError", "code": 500}
    words = "Request failed during generation: The model's server failed."
    sagemaker.replies.append(refused(500, {"error": dead}))
    assert failure(api_for(VLLM).send("/generate", {"inputs": "Hi"})) == (424, "generation", words)
    event = b"data: " + json.dumps({"error": dead}).encode() + b"\n\n"
    reply = parts(ANSWER[0], event)
    reply.pieces.insert(2, lambda: time.sleep(0.1))
    sagemaker.replies.append(reply)
    response = api_for(VLLM).send("/generate_stream", {"inputs": "Hi"})
    *tokens, last = response.body.removesuffix(b"\n\n").split(b"\n\n")
    assert (response.status, len(tokens)) == (200, 1)
    assert json.loads(last.removeprefix(b"data: ")) == {"error": words, "error_type": "generation"}


@pytest.mark.parametrize("path", ["/generate", "/generate_stream"])
def test_a_stream_that_begins_with_the_failure_is_a_failed_generation(
    api_for: Api, sagemaker: SageMakerDouble, path: str
) -> None:
    dead = {"message": "EngineCore encountered an issue.", "type": "InternalServerError", "code": 500}
    sagemaker.replies.append(parts(b"data: " + json.dumps({"error": dead}).encode() + b"\n\n"))
    words = "Request failed during generation: The model's server failed."
    expected = (200 if "stream" in path else 424, "generation", words)
    assert failure(api_for(VLLM).send(path, {"inputs": "Hi"})) == expected


def test_errors_of_sagemaker_stay_as_they_are(api_for: Api, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(error(500, "InternalFailure"))
    response = api_for(VLLM).send("/generate_stream", {"inputs": "Hi"})
    assert failure(response) == (502, "upstream", "SageMaker failed to process the request.")


def test_the_body_may_be_as_long_as_the_endpoint_accepts(api_for: Api, sagemaker: SageMakerDouble) -> None:
    response = api_for(replace(VLLM, max_body_bytes=500)).send("/generate", {"inputs": "x" * 500})
    assert (response.status, response.json()["error_type"], sagemaker.received) == (413, "too_large", [])


@pytest.mark.parametrize("path", ["/generate", "/generate_stream"])
def test_the_log_has_what_it_has_for_tgi(api_for: Api, sagemaker: SageMakerDouble, path: str) -> None:
    usage = b'"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":1}'
    sagemaker.replies.append(parts(*[each.replace(b'"completion_tokens":2', usage) for each in ANSWER]))
    api = api_for(VLLM)
    api.send(path, {"inputs": "Hi", "parameters": {"max_new_tokens": 2}})
    (line,) = api.log()
    assert line["cached_tokens"] == 1
    expected = {"Model": "llama", "PromptTokens": 3, "GeneratedTokens": 2, "finish_reason": "length", "status": 200}
    assert {name: line[name] for name in expected} == expected
    assert ("streamed" in line, line["request_bytes"] > 100, line["TimeToFirstToken"] > 0) == (
        "stream" in path,
        True,
        True,
    )


def _lines(events: list[bytes]) -> list[bytes]:
    """The same as DJL writes it: one object a line, and no end."""
    return [each.removeprefix(b"data: ").removesuffix(b"\n") for each in events if each != b"data: [DONE]\n\n"]


def test_a_header_that_is_sent_before_the_first_token_names_a_long_text(
    api_for: Api, sagemaker: SageMakerDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "KEEP_ALIVE_SECONDS", 0.05)
    api = api_for(replace(VLLM, facts=LENGTHS))
    for requested, names in ((2000, "max_new_tokens"), (1000, None)):
        reply = with_prompt(1040)
        sagemaker.replies.append(Reply([HEAD_OF_STREAMS, lambda: time.sleep(0.2), *reply.pieces[1:]]))
        response = api.send("/generate_stream", {"inputs": "Hi", "parameters": {"max_new_tokens": requested}})
        assert response.body.startswith(b":\n\n")
        assert response.headers.get("x-tgi-difference") == names


@pytest.mark.parametrize("path", ["/generate", "/generate_stream"])
@pytest.mark.parametrize(
    ("model", "parameters", "words"),
    [
        (replace(VLLM, adapters={"sql": None}), {"adapter_id": "sql"}, "The model answered without the adapter"),
        (replace(VLLM, facts={"max_input_tokens": 2}), {}, "Input validation error: `inputs` must have less than 2"),
    ],
)
def test_a_comment_before_the_first_token_hides_nothing(
    api_for: Api, sagemaker: SageMakerDouble, path: str, model: Model, parameters: dict[str, Any], words: str
) -> None:
    """vLLM sends comments while it reads a long prompt, if it is asked to (`--sse-keep-alive-interval`)."""
    first, *rest = parts(b": keep-alive\n\n").pieces[1:-1], parts(*ANSWER).pieces[1:]
    sagemaker.replies.append(Reply([HEAD_OF_STREAMS, *first, lambda: time.sleep(0.2), *rest[0]]))
    response = api_for(model).send(path, {"inputs": "Hi", "parameters": parameters})
    assert failure(response)[2].startswith(words)
    assert b"generated_text" not in response.body


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (r'{"inputs":"\ud800","parameters":{"truncate":5}}', "lone surrogate in a string"),
        (
            r'{"inputs":"a","parameters":{"grammar":{"type":"json","value":{"type":"\ud800"}}}}',
            "lone surrogate in a string",
        ),
        ('{"inputs":"a","parameters":{"grammar":{"type":"json","value":{"type":1e999}}}}', "number out of range"),
        ('{"inputs":"a","parameters":{"repetition_penalty":1e999}}', "number out of range"),
    ],
)
def test_what_is_no_json_is_refused(api_for: Api, sagemaker: SageMakerDouble, body: str, words: str) -> None:
    response = api_for(VLLM).send("/generate", raw=body)
    assert failure(response) == (400, "bad_request", f"Failed to parse the request body as JSON: {words}")
    assert sagemaker.received == []
