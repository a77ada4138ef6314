"""Where the output goes: colours on a terminal, plain text in a pipe."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34", "magenta": "35"}
_PIPE_WIDTH = 120


@dataclass(frozen=True)
class Terminal:
    """A stream with what it can show.

    Args:
        stream: Where to write.
        colours: Whether it shows ANSI colours.
        unicode: Whether it takes characters beyond ASCII.
        width: Columns of a line.
    """

    stream: TextIO
    colours: bool = False
    unicode: bool = True
    width: int = _PIPE_WIDTH

    @classmethod
    def of(cls, stream: TextIO, environment: Mapping[str, str] = os.environ) -> Terminal:
        """What a stream can show.

        Colours need a terminal. NO_COLOR (https://no-color.org) and TERM=dumb switch them off, FORCE_COLOR on.
        """
        is_terminal = stream.isatty()
        wanted = is_terminal and environment.get("TERM") != "dumb"
        if environment.get("FORCE_COLOR"):
            wanted = True
        if environment.get("NO_COLOR"):
            wanted = False
        width = shutil.get_terminal_size((_PIPE_WIDTH, 24)).columns if is_terminal else _PIPE_WIDTH
        return cls(stream, colours=wanted, unicode=_takes(stream, "█▓▒░·×→…~"), width=width)

    def paint(self, text: str, *styles: str) -> str:
        """The text in a style, where the stream shows colours."""
        codes = ";".join(_STYLES[style] for style in styles if style)
        return f"\x1b[{codes}m{text}\x1b[0m" if self.colours and codes and text else text

    def say(self, text: str = "") -> None:
        """Writes one line, in the characters that the stream takes."""
        line = text if self.unicode else _plain(text)
        self.stream.write(f"{line.rstrip()}\n")


_ASCII = str.maketrans({"×": "x", "·": "-", "→": "->", "…": "...", "–": "-", "’": "'"})


def _plain(text: str) -> str:
    return text.translate(_ASCII).encode("ascii", "replace").decode("ascii")


def _takes(stream: TextIO, characters: str) -> bool:
    try:
        characters.encode(stream.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
