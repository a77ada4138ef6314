"""Generated tokens: a piece of the tokenizer with a log probability, and the alternatives to it."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple
from zlib import crc32

from local.model_container.tokenizer import Piece


class Token(NamedTuple):
    """A generated token. If a character takes several tokens, `text` is empty for all but the last."""

    id: int
    text: str
    logprob: float
    special: bool


def token_of(piece: Piece, position: int) -> Token:
    """The token of a piece at a position; its log probability depends on both."""
    return _token(piece.id, piece.text, piece.special, position % 16)


@lru_cache(maxsize=20_000)
def _token(id_: int, text: str, special: bool, salt: int) -> Token:
    return Token(id_, text, -(1 + crc32(b"%d %d" % (id_, salt)) % 19_999) / 10_000, special)


def most_likely(token: Token, n: int) -> list[Token]:
    """The `n` most likely tokens at the position of a token, which is the first of them."""
    others = [
        Token(1000 + (token.id + 7919 * rank) % 127_000, f" toy{rank}", round(token.logprob - rank / 2, 4), False)
        for rank in range(1, n)
    ]
    return [token, *others]
