"""The toy in the place of a language model: a few fixed sentences around the prompt's own words."""

from __future__ import annotations

import random
import re
from zlib import crc32

from local.model_container.tgi.chat_template import last_user_text

_OPENINGS = (
    "This is a toy text generator, no language model.",
    "No language model runs here, only a toy that repeats words.",
    "You are talking to a stand-in: a toy, no language model.",
)
_REFLECTIONS = (
    "Your prompt of {count} words arrived whole – it ends with: «{words}».",
    "It read {count} words, the last of them: “{words}”.",
    "{count} words came in; here are the latest ones → «{words}».",
)
_ENDINGS = (
    "Déjà vu? 🧸 That is all that it can say, naïve as it is.",
    "Put a real model behind this endpoint to get an answer: 你好, मॉडल! 🚀",
    "It counts words, it does not understand them 🤷🏽.",
)
_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
_REFLECTED_WORDS = 12


def words_of(prompt: str) -> list[str]:
    """The words that the person wrote last."""
    return _WORD.findall(last_user_text(prompt))


def answer(prompt: str, seed: int | None, min_words: int = 0) -> str:
    """The toy's whole answer.

    Args:
        prompt: the text that the model gets, chat template included.
        seed: the sampling seed; None is greedy. The same prompt and seed give the same answer.
        min_words: repeat the sentences until there are at least so many words.
    """
    words = words_of(prompt)
    choice = random.Random(crc32(prompt.encode()) if seed is None else f"{seed} {prompt}")  # noqa: S311 no secret
    reflected = " ".join(words[-_REFLECTED_WORDS:])
    paragraphs: list[str] = []
    spoken = 0
    while not paragraphs or spoken < min_words:
        reflection = choice.choice(_REFLECTIONS).format(count=len(words), words=reflected)
        paragraphs.append(f"{choice.choice(_OPENINGS)} {reflection} {choice.choice(_ENDINGS)}")
        spoken += paragraphs[-1].count(" ") + 1
    text = " ".join(paragraphs)
    return text if prompt[-1:].isspace() else f" {text}"
