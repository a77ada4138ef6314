"""Received bytes with their times of arrival."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_STAMP = re.compile(rb"<(\d{19})>")


@dataclass(frozen=True, slots=True)
class Arrivals:
    """A body in the parts in which it arrived.

    Args:
        parts: Each part with its time of arrival (CLOCK_MONOTONIC, nanoseconds).
    """

    parts: list[tuple[int, bytes]]

    @property
    def body(self) -> bytes:
        """The complete body."""
        return b"".join(data for _, data in self.parts)

    @property
    def last(self) -> int:
        """When the last part arrived."""
        return self.parts[-1][0]

    def after(self, offset: int) -> Arrivals:
        """The body without its first `offset` bytes."""
        parts = []
        for arrived, data in self.parts:
            if len(data) > offset:
                parts.append((arrived, data[offset:]))
            offset = max(0, offset - len(data))
        return Arrivals(parts)

    def time_of(self, marker: bytes) -> int:
        """When the first occurrence of `marker` had arrived.

        Raises:
            ValueError: It did not arrive.
        """
        offset = self.body.index(marker) + len(marker)
        return next(arrived for arrived, end in self.times() if end >= offset)

    def delays(self) -> list[int]:
        """The nanoseconds from sending to arrival of each token that contains its time of sending.

        A repetition does not count: some streams end with the whole text.
        """
        ends: dict[int, int] = {}
        for match in _STAMP.finditer(self.body):
            ends.setdefault(int(match[1]), match.end())
        times = self.times()
        arrived, end = next(times)
        delays = []
        for sent, offset in ends.items():
            while end < offset:
                arrived, end = next(times)
            delays.append(arrived - sent)
        return delays

    def times(self) -> Iterator[tuple[int, int]]:
        """Each part's time of arrival, and the number of bytes that had arrived by then."""
        end = 0
        for arrived, data in self.parts:
            end += len(data)
            yield arrived, end


def receive(read: Callable[[], bytes]) -> Arrivals:
    """Read to the end and record the time of each part."""
    parts = []
    while data := read():
        parts.append((time.monotonic_ns(), data))
    return Arrivals(parts)


def without_chunking(raw: Arrivals) -> Arrivals:
    """Decode the chunked transfer coding; each chunk gets the time at which its last byte arrived.

    Raises:
        ValueError: The coding is invalid, or the last chunk is missing.
    """
    body, times = raw.body, raw.times()
    arrived, reached = 0, 0
    parts: list[tuple[int, bytes]] = []
    start = 0
    while True:
        size_end = body.index(b"\r\n", start)
        begin, size = size_end + 2, int(body[start:size_end], 16)
        start = begin + size + 2
        if size == 0:
            return Arrivals(parts)
        if body[start - 2 : start] != b"\r\n":
            raise ValueError(f"the chunk at byte {begin} is not followed by CRLF")
        while reached < begin + size:
            arrived, reached = next(times)
        parts.append((arrived, body[begin : begin + size]))
