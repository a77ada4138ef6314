"""Whether one resource already depends on another, so that the other cannot depend on it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from aws_cdk import CfnResource, Stack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs import IConstruct

_IN_TEXT = re.compile(r"\$\{(\w+)")


def depends_on(construct: IConstruct, resource: CfnResource) -> bool:
    """Whether a construct needs a resource first, directly or by way of others, nested stacks included.

    Two stacks that are not nested in the same one are left to the CDK, which reports such a circle itself. For
    validations: what constructs depend on is complete only then.

    Args:
        construct: The construct.
        resource: The resource.
    """
    own, others = dict(_levels(construct)), dict(_levels(resource))
    common = [path for path in own if path in others]
    if not common:
        return False
    stack = _stack_of(own[common[0]])
    start, goal = own[common[0]], others[common[0]]
    known = {str(stack.resolve(each.logical_id)): each for each in _resources(stack)}
    names = {each.node.path: name for name, each in known.items()}
    waiting = [names[each.node.path] for each in start.node.find_all() if each.node.path in names]
    seen = set(waiting)
    while waiting:
        for name in _needed(stack, known[waiting.pop()], names) & known.keys() - seen:
            seen.add(name)
            waiting.append(name)
    return names.get(goal.node.path) in seen


def _levels(construct: IConstruct) -> Iterator[tuple[str, IConstruct]]:
    """The construct in its stack, and in each stack around that the nested stack with it."""
    stack: Stack | None = Stack.of(construct)
    while stack is not None:
        yield stack.node.path, construct
        resource = stack.nested_stack_resource
        stack = stack.nested_stack_parent
        if resource is not None:
            construct = resource


def _stack_of(construct: IConstruct) -> Stack:
    return Stack.of(construct)


def _resources(stack: Stack) -> Iterator[CfnResource]:
    for each in stack.node.find_all():
        if isinstance(each, CfnResource) and Stack.of(each).node.path == stack.node.path:
            yield each


def _needed(stack: Stack, resource: CfnResource, names: dict[str, str]) -> set[str]:
    """Logical ids that a resource refers to or waits for."""
    waits = {names.get(each.node.path) for each in resource.obtain_dependencies() if isinstance(each, CfnResource)}
    return {*_references(stack.resolve(resource._cfn_properties)), *(name for name in waits if name)}


def _references(value: Any) -> Iterator[str]:
    match value:
        case {"Ref": str(name)}:
            yield name
        case {"Fn::GetAtt": [str(name), *_]}:
            yield name
        case {"Fn::GetAtt": str(name)}:
            yield name.partition(".")[0]
        case {"Fn::Sub": str(text)}:
            yield from _IN_TEXT.findall(text)
        case {"Fn::Sub": [str(text), values]}:
            yield from _IN_TEXT.findall(text)
            yield from _references(values)
        case dict():
            for part in value.values():
                yield from _references(part)
        case list():
            for part in value:
                yield from _references(part)
