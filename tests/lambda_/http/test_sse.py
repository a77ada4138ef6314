"""Complete events from slices that are cut anywhere."""

import time
from collections.abc import Iterator
from itertools import pairwise

import pytest
from front_door.errors import ApiError
from front_door.http.sse import MAX_EVENT_BYTES, SseReader, event_data, event_objects
from hypothesis import given
from hypothesis import strategies as st

from tests.lambda_.sagemaker_double import slices

STREAM = 'data: {"a":"é🧸"}\n\n:\n\ndata: {"b":"\\n\\n"}\n\ndata: [DONE]\n\n'.encode()
ONE, TWO = b'data: {"at":1}\n\n', b'data: {"at":2}\n\n'


def test_only_complete_events_are_yielded_wherever_the_slices_are_cut() -> None:
    for size in range(1, len(STREAM) + 1):
        passed = list(SseReader(slices(STREAM, size)))
        assert b"".join(passed) == STREAM
        assert all(events.endswith(b"\n\n") for events in passed)


@given(st.lists(st.integers(0, len(STREAM)), max_size=6))
def test_slices_of_uneven_size_are_joined(cuts: list[int]) -> None:
    edges = sorted({0, *cuts, len(STREAM)})
    pieces = [STREAM[start:end] for start, end in pairwise(edges)]
    assert b"".join(SseReader(pieces)) == STREAM


def test_an_event_is_yielded_as_soon_as_it_is_complete() -> None:
    seen: list[str] = []

    def source() -> Iterator[bytes]:
        for piece in (ONE + b"da", TWO[2:-1], b"\ndata: {"):
            seen.append("read")
            yield piece

    events = iter(SseReader(source()))
    assert next(events) == ONE
    assert seen == ["read"]
    assert next(events) == TWO
    assert seen == ["read"] * 3
    with pytest.raises(ApiError, match="Incomplete generation stream"):
        next(events)


def test_events_may_end_with_crlf() -> None:
    stream = (ONE + TWO).replace(b"\n", b"\r\n")
    for size in range(1, len(stream)):
        passed = list(SseReader(slices(stream, size)))
        assert b"".join(passed) == stream
        assert len(passed) <= 2
    assert event_data(stream) == [b'{"at":1}', b'{"at":2}']


def test_a_large_event_in_many_slices_takes_linear_time() -> None:
    event = b'data: {"' + b"x" * (MAX_EVENT_BYTES - 8) + b"\n\n"
    started = time.process_time()
    assert list(SseReader(slices(event, 1000))) == [event]
    assert time.process_time() - started < 1


@pytest.mark.parametrize("more", [0, 12_000_000])
@pytest.mark.parametrize("size", [1000, 65536, 100_000_000])
@pytest.mark.parametrize("before", [b"", ONE])
def test_a_larger_event_ends_the_stream(more: int, size: int, before: bytes) -> None:
    event = b'data: {"' + b"x" * (MAX_EVENT_BYTES - 7 + more) + b"\n\n"
    read = 0

    def source() -> Iterator[bytes]:
        nonlocal read
        for piece in (before, *slices(event, size)):
            read += len(piece)
            yield piece

    events = (part for part in SseReader(source()) if part)
    assert not before or next(events) == before
    with pytest.raises(ApiError, match="The model sent an event of more than 8388608 bytes") as failure:
        next(events)
    assert (failure.value.kind, failure.value.status) == ("upstream_event_too_large", 502)
    assert read <= len(before) + max(size, MAX_EVENT_BYTES + size + 8)


def test_a_large_event_among_others_ends_the_stream() -> None:
    event = b'data: {"' + b"x" * (MAX_EVENT_BYTES - 7) + b"\n\n"
    reader = iter(SseReader([ONE + event + TWO]))
    assert next(reader) == ONE
    with pytest.raises(ApiError, match="more than 8388608 bytes"):
        next(reader)
    several = ONE + b'data: {"' + b"x" * (MAX_EVENT_BYTES - 8) + b"\n\n" + TWO
    assert list(SseReader([several])) == [several]


def test_a_body_that_is_no_event_stream_is_limited_too() -> None:
    body = SseReader([b"x"] + [b"y" * 1_000_000] * 9, is_event_stream=lambda: False)
    with pytest.raises(ApiError, match="more than 8388608 bytes"):
        list(body)


NO_EVENTS = {
    "HTML": b"<html>\n\n<body>502 Bad Gateway</body></html>",
    "HTML with a colon": b"<html lang='a:b'>x</html>\n\n",
    "a traceback": b'Traceback (most recent call last):\n  File "x.py", line 1\n\nRuntimeError: out of memory\n',
    "text": b"Internal Server Error",
    "an object": b'{"detail":"Internal: error"}',
}


@pytest.mark.parametrize("name", NO_EVENTS)
@pytest.mark.parametrize("end", [b"", b"\n\n", b"\r\n\r\n"])
def test_what_is_no_event_is_never_yielded(name: str, end: bytes) -> None:
    for before in (b"", ONE, ONE[:-1]):  # the last one makes it a line of the event
        for size in (1, 7, 1000):
            yielded = []
            with pytest.raises(ApiError, match="not an event stream") as failure:
                yielded += SseReader(slices(before + NO_EVENTS[name] + end, size))
            assert failure.value.kind == "upstream"
            assert yielded in ([], [ONE])


def test_the_events_before_what_is_no_event_are_yielded_even_if_they_arrive_together() -> None:
    for end in (b"\n\n", b"\r\n\r\n"):
        events = iter(SseReader([ONE + TWO + b"<html>" + end + ONE]))
        assert next(events) == ONE + TWO
        with pytest.raises(ApiError, match="not an event stream"):
            next(events)


def test_the_log_gets_the_kind_and_the_size_of_what_is_no_event() -> None:
    for content, detail in {
        b"<html>secret</html>\n\n": "no events: HTML, 19 bytes",
        b"secret\n\n": "no events: not JSON, 6 bytes",
        b'{"secret":1}': "no events: JSON of another form, 12 bytes",
        b"data: secret\n\n": "an event: not JSON, 6 bytes",
        b"data: [1]\n\n": "an event: JSON of another form, 3 bytes",
    }.items():
        with pytest.raises(ApiError) as failure:
            list(SseReader([content]))
        assert failure.value.log_detail == detail


@pytest.mark.parametrize(
    "events",
    [
        b":\n\n",
        b": keep: alive\n\n",
        b"event: x\nid: 1\nretry: 5\ndata: {}\n\n",
        b'data: {"a":1}\ndata: ,"b":2}\n\n',
        b"\n\n",
        b"data:[DONE]\n\n",
    ],
)
def test_every_field_of_an_event_is_passed_on(events: bytes) -> None:
    for size in (1, 1000):
        assert b"".join(SseReader(slices(events, size))) == events


def test_the_last_event_is_kept() -> None:
    events = SseReader([ONE, ONE + TWO, b"data: [DONE]\n\n"])
    list(events)
    assert event_data(events.last_event)[-2:] == [b'{"at":2}', b"[DONE]"]


def test_the_space_after_the_colon_is_optional_and_lines_are_joined() -> None:
    assert event_data(b'data:{"a":1}\n\nevent: x\ndata: 1\ndata: 2\n\n: comment\n\n') == [b'{"a":1}', b"1\n2"]


def test_an_event_that_is_not_a_json_object_is_an_upstream_error() -> None:
    for data in (b"data: nonsense\n\n", b"data: [1]\n\n", b"data: \xff\n\n"):
        with pytest.raises(ApiError, match="an event that is not JSON") as failure:
            event_objects(data)
        assert failure.value.status == 502
