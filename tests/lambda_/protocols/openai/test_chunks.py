"""Events with nothing but text are translated without parsing them, to the same bytes."""

from typing import Any

import pytest
from front_door.engines.tgi.events import ChatChoice, CompletionChoice
from front_door.generation.choice import Choice
from front_door.generation.request import GenerationRequest
from front_door.protocols.openai.chat import ChatChunks
from front_door.protocols.openai.chunks import Chunks
from front_door.protocols.openai.completions import CompletionChunks
from hypothesis import given
from hypothesis import strategies as st

from tests.lambda_.protocols.openai.events import DONE, HEAD, completion_text, error, sse, text, tool, used

HEAD_OF_CHUNKS = {"id": "1", "object": "chunk", "created": 1, "model": "llama"}


def chat(choice_type: type[Choice] = ChatChoice, **request: Any) -> Chunks:
    wanted = GenerationRequest(messages=[], stream=True, **request)
    return ChatChunks(choice_type(wanted, 100), wanted, 0, HEAD_OF_CHUNKS)


def completion(choice_type: type[Choice] = CompletionChoice) -> Chunks:
    wanted = GenerationRequest(prompts=["Hi"], stream=True)
    return CompletionChunks(choice_type(wanted, 100), wanted, 0, HEAD_OF_CHUNKS)


class ParsedChat(ChatChoice):
    """A choice of which every event is parsed."""

    text_frame = None


class ParsedCompletion(CompletionChoice):
    """A choice of which every event is parsed."""

    text_frame = None


def at_second(content: str, second: int) -> bytes:
    """A token of a chat, written in this second."""
    choice = {"index": 0, "delta": {"role": "assistant", "content": content}, "logprobs": None, "finish_reason": None}
    return sse({**HEAD, "created": second, "choices": [choice], "usage": None})


def translate(chunks: Chunks, parts: list[bytes]) -> bytes:
    return b"".join(chunks.translate(part) for part in parts)


# An empty text has a chunk in a known frame only.
TOKENS = st.one_of(
    st.text(min_size=1, max_size=8), st.sampled_from(['"},"', "\\", '\\"', "\n\n", "data: ", '"content":"', "\x00"])
)
EVENTS = st.one_of(
    st.builds(at_second, TOKENS, st.integers(1, 3)),
    st.sampled_from([b":\n\n", text("logged", None, {"content": [{"token": "logged", "logprob": -1.0}]})]),
)


@st.composite
def slices(draw: st.DrawFn, events: st.SearchStrategy[bytes]) -> list[bytes]:
    """Events in slices of one or more, as they arrive together under load."""
    arrived = draw(st.lists(st.lists(events, min_size=1, max_size=6), max_size=6))
    return [b"".join(each) for each in arrived]


@given(slices(EVENTS))
def test_a_chat_has_the_bytes_that_parsing_each_event_would_give(parts: list[bytes]) -> None:
    parts = [*parts, used(), DONE]
    assert translate(chat(), parts) == translate(chat(ParsedChat), parts)


@given(slices(st.builds(completion_text, TOKENS)))
def test_so_has_a_completion(parts: list[bytes]) -> None:
    parts = [*parts, completion_text("</s>", "eos_token"), DONE]
    assert translate(completion(), parts) == translate(completion(ParsedCompletion), parts)


def test_events_in_the_frame_of_the_first_are_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    chunks = chat()
    first = chunks.translate(text("Un"))
    monkeypatch.setattr(chunks.choice, "read", None)
    assert chunks.translate(text(" été") + text(" 🧸")).count(b"data: ") == 2
    assert first.count(b"data: ") == 1


def test_a_new_second_in_the_frame_is_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    chunks = chat()
    translate(chunks, [at_second("a", 1), at_second("b", 1) + at_second("c", 2)])
    monkeypatch.setattr(chunks.choice, "read", None)
    assert b'"content":"d"' in chunks.translate(at_second("d", 2))


def test_nothing_follows_the_end_or_an_error() -> None:
    ended = chat()
    assert translate(ended, [text("a"), used(), DONE]) != b""
    assert ended.translate(text("b")) == b""
    failed = chat()
    translate(failed, [text("a"), error("broken")])
    assert failed.translate(text("b")) == b""


def test_a_part_of_a_tool_call_has_no_frame() -> None:
    chunks = chat(tools=[{"type": "function", "function": {"name": "now"}}], allowed_tools=["now"])
    out = translate(chunks, [text("a"), tool("", "now"), tool("{}") + text("b")])
    assert out.count(b'"tool_calls"') == 2
