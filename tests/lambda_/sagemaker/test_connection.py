"""Connections to SageMaker: reused, dropped when stale; no request that was received is sent twice."""

import time
from collections.abc import Iterator

import pytest
from front_door.errors import ApiError
from front_door.http.http11 import BrokenResponseError, ResponseParser, dechunk
from front_door.sagemaker.connection import Origin

from tests.lambda_.sagemaker_double import HEAD, Reply, SageMakerDouble, chunk, plain_response, slices


@pytest.fixture
def origin(sagemaker: SageMakerDouble) -> Iterator[Origin]:
    made = Origin(sagemaker.url)
    yield made
    made.close()


def post(origin: Origin, body: bytes = b"{}", seconds: float = 10) -> bytes:
    answer = origin.send("/x", {}, body, time.time() + seconds)
    return b"".join([*answer.read_head(), *answer.read_body()])


def test_a_connection_is_reused_for_the_next_request(origin: Origin, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies += [
        plain_response(b"one"),
        Reply([HEAD, chunk(b"two"), b"0\r\n\r\n"]),
        plain_response(b""),
        plain_response(b"four"),
    ]
    assert [post(origin) for _ in range(4)] == [b"one", b"two", b"", b"four"]
    assert {request.connection for request in sagemaker.received} == {1}


def test_an_idle_connection_that_was_closed_is_replaced(origin: Origin, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies += [plain_response(b"one"), plain_response(b"two")]
    assert post(origin) == b"one"
    sagemaker.drop_connections()
    time.sleep(0.05)
    assert post(origin, b"") == b"two"
    assert [request.connection for request in sagemaker.received] == [1, 2]


def test_a_connection_that_was_idle_too_long_is_not_reused(
    origin: Origin, sagemaker: SageMakerDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    sagemaker.replies += [plain_response(b"one"), plain_response(b"two")]
    assert post(origin) == b"one"
    later = time.time() + 21
    monkeypatch.setattr(time, "time", lambda: later)
    answer = origin.send("/x", {}, b"", later + 10)
    assert b"".join([*answer.read_head(), *answer.read_body()]) == b"two"
    assert [request.connection for request in sagemaker.received] == [1, 2]


def test_a_request_that_was_received_is_never_sent_again(origin: Origin, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies += [plain_response(b"one"), Reply([], then="close"), plain_response(b"three")]
    assert post(origin) == b"one"
    with pytest.raises(BrokenResponseError):
        post(origin)
    assert len(sagemaker.received) == 2


@pytest.mark.parametrize("size", [65536, 65537, 6 * 2**20])
def test_a_body_of_any_size_arrives_whole(origin: Origin, sagemaker: SageMakerDouble, size: int) -> None:
    body = bytes(range(256)) * (size // 256 + 1)
    sagemaker.replies.append(plain_response(b"one"))
    assert post(origin, body[:size]) == b"one"
    assert sagemaker.received[0].body == body[:size]


class Recorder:
    """A socket that records what is sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def settimeout(self, seconds: float) -> None:
        assert 0 < seconds <= 10

    def sendall(self, data: bytes) -> None:
        self.sent.append(data)


def test_a_large_body_is_not_copied_and_a_small_one_is_sent_with_its_head(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder()
    monkeypatch.setattr(Origin, "_connect", lambda _origin, _deadline: recorder)
    large = bytes(65537)
    for body in (large, b"{}"):
        Origin("https://example.com").send("/x", {}, body, time.time() + 10)
    assert recorder.sent[1] is large
    assert [data[:4] for data in recorder.sent] == [b"POST", bytes(4), b"POST"]
    assert recorder.sent[2].endswith(b"\r\n\r\n{}")


def test_a_connection_whose_response_was_not_read_to_its_end_is_not_reused(
    origin: Origin, sagemaker: SageMakerDouble
) -> None:
    sagemaker.replies += [Reply([HEAD, chunk(b"one"), chunk(b"two"), b"0\r\n\r\n"]), plain_response(b"three")]
    answer = origin.send("/x", {}, b"", time.time() + 10)
    list(answer.read_head())
    parts = answer.read_body()
    next(parts)
    parts.close()  # type: ignore[attr-defined]
    assert post(origin) == b"three"
    assert [request.connection for request in sagemaker.received] == [1, 2]


def test_a_response_that_ends_with_the_connection_is_read_to_its_end(
    origin: Origin, sagemaker: SageMakerDouble
) -> None:
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
    sagemaker.replies += [Reply([head, b"on", b"e"], then="close"), plain_response(b"two")]
    assert post(origin) == b"one"
    assert post(origin) == b"two"


def test_a_refused_connection_is_an_error_before_anything_was_sent(sagemaker: SageMakerDouble) -> None:
    sagemaker.close()
    with pytest.raises(ApiError, match="cannot be reached") as failure:
        post(Origin(sagemaker.url))
    assert (failure.value.status, failure.value.retry_after) == (503, 2)
    assert failure.value.log_detail == "no connection: ConnectionRefusedError"


@pytest.mark.parametrize("pieces", [[], [HEAD], [HEAD, chunk(b"one")]])
def test_the_deadline_ends_every_wait(origin: Origin, sagemaker: SageMakerDouble, pieces: list[bytes]) -> None:
    sagemaker.replies.append(Reply([*pieces, lambda: time.sleep(5)]))
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        post(origin, seconds=0.1)
    assert time.monotonic() - started < 3


def test_a_slow_stream_does_not_outlive_the_deadline(origin: Origin, sagemaker: SageMakerDouble) -> None:
    trickle = [piece for _ in range(250) for piece in (chunk(b"x"), lambda: time.sleep(0.02))]
    sagemaker.replies.append(Reply([HEAD, *trickle]))
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        post(origin, seconds=0.2)
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("then", ["close", "reset"])
@pytest.mark.parametrize("pieces", [[HEAD, chunk(b"one")], [HEAD, b"5\r\non"], [plain_response(b"one").pieces[0][:-1]]])
def test_a_body_that_ends_early_is_an_error(
    origin: Origin, sagemaker: SageMakerDouble, pieces: list[bytes], then: str
) -> None:
    sagemaker.replies.append(Reply(list(pieces), then))
    with pytest.raises(ConnectionError):
        post(origin)


def test_chunks_are_parsed_wherever_they_are_cut() -> None:
    body = chunk(b"one") + b"A;name=value\r\n0123456789\r\n" + b"0\r\nTrailer: x\r\n\r\n"
    for cut in range(len(body)):
        first, rest, ended = dechunk(body[:cut])
        assert not ended
        second, rest, ended = dechunk(rest + body[cut:])
        assert (first + second, ended) == (b"one0123456789", True)


def chunked_parser() -> ResponseParser:
    parser = ResponseParser()
    parser.feed_head(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    return parser


@pytest.mark.parametrize("size", [1, 7, 1000, 4097, 100_000])
def test_large_chunks_are_parsed_wherever_they_are_cut(size: int) -> None:
    contents = [bytes([at % 251]) * length for at, length in enumerate((1, 4090, 5000, 9999, 3, 60_000))]
    parser, received = chunked_parser(), []
    for piece in slices(b"".join(map(chunk, contents)) + b"0\r\n\r\n", size):
        received.append(parser.feed(piece))
        assert len(parser.rest) <= 4096 + size
    assert (b"".join(received), parser.is_complete, parser.rest) == (b"".join(contents), True, b"")


@pytest.mark.parametrize("end", [b"XY", b"\rX", b"\n\n", b"X"])
@pytest.mark.parametrize("size", [1, 2, 6000])
def test_a_large_chunk_must_have_its_end(end: bytes, size: int) -> None:
    pieces = [b"1388\r\n" + b"x" * 4990, *slices(b"x" * 10 + end, size)]
    with pytest.raises(BrokenResponseError, match="a chunk without its end"):
        list(map(chunked_parser().feed, pieces))


def test_a_large_chunk_in_many_slices_takes_linear_time() -> None:
    parser, content = chunked_parser(), bytes(20_000_000)
    started = time.process_time()
    assert b"".join(map(parser.feed, slices(chunk(content), 1000))) == content
    assert time.process_time() - started < 1


@pytest.mark.parametrize("line", [b"hello", b"", b"-5"])
def test_malformed_chunks_are_rejected(line: bytes) -> None:
    with pytest.raises(BrokenResponseError, match="not a chunk"):
        dechunk(line + b"\r\n")
