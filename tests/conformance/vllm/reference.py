"""What TGI answers if its model chooses given tokens: texts, ends and form, from the tokens' ids alone.

It follows TGI's own steps (text_generation_server: `Model.decode_token`, `StoppingCriteria`, `FlashCausalLM`; router:
`infer/mod.rs`, `server.rs`), not those of the front door, so that a mistake of one is none of the other.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.conformance.vllm.vocabulary import Vocabulary

_HALF = "\ufffd"
_CONTEXT = 5
"""As many tokens of the prompt as are decoded with the first token: those that end in half a character change it."""


@dataclass(frozen=True)
class Chosen:
    """The tokens that a model has chosen.

    Attributes:
        prompt: The ids of the prompt.
        ids: Those of the text.
        logprobs: Theirs.
        prompt_logprobs: Those of the prompt, if they are known; the first has none.
    """

    prompt: Sequence[int]
    ids: Sequence[int]
    logprobs: Sequence[float]
    prompt_logprobs: Sequence[float | None] = ()

    @property
    def mean(self) -> float:
        """By which the best of several is found."""
        return sum(self.logprobs) / len(self.logprobs)


@dataclass(frozen=True)
class Text:
    """A generated text, as far as TGI goes.

    Attributes:
        text: The whole text.
        tokens: Each token's `id`, `text`, `logprob` and `special`.
        finish_reason: Why it ends; None: the given tokens end before TGI does.
    """

    text: str
    tokens: list[dict[str, Any]]
    finish_reason: str | None


def f32(value: float) -> float:
    """A number as TGI keeps it."""
    rounded: float = struct.unpack("f", struct.pack("f", value))[0]
    return rounded


def generate(vocabulary: Vocabulary, chosen: Chosen, max_new_tokens: int, stop: Sequence[str]) -> Text:
    """The text of the chosen tokens, to where TGI ends it.

    Args:
        vocabulary: The model's tokens.
        chosen: What the model chooses, one after another.
        max_new_tokens: How many tokens there are at most.
        stop: What ends the text.
    """
    ids, tokens = list(chosen.prompt), []
    prefix, read = max(len(ids) - _CONTEXT, 0), len(ids)
    output, reason = "", None
    for token, logprob in zip(chosen.ids, chosen.logprobs, strict=True):
        ids.append(token)
        before, now = vocabulary.decode(ids[prefix:read]), vocabulary.decode(ids[prefix:])
        text = ""
        if len(now) > len(before) and not now.endswith(_HALF):
            text, prefix, read = now[len(before) :], read, len(ids)
        tokens.append({"id": token, "text": text, "logprob": f32(logprob), "special": token in vocabulary.special})
        output = (output + text)[-300:]
        if len(tokens) == max_new_tokens:
            reason = "length"
        elif token == vocabulary.end:
            reason = "eos_token"
        elif any(re.search(f"{re.escape(each)}$", output) for each in stop):
            reason = "stop_sequence"
        if reason:
            break
    return Text(_whole_text(vocabulary, ids, len(tokens)), tokens, reason)


def prefill(vocabulary: Vocabulary, chosen: Chosen) -> list[dict[str, Any]]:
    """The tokens of the prompt: each is decoded by itself, so that half a character is none."""
    return [
        {"id": token, "text": vocabulary.decode([token]), "logprob": None if logprob is None else f32(logprob)}
        for token, logprob in zip(chosen.prompt, chosen.prompt_logprobs, strict=True)
    ]


def _whole_text(vocabulary: Vocabulary, ids: list[int], generated: int) -> str:
    """The text without special tokens: nothing if it ends inside a character."""
    read = len(ids) - generated
    before = vocabulary.decode(ids[read - 1 : read], skip_special=True)
    now = vocabulary.decode(ids[read - 1 :], skip_special=True)
    return now[len(before) :] if len(now) > len(before) and not now.endswith(_HALF) else ""
