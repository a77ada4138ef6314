"""SageMaker's answer ends, stops or changes at every byte: the client gets what came before, and is told the rest."""

from __future__ import annotations

from itertools import accumulate

import pytest

from local.sagemaker_runtime.event_stream import part
from tests.robustness.cases import (
    CASES,
    WHOLE,
    Case,
    FaultOnce,
    check_complete_or_error,
    response_bytes,
    response_events,
)
from tests.robustness.checked_client import CheckedClient
from tests.robustness.expected_responses import HEAD, TOKENS, chunk, stream_response
from tests.robustness.fake_sagemaker import WireResponse

ALL = {**CASES, **WHOLE}
WAITING_SECONDS = 0.03


def ends_of_tokens(data: bytes) -> list[int]:
    """Where the chunks end that carry the tokens."""
    ends, at = [], len(HEAD)
    for _ in TOKENS:
        line_end = data.index(b"\r\n", at)
        at = line_end + 2 + int(data[at:line_end], 16) + 2
        ends.append(at)
    return ends


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("then", ["close", "reset"])
def test_an_answer_may_be_cut_at_any_byte(client: CheckedClient, name: str, then: str) -> None:
    case = ALL[name]
    data = response_bytes(client, case)
    ends = ends_of_tokens(data) if case.is_streamed else []
    for at in range(0, len(data), 1 if then == "close" else 3):
        client.sagemaker.answers = FaultOnce(WireResponse(data[:at], then))
        response = case.ask(client)
        told = check_complete_or_error(client, case, response)
        assert case.is_streamed or response.status >= 500, "a part of an answer as a whole one"
        if case.is_streamed and then == "close":
            # An event of which only the line end of its chunk is missing may count as here or not.
            here, perhaps = sum(end <= at for end in ends), sum(end - 2 <= at for end in ends)
            assert here <= max(told, 0) <= perhaps, "a token that was here is lost"
    assert check_complete_or_error(client, case, case.ask(client)) in (-1, len(TOKENS))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("size", [11, 61, 250])
def test_an_answer_may_come_in_pieces_of_any_size(client: CheckedClient, name: str, size: int) -> None:
    """And be cut: nothing that lies between two pieces is lost or comes twice."""
    case = ALL[name]
    data = response_bytes(client, case)
    for at in (len(data), *range(0, len(data), 241)):
        client.sagemaker.answers = FaultOnce(WireResponse(data[:at], "keep" if at == len(data) else "close", size=size))
        told = check_complete_or_error(client, case, case.ask(client))
        ends = ends_of_tokens(data) if case.is_streamed else []
        assert max(told, 0) in (sum(end <= at for end in ends), sum(end - 2 <= at for end in ends))


@pytest.mark.parametrize("name", CASES)
def test_the_event_stream_may_end_inside_of_a_frame(client: CheckedClient, name: str) -> None:
    """HTTP comes to its end."""
    case = CASES[name]
    each = [part(event) for event in response_events(client, case)]
    frames, borders = b"".join(each), [0, *accumulate(map(len, each))]
    for at in range(0, len(frames), 3):
        client.sagemaker.answers = FaultOnce(WireResponse(HEAD + chunk(frames[:at]) * (at > 0) + b"0\r\n\r\n"))
        response = case.ask(client)
        check_complete_or_error(client, case, response)
        is_between = at in borders
        assert is_between or response.line["cause"] == "truncated event stream"


@pytest.mark.parametrize("name", CASES)
def test_the_container_may_end_inside_of_an_event(client: CheckedClient, name: str) -> None:
    """What is cut is the container's own text; HTTP and the event stream come to their ends."""
    case = CASES[name]
    events = response_events(client, case)
    text, ends = b"".join(events), list(accumulate(map(len, events)))
    for at in range(len(text)):
        client.sagemaker.answers = FaultOnce(WireResponse(stream_response([text[:at]])))
        response = case.ask(client)
        told = check_complete_or_error(client, case, response)
        if case.is_streamed:
            assert max(told, 0) == sum(end <= at for end in ends[: len(TOKENS)])
        assert "error" in response.line, "an answer without its end"


@pytest.mark.parametrize("name", CASES)
def test_any_byte_may_be_another(client: CheckedClient, name: str) -> None:
    """Checksums tell it in an event stream; what changes in the head is an answer of another kind, or the same."""
    case = CASES[name]
    data = response_bytes(client, case)
    for at in range(len(data)):
        changed = data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]
        client.sagemaker.answers = FaultOnce(WireResponse(changed, "close"))
        check_complete_or_error(client, case, case.ask(client))
    assert check_complete_or_error(client, case, case.ask(client)) in (-1, len(TOKENS))


@pytest.mark.parametrize("name", ALL)
def test_an_answer_may_stop_until_the_deadline(client: CheckedClient, name: str) -> None:
    case = ALL[name]
    data = response_bytes(client, case)
    for at in _interesting(data, case):
        client.sagemaker.answers = FaultOnce(WireResponse(data[:at], "stall"))
        response = case.ask(client, seconds=1 + WAITING_SECONDS)
        check_complete_or_error(client, case, response)
        assert response.seconds < 2 + WAITING_SECONDS, "a second behind the deadline"
        if response.status != 200 or "error" in response.line:
            assert (response.line["error"], response.line["cause"]) == ("timeout", "deadline")
            assert response.line["error_status"] == 504
    assert check_complete_or_error(client, case, case.ask(client)) in (-1, len(TOKENS))


@pytest.mark.parametrize("name", ALL)
def test_an_answer_that_stops_is_over_before_the_deadline_by_what_it_takes_to_tell(
    client: CheckedClient, name: str
) -> None:
    case = ALL[name]
    data = response_bytes(client, case)
    client.sagemaker.answers = FaultOnce(WireResponse(data[: len(data) // 2], "stall"))
    response = case.ask(client, seconds=1.6)
    check_complete_or_error(client, case, response)
    assert 0.5 < response.seconds < 1.5


def _interesting(data: bytes, case: Case) -> list[int]:
    """Around every border of the framings, and here and there."""
    borders = [0, 1, 9, 17, data.index(b"\r\n\r\n"), len(data) - 5, len(data) - 2, len(data) - 1]
    if case.is_streamed:
        for end in ends_of_tokens(data):
            borders += [end - 3, end - 2, end, end + 1, end + 16]
    return sorted({*borders, *range(0, len(data), 97)})
