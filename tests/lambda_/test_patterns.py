"""The regular expressions of the functions work on each supported Python."""

from __future__ import annotations

import re
from pathlib import Path

LAMBDA = Path(__file__).resolve().parents[2] / "lambda"
POSSESSIVE_GROUP = re.compile(r"\)(?:[*+?]|\{\d*,?\d*\})\+")


def test_no_group_is_possessive() -> None:
    """Python before 3.11.5, such as Debian 12's, goes on in the middle of what such a group has not matched."""
    sources = list(LAMBDA.rglob("*.py"))
    assert len(sources) > 100
    patterns = {path: re.findall(r"""\brb?(["'])(.+?)\1""", path.read_text(encoding="utf-8")) for path in sources}
    assert not {
        f"{path.relative_to(LAMBDA)}: {text}"
        for path, found in patterns.items()
        for _, text in found
        if POSSESSIVE_GROUP.search(text)
    }
