"""Errors of vLLM, SGLang, DJL and FastAPI, and how many tokens are left by them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from front_door.engines.openai.engine import OpenAiEngine
from front_door.engines.openai.errors import container_error, tokens_left

from tests.conformance.vllm.exchanges import RECORDED

LONG = "This model's maximum context length is 2048 tokens. However, "
OLD = (
    "'max_tokens' or 'max_completion_tokens' is too large: 1024. This model's maximum context length is 2048 tokens and"
    " your request has 1500 input tokens (1024 > 2048 - 1500)."
)
NEW = (
    LONG
    + "you requested 1024 output tokens and your prompt contains at least 1025 input tokens, for a total of at least"
    " 2049 tokens. Please reduce the length of the input prompt or the number of requested output tokens."
)
CHARACTERS = (
    LONG
    + "you requested 1024 output tokens and your prompt contains 99999 characters (more than 20480 characters, which"
    " is the upper bound for 1024 input tokens). Please reduce the length of the input prompt."
)
SGLANG = (
    "Requested token count exceeds the model's maximum context length of 2048 tokens. You requested a total of 2524"
    " tokens: 1500 tokens from the input messages and 1024 tokens for the completion. Please reduce the number."
)
MOST = "max_tokens=1024 cannot be greater than max_model_len=max_total_tokens=512. Please request fewer output tokens."

TOO_LONG = "context_length_exceeded"
NO_PROMPT = "Either prompt or prompt_embeds must be provided and non-empty."
NOT_READ = "The model's server cannot read the request: the prompt is empty, or a value is not one that it takes."
UNKNOWN = "The model `ad1` does not exist. Valid aliases: tgi."
FAILED = "The model's server failed."
NAMELESS = "Parameter model_name is required."


def djl(code: int, message: str) -> dict[str, Any]:
    return {"code": code, "type": "SomeException", "message": message}


def vllm(message: str, code: int = 400, param: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "BadRequestError", "param": param, "code": code}}


def printed(message: str, code: int) -> dict[str, Any]:
    """As DJL reports an error of vLLM's."""
    text = f"error=ErrorInfo(message={message!r}, type='BadRequestError', param=None, code={code})"
    return {"code": 500, "error": text}


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, vllm("top_p must be …", param="top_p"), ("bad_request", "top_p must be …", "top_p", None)),
        (400, vllm("1 error", param="body.stop"), ("bad_request", "1 error", "stop", None)),
        (400, vllm(NO_PROMPT + " (parameter=prompt)", param="prompt"), ("bad_request", NOT_READ, None, None)),
        (400, vllm(LONG + "no"), ("bad_request", LONG + "no", None, TOO_LONG)),
        (400, {"object": "error", **vllm("Flat")["error"]}, ("bad_request", "Flat", None, None)),
        (400, {"object": "error", "message": SGLANG, "code": 400}, ("bad_request", SGLANG, None, TOO_LONG)),
        (400, vllm(MOST), ("bad_request", MOST, None, TOO_LONG)),
        (400, vllm(" "), ("bad_request", "The model responded with status 400.", None, None)),
        (500, vllm("", 500), ("upstream", FAILED, None, None)),
        (404, vllm(UNKNOWN, 404), ("model_not_found", UNKNOWN, "model", None)),
        (404, {"detail": "Not Found"}, ("upstream", "The model responded with status 404.", None, None)),
        (422, {"detail": [{"loc": ["body", "x"], "msg": "Required"}]}, ("validation", "body.x: Required", None, None)),
        (424, {"code": 424, "error": "Input parsing failed: bad"}, ("bad_request", "bad", None, None)),
        (424, {"code": 424, "error": "Formatter failed: x"}, ("generation", "Formatter failed: x", None, None)),
        (500, printed('it\'s 2 "long"', 400), ("bad_request", 'it\'s 2 "long"', None, None)),
        (500, printed(OLD, 400), ("bad_request", OLD, None, TOO_LONG)),
        (500, {"code": 500, "error": r"message='\x' code=400"}, ("upstream", FAILED, None, None)),
        (422, {"detail": [1, {"loc": 5}]}, ("validation", "The model responded with status 422.", None, None)),
        (500, printed("", 400), ("bad_request", "The model responded with status 400.", None, None)),
        (500, vllm("secret of the server", 500), ("upstream", FAILED, None, None)),
        (500, "Internal Server Error", ("upstream", FAILED, None, None)),
        (503, vllm("The engine is currently busy", 503), ("overloaded", "Model is overloaded", None, None)),
        (503, djl(503, "No worker is available"), ("overloaded", "Model is overloaded", None, None)),
        (400, djl(400, "Parameter model_name is required."), ("bad_request", NAMELESS, None, None)),
        (401, {"error": "Unauthorized"}, ("upstream", "The model responded with status 401.", None, None)),
        (413, "<html>", ("too_large", "The model responded with status 413.", None, None)),
    ],
)
def test_an_error_is_read_whatever_its_form(
    status: int, body: object, expected: tuple[str, str, str | None, str | None]
) -> None:
    error = container_error(status, body if isinstance(body, str) else json.dumps(body))
    assert (error.kind, error.message, error.param, error.code) == expected
    assert error.may_retry == (error.kind == "overloaded")
    assert error.message not in str(error.log_detail)


def recorded_errors() -> list[Any]:
    return [
        pytest.param(exchange["answer"], id=exchange["name"])
        for exchange in json.loads((RECORDED / "plain.json").read_text())
        if exchange["answer"]["status"] in (400, 404, 500) and isinstance(exchange["answer"]["body"], dict)
    ]


@pytest.mark.parametrize("answer", recorded_errors())
def test_the_errors_of_a_real_vllm_keep_their_message_unless_it_is_of_another_route(answer: dict[str, Any]) -> None:
    error = container_error(answer["status"], json.dumps(answer["body"]))
    reported = answer["body"].get("error")
    if reported is None:
        assert error.kind in ("upstream", "bad_request")
    else:
        is_of_completions = reported["message"].startswith(NO_PROMPT)
        assert (error.message, error.kind) == (
            NOT_READ if is_of_completions else reported["message"],
            "model_not_found" if answer["status"] == 404 else "bad_request",
        )


@pytest.mark.parametrize(
    ("message", "left"),
    [
        (OLD, 548),
        (SGLANG, 547),
        (LONG + "you requested 1024 output tokens and your prompt contains 1500 input tokens, for", 548),
        (NEW, 512),
        (NEW.replace("1024 output", "1 output"), None),
        (OLD.replace("1500", "2048"), None),
        (CHARACTERS, None),
        (CHARACTERS.replace("99999", "20481"), 512),
        (MOST, 256),
        ("top_p must be in (0, 1]", None),
    ],
)
def test_how_many_tokens_are_left(message: str, left: int | None) -> None:
    assert tokens_left(container_error(400, json.dumps(vllm(message)))) == left


@pytest.mark.parametrize(
    ("event", "is_error"),
    [
        ({"error": {"message": "x", "code": 500}}, True),
        ({"code": 500, "message": "x"}, True),
        ({"code": 424, "error": "x"}, True),
        ({"choices": [], "error": None}, False),
        ({"choices": [{"index": 0, "text": '{"error":'}]}, False),
        ({"id": "1"}, False),
    ],
)
def test_an_event_is_an_error_or_a_part_of_an_answer(event: dict[str, Any], is_error: bool) -> None:
    data = b"data: " + json.dumps(event).encode() + b"\n\n"
    assert (OpenAiEngine().first_error(data) is not None) == is_error
    assert (OpenAiEngine().event_error(event) is not None) == is_error
