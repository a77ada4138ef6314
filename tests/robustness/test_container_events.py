"""A container whose events have wrong values anywhere: the response stays well-formed, and the error is the model's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.robustness.cases import CASES, NAMES, NON_STREAMING, Case, FaultOnce, expected_response, response_events
from tests.robustness.checked_client import (
    CheckedClient,
    CheckedResponse,
    check_error_event,
    check_order,
    is_error,
    parse_strict_json,
)
from tests.robustness.expected_responses import DONE, healthy_response, json_response, sse, stream_response
from tests.robustness.fake_sagemaker import Received, WireResponse
from tests.robustness.wrong_values import WRONG_VALUES, paths_in, with_value_at

RAW_WRONG = ['"\\ud83d"', "1e999", "NaN", "-0", "[" * 100 + "]" * 100, "1" * 4000]
"""JSON texts that Python's values cannot produce."""


def send(client: CheckedClient, case: Case, data: bytes) -> CheckedResponse:
    """Send a request and check that the response is valid by its protocol and an error, if any, is the model's."""
    client.sagemaker.respond = FaultOnce(WireResponse(data, "keep"))
    response = case.send(client)
    if not response.is_stream:
        assert response.status in (200, 500, 502, 400, 422), response.body
        return response
    events = response.data()
    for each in events:
        assert each == "[DONE]" or isinstance(json.loads(each), dict | list | str | int | float | None)
    if response.protocol == "openai":
        assert events[-1] == "[DONE]"
        for choice in (choice for each in events[:-1] for choice in json.loads(each).get("choices", [])):
            text = choice["delta"].get("content") if "delta" in choice else choice["text"]
            assert isinstance(text, str | None), events
    objects = [json.loads(each) for each in events if each != "[DONE]"]
    errors = [each for each in objects if isinstance(each, dict) and is_error(each)]
    assert len(errors) <= 1
    for error in errors:
        check_error_event(error, response.protocol)
    if response.protocol in ("responses", "anthropic"):  # nothing in them is the container's JSON
        check_order([parse_strict_json(each) for each in events], response.protocol)
    assert bool(errors) == ("error" in response.line)
    return response


@pytest.mark.parametrize("name", NAMES)
def test_any_wrong_value_anywhere_in_any_event(client: CheckedClient, name: str) -> None:
    case = CASES[name]
    events = [each if each == DONE else json.loads(each[6:]) for each in response_events(client, case)]
    for at, event in enumerate(events):
        if event == DONE:
            continue
        for place in paths_in(event):
            for wrong in WRONG_VALUES:
                changed = with_value_at(event, place, wrong)
                send(
                    client,
                    case,
                    stream_response([_encode(each) for each in [*events[:at], changed, *events[at + 1 :]]]),
                )
            for raw in RAW_WRONG:
                text = _encode(with_value_at(event, place, "@@"))[6:-2].decode().replace('"@@"', raw)
                encoded = [_encode(each) for each in events]
                encoded[at] = b"data: " + text.encode() + b"\n\n"
                send(client, case, stream_response(encoded))


def _encode(event: Any) -> bytes:
    """An event as serde writes it or, if serde cannot write it, Python."""
    if isinstance(event, bytes):
        return event
    text = json.dumps(event, ensure_ascii="\\ud" in json.dumps(event), separators=(",", ":"))
    return b"data: " + text.encode() + b"\n\n"


@pytest.mark.parametrize("name", NAMES)
def test_an_event_that_is_duplicated_or_missing(client: CheckedClient, name: str) -> None:
    """A duplicated token cannot be detected; a missing end is an error."""
    case = CASES[name]
    events = response_events(client, case)
    for at in range(len(events)):
        send(client, case, stream_response([*events[:at], events[at], *events[at:]]))
        response = send(client, case, stream_response([*events[:at], *events[at + 1 :]]))
        if at == len(events) - 1:
            assert "error" in response.line, "the missing end was not reported"


INVALID_BODIES = ["", "null", "[]", "[{}]", "{}", "x", "[" * 200_000, '[{"generated_text":7}]', "\xff", "7", '"x"']


@pytest.mark.parametrize("body", INVALID_BODIES, ids=lambda body: body[:20])
def test_an_invalid_body_of_a_non_streaming_response(client: CheckedClient, body: str) -> None:
    """An error if the request cannot stream; otherwise the body is passed on if it is JSON."""
    client.sagemaker.respond = FaultOnce(WireResponse(json_response(body.encode("latin-1"))))
    assert NON_STREAMING["best of two"].send(client).status == 502
    is_json = body in ("[]", "[{}]", "{}", '[{"generated_text":7}]')
    for case in CASES.values():
        data = stream_response([body.encode("latin-1")]).replace(b"text/event-stream", b"application/json")
        client.sagemaker.respond = FaultOnce(WireResponse(data))
        assert case.send(client).status in ((200, 500, 502) if is_json else (500, 502))


@pytest.mark.parametrize("body", ["", "{}", "null", "[]", "x", '{"EndpointStatus":7}', '{"EndpointStatus":[]}'])
def test_an_invalid_describe_endpoint_response_means_unhealthy(client: CheckedClient, body: str) -> None:
    client.sagemaker.respond = lambda _request: WireResponse(json_response(body.encode()))
    response = client.send("/health", httpMethod="GET")
    assert (response.status, response.json()) == (503, {"error": "unhealthy", "error_type": "healthcheck"})


def test_the_fake_sagemaker_is_healthy_otherwise(client: CheckedClient) -> None:
    def respond(request: Received) -> WireResponse:
        assert request.path == "/"
        return healthy_response(request)

    client.sagemaker.respond = respond
    assert client.send("/health", httpMethod="GET").status == 200
    assert expected_response(client, CASES["generate"]).status == 200
    assert sse({"a": 1}) == b'data: {"a":1}\n\n'
