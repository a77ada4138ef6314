"""The tokens of the recorded model, and the texts that Hugging Face's tokenizers make of their ids."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

FILE = Path(__file__).parent / "recorded" / "tiny_llama_tokens.json"


@dataclass(frozen=True)
class Vocabulary:
    """Tokens of a byte-level tokenizer.

    Attributes:
        tokens: The text of each id, a character for each byte, or an added token as it is.
        special: The ids of the tokens that are no text.
        end: The id that ends a text.
    """

    tokens: tuple[str, ...]
    special: frozenset[int]
    end: int

    def decode(self, ids: Iterable[int], *, skip_special: bool = False) -> str:
        """The text of ids; what is no character is U+FFFD."""
        kept = (each for each in ids if each < len(self.tokens) and not (skip_special and each in self.special))
        return b"".join(self._bytes[each] for each in kept).decode(errors="replace")

    @cached_property
    def _bytes(self) -> list[bytes]:
        characters = _bytes_of_characters()
        return [
            bytes(characters[each] for each in token) if set(token) <= characters.keys() else token.encode()
            for token in self.tokens
        ]


def _bytes_of_characters() -> dict[str, int]:
    """GPT-2's alphabet: printable bytes are their own characters, the others follow from U+0100."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + at): byte for at, byte in enumerate(others)}


def read_vocabulary() -> Vocabulary:
    """The tokens of the recorded model."""
    kept = json.loads(FILE.read_text(encoding="utf-8"))
    return Vocabulary(tuple(kept["tokens"]), frozenset(kept["special"]), kept["end"])
