"""Whatever tokens vLLM chooses and however it sends them, clients get what TGI would have made of the tokens."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from front_door.engines.openai.token_reader import OpenAiTokenReader
from front_door.generation.generate_request import GenerateRequest
from front_door.protocols.tgi.translated import Answer
from hypothesis import given
from hypothesis import strategies as st

from tests.conformance.tgi_schema import violations
from tests.lambda_.protocols.openai.events import DONE
from tests.lambda_.protocols.tgi.vllm_completions import PROMPT, Piece, choice, chunk

TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="<>|\ufffd"), min_size=1, max_size=6)
"""Token texts, which no special token has a part of."""

LOGPROBS = st.floats(-30, 0, width=32, allow_subnormal=False)
SPECIAL = ("<|eot_id|>", "<|tool|>")


@st.composite
def words(draw: st.DrawFn) -> list[Piece]:
    """The tokens of a part of an answer: text, a character of several tokens, or a special one."""
    kind = draw(st.sampled_from(["text"] * 4 + ["character", "special"]))

    def piece(token: str, text: str) -> Piece:
        return Piece(draw(st.integers(0, 200_000)), token, text, draw(LOGPROBS))

    if kind == "special":
        return [piece(draw(st.sampled_from(SPECIAL)), "")]
    if kind == "text":
        text = draw(TEXTS)
        return [piece(text, text)]
    character = draw(st.sampled_from("é🧸字"))
    return [*[piece("", "") for _ in character.encode()[1:]], piece(character, character)]


@dataclass
class Completion:
    """What vLLM chose, and the sizes of the chunks in which it is sent."""

    pieces: list[Piece]
    sizes: list[int]
    finish_reason: str
    stop_reason: object

    @property
    def expected_reason(self) -> str:
        if self.finish_reason == "length":
            return "length"
        return "stop_sequence" if isinstance(self.stop_reason, str) else "eos_token"

    def events(self, *more: Any) -> list[bytes]:
        """The stream."""
        events, at = [], 0
        sizes = [*self.sizes, *[1] * len(self.pieces)]
        while at < len(self.pieces):
            group = self.pieces[at : at + sizes.pop(0)]
            is_last = at + len(group) == len(self.pieces)
            ends = (self.finish_reason, self.stop_reason) if is_last else (None, None)
            ids = {} if at else {"prompt_token_ids": PROMPT}
            at += len(group)
            events.append(chunk(choice(group, *ends, **ids), at))
        return [*events, *more, chunk(None, at), DONE]


@st.composite
def completions(draw: st.DrawFn) -> Completion:
    pieces = [piece for part in draw(st.lists(words(), min_size=1, max_size=12)) for piece in part]
    # It may be cut off inside a character.
    pieces = pieces[: draw(st.integers(1, len(pieces)))]
    sizes = draw(st.lists(st.integers(1, 4), max_size=8))
    ends: list[tuple[str, object]] = [("length", None), ("stop", None), ("stop", 128008)]
    if pieces[-1].text:
        ends.append(("stop", pieces[-1].text))
    return Completion(pieces, sizes, *draw(st.sampled_from(ends)))


def tokens_of(completion: Completion) -> list[dict[str, Any]]:
    """The tokens as TGI gives them."""
    return [
        {"id": piece.id, "text": piece.token, "logprob": piece.logprob, "special": piece.token in SPECIAL}
        for piece in completion.pieces
    ]


def text_of(completion: Completion) -> str:
    """The text as TGI gives it: none if it ends inside a character."""
    of_text = [piece for piece in completion.pieces if piece.token not in SPECIAL]
    return "".join(piece.text for piece in of_text) if of_text and of_text[-1].token else ""


def streamed(completion: Completion, data: st.DataObject) -> list[dict[str, Any]]:
    """The events that the client gets; as many as you like of vLLM's arrive together."""
    request = GenerateRequest("Hi", stream=True, details=True)
    reader = OpenAiTokenReader(request, 1_000)
    answer = Answer(SimpleNamespace(request=request, reader=reader))  # type: ignore[arg-type]
    events, parts = completion.events(), []
    while events:
        together = data.draw(st.integers(1, len(events)))
        parts.append(answer.translate(b"".join(events[:together])))
        events = events[together:]
    *sent, end = b"".join(parts).split(b"\n\n")
    assert end == b""
    return [json.loads(event.removeprefix(b"data: ")) for event in sent]


def buffered(completion: Completion) -> dict[str, Any]:
    """The generation that the client gets without streaming."""
    request = GenerateRequest("Hi", details=True)
    reader = OpenAiTokenReader(request, 1_000)
    for event in completion.events(b": keep-alive\n\n"):
        reader.read(event)
    answer = Answer(SimpleNamespace(request=request, reader=reader))  # type: ignore[arg-type]
    generation: dict[str, Any] = json.loads(answer.generation())
    return generation


def as_single(tokens: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The tokens with the log probabilities that a reader of 32 bits has of them."""
    return [{**token, "logprob": struct.pack("f", token["logprob"])} for token in tokens]


@given(completions(), st.data())
def test_a_stream_has_every_token_and_the_end(completion: Completion, data: st.DataObject) -> None:
    events = streamed(completion, data)
    assert [event["index"] for event in events] == list(range(1, len(completion.pieces) + 1))
    assert as_single([event["token"] for event in events]) == as_single(tokens_of(completion))
    assert all(event["generated_text"] is event["details"] is None for event in events[:-1])
    assert events[-1]["generated_text"] == text_of(completion)
    assert events[-1]["details"] == {
        "finish_reason": completion.expected_reason,
        "generated_tokens": len(completion.pieces),
        "seed": None,
        "input_length": len(PROMPT),
    }
    for event in events:
        assert list(violations("StreamResponse", event)) == []


@given(completions(), st.data())
def test_the_buffered_answer_is_that_of_the_stream(completion: Completion, data: st.DataObject) -> None:
    events, generation = streamed(completion, data), buffered(completion)
    assert list(violations("GenerateResponse", generation)) == []
    assert generation["generated_text"] == events[-1]["generated_text"]
    details, ending = generation["details"], dict(events[-1]["details"])
    del ending["input_length"]
    assert details == {**ending, "prefill": [], "tokens": [event["token"] for event in events]}
