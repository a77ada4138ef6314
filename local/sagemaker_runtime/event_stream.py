"""application/vnd.amazon.eventstream: encodes frames, and splits responses into the payloads of PayloadParts.

SageMaker does not specify where a response is split. Here the boundaries are often inside characters and between the
two newlines at the end of an event, reproducibly for the same seed.
"""

from __future__ import annotations

import json
import random
import re
import struct
from functools import lru_cache
from itertools import cycle, pairwise
from zlib import crc32

_MULTIBYTE = re.compile(rb"[\xc2-\xf4]")


def _header(name: str, value: str) -> bytes:
    return struct.pack(">B", len(name)) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()


_PART_HEADERS = (
    _header(":event-type", "PayloadPart")
    + _header(":content-type", "application/octet-stream")
    + _header(":message-type", "event")
)


def _head(headers: bytes, size: int) -> bytes:
    prelude = struct.pack(">II", 16 + len(headers) + size, len(headers))
    return prelude + struct.pack(">I", crc32(prelude)) + headers


@lru_cache(maxsize=4096)
def _part_head(size: int) -> tuple[bytes, int]:
    head = _head(_PART_HEADERS, size)
    return head, crc32(head)


def part(payload: bytes) -> bytes:
    """Encodes a PayloadPart."""
    head, checksum = _part_head(len(payload))
    return b"%b%b%b" % (head, payload, crc32(payload, checksum).to_bytes(4, "big"))


def event(name: str, payload: bytes) -> bytes:
    """Encodes an event of another type."""
    headers = (
        _header(":event-type", name) + _header(":content-type", "application/json") + _header(":message-type", "event")
    )
    message = _head(headers, len(payload)) + payload
    return message + struct.pack(">I", crc32(message))


def exception(name: str, **members: str) -> bytes:
    """Encodes an exception in a stream."""
    headers = (
        _header(":exception-type", name)
        + _header(":content-type", "application/json")
        + _header(":message-type", "exception")
    )
    payload = json.dumps(members).encode()
    message = _head(headers, len(payload)) + payload
    return message + struct.pack(">I", crc32(message))


class PayloadSplitter:
    """Splits the chunks of a container into the payloads of parts.

    Args:
        seed: Determines the boundaries; None for no splitting.
    """

    def __init__(self, seed: int | None) -> None:
        self._disabled = seed is None
        chance = random.Random(seed)  # noqa: S311 - not for secrets
        sizes = [(1, 4), (5, 120), (121, 1500), (1000, 8000)]
        self._sizes = cycle([chance.randint(*chance.choice(sizes)) for _ in range(1021)])

    def split(self, data: bytes) -> list[bytes]:
        """The payloads, whose concatenation is the data."""
        if self._disabled:
            return [data]
        boundaries = []
        offset = next(self._sizes)
        while offset < len(data):
            boundaries.append(offset)
            offset += next(self._sizes)
        if not data.isascii() and (inside := _MULTIBYTE.search(data)):
            boundaries.append(inside.end())
        if data.endswith(b"\n\n") and offset % 3 == 0:
            boundaries.append(len(data) - 1)
        if not boundaries:
            return [data]
        points = sorted({0, len(data), *boundaries})
        return [data[start:end] for start, end in pairwise(points)]
