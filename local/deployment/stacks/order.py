"""The order in which the emulated CloudFormation creates resources; it deletes them in the opposite one.

CloudFormation creates at the same time whatever depends on nothing. Here one resource comes after the other, and what
needs another resource is created as early as the template allows: without a dependency it fails, as it may on AWS.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

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
    preferred = sorted(resources, key=lambda logical_id: rank.get(resources[logical_id]["Type"], len(rank)))
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
