"""What vLLM answers to a completion with the ids and log probabilities of its tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from tests.lambda_.protocols.openai.events import DONE, sse

HEAD = {"id": "cmpl-1", "object": "text_completion", "created": 17, "model": "/opt/ml/model"}
PROMPT = [0, 1047, 34]


class Piece(NamedTuple):
    """A token, and what it adds to the text: nothing if it is special, or a part of a character."""

    id: int
    token: str
    text: str
    logprob: float = -0.25


def plain(*texts: str) -> list[Piece]:
    """Tokens that add what they are."""
    return [Piece(300 + at, text, text) for at, text in enumerate(texts)]


EOS = Piece(1, "<|eot_id|>", "", -0.5)


def choice(
    pieces: Sequence[Piece], finish_reason: str | None = None, stop_reason: object = None, **more: Any
) -> dict[str, Any]:
    """A choice of a chunk with these tokens."""
    tokens = [piece.token for piece in pieces]
    logprobs = {
        "text_offset": [0 for _ in pieces],
        "token_logprobs": [piece.logprob for piece in pieces],
        "tokens": tokens,
        "top_logprobs": [{piece.token: piece.logprob} for piece in pieces],
    }
    return {
        "index": 0,
        "text": "".join(piece.text for piece in pieces),
        "logprobs": logprobs,
        "finish_reason": finish_reason,
        "stop_reason": stop_reason,
        "prompt_token_ids": None,
        "token_ids": [piece.id for piece in pieces],
        **more,
    }


def chunk(one_choice: dict[str, Any] | None, generated: int = 1, prompt: int = len(PROMPT)) -> bytes:
    """One event."""
    usage = {"prompt_tokens": prompt, "total_tokens": prompt + generated, "completion_tokens": generated}
    return sse({**HEAD, "choices": [] if one_choice is None else [one_choice], "usage": usage})


def stream(
    pieces: Sequence[Piece], finish_reason: str = "stop", stop_reason: object = None, sizes: Sequence[int] = ()
) -> list[bytes]:
    """The events of an answer; `sizes` are the numbers of tokens of the first ones, the others have one each."""
    groups: list[Sequence[Piece]] = []
    at = 0
    for size in [*sizes, *[1] * len(pieces)]:
        if at < len(pieces):
            groups.append(pieces[at : at + size])
            at += size
    events, generated = [], 0
    for number, group in enumerate(groups):
        generated += len(group)
        is_last = number == len(groups) - 1
        ends = (finish_reason, stop_reason) if is_last else (None, None)
        prompt = {"prompt_token_ids": PROMPT} if number == 0 else {}
        events.append(chunk(choice(group, *ends, **prompt), generated))
    return [*events, chunk(None, generated), DONE]
