"""The events of TGI's own routes: what is no token never reaches a client, and nothing behind the end does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from front_door.engines.tgi.errors import stream_error
from front_door.errors import ApiError
from front_door.protocols.tgi.routes import GeneratedEvents
from hypothesis import given
from hypothesis import strategies as st

TOKEN = b'data: {"index":1,"token":{"id":5,"text":" a","logprob":-0.5,"special":false},"generated_text":null}\n\n'
AS_TGI_WRITES = TOKEN.replace(b"data: ", b"data:").replace(b"null}", b'null,"details":null}')
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
@pytest.mark.parametrize("token", [TOKEN, AS_TGI_WRITES])
def test_an_event_of_another_form_is_an_error_behind_those_before_it(token: bytes, data: bytes) -> None:
    passed_on, error = read(Source(token, token + b"data: " + data + b"\n\n" + token, token))
    assert passed_on == [token, token]
    assert error is not None
    assert (error.kind, error.message) == ("upstream", "The model's response is not a generation.")


@given(st.data())
def test_tokens_as_tgi_writes_them_are_not_parsed_and_all_others_are_judged_as_if_they_were(
    data: st.DataObject,
) -> None:
    token = AS_TGI_WRITES.replace(b" a", data.draw(st.text(max_size=3)).encode("utf-8", "surrogatepass"))
    events = bytearray(AS_TGI_WRITES * 2 + token + AS_TGI_WRITES)
    for _ in range(data.draw(st.integers(0, 2))):
        events[data.draw(st.integers(0, len(events) - 3))] = data.draw(st.integers(0, 255))
    read_events = [GeneratedEvents(Source(), stream_error) for _ in range(2)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(read_events[1], "_skip_tokens", lambda _events: 0)
        (quick, quick_error), (parsed, parsed_error) = (each.read(bytes(events)) for each in read_events)
    assert (quick, quick_error and quick_error.kind) == (parsed, parsed_error and parsed_error.kind)
    assert bool(read_events[0].last) == bool(read_events[1].last)


def test_an_error_with_more_than_tgi_writes_is_written_anew() -> None:
    more = ERROR.replace(b"}", b',"traceback":"secret"}')
    passed_on, error = read(Source(TOKEN, more))
    assert passed_on == [TOKEN]
    assert error is not None
    assert (error.kind, error.message) == ("generation", "Request failed during generation: x")


def test_a_body_that_is_no_stream_is_passed_on_unchanged() -> None:
    parts = [b'[{"generated_text"', b':"x"}]']
    assert read(Source(*parts, is_event_stream=False)) == (parts, None)
