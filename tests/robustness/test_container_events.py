"""A container whose events have wrong values in any place: what fails is the model's failure, told in whole events."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.robustness.cases import CASES, WHOLE, Case, Once, events_for_case, truth_of
from tests.robustness.checked_door import Answered, HostileDoor, is_error
from tests.robustness.expected_responses import DONE, sse, streamed, true, whole
from tests.robustness.model_double import Received, Wire
from tests.robustness.wrong_values import WRONG, places, with_other

RAW_WRONG = ['"\\ud83d"', "1e999", "NaN", "-0", "[" * 100 + "]" * 100, "1" * 4000]
"""Not to be had from Python's own values."""


def checked(door: HostileDoor, case: Case, data: bytes) -> Answered:
    """Ask; whatever the answer is, it is whole in its protocol and, where it failed, the failure of the model."""
    door.double.answers = Once(Wire(data, "keep"))
    answered = case.ask(door)
    if not answered.is_stream:
        assert answered.status in (200, 500, 502, 400, 422), answered.body
        return answered
    told = answered.data()
    for each in told:
        assert each == "[DONE]" or isinstance(json.loads(each), dict | list | str | int | float | None)
    if answered.protocol == "openai":
        assert told[-1] == "[DONE]"
        for choice in (choice for each in told[:-1] for choice in json.loads(each).get("choices", [])):
            text = choice["delta"].get("content") if "delta" in choice else choice["text"]
            assert isinstance(text, str | None), told
    errors = [json.loads(each) for each in told if each.startswith('{"error"')]
    assert len(errors) <= 1
    for error in errors:
        is_error(error, answered.protocol)
    assert bool(errors) == ("error" in answered.line)
    return answered


@pytest.mark.parametrize("name", CASES)
def test_any_wrong_value_in_any_place_of_any_event(door: HostileDoor, name: str) -> None:
    case = CASES[name]
    events = [each if each == DONE else json.loads(each[6:]) for each in events_for_case(door, case)]
    for at, event in enumerate(events):
        if event == DONE:
            continue
        for place in places(event):
            for wrong in WRONG:
                changed = with_other(event, place, wrong)
                checked(door, case, streamed([_written(each) for each in [*events[:at], changed, *events[at + 1 :]]]))
            for raw in RAW_WRONG:
                text = _written(with_other(event, place, "@@"))[6:-2].decode().replace('"@@"', raw)
                written = [_written(each) for each in events]
                written[at] = b"data: " + text.encode() + b"\n\n"
                checked(door, case, streamed(written))


def _written(event: Any) -> bytes:
    """As serde writes it; what serde could not write, Python does."""
    if isinstance(event, bytes):
        return event
    text = json.dumps(event, ensure_ascii="\\ud" in json.dumps(event), separators=(",", ":"))
    return b"data: " + text.encode() + b"\n\n"


@pytest.mark.parametrize("name", CASES)
def test_an_event_that_comes_twice_or_not_at_all(door: HostileDoor, name: str) -> None:
    """Nobody can know whether a token that comes twice was meant; what must be there is missed."""
    case = CASES[name]
    events = events_for_case(door, case)
    for at in range(len(events)):
        checked(door, case, streamed([*events[:at], events[at], *events[at:]]))
        answered = checked(door, case, streamed([*events[:at], *events[at + 1 :]]))
        if at == len(events) - 1:
            assert "error" in answered.line, "an end that never came"


NO_ANSWERS = ["", "null", "[]", "[{}]", "{}", "x", "[" * 200_000, '[{"generated_text":7}]', "\xff", "7", '"x"']


@pytest.mark.parametrize("body", NO_ANSWERS, ids=lambda body: body[:20])
def test_an_answer_in_one_piece_that_is_no_answer(door: HostileDoor, body: str) -> None:
    """As an answer to a request that cannot stream; one to a request that can is passed on where it is JSON at all."""
    door.double.answers = Once(Wire(whole(body.encode("latin-1"))))
    assert WHOLE["best of two"].ask(door).status == 502
    is_json = body in ("[]", "[{}]", "{}", '[{"generated_text":7}]')
    for case in CASES.values():
        told = streamed([body.encode("latin-1")]).replace(b"text/event-stream", b"application/json")
        door.double.answers = Once(Wire(told))
        assert case.ask(door).status in ((200, 500, 502) if is_json else (500, 502))


@pytest.mark.parametrize("told", ["", "{}", "null", "[]", "x", '{"EndpointStatus":7}', '{"EndpointStatus":[]}'])
def test_a_control_plane_that_talks_nonsense_means_unhealthy(door: HostileDoor, told: str) -> None:
    door.double.answers = lambda _request: Wire(whole(told.encode()))
    answered = door.ask("/health", httpMethod="GET")
    assert (answered.status, answered.json()) == (503, {"error": "unhealthy", "error_type": "healthcheck"})


def test_health_is_true_of_the_double(door: HostileDoor) -> None:
    def answers(request: Received) -> Wire:
        assert request.path == "/"
        return true(request)

    door.double.answers = answers
    assert door.ask("/health", httpMethod="GET").status == 200
    assert truth_of(door, CASES["generate"]).status == 200
    assert sse({"a": 1}) == b'data: {"a":1}\n\n'
