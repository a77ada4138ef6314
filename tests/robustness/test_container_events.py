"""A container whose events have wrong values in any place: what fails is the model's failure, told in whole events."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.robustness.cases import CASES, WHOLE, Case, FaultOnce, expected_response, response_events
from tests.robustness.checked_client import CheckedClient, CheckedResponse, check_error_body
from tests.robustness.expected_responses import DONE, healthy_response, plain_response, sse, stream_response
from tests.robustness.fake_sagemaker import Received, WireResponse
from tests.robustness.wrong_values import WRONG, paths_in, with_value_at

RAW_WRONG = ['"\\ud83d"', "1e999", "NaN", "-0", "[" * 100 + "]" * 100, "1" * 4000]
"""Not to be had from Python's own values."""


def checked(client: CheckedClient, case: Case, data: bytes) -> CheckedResponse:
    """Ask; whatever the answer is, it is whole in its protocol and, where it failed, the failure of the model."""
    client.sagemaker.answers = FaultOnce(WireResponse(data, "keep"))
    response = case.ask(client)
    if not response.is_stream:
        assert response.status in (200, 500, 502, 400, 422), response.body
        return response
    told = response.data()
    for each in told:
        assert each == "[DONE]" or isinstance(json.loads(each), dict | list | str | int | float | None)
    if response.protocol == "openai":
        assert told[-1] == "[DONE]"
        for choice in (choice for each in told[:-1] for choice in json.loads(each).get("choices", [])):
            text = choice["delta"].get("content") if "delta" in choice else choice["text"]
            assert isinstance(text, str | None), told
    errors = [json.loads(each) for each in told if each.startswith('{"error"')]
    assert len(errors) <= 1
    for error in errors:
        check_error_body(error, response.protocol)
    assert bool(errors) == ("error" in response.line)
    return response


@pytest.mark.parametrize("name", CASES)
def test_any_wrong_value_in_any_place_of_any_event(client: CheckedClient, name: str) -> None:
    case = CASES[name]
    events = [each if each == DONE else json.loads(each[6:]) for each in response_events(client, case)]
    for at, event in enumerate(events):
        if event == DONE:
            continue
        for place in paths_in(event):
            for wrong in WRONG:
                changed = with_value_at(event, place, wrong)
                checked(
                    client,
                    case,
                    stream_response([_written(each) for each in [*events[:at], changed, *events[at + 1 :]]]),
                )
            for raw in RAW_WRONG:
                text = _written(with_value_at(event, place, "@@"))[6:-2].decode().replace('"@@"', raw)
                written = [_written(each) for each in events]
                written[at] = b"data: " + text.encode() + b"\n\n"
                checked(client, case, stream_response(written))


def _written(event: Any) -> bytes:
    """As serde writes it; what serde could not write, Python does."""
    if isinstance(event, bytes):
        return event
    text = json.dumps(event, ensure_ascii="\\ud" in json.dumps(event), separators=(",", ":"))
    return b"data: " + text.encode() + b"\n\n"


@pytest.mark.parametrize("name", CASES)
def test_an_event_that_comes_twice_or_not_at_all(client: CheckedClient, name: str) -> None:
    """Nobody can know whether a token that comes twice was meant; what must be there is missed."""
    case = CASES[name]
    events = response_events(client, case)
    for at in range(len(events)):
        checked(client, case, stream_response([*events[:at], events[at], *events[at:]]))
        response = checked(client, case, stream_response([*events[:at], *events[at + 1 :]]))
        if at == len(events) - 1:
            assert "error" in response.line, "an end that never came"


NO_ANSWERS = ["", "null", "[]", "[{}]", "{}", "x", "[" * 200_000, '[{"generated_text":7}]', "\xff", "7", '"x"']


@pytest.mark.parametrize("body", NO_ANSWERS, ids=lambda body: body[:20])
def test_an_answer_in_one_piece_that_is_no_answer(client: CheckedClient, body: str) -> None:
    """As an answer to a request that cannot stream; one to a request that can is passed on where it is JSON at all."""
    client.sagemaker.answers = FaultOnce(WireResponse(plain_response(body.encode("latin-1"))))
    assert WHOLE["best of two"].ask(client).status == 502
    is_json = body in ("[]", "[{}]", "{}", '[{"generated_text":7}]')
    for case in CASES.values():
        told = stream_response([body.encode("latin-1")]).replace(b"text/event-stream", b"application/json")
        client.sagemaker.answers = FaultOnce(WireResponse(told))
        assert case.ask(client).status in ((200, 500, 502) if is_json else (500, 502))


@pytest.mark.parametrize("told", ["", "{}", "null", "[]", "x", '{"EndpointStatus":7}', '{"EndpointStatus":[]}'])
def test_a_control_plane_that_talks_nonsense_means_unhealthy(client: CheckedClient, told: str) -> None:
    client.sagemaker.answers = lambda _request: WireResponse(plain_response(told.encode()))
    response = client.ask("/health", httpMethod="GET")
    assert (response.status, response.json()) == (503, {"error": "unhealthy", "error_type": "healthcheck"})


def test_health_is_true_of_the_double(client: CheckedClient) -> None:
    def answers(request: Received) -> WireResponse:
        assert request.path == "/"
        return healthy_response(request)

    client.sagemaker.answers = answers
    assert client.ask("/health", httpMethod="GET").status == 200
    assert expected_response(client, CASES["generate"]).status == 200
    assert sse({"a": 1}) == b'data: {"a":1}\n\n'
