"""CHANGELOG.md, in the format of Keep a Changelog: what is unreleased, and how it becomes a version."""

from __future__ import annotations

import re
from pathlib import Path

CHANGELOG = Path(__file__).resolve().parents[1] / "CHANGELOG.md"

_UNRELEASED = "## [Unreleased]\n"
_VERSION = re.compile(r"^## \[([^\]]+)\] - (\d{4}-\d{2}-\d{2})$", re.MULTILINE)


def unreleased(text: str) -> dict[str, list[str]] | None:
    """The entries of what is not released yet, by their kind, such as `Changed`.

    Args:
        text: The changelog.

    Returns:
        None if there is no such section.
    """
    if _UNRELEASED not in text:
        return None
    section = text.split(_UNRELEASED, 1)[1].split("\n## ", 1)[0]
    kinds = re.split(r"^### (.+)\n", section, flags=re.MULTILINE)[1:]
    return {kind: _entries(body) for kind, body in zip(kinds[::2], kinds[1::2], strict=True)}


def versions(text: str) -> list[str]:
    """The released versions, as they stand in the changelog, the newest first.

    Args:
        text: The changelog.
    """
    return [found[1] for found in _VERSION.finditer(text)]


def release(text: str, version: str, date: str) -> str:
    """The changelog with what is unreleased as a version, below an empty section for what comes.

    Args:
        text: The changelog.
        version: The version.
        date: Its date, such as `2026-12-01`.
    """
    return text.replace(_UNRELEASED, f"{_UNRELEASED}\n## [{version}] - {date}\n", 1)


def _entries(body: str) -> list[str]:
    """The entries of a list in one line each."""
    return [" ".join(entry.split()) for entry in re.split(r"^- ", body, flags=re.MULTILINE)[1:]]
