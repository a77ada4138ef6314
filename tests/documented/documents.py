"""The documents with commands."""

from __future__ import annotations

from pathlib import Path

from tests.documented.blocks import ROOT
from tests.documented.rules import RUN_DOCUMENTS


def all_documents() -> list[Path]:
    """Every document, except the changelog."""
    found = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")]
    return sorted(path for path in found if path.name != "CHANGELOG.md")


def run_documents() -> list[Path]:
    """The documents whose commands are run."""
    return sorted(path for pattern in RUN_DOCUMENTS for path in ROOT.glob(pattern))
