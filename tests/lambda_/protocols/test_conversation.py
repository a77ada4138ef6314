"""The events of a container become those of another protocol, and problems of a chat those of its request."""

from __future__ import annotations

import json
from typing import Any

import pytest
from front_door.errors import ApiError
from front_door.generation.events import Delta, TextFrame
from front_door.generation.frames import TextFrames
from front_door.generation.request import Problems
from front_door.protocols.conversation import _RenamedProblems, _Translation

DONE = b"data: [DONE]\n\n"


def event(text: str) -> bytes:
    return b'data: {"content":' + json.dumps(text).encode() + b"}\n\n"


class Answer:
    """Reads events with `content`; `error` makes it fail."""

    def __init__(self) -> None:
        self.frames = TextFrames(TextFrame(b'"content":"', b'"'))
        self.is_done = False
        self.error: ApiError | None = None
        self.parsed = 0

    @property
    def state(self) -> Answer:
        return self

    def read(self, events: bytes) -> list[Delta]:
        self.parsed += 1
        data = events.removeprefix(b"data: ").strip()
        if data == b"[DONE]":
            self.is_done = True
            return []
        if b"error" in data:
            self.error = ApiError("upstream", "It failed.")
            return []
        return [Delta(json.loads(data)["content"])] if data.startswith(b"{") else []


class Writer:
    """Writes an answer in words."""

    def begin(self) -> bytes:
        return b"begin "

    def write(self, delta: Delta) -> bytes:
        return delta.text.encode() + b" "

    def write_texts(self, texts: list[bytes]) -> bytes:
        return b"".join(text + b" " for text in texts)

    def end(self) -> bytes:
        return b"end"


def translate(*parts: bytes) -> tuple[bytes, Answer]:
    answer: Any = Answer()
    writer: Any = Writer()
    translation = _Translation(answer, writer)
    return b"".join(map(translation.translate, parts)), answer


def test_it_begins_once_and_ends_once() -> None:
    assert translate(event("a"), event("b") + event("c"), DONE + DONE + event("d"))[0] == b"begin a b c end"


def test_events_that_have_nothing_but_text_are_parsed_once() -> None:
    out, answer = translate(event("a"), *[event("b") + event("c")] * 5, event("d") + DONE)
    assert out == b"begin a " + b"b c " * 5 + b"d end"
    assert answer.parsed == 2


def test_what_comes_before_an_error_is_sent_and_then_it_is_raised() -> None:
    answer: Any = Answer()
    writer: Any = Writer()
    translation = _Translation(answer, writer)
    assert translation.translate(event("a") + b"data: error\n\n" + event("b")) == b"begin a "
    with pytest.raises(ApiError, match="It failed"):
        translation.translate(event("c"))


NAMES = {"messages[0]": "instructions", "messages[1]": "input[0]", "n": "count", "response_format": "text.format"}


@pytest.mark.parametrize(
    ("param", "sentence", "renamed", "said"),
    [
        ("messages[1].content[0]", "messages[1].content[0]: no", "input[0].content[0]", "input[0].content[0]: no"),
        ("messages[10]", "messages[10]: no", "messages[10]", "messages[10]: no"),
        ("n", "n (9) is not one", "count", "count (9) is not one"),
        ("response_format.schema", "response_format.schema: no", "text.format.schema", "text.format.schema: no"),
        ("temperature", "temperature: no", "temperature", "temperature: no"),
    ],
)
def test_a_problem_names_the_member_of_the_clients_request(param: str, sentence: str, renamed: str, said: str) -> None:
    found = Problems()
    problems = _RenamedProblems(found, NAMES)
    problems.add(param, sentence)
    assert problems.is_about(param)
    with pytest.raises(ApiError) as caught:
        problems.raise_if_any()
    assert (caught.value.param, caught.value.message) == (renamed, said)


def test_what_the_protocol_has_found_is_reported_too() -> None:
    found = Problems()
    found.add("input", "input: missing")
    with pytest.raises(ApiError, match="input: missing"):
        _RenamedProblems(found, NAMES).raise_if_any()
