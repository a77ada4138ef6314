"""Python source without docstrings, comments, most types and their imports, which a cold start would read for nothing.

It is indented by one space. Lines stay where they are, so that tracebacks in the log name those of the source.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path, PurePosixPath

# A string that is a statement of its own; it stays one where no other follows in its block: it may be all that it has.
_DOCSTRING = re.compile(r'^([ \t]*)"""(?:[^"\\]|\\.|"(?!""))*"""[ \t]*$(?=(\n+\1[^\s#])?)', re.MULTILINE)
_COMMENT = re.compile(r"^[ \t]*#.*$", re.MULTILINE)
# It may stand between what other patterns look for.
_DIRECTIVE = re.compile(r"[ \t]+# (?:noqa|type: ignore)\b.*$", re.MULTILINE)
_FOR_TYPES = re.compile(r"^if TYPE_CHECKING:\n(?:(?:[ \t]+[^\n]*)?\n)+?(?=\S)", re.MULTILINE)
_PROTOCOL = re.compile(r"^class (\w+)\((?:\w+, )*Protocol\):\n(?:(?:[ \t]+[^\n]*)?\n)+?(?=\S|\Z)", re.MULTILINE)
_RETURNED = re.compile(r"\) -> [^\n]+:$", re.MULTILINE)
# On the line of the function, or on lines of their own.
_PARAMETERS = re.compile(
    r"^(?:([ \t]*)def \w+\(\n(?:\1 (?!.*lambda).*\n)+\1\):|[ \t]*def \w+\((?!.*lambda)[^\n]+\):)$", re.MULTILINE
)
# Of an attribute, a constant or a variable; the members of a class need theirs.
_TYPE_OF_VARIABLE = re.compile(r"^([ \t]+self\.\w+|(?: {8,})?\w+): [^=\n]+(?= = )", re.MULTILINE)
_FUNCTION = re.compile(r"^def .*\n(?:(?:[ )].*)?\n)+", re.MULTILINE)
_TYPE_IN_FUNCTION = re.compile(r"^( {4}\w+): [^=\n]+(?= = )", re.MULTILINE)
_IMPORTED = re.compile(r"^(from [\w.]+ import )(\([^)]*\)|[^(\n]+)$", re.MULTILINE)
# A string, the beginning of a line, a comment, a bracket, or spaces beside another sign.
_SPACED = re.compile(
    r"""("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|^( +)|[ \t]*#.*$|[ ]*([()\[\]{}])[ ]*"""
    r"""|(?<=[-+*/%&|^<>=!:,]) +| +(?=[-+*/%&|^<>=!:,])""",
    re.MULTILINE,
)
_INDENTATION = re.compile(r"^(?: {4})+", re.MULTILINE)
_TYPE = re.compile(
    r"""(?<=\w): ["\w.| ]+(?:\[[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*\])?["| \w]*?(?= = |,|$)""", re.MULTILINE
)


def compact(source: str) -> str:
    """The source without docstrings, comments, spaces that separate nothing, and what is for type checkers alone.

    Args:
        source: Python in which no other string has more than one line, and nothing asks functions for their
            annotations. It imports no name for other modules to import from it.
    """
    source = _DOCSTRING.sub(_without_text, source)
    source = _DIRECTIVE.sub("", _COMMENT.sub("", source))
    source = _FOR_TYPES.sub(lambda found: "\n" * found[0].count("\n"), source)
    source = _PARAMETERS.sub(lambda found: _TYPE.sub("", found[0][:-2]) + "):", _RETURNED.sub("):", source))
    source = _FUNCTION.sub(lambda found: _TYPE_IN_FUNCTION.sub(r"\1", found[0]), source)
    source = _without_unused_names(_without_protocols(_TYPE_OF_VARIABLE.sub(r"\1", source)))
    source = _INDENTATION.sub(lambda found: " " * (len(found[0]) // 4), source)
    return _without_spaces(source)


def _without_spaces(source: str) -> str:
    """The source without comments, and without spaces beside signs and at the beginning of lines inside brackets."""
    depth = 0

    def kept(found: re.Match[str]) -> str:
        nonlocal depth
        string, indentation, bracket = found.groups()
        if bracket:
            depth += 1 if bracket in "([{" else -1
            return bracket
        return string or ("" if depth else indentation) or ""

    return _SPACED.sub(kept, source)


def _without_protocols(source: str) -> str:
    """The source without protocols that are types of parameters alone; another module imports none but for types."""

    def used(found: re.Match[str]) -> str:
        others = source[: found.start()] + source[found.end() :]
        return found[0] if re.search(rf"\b{found[1]}\b", others) else "\n" * found[0].count("\n")

    return _PROTOCOL.sub(used, source)


def _without_unused_names(source: str) -> str:
    """The source without imported names that nothing uses any more; one that a text has as a word stays."""
    words = set(re.findall(r"\w+", _IMPORTED.sub("", source)))

    def used(found: re.Match[str]) -> str:
        names = [name.strip() for name in found[2].strip("()").split(",")]
        kept = [name for name in names if name and name.rpartition(" ")[2] in words]
        return (found[1] + ", ".join(kept) if kept else "") + "\n" * found[0].count("\n")

    return _IMPORTED.sub(used, source)


def _with_relative_imports(source: str, package: tuple[str, ...]) -> str:
    """The source of a module with the shortest names of what it imports of its own package.

    Args:
        source: The source.
        package: The packages that the module is in, the outermost first.
    """

    def shorten(found: re.Match[str]) -> str:
        module = found[2].split(".")
        shared = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(package, module[:-1], strict=False))))
        return f"{found[1]}from {'.' * (len(package) - shared + 1)}{'.'.join(module[shared:])} import "

    return re.sub(rf"^( *)from ({package[0]}\.[\w.]+) import ", shorten, source, flags=re.MULTILINE)


def _without_text(docstring: re.Match[str]) -> str:
    return ("" if docstring[2] else f'{docstring[1]}""') + "\n" * docstring[0].count("\n")


@dataclass(frozen=True, slots=True)
class CopiedFile:
    """A file as it is deployed.

    Args:
        name: Its path in the archive.
        content: Its content.
        is_executable: Whether anybody may execute it.
    """

    name: str
    content: bytes
    is_executable: bool


def compact_files(folder: Path) -> Iterator[CopiedFile]:
    """The files of a folder, which itself begins their names, in an order that is always the same.

    What Python compiles is left out: installers write it, and a checkout and an installed wheel have to give the same
    files. So are the `__init__.py` of packages inside the folder that are empty without docstrings: Python imports a
    folder without one as well, and reads a file less.

    Args:
        folder: A folder of Python and other files.
    """
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.suffix == ".pyc":
            continue
        name = PurePosixPath(folder.name, *path.relative_to(folder).parts)
        content = _copied_source(path, name).encode() if path.suffix == ".py" else path.read_bytes()
        if path.name == "__init__.py" and path.parent != folder and not content.strip(b'"\n'):
            continue
        yield CopiedFile(str(name), content, bool(path.stat().st_mode & stat.S_IXUSR))


def _copied_source(path: Path, name: PurePosixPath) -> str:
    source = compact(path.read_text(encoding="utf-8"))
    # What is run by its path is in no package.
    return source if "__main__" in source else _with_relative_imports(source, name.parent.parts)
