"""Versions that can be compared."""

from __future__ import annotations

import re

Version = tuple[int, int, int]

_FULL = re.compile(r"(\d+)\.(\d+)\.(\d+)", re.ASCII)


def parse(text: str) -> Version | None:
    """The version in numbers, such as (3, 3, 6); None for what is no full version."""
    found = _FULL.fullmatch(text)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def dotted(version: Version) -> str:
    """The version as text, such as `3.3.6`."""
    return ".".join(map(str, version))
