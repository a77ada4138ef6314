"""A small stable tokenizer: words with their leading space, runs of punctuation, single white space.

Characters outside the Basic Multilingual Plane (emoji) take three tokens, as the bytes of a rare character do in a real
vocabulary: TGI then sends two tokens without text and the whole character with the third.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from zlib import crc32

BOS, EOS = "<|begin_of_text|>", "<|eot_id|>"
_SPECIAL_IDS = {BOS: 128000, EOS: 128009, "<|start_header_id|>": 128006, "<|end_header_id|>": 128007}
_ASTRAL = "\U00010000-\U0010ffff"
_PIECE = re.compile(
    rf"<\|[a-z_]+\|>| ?(?:(?![{_ASTRAL}])[^\W_]){{1,12}}| ?(?:_|[^\w\s{_ASTRAL}]){{1,3}}| ?[{_ASTRAL}]|\s| ?."
)
_WORDS = 127_000


@dataclass(frozen=True, slots=True)
class Piece:
    """One token: its id, what it adds to the text, and the bytes of the text that it stands for."""

    id: int
    text: str
    start: int
    stop: int
    special: bool = False


def _ids(piece: str) -> list[int]:
    if piece in _SPECIAL_IDS:
        return [_SPECIAL_IDS[piece]]
    count = 3 if ord(piece[-1]) > 0xFFFF else 1
    return [1000 + crc32(f"{part}{piece}".encode()) % _WORDS for part in range(count)]


def pieces(text: str, *, add_special_tokens: bool = False) -> Iterator[Piece]:
    """The tokens of a text; their texts put together are the text again."""
    if add_special_tokens:
        yield Piece(_SPECIAL_IDS[BOS], "", 0, 0, special=True)
    start = 0
    for match in _PIECE.finditer(text):
        piece = match.group()
        stop = start + len(piece.encode())
        ids = _ids(piece)
        for id_ in ids[:-1]:
            yield Piece(id_, "", start, stop)
        yield Piece(ids[-1], piece, start, stop, special=piece in _SPECIAL_IDS)
        start = stop


def count(text: str, *, add_special_tokens: bool) -> int:
    """How many tokens a text has."""
    astral = sum(1 for c in text if c > "\uffff")
    return sum(1 for _ in _PIECE.finditer(text)) + 2 * astral + add_special_tokens


def end_of_sequence() -> Piece:
    """The token that ends an answer."""
    return Piece(_SPECIAL_IDS[EOS], EOS, 0, 0, special=True)
