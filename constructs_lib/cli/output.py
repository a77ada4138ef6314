"""Where a command writes: colours on a terminal, plain text in a pipe, ASCII if the stream accepts nothing else."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console, JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text

# Wide enough that every row of a table stays on one line in a pipe, for grep and awk.
_PIPE_WIDTH = 10_000

_GAP = 2
_NON_ASCII = "█▓▒░·×→…"
_ASCII = str.maketrans({"×": "x", "·": "-", "→": "->", "…": "...", "–": "-", "’": "'"})


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Args:
        title: Its title.
        is_number: Whether it holds numbers, which are aligned to the right.
        wraps: Whether its text is wrapped if the terminal is narrow.
    """

    title: str
    is_number: bool = False
    wraps: bool = False


class Output:
    """A text stream and what it can show.

    rich decides on colours: they require a terminal, TERM=dumb turns them off and FORCE_COLOR on. NO_COLOR
    (https://no-color.org) turns bold and dim off as well.

    Args:
        stream: Where to write.
        progress: Where to say what is done meanwhile: stderr. Default: nowhere.

    Attributes:
        unicode: Whether the stream accepts characters beyond ASCII.
        width: Columns of a line.
    """

    def __init__(self, stream: TextIO, progress: Output | None = None) -> None:
        self._stream = stream
        self.progress = progress
        self._console = Console(
            file=stream,
            color_system=None if os.environ.get("NO_COLOR") else "auto",
            width=None if stream.isatty() else _PIPE_WIDTH,
            markup=False,
            emoji=False,
            highlight=False,
        )
        self.unicode = _can_encode(stream, _NON_ASCII)
        self.width = self._console.width

    @property
    def is_terminal(self) -> bool:
        """Whether a person sees what is written as it is written."""
        return self._console.is_terminal

    @property
    def console(self) -> Console:
        """The stream as rich sees it, for what is drawn again and again."""
        return self._console

    def flush(self) -> None:
        """Let whoever reads a pipe have what was written until now."""
        self._stream.flush()

    def print(self, renderable: RenderableType = "") -> None:
        """Write a text or a table, and a line end. Strings are written as they are, without rich's markup."""
        with self._console.capture() as captured:
            self._console.print(renderable, crop=False)
        # rich pads the last column of a table with spaces.
        self.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))

    def print_table(self, columns: Sequence[Column], rows: Sequence[Sequence[RenderableType]]) -> None:
        """Write a table without lines: a row of titles, then the rows, two spaces between columns.

        Words and numbers are never broken: a table that is still too wide when all text is wrapped exceeds the
        terminal's width.
        """
        table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
        min_widths = [_min_width(column, cells) for column, *cells in zip(columns, *rows, strict=True)]
        for column, width in zip(columns, min_widths, strict=True):
            justify: JustifyMethod = "right" if column.is_number else "left"
            table.add_column(column.title, justify=justify, no_wrap=not column.wraps, min_width=width)
        for row in rows:
            table.add_row(*row)
        min_width = sum(min_widths) + _GAP * (len(columns) - 1)
        table.width = min_width if min_width > self.width else None
        self.print(table)

    def write_part(self, text: str, style: str = "") -> None:
        """Write a part of a text that goes on, unwrapped, in a style of rich's such as `dim`."""
        lines = text.split("\n")
        for position, line in enumerate(lines):
            self.write("\n" if position else "")
            self.write(self._styled(line, style) if style and line else line)

    def _styled(self, line: str, style: str) -> str:
        with self._console.capture() as captured:
            self._console.print(Text(line, style), end="", soft_wrap=True)
        return captured.get()

    def write(self, text: str) -> None:
        """Write text unwrapped, in characters that the stream accepts."""
        self._stream.write(text if self.unicode else _to_ascii(text))


def _min_width(column: Column, cells: Sequence[RenderableType]) -> int:
    texts = [column.title, *map(str, cells)]
    parts = [word for text in texts for word in text.split()] if column.wraps else texts
    return max(map(cell_len, parts))


def _to_ascii(text: str) -> str:
    return text.translate(_ASCII).encode("ascii", "replace").decode("ascii")


def _can_encode(stream: TextIO, characters: str) -> bool:
    try:
        characters.encode(stream.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
