"""The table of docs/reference/what_a_change_does.md, which the tests hold every argument to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "reference" / "what_a_change_does.md"
COLUMNS = ("you change", "the endpoint", "URL and keys", "what happens")
EFFECTS = ("unchanged", "updated in place", "new endpoint", "update refused")
FOR_CALLERS = ("stay", "new URL", "new key", "new URL, new key")


@dataclass(frozen=True)
class DocumentedChange:
    """One argument of one row.

    Args:
        of: The construct or method.
        argument: Its argument, perhaps with a condition.
        endpoint: What happens to the endpoint: one of `EFFECTS`.
        callers: What happens to URL and keys: one of `FOR_CALLERS`.
        text: What happens, for people.
    """

    of: str
    argument: str
    endpoint: str
    callers: str
    text: str


def documented_changes() -> list[DocumentedChange]:
    """Every argument of every row, in the order of the table."""
    section = DOCUMENT.read_text(encoding="utf-8").split("\n## ")[0]
    rows = [_cells(line) for line in section.splitlines() if line.startswith("|")]
    assert tuple(rows[0]) == COLUMNS, rows[0]
    found = []
    for changed, endpoint, callers, text in rows[2:]:
        of, _, arguments = changed.replace("`", "").partition(": ")
        found += [DocumentedChange(of, each, endpoint, callers, text) for each in arguments.split(", ")]
    return found


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
