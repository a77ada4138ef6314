"""Complete events from slices that are cut anywhere."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from front_door.errors import ApiError
from front_door.http.sse import SseReader, event_data, event_objects
from hypothesis import given
from hypothesis import strategies as st

from tests.lambda_.sagemaker_double import slices

STREAM = 'data: {"a":"é🧸"}\n\n:\n\ndata: {"b":"\\n\\n"}\n\ndata: [DONE]\n\n'.encode()


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
        for piece in (b"data: 1\n\nda", b"ta: 2\n", b"\ndata: 3"):
            seen.append("read")
            yield piece

    events = iter(SseReader(source()))
    assert next(events) == b"data: 1\n\n"
    assert seen == ["read"]
    assert next(events) == b"data: 2\n\n"
    assert seen == ["read"] * 3
    with pytest.raises(ApiError, match="Incomplete generation stream"):
        next(events)


def test_events_may_end_with_crlf() -> None:
    stream = b"data: 1\r\n\r\ndata: 2\r\n\r\n"
    for size in range(1, len(stream)):
        passed = list(SseReader(slices(stream, size)))
        assert b"".join(passed) == stream
        assert len(passed) <= 2
    assert event_data(stream) == [b"1", b"2"]


def test_a_large_event_in_many_slices_takes_linear_time() -> None:
    event = b"data: " + b"x" * 6_000_000 + b"\n\n"
    assert list(SseReader(slices(event, 1000))) == [event]


def test_the_last_event_is_kept() -> None:
    events = SseReader([b"data: 1\n\n", b"data: 2\n\ndata: 3\n\n", b"data: [DONE]\n\n"])
    list(events)
    assert event_data(events.last_event)[-2:] == [b"3", b"[DONE]"]


def test_the_space_after_the_colon_is_optional_and_lines_are_joined() -> None:
    assert event_data(b'data:{"a":1}\n\nevent: x\ndata: 1\ndata: 2\n\n: comment\n\n') == [b'{"a":1}', b"1\n2"]


def test_an_event_that_is_not_a_json_object_is_an_upstream_error() -> None:
    for data in (b"data: nonsense\n\n", b"data: [1]\n\n", b"data: \xff\n\n"):
        with pytest.raises(ApiError, match="an event that is not JSON") as failure:
            event_objects(data)
        assert failure.value.status == 502
