"""Errors in the HTTP framing between SageMaker and the front door."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from local.sagemaker_runtime.event_stream import part
from tests.robustness.cases import (
    CASES,
    NON_STREAMING,
    STREAMED,
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
    error_response,
    healthy_response,
    json_response,
    sse,
    stream_response,
)
from tests.robustness.fake_sagemaker import Received, WireResponse

ALL = [*CASES.values(), *NON_STREAMING.values()]
DECOY = stream_response([sse({"index": 1, "token": {"text": " of another"}, "generated_text": " of another"})])


def all_tokens(case: Case) -> int:
    """What `check_fault_and_recovery` returns for a complete response."""
    return len(TOKENS) if case.is_streamed else -1


SIZES: dict[str, Callable[[int], bytes]] = {
    "too large by one": lambda size: b"%x" % (size + 1),
    "too small by one": lambda size: b"%x" % (size - 1),
    "empty": lambda size: b"",
    "not a number": lambda size: b"size",
    "negative": lambda size: b"-%x" % size,
    "signed": lambda size: b"+%x" % size,
    "with 0x prefix": lambda size: b"0x%x" % size,
    "with an underscore": lambda size: b"0_%x" % size,
    "with a space": lambda size: b" %x" % size,
    "larger than memory": lambda size: b"f" * 20,
    "much too large": lambda size: b"%x" % (size + 10**9),
    "non-ASCII digits": lambda size: "٣".encode(),
    "a megabyte of zeros": lambda size: b"0" * 10**6 + b"%x" % size,
    "zero": lambda size: b"0",
}


@pytest.mark.parametrize("size", SIZES)
def test_a_chunk_with_a_wrong_size(client: CheckedClient, size: str) -> None:
    for case in CASES.values():
        events = [part(event) for event in response_events(client, case)]
        for wrong in range(len(events)):
            chunks = [chunk(event) for event in events]
            chunks[wrong] = SIZES[size](len(events[wrong])) + b"\r\n" + events[wrong] + b"\r\n"
            count = check_fault_and_recovery(client, case, HEAD + b"".join(chunks) + b"0\r\n\r\n")
            assert count in (-1, wrong, len(TOKENS))


@pytest.mark.parametrize("end", [b"0\r\n\r\n", b"000\r\nTrailer: x\r\nOther: y\r\n\r\n", b"0;x=y\r\n\r\n"])
@pytest.mark.parametrize("size", ["000{:X}", "{:x};name=value", "{:x} ; a"])
def test_chunks_with_extensions_trailers_or_leading_zeros(client: CheckedClient, size: str, end: bytes) -> None:
    for case in CASES.values():
        frames = b"".join(part(event) for event in response_events(client, case))
        data = HEAD + size.format(len(frames)).encode() + b"\r\n" + frames + b"\r\n" + end
        assert check_fault_and_recovery(client, case, data, "keep") == all_tokens(case)


@pytest.mark.parametrize("extra", [b"x", b"\r\n", b"0\r\n\r\n", DECOY, b"HTTP/1.1 500 No\r\n\r\n"])
def test_bytes_after_a_response_are_ignored(client: CheckedClient, extra: bytes) -> None:
    """They may arrive with the response or later; the next request never takes them for its response."""
    for case in ALL:
        data = response_bytes(client, case)
        assert check_fault_and_recovery(client, case, data + extra, "keep") == all_tokens(case)

        def late(request: Received, data: bytes = data) -> WireResponse:
            client.sagemaker.respond = healthy_response
            return WireResponse(data, "keep", extra)

        assert check_fault_and_recovery(client, case, late) == all_tokens(case)


@pytest.mark.parametrize("length", ["x", "-1", "1e3", "0x10", "+", "", "5, 5", "9" * 400, "٣", "½", "1_0"])
def test_an_invalid_content_length(client: CheckedClient, length: str) -> None:
    for case in ALL:
        head, body = with_length(client, case)
        assert check_fault_and_recovery(client, case, head.replace(b"@", length.encode()) + body) == -1
        rejection = error_response(429, "ThrottlingException").replace(
            b"Content-Length: 2", f"Content-Length: {length}".encode()
        )
        assert check_fault_and_recovery(client, case, rejection) == -1


def with_length(client: CheckedClient, case: Case) -> tuple[bytes, bytes]:
    """The head, with `@` as its Content-Length, and the body of a response that is not chunked."""
    if case in CASES.values():
        body = b"".join(part(event) for event in response_events(client, case))
        return HEAD.replace(b"Transfer-Encoding: chunked", b"Content-Length: @"), body
    head, _, body = response_bytes(client, case).partition(b"\r\n\r\n")
    return head.replace(b"Content-Length: %d" % len(body), b"Content-Length: @") + b"\r\n\r\n", body


def test_a_content_length_instead_of_chunks(client: CheckedClient) -> None:
    for case in ALL:
        head, body = with_length(client, case)
        data = head.replace(b"@", b"%d" % len(body)) + body
        assert check_fault_and_recovery(client, case, data, "keep") == all_tokens(case)


@pytest.mark.parametrize("difference", [-10_000, -100, -1, 1, 100])
def test_a_wrong_content_length(client: CheckedClient, difference: int) -> None:
    for case in ALL:
        if difference > 0 or case in CASES.values():  # bytes beyond the length of a JSON response are ignored
            head, body = with_length(client, case)
            data = head.replace(b"@", b"%d" % max(len(body) + difference, 0)) + body
            for then in ("close", "stall"):
                count = check_fault_and_recovery(client, case, data, then)
                assert count == -1 or difference > -10_000


HEADS = {
    "not HTTP": b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
    "no version": b"200 OK\r\n\r\n",
    "HTTP/2": b"HTTP/2 200\r\n\r\n",
    "no status": b"HTTP/1.1\r\n\r\n",
    "status is a word": b"HTTP/1.1 two OK\r\n\r\n",
    "non-ASCII digits in the status": b"HTTP/1.1 \xb2\xb2\xb2 OK\r\n\r\n",
    "four digits in the status": b"HTTP/1.1 2000 OK\r\n\r\n",
    "TLS": b"\x15\x03\x01\x00\x02\x02\x46",
    "only a CRLF": b"\r\n\r\n",
    "unterminated": b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 20,
    "too long": b"HTTP/1.1 200 OK\r\nX-A: " + b"b" * 200_000 + b"\r\n\r\n",
    "NULs": b"\0" * 100 + b"\r\n\r\n",
    "line that is not a header": b"HTTP/1.1 200 OK\r\nno header\r\n\r\n",
}


@pytest.mark.parametrize("head", HEADS)
def test_an_invalid_head(client: CheckedClient, head: str) -> None:
    for case in ALL:
        assert check_fault_and_recovery(client, case, HEADS[head]) == -1


@pytest.mark.parametrize(
    "interim", [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 3]
)
def test_an_interim_response_is_skipped(client: CheckedClient, interim: bytes) -> None:
    for case in ALL:
        assert check_fault_and_recovery(client, case, interim + response_bytes(client, case), "keep") == all_tokens(
            case
        )


@pytest.mark.parametrize(
    "coding", [b"Chunked", b"chunked ", b"gzip, chunked", b"identity", b"gzip", b"chunked, chunked", b""]
)
def test_an_unsupported_transfer_coding(client: CheckedClient, coding: bytes) -> None:
    for case in CASES.values():
        data = response_bytes(client, case).replace(b"Transfer-Encoding: chunked", b"Transfer-Encoding: " + coding)
        count = check_fault_and_recovery(client, case, data)
        assert (count == all_tokens(case) and coding.strip().lower() == b"chunked") or count == -1


@pytest.mark.parametrize("media_type", ["text/html", "text/event-stream2", "text/plain; x", "é", "event-stream", "*/*"])
def test_a_media_type_other_than_events_and_json(client: CheckedClient, media_type: str) -> None:
    for case in CASES.values():
        data = response_bytes(client, case).replace(b": text/event-stream", f": {media_type}".encode())
        assert check_fault_and_recovery(client, case, data) == -1


@pytest.mark.parametrize("status", [200, 301, 400, 403, 404, 500, 502, 503, 504])
def test_an_html_page_of_a_proxy(client: CheckedClient, status: int) -> None:
    page = json_response(b"<html><h1>Service Unavailable</h1>" + b"x" * 5000, status)
    for case in STREAMED.values():
        assert check_fault_and_recovery(client, case, page.replace(b"application/json", b"text/html")) == -1
