"""What programs that use one public API lose in another: by griffe, and by types and values, which griffe skips."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import griffe

if TYPE_CHECKING:
    from collections.abc import Iterator

_UNKNOWN = "..."
"""The default of an argument that has one, but not in its signature."""


@dataclass(frozen=True, slots=True, order=True)
class Break:
    """Something that programs lose.

    Args:
        owner: The public name that it is of, such as `FrontDoor`.
        member: The method or attribute, such as `add_consumer`. Empty: the public name itself.
        parameter: The parameter. Empty: the member as a whole.
        what: What happened to it, in words.
    """

    owner: str
    member: str
    parameter: str
    what: str

    @property
    def subject(self) -> str:
        """The name that nobody finds any more as it was: of the parameter, the member or the public name."""
        return self.parameter or self.member or self.owner

    def __str__(self) -> str:
        path = ".".join(part for part in (self.owner, self.member) if part)
        return f"{path}({self.parameter}): {self.what}" if self.parameter else f"{path}: {self.what}"


def breaks(old: str, new: str) -> list[Break]:
    """What programs that were written for an API lose with a later one, in the order of names.

    Args:
        old: The earlier API, as `render` writes it.
        new: The later one.
    """
    before, after = _read(old), _read(new)
    return sorted({*_by_griffe(before, after), *_by_types(before, after)})


def _read(text: str) -> griffe.Module:
    modules = griffe.ModulesCollection()
    # Without the import griffe takes the values of a literal for names.
    text = f"from typing import Literal\n{text}"
    module = griffe.visit("api", Path("api.pyi"), text, modules_collection=modules)
    modules.set_member("api", module)
    for each in module.classes.values():
        for function in each.members.values():
            if isinstance(function, griffe.Function) and "staticmethod" not in function.labels:
                # Whether it is called on the class or on an object is no matter to the caller.
                del function.parameters[0]
    return module


def _by_griffe(before: griffe.Module, after: griffe.Module) -> Iterator[Break]:
    for each in griffe.find_breaking_changes(before, after):
        parameter = ""
        if isinstance(each.obj, griffe.Function) and each.kind is not griffe.BreakageKind.OBJECT_REMOVED:
            given = each.old_value or each.new_value
            parameter = given.name if isinstance(given, griffe.Parameter) else ""
        if each.kind is griffe.BreakageKind.PARAMETER_CHANGED_DEFAULT and _UNKNOWN in _defaults(each):
            continue
        yield _break(each.obj.canonical_path, parameter, _WORDS[each.kind])


def _defaults(each: griffe.Breakage) -> set[str]:
    return {str(each.old_value.default), str(each.new_value.default)}


_WORDS = {
    griffe.BreakageKind.PARAMETER_MOVED: "another position",
    griffe.BreakageKind.PARAMETER_REMOVED: "removed",
    griffe.BreakageKind.PARAMETER_CHANGED_KIND: "no longer both positional and by name",
    griffe.BreakageKind.PARAMETER_CHANGED_DEFAULT: "another default",
    griffe.BreakageKind.PARAMETER_CHANGED_REQUIRED: "required now",
    griffe.BreakageKind.PARAMETER_ADDED_REQUIRED: "new and required",
    griffe.BreakageKind.RETURN_CHANGED_TYPE: "returns another type",
    griffe.BreakageKind.OBJECT_REMOVED: "removed",
    griffe.BreakageKind.OBJECT_CHANGED_KIND: "another kind of object",
    griffe.BreakageKind.ATTRIBUTE_CHANGED_TYPE: "another type",
    griffe.BreakageKind.ATTRIBUTE_CHANGED_VALUE: "another value",
    griffe.BreakageKind.CLASS_REMOVED_BASE: "no longer of a base class",
}


def _break(path: str, parameter: str, what: str) -> Break:
    _, owner, *members = path.split(".")
    return Break(owner, ".".join(members), parameter, what)


def _by_types(before: griffe.Module, after: griffe.Module) -> Iterator[Break]:
    """Parameters that take less than before, and results that may be more than before."""
    for name, old in before.members.items():
        new = after.members.get(name)
        if isinstance(old, griffe.Class) and isinstance(new, griffe.Class):
            for member in old.members.keys() & new.all_members.keys():
                yield from _of_member(old.members[member], _target(new.all_members[member]))
        elif new is not None:
            yield from _of_member(old, new)


def _of_member(old: griffe.Object | griffe.Alias, new: griffe.Object | griffe.Alias) -> Iterator[Break]:
    if isinstance(old, griffe.Function) and isinstance(new, griffe.Function):
        before = {one.name: one for one in old.parameters}
        for now in new.parameters:
            if now.name in before and not _kinds(before[now.name]) <= _kinds(now):
                was = before[now.name].annotation
                yield _break(new.path, now.name, f"takes {now.annotation}, no longer {was}")
        if not _kinds(new) <= _kinds(old):
            yield _break(new.path, "", f"returns {new.returns}, no longer {old.returns}")
    elif isinstance(old, griffe.Attribute) and isinstance(new, griffe.Attribute):
        if not _kinds(new) <= _kinds(old):
            yield _break(new.path, "", f"is {new.annotation}, no longer {old.annotation}")
        if str(old.value) != str(new.value):
            yield _break(new.path, "", f"is {new.value}, no longer {old.value}")


def _kinds(each: griffe.Parameter | griffe.Function | griffe.Attribute) -> set[str]:
    """What a type admits: the members of a union, and the values of literals, as text."""
    if each.annotation is None:
        return set()
    kinds = set(_alternatives(ast.parse(str(each.annotation), mode="eval").body))
    owner = None if isinstance(each, griffe.Parameter) else each.parent
    return {owner.name if owner and kind == "Self" else kind for kind in kinds}


def _alternatives(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            yield from _alternatives(left)
            yield from _alternatives(right)
        case ast.Subscript(value=ast.Name(id="Literal"), slice=ast.Tuple(elts=values)):
            yield from map(ast.unparse, values)
        case ast.Subscript(value=ast.Name(id="Literal"), slice=value):
            yield ast.unparse(value)
        case _:
            yield ast.unparse(node)


def _target(each: griffe.Object | griffe.Alias) -> griffe.Object:
    return each.final_target if isinstance(each, griffe.Alias) else each
