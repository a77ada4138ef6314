"""Texts are taken out of events without parsing them only where that says the same."""

import json

from front_door.generation.events import TextFrame
from front_door.generation.frames import TextFrames
from hypothesis import given
from hypothesis import strategies as st

KNOWN = TextFrame(b'"content":"', b'"')


def event(text: str, *, ascii_only: bool = False, **members: object) -> bytes:
    chunk = {"id": "a", "choices": [{"delta": {"content": text, **members}, "finish_reason": None}]}
    return b"data: " + json.dumps(chunk, ensure_ascii=ascii_only, separators=(",", ":")).encode() + b"\n\n"


def learned() -> TextFrames:
    frames = TextFrames(KNOWN)
    assert frames.learn(event("one"))
    return frames


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1), st.booleans())
def test_the_texts_are_those_of_the_events(texts: list[str], ascii_only: bool) -> None:
    found = learned().texts(b"".join(event(text, ascii_only=ascii_only) for text in texts))
    assert found is not None
    assert [json.loads(b'"' + text + b'"') for text in found] == texts


def test_an_event_with_anything_else_is_parsed() -> None:
    frames = learned()
    others = (
        event("x", reasoning="y"),
        event("x").replace(b'"a"', b'"b"'),
        event("x").replace(b"null", b'"stop"'),
        event("x").replace(b"x", b"\xff"),
        b": comment\n\n",
        b"data: [DONE]\n\n",
    )
    for other in others:
        assert frames.texts(other) is None
        assert frames.texts(event("before") + other) is None


def test_a_member_behind_the_text_is_not_a_part_of_it() -> None:
    frames = TextFrames(KNOWN)
    frames.learn(event("one", name="n"))
    assert frames.texts(event("two", name="n")) == [b"two"]
    assert frames.texts(event("two", reasoning="three", name="n")) is None


def test_nothing_is_learned_from_a_text_with_escapes_or_of_an_unknown_engine() -> None:
    frames = TextFrames(KNOWN)
    assert not frames.learn(event('say "hi"'))
    assert frames.texts(event("one")) is None
    assert not TextFrames(None).learn(event("one"))


def test_what_is_forgotten_is_parsed_again() -> None:
    frames = learned()
    frames.forget()
    assert frames.texts(event("one")) is None
