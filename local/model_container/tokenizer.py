"""A small deterministic tokenizer: words with their leading space, runs of punctuation, single white space.

Characters outside the Basic Multilingual Plane (emoji) take three tokens, like the bytes of a rare character in a real
vocabulary. TGI then sends two tokens without text, and the character with the third.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple
from zlib import crc32

BOS, EOS = "<|begin_of_text|>", "<|eot_id|>"
_SPECIAL_IDS = {BOS: 128000, EOS: 128009, "<|start_header_id|>": 128006, "<|end_header_id|>": 128007}
_ASTRAL = "\U00010000-\U0010ffff"
PIECE = re.compile(
    rf"<\|[a-z_]+\|>| ?(?:(?![{_ASTRAL}])[^\W_]){{1,12}}| ?(?:_|[^\w\s{_ASTRAL}]){{1,3}}| ?[{_ASTRAL}]|\s| ?."
)
_VOCABULARY_SIZE = 127_000
_SPECIAL_TEXTS = {id_: text for text, id_ in _SPECIAL_IDS.items()}
_TEXTS = dict(_SPECIAL_TEXTS)
"""The texts of the ids that there have been."""


class Piece(NamedTuple):
    """A token: its id, the text that it adds, and its byte range in the complete text."""

    id: int
    text: str
    start: int
    stop: int
    special: bool = False


@lru_cache(maxsize=10_000)
def _ids(piece: str) -> tuple[int, ...]:
    if piece in _SPECIAL_IDS:
        return (_SPECIAL_IDS[piece],)
    count = 3 if ord(piece[-1]) > 0xFFFF else 1
    ids = tuple(1000 + crc32(f"{part}{piece}".encode()) % _VOCABULARY_SIZE for part in range(count))
    _TEXTS.update({**dict.fromkeys(ids, ""), ids[-1]: piece})
    return ids


def tokenize(text: str, *, add_special_tokens: bool = False) -> Iterator[Piece]:
    """Yields the tokens of a text; the concatenation of their texts is the text."""
    if add_special_tokens:
        yield Piece(_SPECIAL_IDS[BOS], "", 0, 0, special=True)
    start = 0
    for piece in PIECE.findall(text):
        stop = start + (len(piece) if piece.isascii() else len(piece.encode()))
        *parts, last = _ids(piece)
        for part in parts:
            yield Piece(part, "", start, stop)
        yield Piece(last, piece, start, stop, piece in _SPECIAL_IDS)
        start = stop


def decode(ids: Iterable[int]) -> Iterator[Piece]:
    """Yields the tokens of ids. The text of an id that no text has had yet is made up."""
    start = 0
    for id_ in ids:
        text = _TEXTS.get(id_, f" t{id_}")
        stop = start + len(text.encode())
        yield Piece(id_, text, start, stop, id_ in _SPECIAL_TEXTS)
        start = stop


def decode_alone(piece: Piece, text: str) -> str:
    """The text of one token of a text without the others: a part of a character is U+FFFD, as in TGI's `prefill`."""
    if piece.special:
        return piece.text or BOS
    source = text.encode()[piece.start : piece.stop].decode()
    if source[-1] <= "\uffff":
        return source
    is_first = piece.id == _ids(source)[0]
    return (source[:-1] if is_first else "") + "\ufffd"


def count(text: str, *, add_special_tokens: bool) -> int:
    """The number of tokens of a text."""
    astral = 0 if text.isascii() else sum(1 for c in text if c > "\uffff")
    return len(PIECE.findall(text)) + 2 * astral + add_special_tokens


def end_of_sequence() -> Piece:
    """The end-of-sequence token."""
    return Piece(_SPECIAL_IDS[EOS], EOS, 0, 0, special=True)
