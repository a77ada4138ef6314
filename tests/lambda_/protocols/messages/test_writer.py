"""A streamed answer adds up to the one that is not streamed, and its events are where clients expect them."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from front_door.errors import ApiError
from front_door.generation.events import Delta
from front_door.http.json import compact
from front_door.protocols.messages import answer
from front_door.protocols.messages.answer import MessageWriter
from front_door.protocols.messages.request import MessagesRequest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lambda_.protocols.messages.streams import accumulate, events


@dataclass
class Generated:
    """What is known at the end of an answer."""

    finish_reason: str | None = "stop"
    stop_sequence: str | None = None
    usage: dict[str, Any] = field(default_factory=lambda: {"prompt_tokens": 9, "completion_tokens": 2})


def request_of(*, shows_thinking: bool = True, stop: tuple[str, ...] = ()) -> MessagesRequest:
    return MessagesRequest({"max_tokens": 2, "stop": list(stop)}, {}, stream=True, shows_thinking=shows_thinking)


def writer_of(generated: Generated, *, shows_thinking: bool = True, stop: tuple[str, ...] = ()) -> MessageWriter:
    return MessageWriter(
        generated, request_of(shows_thinking=shows_thinking, stop=stop), answer.message("msg_1", "llama"), "id-1"
    )


def streamed(deltas: list[Delta], generated: Generated, **options: Any) -> bytes:
    writer = writer_of(generated, **options)
    return b"".join([writer.begin(), *map(writer.write, deltas), writer.end()])


def call(name: str, arguments: str = "", call_id: str = "call_1") -> Delta:
    return Delta(tool_name=name, call_id=call_id, arguments=arguments)


ANSWER = [
    Delta(reasoning="Hm."),
    Delta(reasoning=" Well."),
    Delta("I look"),
    Delta(""),
    Delta(" it up."),
    call("weather", '{"city":'),
    Delta(arguments='"Orléans"}'),
    call("now", call_id="call_2"),
    Delta("Done."),
]


def test_the_events_of_an_answer() -> None:
    found = [(each["type"], each.get("index"), each.get("delta")) for each in events(streamed(ANSWER, Generated()))]
    assert found == [
        ("message_start", None, None),
        ("content_block_start", 0, None),
        ("content_block_delta", 0, {"type": "thinking_delta", "thinking": "Hm."}),
        ("content_block_delta", 0, {"type": "thinking_delta", "thinking": " Well."}),
        ("content_block_delta", 0, {"type": "signature_delta", "signature": "msg_1"}),
        ("content_block_stop", 0, None),
        ("content_block_start", 1, None),
        ("content_block_delta", 1, {"type": "text_delta", "text": "I look"}),
        ("content_block_delta", 1, {"type": "text_delta", "text": " it up."}),
        ("content_block_stop", 1, None),
        ("content_block_start", 2, None),
        ("content_block_delta", 2, {"type": "input_json_delta", "partial_json": '{"city":'}),
        ("content_block_delta", 2, {"type": "input_json_delta", "partial_json": '"Orléans"}'}),
        ("content_block_stop", 2, None),
        ("content_block_start", 3, None),
        ("content_block_stop", 3, None),
        ("content_block_start", 4, None),
        ("content_block_delta", 4, {"type": "text_delta", "text": "Done."}),
        ("content_block_stop", 4, None),
        ("message_delta", None, {"stop_reason": "tool_use", "stop_sequence": None}),
        ("message_stop", None, None),
    ]


def test_the_message_of_an_answer() -> None:
    usage = {
        "input_tokens": 9,
        "cache_creation_input_tokens": None,
        "cache_read_input_tokens": None,
        "output_tokens": 2,
    }
    assert accumulate(streamed(ANSWER, Generated())) == {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "llama",
        "content": [
            {"type": "thinking", "thinking": "Hm. Well.", "signature": "msg_1"},
            {"type": "text", "text": "I look it up."},
            {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Orléans"}},
            {"type": "tool_use", "id": "call_2", "name": "now", "input": {}},
            {"type": "text", "text": "Done."},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": usage,
    }


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
CALLS = st.builds(
    lambda name, members, at: [
        call(name, json.dumps(members)[:at], f"call_{name}"),
        Delta(arguments=json.dumps(members)[at:]),
    ],
    st.sampled_from(["a", "b"]),
    st.dictionaries(TEXTS, st.integers() | TEXTS, max_size=2),
    st.integers(0, 20),
)
DELTAS = st.lists(
    TEXTS.map(lambda text: [Delta(text)]) | TEXTS.map(lambda text: [Delta(reasoning=text)]) | CALLS, max_size=8
).map(lambda parts: [delta for part in parts for delta in part])


@settings(deadline=None)
@given(DELTAS, st.booleans(), st.sampled_from(["stop", "length", "tool_calls", "content_filter"]))
def test_every_stream_adds_up_to_the_answer_that_is_not_streamed(
    deltas: list[Delta], shows_thinking: bool, finish_reason: str
) -> None:
    generated = Generated(finish_reason)
    message = accumulate(streamed(deltas, generated, shows_thinking=shows_thinking))
    is_cut = finish_reason == "length"
    request = request_of(shows_thinking=shows_thinking)
    content = answer.content(deltas, request, "msg_1", is_cut=is_cut)
    assert message["content"] == content
    ending = answer.ending(generated, request, calls_tools=any(each["type"] == "tool_use" for each in content))
    assert {name: message[name] for name in ending} == ending


@settings(deadline=None)
@given(st.lists(TEXTS.filter(bool), min_size=1, max_size=5), st.sampled_from([[], [Delta("a")], [call("a", "{}")]]))
def test_texts_are_written_as_deltas_of_them_are(texts: list[str], before: list[Delta]) -> None:
    fast, slow = writer_of(Generated()), writer_of(Generated())
    for delta in before:
        assert fast.write(delta) == slow.write(delta)
    raw = [compact(text)[1:-1] for text in texts]
    assert fast.write_texts(raw) == b"".join(slow.write(Delta(text)) for text in texts)
    assert fast.write(Delta("b")) == slow.write(Delta("b"))
    assert fast.end() == slow.end()


@pytest.mark.parametrize(
    ("generated", "stop", "expected"),
    [
        (Generated("stop"), (), ("end_turn", None)),
        (Generated(None), (), ("end_turn", None)),
        (Generated("stop", "END"), ("END",), ("stop_sequence", "END")),
        (Generated("stop", "<|eot_id|>"), ("END",), ("end_turn", None)),
        (Generated("length", None), ("END",), ("max_tokens", None)),
        (Generated("length", usage={"completion_tokens": 1}), (), ("model_context_window_exceeded", None)),
        (Generated("length", usage={"completion_tokens": None}), (), ("max_tokens", None)),
        (Generated("content_filter"), (), ("refusal", None)),
        (Generated("tool_calls"), (), ("end_turn", None)),
    ],
)
def test_why_an_answer_has_ended(generated: Generated, stop: tuple[str, ...], expected: tuple[str, str | None]) -> None:
    message = accumulate(streamed([Delta("a")], generated, stop=stop))
    assert (message["stop_reason"], message["stop_sequence"]) == expected


@pytest.mark.parametrize("finish_reason", ["stop", "tool_calls"])
def test_an_answer_with_a_call_has_ended_for_it(finish_reason: str) -> None:
    generated = Generated(finish_reason, "END")
    message = accumulate(streamed([call("a", "{}")], generated, stop=("END",)))
    assert (message["stop_reason"], message["stop_sequence"]) == ("tool_use", None)


def test_an_answer_without_anything_has_no_blocks() -> None:
    assert accumulate(streamed([], Generated()))["content"] == []


def test_tokens_of_the_cache_and_of_thinking_are_counted_apart() -> None:
    counts = {
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "prompt_tokens_details": {"cached_tokens": 64},
        "completion_tokens_details": {"reasoning_tokens": 15},
    }
    assert accumulate(streamed([Delta("a")], Generated(usage=counts)))["usage"] == {
        "input_tokens": 36,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 64,
        "output_tokens": 20,
        "output_tokens_details": {"thinking_tokens": 15},
    }


@pytest.mark.parametrize("cached", [None, [], {}, {"cached_tokens": None}, {"cached_tokens": "64"}])
def test_what_a_container_does_not_count_is_unknown(cached: Any) -> None:
    counts = {"prompt_tokens": 100, "completion_tokens": None, "prompt_tokens_details": cached}
    assert answer.usage(counts) == {
        "input_tokens": 100,
        "cache_creation_input_tokens": None,
        "cache_read_input_tokens": None,
        "output_tokens": 0,
    }


@pytest.mark.parametrize("arguments", ['{"a":', "[]", "null", "1", "{} {}"])
def test_a_call_that_is_no_object_is_an_error_unless_the_answer_was_cut_off_in_it(arguments: str) -> None:
    deltas = [call("a", '{"b":1}'), call("a", arguments)]
    blocks = answer.content(deltas, request_of(), "s", is_cut=True)
    assert [block["input"] for block in blocks] == [{"b": 1}, {}]
    for whole in (deltas, deltas[::-1]):
        with pytest.raises(ApiError, match="something else than a JSON object"):
            answer.content(whole, request_of(), "s", is_cut=whole is not deltas)


def test_an_error_ends_a_stream_wherever_it_is() -> None:
    error = ApiError("upstream", "The model's server failed.")
    writer = writer_of(Generated())
    for before in (b"", writer.begin(), writer.write(Delta("a"))):
        *_, last = events(before + writer.error_event(error))
        assert last["error"] == {"type": "api_error", "message": "The model's server failed."}


def test_a_keep_alive_is_a_ping() -> None:
    assert events(writer_of(Generated()).keep_alive * 2 + writer_of(Generated()).begin())[0]["type"] == "message_start"
