"""The fenced blocks of a document: commands, the output below them, files and code."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<code>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
_TITLE = re.compile(r'title="([^"]+)"')


@dataclass(frozen=True)
class Command:
    """A command of a block.

    Args:
        text: The command, in one line and without its comment.
        line: The line of the document on which it begins.
    """

    text: str
    line: int


@dataclass
class Block:
    """A fenced block.

    Args:
        document: The document's path in the clone.
        line: The line of its opening fence.
        language: What stands behind the fence: `console`, `python`, or nothing.
        code: Its text.
        title: The file that its text is, relative to the clone.
        section: The heading above it.
        output: What the block right below it says that its commands print.
        output_span: Where that stands in the document.
    """

    document: str
    line: int
    language: str
    code: str
    title: str | None
    section: str
    output: str | None = None
    output_span: tuple[int, int] | None = None
    commands: list[Command] = field(default_factory=list)

    @property
    def place(self) -> str:
        """Where it is, for messages."""
        return f"{self.document}:{self.line}"


def blocks_of(path: Path) -> list[Block]:
    """The blocks of a document, in order; an output belongs to the block above it."""
    text = path.read_text(encoding="utf-8")
    document = path.relative_to(ROOT).as_posix()
    found: list[Block] = []
    end = 0
    for match in _FENCE.finditer(text):
        language, _, options = match["info"].strip().partition(" ")
        above = found[-1] if found else None
        if not language and above is not None and above.language == "console" and not text[end : match.start()].strip():
            above.output, above.output_span = match["code"], match.span("code")
        else:
            line = text.count("\n", 0, match.start()) + 1
            title = _TITLE.search(options)
            code = re.sub(f"^{match['indent']}", "", match["code"], flags=re.MULTILINE)
            block = Block(document, line, language, code, title[1] if title else None, _section(text, match.start()))
            block.commands = list(_commands(code, line)) if language == "console" else []
            if language == "console" and (printed := _printed_inside(code)):
                block.output = printed
            found.append(block)
        end = match.end()
    return found


def _section(text: str, position: int) -> str:
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text[:position], flags=re.M | re.S), re.MULTILINE)
    return headings[-1] if headings else ""


def _commands(code: str, fence: int) -> list[Command]:
    found: list[Command] = []
    lines = code.splitlines()
    for number, line in enumerate(lines):
        if line.startswith("$ "):
            whole = line[2:]
            following = iter(lines[number + 1 :])
            while whole.endswith("\\"):
                whole = whole[:-1].rstrip() + " " + next(following).strip()
            found.append(Command(without_comment(whole), fence + 1 + number))
    return found


def without_comment(command: str) -> str:
    """A command without the comment at its end; `#` in quotes or inside a word begins none."""
    quote = ""
    for index, character in enumerate(command):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "#" and (index == 0 or command[index - 1].isspace()):
            return command[:index].rstrip()
    return command.rstrip()


def _printed_inside(code: str) -> str:
    """The lines of a console block that are no command: its output, if it has one of its own."""
    kept: list[str] = []
    continues = False
    for line in code.splitlines(keepends=True):
        if not (line.startswith("$ ") or continues):
            kept.append(line)
        continues = line.rstrip().endswith("\\") and (line.startswith("$ ") or continues)
    return "".join(kept)
