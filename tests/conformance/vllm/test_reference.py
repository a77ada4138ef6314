"""The steps of TGI, against what the real one was recorded to do."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.vllm.reference import Chosen, f32, generate, prefill
from tests.conformance.vllm.vocabulary import read_vocabulary

VOCABULARY = read_vocabulary()
PROMPT = [0, 36]
EMOJI = [178, 259, 240, 241]
ANSWER = [300, 312, 309, 308, *EMOJI, 19, 1]
"""Deep learning trains networks🌍. and the end."""


def text(max_new_tokens: int = 100, stop: tuple[str, ...] = (), ids: list[int] = ANSWER) -> tuple[str, Any, list[str]]:
    """The text, why it ends, and the text of each token."""
    found = generate(VOCABULARY, Chosen(PROMPT, ids, [-0.5] * len(ids)), max_new_tokens, stop)
    return found.text, found.finish_reason, [token["text"] for token in found.tokens]


def test_half_a_character_is_no_text_until_it_is_whole() -> None:
    whole, reason, texts = text()
    assert (whole, reason) == ("Deep learning trains networks🌍.", "eos_token")
    assert texts == ["Deep", " learning", " trains", " networks", "", "", "", "🌍", ".", "<|end|>"]


def test_a_text_that_ends_in_half_a_character_is_empty() -> None:
    assert text(max_new_tokens=6) == ("", "length", ["Deep", " learning", " trains", " networks", "", ""])


@pytest.mark.parametrize("count", [10, 3])
def test_the_limit_comes_before_any_other_end(count: int) -> None:
    assert text(max_new_tokens=count, stop=(" trains",) if count == 3 else ())[1] == "length"


@pytest.mark.parametrize(
    ("stop", "whole", "reason"),
    [
        (" trains", "Deep learning trains", "stop_sequence"),
        ("learning trains", "Deep learning trains", "stop_sequence"),
        ("works", "Deep learning trains networks", "stop_sequence"),
        ("twork", "Deep learning trains networks🌍.", "eos_token"),
        ("", "Deep", "stop_sequence"),
        (".*", "Deep learning trains networks🌍.", "eos_token"),
    ],
)
def test_a_stop_sequence_ends_a_text_behind_a_whole_token(stop: str, whole: str, reason: str) -> None:
    assert text(stop=(stop,))[:2] == (whole, reason)


def test_an_unfinished_answer_has_no_end() -> None:
    assert text(ids=ANSWER[:3])[:2] == ("Deep learning trains", None)


def test_what_is_no_character_comes_with_the_next_one() -> None:
    assert text(ids=[178, 300, 1]) == ("\ufffdDeep", "eos_token", ["", "\ufffdDeep", "<|end|>"])


def test_tokens_of_the_prompt_are_decoded_by_themselves() -> None:
    chosen = Chosen([0, *EMOJI, 36], [], [], [None, -1.0, -2.0, -3.0, -4.0, -5.0])
    tokens = prefill(VOCABULARY, chosen)
    assert [token["text"] for token in tokens] == ["<|begin|>", "\ufffd", "\ufffd", "\ufffd", "\ufffd", "?"]
    assert [token["logprob"] for token in tokens] == [None, -1.0, -2.0, -3.0, -4.0, -5.0]


def test_numbers_have_32_bits() -> None:
    assert f32(-25.110748291015625) == -25.110748291015625
    assert f32(0.1) != 0.1
