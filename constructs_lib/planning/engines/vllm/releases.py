"""What a version of vLLM has: arguments, parsers, formats of weights, architectures.

releases.json is written by scripts/generate_vllm_releases.py from the releases on PyPI.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from functools import cache

from constructs_lib.planning.data_files import read
from constructs_lib.planning.images.catalogue import Version, format_version, parse_version


class Kind(StrEnum):
    """A table of releases.json."""

    ARGUMENTS = "arguments"
    FLAGS = "flags"
    TOOL_PARSERS = "tool_parsers"
    REASONING_PARSERS = "reasoning_parsers"
    QUANTIZATIONS = "quantizations"
    CACHE_DTYPES = "cache_dtypes"
    MODEL_TYPES = "model_types"
    IMAGE_TYPES = "image_types"
    WITHOUT_FLOAT16 = "without_float16"


@cache
def releases() -> tuple[Version, ...]:
    """The releases of the table, oldest first."""
    return tuple(_version(text) for text in read("engines/vllm/releases")["releases"])


def is_known(version: Version) -> bool:
    """Whether a version lies among the releases of the table; one between two of them counts as the older."""
    return releases()[0] <= version < _after(releases()[-1])


@cache
def names(kind: Kind, version: Version) -> frozenset[str]:
    """What a version has of a kind."""
    return frozenset(name for name in read("engines/vllm/releases")[kind] if has(kind, name, version))


def has(kind: Kind, name: str, version: Version) -> bool:
    """Whether a version has something of a kind."""
    release = max((one for one in releases() if one <= version), default=releases()[0])
    return any(since <= release and (last is None or release <= last) for since, last in _spans(kind, name))


def since(kind: Kind, name: str) -> Version | None:
    """The first version that has it; (0, 0, 0) if the oldest release has it, None if none has."""
    found = _spans(kind, name)
    if not found:
        return None
    return (0, 0, 0) if found[0][0] == releases()[0] else found[0][0]


def when(kind: Kind, name: str) -> str | None:
    """Which versions have it, in words, such as `0.13.0 to 0.27.1 do`; None if none has."""
    spans = _spans(kind, name)
    if not spans:
        return None
    first, last = spans[-1]
    if last is None:
        return f"it was added in {format_version(first)}"
    return f"the last version that does is {format_version(last)}"


def _spans(kind: Kind, name: str) -> Sequence[tuple[Version, Version | None]]:
    found = read("engines/vllm/releases")[kind].get(name, [])
    return [(_version(first), _version(last) if last else None) for first, last in found]


def _version(text: str) -> Version:
    return parse_version(text) or (0, 0, 0)


def _after(version: Version) -> Version:
    return (version[0], version[1] + 1, 0)
