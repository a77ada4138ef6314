"""What a terminal shows in the end of what programs have written to it."""

from __future__ import annotations

import re

# Cursor up, erase in line, and everything else that moves nothing here: colours, the cursor's visibility, titles.
_TOKEN = re.compile(
    r"\x1b\[(?P<count>\d*)(?P<final>[A-Za-z])|\x1b\[[?0-9;]*[A-Za-z]|\x1b\][^\x07]*\x07|(?P<text>[\s\S])"
)


def render(written: str) -> str:
    """The lines of the screen, without spaces at their ends; what a spinner has taken back is gone."""
    lines: list[list[str]] = [[]]
    row = column = 0
    for token in _TOKEN.finditer(written):
        character = token["text"]
        if character == "\n":
            row += 1
            if row == len(lines):
                lines.append([])
        elif character == "\r":
            column = 0
        elif character is not None:
            line = lines[row]
            line.extend(" " * (column - len(line)))
            line[column : column + 1] = [character]
            column += 1
        elif token["final"] == "A":
            row = max(0, row - int(token["count"] or 1))
        elif token["final"] == "K":
            del lines[row][0 if token["count"] == "2" else column :]
        if character == "\n":
            column = 0
    return "\n".join("".join(line).rstrip() for line in lines).rstrip("\n") + "\n"
