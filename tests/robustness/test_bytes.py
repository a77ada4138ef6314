"""SageMaker's answer ends, stops or changes at every byte: the client gets what came before, and is told the rest."""

from __future__ import annotations

from itertools import accumulate

import pytest

from local.sagemaker_runtime.event_stream import part
from tests.robustness.cases import CASES, WHOLE, Case, Once, bytes_for, events_for_case, right_or_told
from tests.robustness.checked_door import HostileDoor
from tests.robustness.expected_responses import HEAD, TOKENS, chunk, streamed
from tests.robustness.model_double import Wire

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
def test_an_answer_may_be_cut_at_any_byte(door: HostileDoor, name: str, then: str) -> None:
    case = ALL[name]
    data = bytes_for(door, case)
    ends = ends_of_tokens(data) if case.is_streamed else []
    for at in range(0, len(data), 1 if then == "close" else 3):
        door.double.answers = Once(Wire(data[:at], then))
        answered = case.ask(door)
        told = right_or_told(door, case, answered)
        assert case.is_streamed or answered.status >= 500, "a part of an answer as a whole one"
        if case.is_streamed and then == "close":
            # An event of which only the line end of its chunk is missing may count as here or not.
            here, perhaps = sum(end <= at for end in ends), sum(end - 2 <= at for end in ends)
            assert here <= max(told, 0) <= perhaps, "a token that was here is lost"
    assert right_or_told(door, case, case.ask(door)) in (-1, len(TOKENS))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("size", [11, 61, 250])
def test_an_answer_may_come_in_pieces_of_any_size(door: HostileDoor, name: str, size: int) -> None:
    """And be cut: nothing that lies between two pieces is lost or comes twice."""
    case = ALL[name]
    data = bytes_for(door, case)
    for at in (len(data), *range(0, len(data), 241)):
        door.double.answers = Once(Wire(data[:at], "keep" if at == len(data) else "close", size=size))
        told = right_or_told(door, case, case.ask(door))
        ends = ends_of_tokens(data) if case.is_streamed else []
        assert max(told, 0) in (sum(end <= at for end in ends), sum(end - 2 <= at for end in ends))


@pytest.mark.parametrize("name", CASES)
def test_the_event_stream_may_end_inside_of_a_frame(door: HostileDoor, name: str) -> None:
    """HTTP comes to its end."""
    case = CASES[name]
    each = [part(event) for event in events_for_case(door, case)]
    frames, borders = b"".join(each), [0, *accumulate(map(len, each))]
    for at in range(0, len(frames), 3):
        door.double.answers = Once(Wire(HEAD + chunk(frames[:at]) * (at > 0) + b"0\r\n\r\n"))
        answered = case.ask(door)
        right_or_told(door, case, answered)
        is_between = at in borders
        assert is_between or answered.line["cause"] == "truncated event stream"


@pytest.mark.parametrize("name", CASES)
def test_the_container_may_end_inside_of_an_event(door: HostileDoor, name: str) -> None:
    """What is cut is the container's own text; HTTP and the event stream come to their ends."""
    case = CASES[name]
    events = events_for_case(door, case)
    text, ends = b"".join(events), list(accumulate(map(len, events)))
    for at in range(len(text)):
        door.double.answers = Once(Wire(streamed([text[:at]])))
        answered = case.ask(door)
        told = right_or_told(door, case, answered)
        if case.is_streamed:
            assert max(told, 0) == sum(end <= at for end in ends[: len(TOKENS)])
        assert "error" in answered.line, "an answer without its end"


@pytest.mark.parametrize("name", CASES)
def test_any_byte_may_be_another(door: HostileDoor, name: str) -> None:
    """Checksums tell it in an event stream; what changes in the head is an answer of another kind, or the same."""
    case = CASES[name]
    data = bytes_for(door, case)
    for at in range(len(data)):
        changed = data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]
        door.double.answers = Once(Wire(changed, "close"))
        right_or_told(door, case, case.ask(door))
    assert right_or_told(door, case, case.ask(door)) in (-1, len(TOKENS))


@pytest.mark.parametrize("name", ALL)
def test_an_answer_may_stop_until_the_deadline(door: HostileDoor, name: str) -> None:
    case = ALL[name]
    data = bytes_for(door, case)
    for at in _interesting(data, case):
        door.double.answers = Once(Wire(data[:at], "stall"))
        answered = case.ask(door, seconds=1 + WAITING_SECONDS)
        right_or_told(door, case, answered)
        assert answered.seconds < 2 + WAITING_SECONDS, "a second behind the deadline"
        if answered.status != 200 or "error" in answered.line:
            assert (answered.line["error"], answered.line["cause"]) == ("timeout", "deadline")
            assert answered.line["error_status"] == 504
    assert right_or_told(door, case, case.ask(door)) in (-1, len(TOKENS))


@pytest.mark.parametrize("name", ALL)
def test_an_answer_that_stops_is_over_before_the_deadline_by_what_it_takes_to_tell(
    door: HostileDoor, name: str
) -> None:
    case = ALL[name]
    data = bytes_for(door, case)
    door.double.answers = Once(Wire(data[: len(data) // 2], "stall"))
    answered = case.ask(door, seconds=1.6)
    right_or_told(door, case, answered)
    assert 0.5 < answered.seconds < 1.5


def _interesting(data: bytes, case: Case) -> list[int]:
    """Around every border of the framings, and here and there."""
    borders = [0, 1, 9, 17, data.index(b"\r\n\r\n"), len(data) - 5, len(data) - 2, len(data) - 1]
    if case.is_streamed:
        for end in ends_of_tokens(data):
            borders += [end - 3, end - 2, end, end + 1, end + 16]
    return sorted({*borders, *range(0, len(data), 97)})
