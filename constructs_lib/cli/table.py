"""Aligned columns, with or without colours."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_GAP = "  "
_NARROWEST = 24


@dataclass(frozen=True)
class Column:
    """One column.

    Args:
        title: Its title.
        right: Whether it is aligned to the right, as numbers are.
        wrap: Whether its text is broken into lines where the width does not suffice; the last column only.
    """

    title: str
    right: bool = False
    wrap: bool = False


def shown_width(text: str) -> int:
    """Columns that the text takes: colours take none, wide characters two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in _ANSI.sub("", text))


def table(columns: Sequence[Column], rows: Iterable[Sequence[str]], width: int) -> list[str]:
    """The lines of a table: a line of titles, then the rows.

    Args:
        columns: The columns.
        rows: Their texts, which may have colours unless the column wraps.
        width: Columns of a line.
    """
    lines = [[column.title for column in columns], *rows]
    widths = [max(shown_width(line[place]) for line in lines) for place in range(len(columns))]
    return [text for line in lines for text in _lines(columns, line, widths, width)]


def _lines(columns: Sequence[Column], row: Sequence[str], widths: Sequence[int], width: int) -> list[str]:
    cells = [_cell(text, size, right=column.right) for column, text, size in zip(columns, row, widths, strict=True)]
    if not columns[-1].wrap:
        return [_GAP.join(cells).rstrip()]
    indent = sum(widths[:-1]) + len(_GAP) * (len(columns) - 1)
    parts = textwrap.wrap(row[-1], max(_NARROWEST, width - indent)) or [""]
    first = _GAP.join([*cells[:-1], parts[0]]).rstrip()
    return [first, *(" " * indent + part for part in parts[1:])]


def _cell(text: str, width: int, *, right: bool) -> str:
    space = " " * (width - shown_width(text))
    return space + text if right else text + space
