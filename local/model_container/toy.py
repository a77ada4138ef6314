"""The toy that replaces a language model: a few fixed sentences with words of the prompt."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from zlib import crc32

from local.model_container.conversation import last_user_text

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
    """The words of the last user message."""
    return _WORD.findall(last_user_text(prompt))


def generate_text(prompt: str, seed: int | None, min_words: int = 0) -> str:
    """Generates a text; the same prompt and seed give the same text.

    Args:
        prompt: The prompt, including the chat template.
        seed: The sampling seed; None for greedy decoding.
        min_words: The minimum length of the text in words.
    """
    words = words_of(prompt)
    choice = random.Random(crc32(prompt.encode()) if seed is None else f"{seed} {prompt}")  # noqa: S311 - not for secrets
    reflected = " ".join(words[-_REFLECTED_WORDS:])
    paragraphs: list[str] = []
    count = 0
    while not paragraphs or count < min_words:
        reflection = choice.choice(_REFLECTIONS).format(count=len(words), words=reflected)
        paragraphs.append(f"{choice.choice(_OPENINGS)} {reflection} {choice.choice(_ENDINGS)}")
        count += paragraphs[-1].count(" ") + 1
    text = " ".join(paragraphs)
    return text if prompt[-1:].isspace() else f" {text}"


def tools_in_prompt(names: Iterable[str], words: Iterable[str]) -> list[str]:
    """The tools that have a word of the prompt in their name."""
    in_prompt = {word.lower() for word in words}
    return [name for name in names if in_prompt & _name_words(name)]


def _name_words(name: str) -> set[str]:
    parts = re.findall(r"[A-Z]?[a-z]+|[A-Z]+|\d+", name)
    return {part.lower() for part in parts if len(part) > 2} - {"get", "set", "the", "current"}
