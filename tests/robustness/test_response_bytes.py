"""SageMaker's response ends, stalls or changes at every byte: the client gets what came before, and then an error."""

from __future__ import annotations

from itertools import accumulate

import pytest

from local.sagemaker_runtime.event_stream import part
from tests.robustness.cases import (
    CASES,
    NAMES,
    NON_STREAMING,
    Case,
    FaultOnce,
    check_complete_or_error,
    response_bytes,
    response_events,
)
from tests.robustness.checked_client import CheckedClient
from tests.robustness.expected_responses import HEAD, TOKENS, chunk, stream_response
from tests.robustness.fake_sagemaker import WireResponse

ALL = {**CASES, **NON_STREAMING}
STALL_SECONDS = 0.03


def ends_of_tokens(data: bytes) -> list[int]:
    """The offsets at which the chunks with tokens end."""
    ends, at = [], len(HEAD)
    for _ in TOKENS:
        line_end = data.index(b"\r\n", at)
        at = line_end + 2 + int(data[at:line_end], 16) + 2
        ends.append(at)
    return ends


@pytest.mark.parametrize("name", [*NAMES, *NON_STREAMING])
@pytest.mark.parametrize("then", ["close", "reset"])
def test_a_response_truncated_at_any_byte(client: CheckedClient, name: str, then: str) -> None:
    case = ALL[name]
    data = response_bytes(client, case)
    ends = ends_of_tokens(data) if case.is_streamed else []
    for at in range(0, len(data), 1 if then == "close" else 3):
        client.sagemaker.respond = FaultOnce(WireResponse(data[:at], then))
        response = case.send(client)
        count = check_complete_or_error(client, case, response)
        assert case.is_streamed or response.status >= 500, "a partial response was passed on as complete"
        if case.is_streamed and then == "close":
            # An event may count as received or not if only the CRLF of its chunk is missing.
            complete, received = sum(end <= at for end in ends), sum(end - 2 <= at for end in ends)
            assert complete <= max(count, 0) <= received, "a received token is lost"
    assert check_complete_or_error(client, case, case.send(client)) in (-1, len(TOKENS))


@pytest.mark.parametrize("name", [*NAMES, *NON_STREAMING])
@pytest.mark.parametrize("size", [11, 61, 250])
def test_a_response_in_pieces_of_any_size(client: CheckedClient, name: str, size: int) -> None:
    """Complete or truncated: nothing between two pieces is lost or duplicated."""
    case = ALL[name]
    data = response_bytes(client, case)
    for at in (len(data), *range(0, len(data), 241)):
        client.sagemaker.respond = FaultOnce(
            WireResponse(data[:at], "keep" if at == len(data) else "close", piece_bytes=size)
        )
        count = check_complete_or_error(client, case, case.send(client))
        ends = ends_of_tokens(data) if case.is_streamed else []
        assert max(count, 0) in (sum(end <= at for end in ends), sum(end - 2 <= at for end in ends))


@pytest.mark.parametrize("name", NAMES)
def test_an_event_stream_that_ends_inside_a_frame(client: CheckedClient, name: str) -> None:
    """The HTTP body is complete."""
    case = CASES[name]
    each = [part(event) for event in response_events(client, case)]
    frames, boundaries = b"".join(each), [0, *accumulate(map(len, each))]
    for at in range(0, len(frames), 3):
        client.sagemaker.respond = FaultOnce(WireResponse(HEAD + chunk(frames[:at]) * (at > 0) + b"0\r\n\r\n"))
        response = case.send(client)
        check_complete_or_error(client, case, response)
        is_boundary = at in boundaries
        assert is_boundary or response.line["cause"] == "truncated event stream"


@pytest.mark.parametrize("name", NAMES)
def test_a_container_stream_that_ends_inside_an_event(client: CheckedClient, name: str) -> None:
    """The HTTP body and the event stream are complete; the container's data is truncated."""
    case = CASES[name]
    events = response_events(client, case)
    text, ends = b"".join(events), list(accumulate(map(len, events)))
    for at in range(len(text)):
        client.sagemaker.respond = FaultOnce(WireResponse(stream_response([text[:at]])))
        response = case.send(client)
        count = check_complete_or_error(client, case, response)
        if case.is_streamed:
            assert max(count, 0) == sum(end <= at for end in ends[: len(TOKENS)])
        assert "error" in response.line, "a truncated response was not reported"


@pytest.mark.parametrize("name", NAMES)
def test_a_response_with_any_byte_changed(client: CheckedClient, name: str) -> None:
    """Checksums detect it in the event stream; in the head it makes no difference or the response invalid."""
    case = CASES[name]
    data = response_bytes(client, case)
    for at in range(len(data)):
        changed = data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]
        client.sagemaker.respond = FaultOnce(WireResponse(changed, "close"))
        check_complete_or_error(client, case, case.send(client))
    assert check_complete_or_error(client, case, case.send(client)) in (-1, len(TOKENS))


@pytest.mark.parametrize("name", [*NAMES, *NON_STREAMING])
def test_a_response_that_stalls_at_any_boundary_until_the_deadline(client: CheckedClient, name: str) -> None:
    case = ALL[name]
    data = response_bytes(client, case)
    for at in _offsets(data, case):
        client.sagemaker.respond = FaultOnce(WireResponse(data[:at], "stall"))
        response = case.send(client, seconds=1 + STALL_SECONDS)
        check_complete_or_error(client, case, response)
        assert response.seconds < 2 + STALL_SECONDS, "a second after the deadline"
        if response.status != 200 or "error" in response.line:
            assert (response.line["error"], response.line["cause"]) == ("timeout", "deadline")
            assert response.line["error_status"] == 504
    assert check_complete_or_error(client, case, case.send(client)) in (-1, len(TOKENS))


@pytest.mark.parametrize("name", ALL)
def test_a_stalled_response_ends_early_enough_to_send_the_error(client: CheckedClient, name: str) -> None:
    case = ALL[name]
    data = response_bytes(client, case)
    client.sagemaker.respond = FaultOnce(WireResponse(data[: len(data) // 2], "stall"))
    response = case.send(client, seconds=1.6)
    check_complete_or_error(client, case, response)
    assert 0.5 < response.seconds < 1.5


def _offsets(data: bytes, case: Case) -> list[int]:
    """Offsets around every boundary of the framing, and every 97 bytes."""
    boundaries = [0, 1, 9, 17, data.index(b"\r\n\r\n"), len(data) - 5, len(data) - 2, len(data) - 1]
    if case.is_streamed:
        for end in ends_of_tokens(data):
            boundaries += [end - 3, end - 2, end, end + 1, end + 16]
    return sorted({*boundaries, *range(0, len(data), 97)})
