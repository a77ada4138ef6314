"""What the chunks of servers that speak OpenAI's protocol add to an answer."""

from __future__ import annotations

from typing import Any

import pytest
from front_door.engines.openai.vllm import VllmEngine
from front_door.errors import ApiError
from front_door.generation.events import Delta
from front_door.protocols.openai.deltas import ChatDeltas
from front_door.protocols.openai.relay import Progress


def chunk(choice: dict[str, Any] | None = None, **delta: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": None, **(choice or {})}]}


def call(index: int, arguments: str, name: str | None = None, id: str | None = None) -> dict[str, Any]:
    return chunk(tool_calls=[{"index": index, "id": id, "function": {"name": name, "arguments": arguments}}])


def progress() -> Progress:
    return Progress(VllmEngine(), None, None)


def read(*chunks: dict[str, Any]) -> list[Delta]:
    reader = ChatDeltas("r1", progress())
    return [delta for each in chunks for delta in reader.read(each)]


def test_texts_and_thoughts_are_told_apart() -> None:
    assert read(
        chunk(role="assistant", content=""), chunk(reasoning="Hm"), chunk(reasoning_content="m"), chunk(content="Hi")
    ) == [
        Delta(reasoning="Hm"),
        Delta(reasoning="m"),
        Delta("Hi"),
    ]


def test_log_probabilities_come_with_their_text() -> None:
    entries = [{"token": "Hi", "logprob": -0.5, "bytes": [72, 105], "top_logprobs": []}]
    assert read(chunk({"logprobs": {"content": entries}}, content="Hi")) == [Delta("Hi", tuple(entries))]


def test_the_parts_of_several_calls_follow_each_other() -> None:
    assert read(
        call(0, "", "add", "call_a"), call(0, '{"a":'), call(0, "1}", "add"), call(1, "{}", "now", "call_b")
    ) == [
        Delta(tool_name="add", call_id="call_a", arguments=""),
        Delta(arguments='{"a":'),
        Delta(arguments="1}"),
        Delta(tool_name="now", call_id="call_b", arguments="{}"),
    ]


def test_a_call_without_an_id_gets_one() -> None:
    first, second = read(call(0, "{}", "add"), call(1, "{}", "add"))
    assert (first.call_id, second.call_id) == ("call_r1_1", "call_r1_2")


@pytest.mark.parametrize("late", [call(0, "}"), call(2, "}")], ids=["of another call", "without a name"])
def test_mixed_parts_of_calls_are_an_error(late: dict[str, Any]) -> None:
    with pytest.raises(ApiError, match="mixed the parts of several tool calls"):
        read(call(0, "{", "add", "a"), call(1, "{}", "add", "b"), late)


def test_a_response_that_is_not_streamed_is_read_as_one_chunk() -> None:
    message = {"content": None, "tool_calls": [{"id": "a", "function": {"name": "add", "arguments": "{}"}}] * 2}
    whole = {"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}
    assert [delta.tool_name for delta in read(whole)] == ["add", "add"]


@pytest.mark.parametrize(("name", "engine"), [("stop_reason", "vLLM"), ("matched_stop", "SGLang")])
def test_the_stop_sequence_is_that_of_the_server(name: str, engine: str) -> None:
    known = progress()
    ChatDeltas("r1", known).read(chunk({name: 128009, "finish_reason": "stop"}))
    assert known.stop_sequence is None
    ChatDeltas("r1", known).read(chunk({name: "END", "finish_reason": "stop"}))
    assert known.stop_sequence == "END"


@pytest.mark.parametrize(
    "wrong",
    [
        chunk(content=[1]),
        chunk(reasoning={}),
        chunk(tool_calls=[{"function": {"name": 1}}]),
        chunk({"logprobs": {"content": [{}]}}),
    ],
    ids=str,
)
def test_what_is_no_chunk_of_a_chat_is_an_error(wrong: dict[str, Any]) -> None:
    with pytest.raises(ApiError, match="unknown form"):
        read(wrong)
