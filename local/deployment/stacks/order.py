"""The order in which the emulated CloudFormation creates resources; it deletes them in the opposite one.

CloudFormation creates at the same time whatever depends on nothing. Here one resource comes after the other, and what
needs another resource is created as early as the template allows: without a dependency it fails, as it may on AWS.
Wait conditions, and what needs them, come as late as possible: what signals them may have no dependency with them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from local.deployment.stacks.wait_conditions import CONDITION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# What needs an endpoint, a component or a target that it only names, and what nothing needs.
_EARLY = (
    "AWS::CloudWatch::Alarm",
    "AWS::ApplicationAutoScaling::ScalingPolicy",
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::SageMaker::InferenceComponent",
)
_SUBSTITUTED = re.compile(r"\$\{([^!}][^}]*)\}")


def creation_order(resources: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The logical ids, each after those that it depends on or refers to."""
    rank = {resource_type: position for position, resource_type in enumerate(_EARLY)}
    waits = _waits(resources)
    preferred = sorted(
        resources,
        key=lambda logical_id: (len(waits[logical_id]), rank.get(resources[logical_id]["Type"], len(rank))),
    )
    ordered: dict[str, None] = {}
    opened: set[str] = set()

    def visit(logical_id: str) -> None:
        if logical_id in opened or logical_id not in resources:
            return
        opened.add(logical_id)
        for needed in sorted(needs(resources[logical_id])):
            visit(needed)
        ordered[logical_id] = None

    for logical_id in preferred:
        visit(logical_id)
    return list(ordered)


def _waits(resources: Mapping[str, Mapping[str, Any]]) -> dict[str, set[str]]:
    """The wait conditions that each resource needs, by logical id: itself, or through what it needs."""
    found: dict[str, set[str]] = {}

    def visit(logical_id: str) -> set[str]:
        if logical_id not in resources:
            return set()
        if logical_id not in found:
            own = {logical_id} if resources[logical_id]["Type"] == CONDITION else set()
            found[logical_id] = own  # for circles
            found[logical_id] = own.union(*map(visit, needs(resources[logical_id])))
        return found[logical_id]

    for logical_id in resources:
        visit(logical_id)
    return found


def needs(resource: Mapping[str, Any]) -> set[str]:
    """What a resource depends on or refers to: logical ids, and names of parameters."""
    named = resource.get("DependsOn", [])
    explicit = [named] if isinstance(named, str) else named
    return {*explicit, *_references(resource.get("Properties", {}))}


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _references(item)
    elif isinstance(value, dict):
        if isinstance(value.get("Ref"), str):
            yield value["Ref"]
        if "Fn::GetAtt" in value:
            named = value["Fn::GetAtt"]
            yield named.split(".")[0] if isinstance(named, str) else named[0]
        if "Fn::Sub" in value:
            text = value["Fn::Sub"]
            for name in _SUBSTITUTED.findall(text if isinstance(text, str) else text[0]):
                yield name.split(".")[0]
        for item in value.values():
            yield from _references(item)
