"""The public API as text: a stub with each public name, its signatures, types and defaults."""

from __future__ import annotations

import subprocess
import sys
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import griffe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).resolve().parents[2]

_HEADER = '''\
"""The public names of constructs_lib, with what they take and return; written by `make public-api`.

A class also has what it inherits from classes that are not public. Keywords are in the order of their names; `...` is a
default that the signature does not have.
"""
'''
_KEYWORDS_BEGIN = {griffe.ParameterKind.keyword_only, griffe.ParameterKind.var_keyword}
_STARS = {griffe.ParameterKind.var_positional: "*", griffe.ParameterKind.var_keyword: "**"}


def render(root: Path = ROOT) -> str:
    """The text of the file for the constructs_lib of a checkout. It is read, not imported.

    Args:
        root: The folder of the checkout.
    """
    package = _package(root)
    names = sorted(package.exports or [], key=str)
    objects = {str(name): _target(package[str(name)]) for name in names}
    public = {each.path: name for name, each in objects.items()}
    blocks = ["\n".join(_lines(name, each, public)) for name, each in objects.items()]
    return _formatted(f"{_HEADER}\n" + "\n\n".join(blocks) + "\n")


def _package(root: Path) -> griffe.Object | griffe.Alias:
    extensions = griffe.load_extensions("unpack_typeddict")
    return griffe.load(
        "constructs_lib",
        search_paths=[root],
        # Otherwise it is the one in the present folder.
        try_relative_path=False,
        extensions=extensions,
        resolve_aliases=True,
    )


def _lines(name: str, each: griffe.Object, public: dict[str, str]) -> Iterator[str]:
    if isinstance(each, griffe.Class):
        yield f"class {name}{_bases(each, public)}:"
        members = {key: member for key, member in _members(each, public).items() if _is_shown(key)}
        for key, member in sorted(members.items(), key=lambda item: (_rank(item[1]), item[0])):
            yield from (f"    {line}" for line in _member(key, member))
        if not members:
            yield "    ..."
    else:
        yield from _member(name, each)


def _members(each: griffe.Class, public: dict[str, str]) -> dict[str, griffe.Object]:
    """The members by name: the class's own, and those of its bases up to those that are public themselves."""
    found: dict[str, griffe.Object] = {}
    for one in [each, *_private_bases(each, public)]:
        for name, member in one.members.items():
            if isinstance(member, griffe.Object):
                found.setdefault(name, member)
    return found


def _private_bases(each: griffe.Class, public: dict[str, str]) -> list[griffe.Class]:
    of_public = {base.path for one in each.mro() if one.path in public for base in [one, *one.mro()]}
    return [one for one in each.mro() if one.path not in of_public]


def _bases(each: griffe.Class, public: dict[str, str]) -> str:
    """The nearest public base classes, and those of other packages that these do not have themselves."""
    shown = [one for one in each.mro() if one.path in public]
    further = {base.path for one in shown for base in one.mro()}
    nearest = [public[one.path] for one in shown if one.path not in further]
    inherited = {base for one in shown for ancestor in [one, *one.mro()] for base in _foreign(ancestor)}
    foreign = [base for one in [each, *each.mro()] for base in _foreign(one) if base not in inherited]
    names = list(dict.fromkeys([*nearest, *foreign]))
    return f"({', '.join(names)})" if names else ""


def _foreign(each: griffe.Class) -> list[str]:
    known = {one.name for one in each.mro()}
    return [text for base in each.bases if (text := str(base)).split("[")[0].split(".")[-1] not in known]


def _is_shown(name: str) -> bool:
    return name == "__init__" or not name.startswith("_")


def _rank(member: griffe.Object) -> int:
    if member.name == "__init__":
        return 1
    return 0 if isinstance(member, griffe.Attribute) and "property" not in member.labels else 2


def _member(name: str, each: griffe.Object) -> Iterator[str]:
    if isinstance(each, griffe.Function):
        for one in each.overloads or [each]:
            yield from ["@overload"] if each.overloads else []
            yield from (f"@{label}" for label in ("staticmethod", "classmethod") if label in each.labels)
            yield f"def {name}({_parameters(one.parameters)}) -> {_text(one.returns)}: ..."
    elif isinstance(each, griffe.Attribute) and "property" in each.labels:
        yield "@property"
        yield f"def {name}(self) -> {_text(each.annotation)}: ..."
    elif isinstance(each, griffe.Attribute):
        yield f"{name}{_typed(each)}"
    else:
        raise TypeError(f"{each.path}: no stub for a {each.kind.value}")


def _typed(each: griffe.Attribute) -> str:
    if each.annotation is not None:
        return f": {each.annotation}"
    if each.value is None or "class-attribute" not in each.labels:
        raise TypeError(f"{each.path}: annotate it, so that the public API has its type")
    return f" = {each.value}"


def _parameters(parameters: Iterable[griffe.Parameter]) -> str:
    """Parameters as they are written; keywords in the order of their names, as their order means nothing."""
    given = list(parameters)
    first = list(takewhile(lambda one: one.kind not in _KEYWORDS_BEGIN, given))
    rest = sorted(given[len(first) :], key=lambda one: (one.kind is griffe.ParameterKind.var_keyword, one.name))
    texts = [text for one in first for text in _positional(one, first)]
    if rest and rest[0].kind is griffe.ParameterKind.keyword_only and not _has_variadic(first):
        texts.append("*")
    return ", ".join([*texts, *map(_parameter, rest)])


def _positional(one: griffe.Parameter, first: list[griffe.Parameter]) -> list[str]:
    only = [each for each in first if each.kind is griffe.ParameterKind.positional_only]
    return [_parameter(one), "/"] if only and one is only[-1] else [_parameter(one)]


def _has_variadic(parameters: list[griffe.Parameter]) -> bool:
    return any(one.kind is griffe.ParameterKind.var_positional for one in parameters)


def _parameter(one: griffe.Parameter) -> str:
    stars = _STARS.get(one.kind, "") if one.kind else ""
    annotation = "" if one.annotation is None else f": {one.annotation}"
    default = "" if stars or one.default is None else f" = {_value(one.default)}"
    return f"{stars}{one.name}{annotation}{default}"


def _value(default: str | griffe.Expr) -> str:
    """A default; for the name of a constant what the constant is, so that another value shows."""
    constant = _target(default.resolved) if isinstance(default, griffe.ExprName) and default.resolved else None
    return str(constant.value) if isinstance(constant, griffe.Attribute) and constant.value else str(default)


def _text(annotation: object) -> str:
    return "None" if annotation is None else str(annotation)


def _target(each: griffe.Object | griffe.Alias) -> griffe.Object:
    return each.final_target if isinstance(each, griffe.Alias) else each


def _formatted(text: str) -> str:
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", "api.pyi", "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True, cwd=ROOT).stdout
