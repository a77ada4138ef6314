"""What the client gets of a stream does not depend on which of its events arrive together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import combinations, pairwise

import pytest
from front_door.engines.openai.engine import OpenAiEngine
from front_door.errors import ApiError
from front_door.generation.request import FinalAnswer
from front_door.protocols.openai.relay import Progress, Relay, UntilDone

from tests.lambda_.protocols.openai.events import DONE, sse
from tests.lambda_.protocols.openai.natives import ANSWER, NAME, chat_chunk, renamed, usage_chunk

COMMENT = b": keep-alive\n\n"
BOTH = sse({"model": NAME, "choices": [{"index": at, "delta": {}, "finish_reason": None} for at in (0, 1)]})
PROMPT = sse({"model": NAME, "choices": [], "prompt_filter_results": []})
ERROR = sse({"error": {"message": "EngineCore encountered an issue.", "code": 500}})


def call(arguments: str, **function: str) -> bytes:
    return chat_chunk({"tool_calls": [{"index": 0, "function": {**function, "arguments": arguments}}]})


def content(text: str, finish_reason: str | None = None) -> bytes:
    return chat_chunk({"content": text}, finish_reason)


NAMELESS = ANSWER[0].replace(f'"model":"{NAME}",'.encode(), b"")
STREAMS = {
    "answer": (ANSWER, [*ANSWER[:3], DONE]),
    "two choices": (
        [ANSWER[0], BOTH, usage_chunk(), chat_chunk({}, "stop"), DONE],
        [ANSWER[0], BOTH, chat_chunk({}, "stop"), DONE],
    ),
    "comments": ([COMMENT, ANSWER[0], COMMENT, *ANSWER[1:]], [COMMENT, ANSWER[0], COMMENT, *ANSWER[1:3], DONE]),
    "something about the prompt": ([PROMPT, *ANSWER], [PROMPT, *ANSWER[:3], DONE]),
    "a name that comes late": ([NAMELESS, *ANSWER[1:]], [NAMELESS, *ANSWER[1:3], DONE]),
    "no name": ([NAMELESS, NAMELESS, chat_chunk({}, "stop")], [NAMELESS, NAMELESS, chat_chunk({}, "stop")]),
    "error": ([*ANSWER[:2], ERROR, DONE], ANSWER[:2]),
    "no JSON": ([*ANSWER[:2], b'data: {"choices":<html>\n\n', *ANSWER[2:]], ANSWER[:2]),
    "invalid UTF-8": ([*ANSWER[:2], ANSWER[1].replace(b'"content":"', b'"content":"\xff'), *ANSWER[2:]], ANSWER[:2]),
    "more behind an error": ([*ANSWER[:2], ERROR, *ANSWER[:2]], ANSWER[:2]),
}


def relay(parts: list[bytes], answer: FinalAnswer | None = None) -> bytes:
    relayed = Relay(Progress(OpenAiEngine(), None, answer), "llama", keeps_usage=False)
    passed_on: list[bytes] = []
    with suppress(ApiError):  # behind an error
        passed_on += map(relayed.translate, parts)
    return b"".join(passed_on)


def groupings(events: list[bytes]) -> list[list[bytes]]:
    """The events in parts, in every way in which they can arrive together."""
    at = range(1, len(events))
    cuts = [(0, *between, len(events)) for count in range(len(events)) for between in combinations(at, count)]
    return [[b"".join(events[a:b]) for a, b in pairwise(cut)] for cut in cuts]


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize(("events", "expected"), STREAMS.values(), ids=STREAMS)
def test_parts_of_any_number_of_events_give_the_same(
    events: list[bytes], expected: list[bytes], line_end: bytes
) -> None:
    for parts in groupings([event.replace(b"\n", line_end) for event in events]):
        assert relay(parts) == renamed(expected), parts


def test_the_call_that_is_the_answer_is_content_in_each_chunk() -> None:
    final = FinalAnswer("final_answer", "response_format", is_wrapped=False)
    events = [ANSWER[0], call('{"a"', name="final_answer"), call(":1}"), chat_chunk({}, "tool_calls"), DONE]
    expected = [ANSWER[0], content('{"a"'), content(":1}"), chat_chunk({}, "stop"), DONE]
    for parts in groupings(events):
        assert relay(parts, final) == renamed(expected), parts


def test_each_choice_has_a_call_of_its_own() -> None:
    final = FinalAnswer("final_answer", "response_format", is_wrapped=False)
    calls = [[{"index": 0, "function": {"name": name, "arguments": "{}"}}] for name in ("final_answer", "weather")]
    first, second = (chat_chunk({"tool_calls": call}, index=at) for at, call in enumerate(calls))
    more = [chat_chunk({"tool_calls": [{"index": 0, "function": {"arguments": "!"}}]}, index=at) for at in (0, 1)]
    expected = [content("{}"), second, content("!"), more[1]]
    assert relay([first, second, *more], final) == renamed(expected)


def test_a_call_beside_that_of_the_answer_stays_a_call() -> None:
    final = FinalAnswer("final_answer", "response_format", is_wrapped=False)
    answer, other = (
        {"index": at, "function": {"name": name, "arguments": "{}"}} for at, name in enumerate(("final_answer", "now"))
    )
    expected = chat_chunk({"content": "{}", "tool_calls": [other]})
    assert relay([chat_chunk({"tool_calls": [answer, other]})], final) == renamed([expected])


class Source:
    """The parts of a stream."""

    def __init__(self, parts: list[bytes], *, is_event_stream: bool = True) -> None:
        self._parts = iter(parts)
        self.is_event_stream, self.last_event = is_event_stream, b""

    def __iter__(self) -> Iterator[bytes]:
        return self._parts


def test_nothing_behind_the_end_of_a_stream_is_read_but_one_part() -> None:
    quoted = content("data: [DONE]")
    parts = [*ANSWER[:2], b"", quoted, DONE + ANSWER[1], b"", ANSWER[1], ANSWER[1]]
    source = Source(parts)
    assert list(UntilDone(source)) == [*ANSWER[:2], b"", quoted, DONE]
    assert list(source) == [ANSWER[1], ANSWER[1]]
    crlf = DONE.replace(b"\n", b"\r\n")
    assert list(UntilDone(Source([ANSWER[0] + crlf + ANSWER[1]]))) == [ANSWER[0] + crlf]


def test_a_body_that_is_no_stream_is_passed_on_unchanged() -> None:
    parts = [b'{"a":"\ndata: [DONE]\n\n', b'"}']
    assert list(UntilDone(Source(parts, is_event_stream=False))) == parts
