"""Errors as Anthropic's clients read them."""

import json

import pytest
from front_door import protocols
from front_door.errors import KINDS, ApiError
from front_door.protocols.messages.errors import ANTHROPIC, RequestErrors
from front_door.protocols.openai.errors import OPENAI
from front_door.protocols.tgi.errors import TGI


@pytest.mark.parametrize(
    ("kind", "status", "expected"),
    [
        ("bad_request", 400, "invalid_request_error"),
        ("validation", 400, "invalid_request_error"),
        ("engine_cannot", 400, "invalid_request_error"),
        ("method_not_allowed", 405, "invalid_request_error"),
        ("unsupported_media_type", 415, "invalid_request_error"),
        ("invalid_api_key", 401, "authentication_error"),
        ("access_denied", 403, "permission_error"),
        ("model_not_found", 404, "not_found_error"),
        ("not_found", 404, "not_found_error"),
        ("too_large", 413, "request_too_large"),
        ("rate_limit_exceeded", 429, "rate_limit_error"),
        ("insufficient_quota", 429, "rate_limit_error"),
        ("overloaded", 429, "overloaded_error"),
        ("no_capacity", 503, "overloaded_error"),
        ("generation", 424, "api_error"),
        ("internal", 500, "api_error"),
        ("upstream", 502, "api_error"),
        ("timeout", 504, "timeout_error"),
    ],
)
def test_every_kind_has_a_type_of_anthropics(kind: str, status: int, expected: str) -> None:
    response = RequestErrors("id-1").error_response(ApiError(kind, "What happened."))
    (body,) = response.body
    assert response.status == status
    assert json.loads(body) == {
        "type": "error",
        "error": {"type": expected, "message": "What happened."},
        "request_id": "id-1",
    }
    assert response.headers["request-id"] == "id-1"


def test_a_prompt_that_does_not_fit_is_reported_in_anthropics_words() -> None:
    error = ApiError("bad_request", "9 tokens do not fit into 8.", code="context_length_exceeded")
    (body,) = ANTHROPIC.error_response(error).body
    assert json.loads(body)["error"]["message"] == "prompt is too long: 9 tokens do not fit into 8."


def test_clients_are_told_whether_and_when_to_repeat_a_request() -> None:
    headers = {kind: ANTHROPIC.error_response(ApiError(kind, "m")).headers for kind in KINDS}
    assert headers["timeout"]["x-should-retry"] == "false"
    assert headers["no_capacity"]["Retry-After"] == "30"
    assert [kind for kind in KINDS if "x-should-retry" in headers[kind]] == ["timeout"]


def test_an_error_in_a_stream_is_an_event_with_a_name() -> None:
    event = RequestErrors("id-1").error_event(ApiError("upstream", "Out.\nOf order."))
    name, data, *rest = event.split(b"\n")
    assert (name, rest) == (b"event: error", [b"", b""])
    assert json.loads(data.removeprefix(b"data: ")) == {
        "type": "error",
        "error": {"type": "api_error", "message": "Out.\nOf order."},
        "request_id": "id-1",
    }


def test_paths_of_messages_have_anthropics_errors() -> None:
    anthropic = (
        "/v1/messages",
        "/v1/messages/count_tokens",
        "/v1/messages/batches",
        "/models/llama/v1/messages",
        "/models/{model}/v1/messages/count_tokens",
    )
    openai = ("/v1/chat/completions", "/v1/messages2", "/models/llama/v1/models", "/v1/models/messages", "/v1/")
    tgi = ("/messages", "/models/messages", "/x/v1/messages", "/generate", "/v1")
    for protocol, paths in ((ANTHROPIC, anthropic), (OPENAI, openai), (TGI, tgi)):
        assert [protocols.of(path) is protocol for path in paths] == [True] * len(paths)
