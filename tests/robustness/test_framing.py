"""HTTP's own framing goes wrong between SageMaker and the door."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from local.sagemaker_runtime.event_stream import part
from tests.robustness.cases import (
    CASES,
    STREAMED,
    WHOLE,
    Case,
    check_fault_and_recovery,
    response_bytes,
    response_events,
)
from tests.robustness.checked_client import CheckedClient
from tests.robustness.expected_responses import (
    HEAD,
    TOKENS,
    chunk,
    error,
    healthy_response,
    plain_response,
    sse,
    stream_response,
)
from tests.robustness.fake_sagemaker import Received, WireResponse

ALL = [*CASES.values(), *WHOLE.values()]
DECOY = stream_response([sse({"index": 1, "token": {"text": " of another"}, "generated_text": " of another"})])


def all_of(case: Case) -> int:
    """What `wrong_then_right` returns where nothing is missing."""
    return len(TOKENS) if case.is_streamed else -1


SIZES: dict[str, Callable[[int], bytes]] = {
    "too large by one": lambda size: b"%x" % (size + 1),
    "too small by one": lambda size: b"%x" % (size - 1),
    "nothing": lambda size: b"",
    "no number": lambda size: b"size",
    "negative": lambda size: b"-%x" % size,
    "signed": lambda size: b"+%x" % size,
    "with a prefix": lambda size: b"0x%x" % size,
    "with an underscore": lambda size: b"0_%x" % size,
    "with a space": lambda size: b" %x" % size,
    "more than memory": lambda size: b"f" * 20,
    "much too large": lambda size: b"%x" % (size + 10**9),
    "in other digits": lambda size: "٣".encode(),
    "a megabyte of zeros": lambda size: b"0" * 10**6 + b"%x" % size,
    "zero": lambda size: b"0",
}


@pytest.mark.parametrize("size", SIZES)
def test_a_chunk_with_a_wrong_size_is_told(client: CheckedClient, size: str) -> None:
    for case in CASES.values():
        events = [part(event) for event in response_events(client, case)]
        for wrong in range(len(events)):
            chunks = [chunk(event) for event in events]
            chunks[wrong] = SIZES[size](len(events[wrong])) + b"\r\n" + events[wrong] + b"\r\n"
            told = check_fault_and_recovery(client, case, HEAD + b"".join(chunks) + b"0\r\n\r\n")
            assert told in (-1, wrong, len(TOKENS))


@pytest.mark.parametrize("end", [b"0\r\n\r\n", b"000\r\nTrailer: x\r\nOther: y\r\n\r\n", b"0;x=y\r\n\r\n"])
@pytest.mark.parametrize("size", ["000{:X}", "{:x};name=value", "{:x} ; a"])
def test_chunks_may_be_written_in_other_ways(client: CheckedClient, size: str, end: bytes) -> None:
    for case in CASES.values():
        frames = b"".join(part(event) for event in response_events(client, case))
        data = HEAD + size.format(len(frames)).encode() + b"\r\n" + frames + b"\r\n" + end
        assert check_fault_and_recovery(client, case, data, "keep") == all_of(case)


@pytest.mark.parametrize("extra", [b"x", b"\r\n", b"0\r\n\r\n", DECOY, b"HTTP/1.1 500 No\r\n\r\n"])
def test_bytes_behind_an_answer_are_nobodys(client: CheckedClient, extra: bytes) -> None:
    """They may come with the answer or after it; the next request never takes them for its own answer."""
    for case in ALL:
        data = response_bytes(client, case)
        assert check_fault_and_recovery(client, case, data + extra, "keep", pause=0.05) == all_of(case)

        def late(request: Received, data: bytes = data) -> WireResponse:
            client.sagemaker.answers = healthy_response
            return WireResponse(data, "keep", extra)

        assert check_fault_and_recovery(client, case, late, pause=0.3) == all_of(case)


@pytest.mark.parametrize("length", ["x", "-1", "1e3", "0x10", "+", "", "5, 5", "9" * 400, "٣", "½", "1_0"])
def test_a_length_that_is_none_is_told(client: CheckedClient, length: str) -> None:
    for case in ALL:
        head, body = with_length(client, case)
        assert check_fault_and_recovery(client, case, head.replace(b"@", length.encode()) + body) == -1
        refused = error(429, "ThrottlingException").replace(b"Content-Length: 2", f"Content-Length: {length}".encode())
        assert check_fault_and_recovery(client, case, refused) == -1


def with_length(client: CheckedClient, case: Case) -> tuple[bytes, bytes]:
    """The head, with `@` for the length, and the body of an answer that is not sent in chunks."""
    if case in CASES.values():
        body = b"".join(part(event) for event in response_events(client, case))
        return HEAD.replace(b"Transfer-Encoding: chunked", b"Content-Length: @"), body
    head, _, body = response_bytes(client, case).partition(b"\r\n\r\n")
    return head.replace(b"Content-Length: %d" % len(body), b"Content-Length: @") + b"\r\n\r\n", body


def test_a_length_may_take_the_place_of_chunks(client: CheckedClient) -> None:
    for case in ALL:
        head, body = with_length(client, case)
        data = head.replace(b"@", b"%d" % len(body)) + body
        assert check_fault_and_recovery(client, case, data, "keep") == all_of(case)


@pytest.mark.parametrize("off", [-10_000, -100, -1, 1, 100])
def test_a_length_that_is_off_is_told(client: CheckedClient, off: int) -> None:
    for case in ALL:
        if off > 0 or case in CASES.values():  # nothing tells that a JSON answer is longer than it says
            head, body = with_length(client, case)
            data = head.replace(b"@", b"%d" % max(len(body) + off, 0)) + body
            for then in ("close", "stall"):
                told = check_fault_and_recovery(client, case, data, then)
                assert told == -1 or off > -10_000


HEADS = {
    "not HTTP": b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
    "no version": b"200 OK\r\n\r\n",
    "of HTTP/2": b"HTTP/2 200\r\n\r\n",
    "without a status": b"HTTP/1.1\r\n\r\n",
    "with a word for a status": b"HTTP/1.1 two OK\r\n\r\n",
    "with digits of another kind": b"HTTP/1.1 \xb2\xb2\xb2 OK\r\n\r\n",
    "with too many digits": b"HTTP/1.1 2000 OK\r\n\r\n",
    "of TLS": b"\x15\x03\x01\x00\x02\x02\x46",
    "of nothing but a line end": b"\r\n\r\n",
    "without an end": b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 20,
    "that is too long": b"HTTP/1.1 200 OK\r\nX-A: " + b"b" * 200_000 + b"\r\n\r\n",
    "of NULs": b"\0" * 100 + b"\r\n\r\n",
    "with a line that is no header": b"HTTP/1.1 200 OK\r\nno header\r\n\r\n",
}


@pytest.mark.parametrize("head", HEADS)
def test_a_head_that_is_none_is_told(client: CheckedClient, head: str) -> None:
    for case in ALL:
        assert check_fault_and_recovery(client, case, HEADS[head]) == -1


@pytest.mark.parametrize(
    "interim", [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 3]
)
def test_an_interim_answer_is_not_the_answer(client: CheckedClient, interim: bytes) -> None:
    for case in ALL:
        assert check_fault_and_recovery(client, case, interim + response_bytes(client, case), "keep") == all_of(case)


@pytest.mark.parametrize(
    "coding", [b"Chunked", b"chunked ", b"gzip, chunked", b"identity", b"gzip", b"chunked, chunked", b""]
)
def test_a_transfer_coding_of_another_kind_is_told(client: CheckedClient, coding: bytes) -> None:
    for case in CASES.values():
        data = response_bytes(client, case).replace(b"Transfer-Encoding: chunked", b"Transfer-Encoding: " + coding)
        told = check_fault_and_recovery(client, case, data, pause=0.02)
        assert (told == all_of(case) and coding.strip().lower() == b"chunked") or told == -1


@pytest.mark.parametrize("media_type", ["text/html", "text/event-stream2", "text/plain; x", "é", "event-stream", "*/*"])
def test_what_is_neither_events_nor_json_is_no_answer(client: CheckedClient, media_type: str) -> None:
    for case in CASES.values():
        data = response_bytes(client, case).replace(b": text/event-stream", f": {media_type}".encode())
        assert check_fault_and_recovery(client, case, data) == -1


@pytest.mark.parametrize("status", [200, 301, 400, 403, 404, 500, 502, 503, 504])
def test_a_page_of_something_on_the_way_is_no_answer(client: CheckedClient, status: int) -> None:
    page = plain_response(b"<html><h1>Service Unavailable</h1>" + b"x" * 5000, status)
    for case in STREAMED.values():
        assert check_fault_and_recovery(client, case, page.replace(b"application/json", b"text/html")) == -1
