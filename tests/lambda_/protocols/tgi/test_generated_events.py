"""The events of TGI's own routes: what is no token never reaches a client, and nothing behind the end does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from front_door.engines.tgi.errors import stream_error
from front_door.errors import ApiError
from front_door.protocols.tgi.routes import GeneratedEvents

TOKEN = b'data: {"index":1,"token":{"id":5,"text":" a","logprob":-0.5,"special":false},"generated_text":null}\n\n'
LAST = TOKEN.replace(b'"generated_text":null', b'"generated_text":" a a","details":null')
ERROR = b'data: {"error":"Request failed during generation: x","error_type":"generation"}\n\n'


class Source:
    """Complete events in these slices, or the slices of a body that is no stream."""

    def __init__(self, *parts: bytes, is_event_stream: bool = True) -> None:
        self._parts = iter(parts)
        self.is_event_stream = is_event_stream
        self.last_event = b""

    def __iter__(self) -> Iterator[bytes]:
        return self._parts

    @property
    def rest(self) -> list[bytes]:
        return list(self._parts)


def read(source: Source) -> tuple[list[bytes], ApiError | None]:
    """What is passed on, and the error after it."""
    passed_on: list[bytes] = []
    try:
        passed_on += GeneratedEvents(source, stream_error)
    except ApiError as error:
        return passed_on, error
    return passed_on, None


@pytest.mark.parametrize("ending", [LAST, ERROR])
def test_events_are_passed_on_byte_for_byte_up_to_their_end(ending: bytes) -> None:
    crlf = TOKEN.replace(b"\n", b"\r\n")
    parts = [b"", TOKEN, b": ping\n\n" + TOKEN + crlf, ending]
    assert read(Source(*parts)) == (parts, None)
    assert read(Source(*parts[:-1], ending + TOKEN, TOKEN)) == (parts, None)


def test_of_what_follows_the_end_one_slice_is_read() -> None:
    source = Source(TOKEN, LAST, b"", TOKEN, TOKEN)
    assert read(source) == ([TOKEN, LAST], None)
    assert source.rest == [TOKEN, TOKEN]


def with_token(**members: Any) -> bytes:
    return json.dumps({"token": {"id": 5, "text": "a", "logprob": -0.5, **members}, "generated_text": None}).encode()


@pytest.mark.parametrize(
    "data",
    [
        b'{"token":<html>}',
        b'{"trace":"Traceback"}',
        b"{}",
        b"[DONE]",
        b'{"token":["a"]}',
        with_token(text=None),
        with_token(id="a"),
        with_token(logprob="a"),
        with_token(logprob=float("nan")),
        b'{"token":{"id":5,"text":"a"},"generated_text":7}',
        b'{"token":{"id":5,"text":"a"},"details":"a"}',
        b'{"token":{"id":5,"text":"\xff"}}',
        b'{"token":{"id":5,"text":"\\ud800"}}',
        b'{"token":{"id":5,"text":"a"},"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_an_event_of_another_form_is_an_error_behind_those_before_it(data: bytes) -> None:
    passed_on, error = read(Source(TOKEN, TOKEN + b"data: " + data + b"\n\n" + TOKEN, TOKEN))
    assert passed_on == [TOKEN, TOKEN]
    assert error is not None
    assert (error.kind, error.message) == ("upstream", "The model's response is not a generation.")


def test_an_error_with_more_than_tgi_writes_is_written_anew() -> None:
    more = ERROR.replace(b"}", b',"traceback":"secret"}')
    passed_on, error = read(Source(TOKEN, more))
    assert passed_on == [TOKEN]
    assert error is not None
    assert (error.kind, error.message) == ("generation", "Request failed during generation: x")


def test_a_body_that_is_no_stream_is_passed_on_unchanged() -> None:
    parts = [b'[{"generated_text"', b':"x"}]']
    assert read(Source(*parts, is_event_stream=False)) == (parts, None)
