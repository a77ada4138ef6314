"""Bytes with the moments at which they came: what both sides of a comparison are read from."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_STAMP = re.compile(rb"<(\d{19})>")


@dataclass(frozen=True, slots=True)
class Arrivals:
    """A body in the pieces in which it came, each with its moment (CLOCK_MONOTONIC, nanoseconds)."""

    pieces: list[tuple[int, bytes]]

    @property
    def body(self) -> bytes:
        """All of it."""
        return b"".join(data for _, data in self.pieces)

    @property
    def last(self) -> int:
        """When the last piece came."""
        return self.pieces[-1][0]

    def after(self, offset: int) -> Arrivals:
        """What follows the first `offset` bytes."""
        pieces = []
        for moment, data in self.pieces:
            if len(data) > offset:
                pieces.append((moment, data[offset:]))
            offset = max(0, offset - len(data))
        return Arrivals(pieces)

    def moment_of(self, marker: bytes) -> int:
        """When `marker` had come for the first time.

        Raises:
            ValueError: It never came.
        """
        offset = self.body.index(marker) + len(marker)
        return next(moment for moment, end in self.moments() if end >= offset)

    def delays(self) -> list[int]:
        """For each token that carries a stamp: how long after it the token was here, in nanoseconds."""
        found = ((int(match[1]), match.end()) for match in _STAMP.finditer(self.body))
        moments = self.moments()
        moment, end = next(moments)
        delays = []
        for sent, offset in found:
            while end < offset:
                moment, end = next(moments)
            delays.append(moment - sent)
        return delays

    def moments(self) -> Iterator[tuple[int, int]]:
        """Each piece's moment and the number of bytes that were here then."""
        end = 0
        for moment, data in self.pieces:
            end += len(data)
            yield moment, end


def receive(read: Callable[[], bytes]) -> Arrivals:
    """Read to the end, noting each moment."""
    pieces = []
    while data := read():
        pieces.append((time.monotonic_ns(), data))
    return Arrivals(pieces)


def without_chunking(raw: Arrivals) -> Arrivals:
    """Take the chunked transfer coding away; each chunk gets the moment at which its last byte came.

    Raises:
        ValueError: The coding is broken, or the last chunk is missing.
    """
    body, moments = raw.body, raw.moments()
    moment, reached = 0, 0
    pieces: list[tuple[int, bytes]] = []
    start = 0
    while True:
        size_end = body.index(b"\r\n", start)
        begin, size = size_end + 2, int(body[start:size_end], 16)
        start = begin + size + 2
        if size == 0:
            return Arrivals(pieces)
        if body[start - 2 : start] != b"\r\n":
            raise ValueError(f"the chunk at byte {begin} is not followed by a line end")
        while reached < begin + size:
            moment, reached = next(moments)
        pieces.append((moment, body[begin : begin + size]))
