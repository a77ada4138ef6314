"""Python source without docstrings, comments, most types and their imports, which a cold start would read for nothing.

It is indented by one space. Lines stay where they are, so that tracebacks in the log name those of the source.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from functools import cache
from itertools import takewhile
from pathlib import Path

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


@cache
def compact_copy(*folders: Path) -> Path:
    """A copy of folders that has nothing beside it in the folder returned, which exists as long as this process.

    What Python compiles is left out: installers write it, and the hash of the copy has to be the same from a checkout
    and from an installed wheel. So are the `__init__.py` of packages inside a folder that are empty without docstrings:
    Python imports a folder without one as well, and reads a file less.

    Args:
        folders: Folders of Python and other files.
    """
    place = tempfile.TemporaryDirectory()
    _PLACES.append(place)
    for folder in folders:
        _copy(folder, Path(place.name))
    return Path(place.name)


def _copy(folder: Path, place: Path) -> None:
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.suffix == ".pyc":
            continue
        copy = place / folder.name / path.relative_to(folder)
        source = _copied_source(path, copy.relative_to(place)) if path.suffix == ".py" else None
        if path.name == "__init__.py" and path.parent != folder and source is not None and not source.strip('"\n'):
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source is not None:
            copy.write_text(source, encoding="utf-8")
        else:
            copy.write_bytes(path.read_bytes())
        shutil.copymode(path, copy)


def _copied_source(path: Path, copy: Path) -> str:
    source = compact(path.read_text(encoding="utf-8"))
    # What is run by its path is in no package.
    return source if "__main__" in source else _with_relative_imports(source, copy.parent.parts)


_PLACES: list[tempfile.TemporaryDirectory[str]] = []
"""Deleted when the process ends: the CDK has its own copies by then."""
