"""Lists as Python-Markdown reads them; the documents have them as GitHub does.

GitHub (CommonMark) begins a list right after a paragraph, and takes what is indented as far as an item's text as part
of it. Python-Markdown wants an empty line before a list, and an indentation by four.
"""

from __future__ import annotations

import re

_ITEM = re.compile(r"(?:[-*+]|\d{1,9}\.) +(?=\S)")
_BEGINS_AFTER_TEXT = re.compile(r"(?:[-*+]|1\.) +\S")
_FENCE = re.compile(r" *```")
_INDENTATION = 4


def with_lists(markdown: str) -> str:
    """The same text for Python-Markdown.

    Args:
        markdown: The text of a document.
    """
    lines: list[str] = []
    width, fenced, several, before = 0, False, False, ""
    for line in markdown.split("\n"):
        indent = len(line) - len(line.lstrip(" "))
        more = 0
        item = None if fenced else _ITEM.match(line)
        if item and (width or not before.strip() or _BEGINS_AFTER_TEXT.match(line)):
            # An item of several paragraphs ends with an empty line, too.
            if before.strip() and (several or not width):
                lines.append("")
            width, several = len(item[0]), False
        elif line.strip() and width and indent >= width:
            several = several or not before.strip()
            more = max(_INDENTATION - width, 0)
        elif line.strip() and not fenced and not before.strip():
            width = 0
        if _FENCE.match(line):
            fenced = not fenced
        lines.append(" " * more + line)
        before = line
    return "\n".join(lines)
