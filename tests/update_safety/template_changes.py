"""What CloudFormation does to a stack when one template takes the place of another."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from tests.update_safety.resource_schemas import create_only_paths, is_custom, values_at

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]

_SUBSTITUTED = re.compile(r"\$\{([A-Za-z0-9]+)(?:\.[^}]*)?\}")

# Source: CloudFormation Template Reference, pages of these types.
_NEVER_UPDATED = ("AWS::CloudFormation::WaitCondition", "AWS::CloudFormation::WaitConditionHandle")


class Action(StrEnum):
    """What happens to one resource."""

    CREATE = "create"
    UPDATE = "update in place"
    REPLACE = "replace"
    """A new one is created, what refers to it is updated, and then the old one is deleted."""
    DELETE = "delete"
    """After everything else: CloudFormation deletes what the template no longer has when it cleans up."""
    LEAVE = "leave behind"
    """The stack forgets the resource, which stays."""
    REFUSE = "refuse"
    """CloudFormation refuses the update before it changes anything, or fails at this resource."""


@dataclass(frozen=True)
class Change:
    """What happens to one resource, and why.

    Args:
        logical_id: The resource's logical id.
        resource_type: Its type.
        action: What happens.
        reason: Why.
    """

    logical_id: str
    resource_type: str
    action: Action
    reason: str


def changes(before: Json, after: Json) -> list[Change]:
    """What happens to each resource that does not stay as it is, by logical id.

    Args:
        before: The template that the stack has.
        after: The template that it gets.
    """
    old, new = before["Resources"], after["Resources"]
    replaced = replaced_resources(before, after)
    found = [
        *(Change(name, new[name]["Type"], Action.CREATE, "is new") for name in new.keys() - old.keys()),
        *(_removal(name, old[name]) for name in old.keys() - new.keys()),
        *(change for name in old.keys() & new.keys() if (change := _change(name, old[name], new[name], replaced))),
    ]
    return sorted(found, key=lambda change: change.logical_id)


def replaced_resources(before: Json, after: Json) -> dict[str, str]:
    """Why each resource that is replaced is, by logical id.

    A resource is also replaced if a create-only property refers to one that is.
    """
    old, new = before["Resources"], after["Resources"]
    both = [name for name in old if name in new and old[name]["Type"] == new[name]["Type"]]
    replaced: dict[str, str] = {}
    while True:
        found = {
            name: reason
            for name in both
            if name not in replaced and (reason := _reason_to_replace(old[name], new[name], replaced))
        }
        if not found:
            return replaced
        replaced |= found


def references(value: Any) -> set[str]:
    """The logical ids that a value refers to, and the names of parameters and pseudo parameters."""
    return set(_references(value))


def properties_of(resource: Json) -> Json:
    """The properties of a resource."""
    found: Json = resource.get("Properties", {})
    return found


def _reason_to_replace(old: Json, new: Json, replaced: dict[str, str]) -> str | None:
    for path in create_only_paths(new["Type"]):
        was, becomes = (values_at(properties_of(one), path) for one in (old, new))
        if was != becomes:
            return f"{path} is create-only"
        if moved := sorted(references(becomes) & replaced.keys()):
            return f"{path} refers to {moved[0]}, which is replaced"
    return None


def _change(name: str, old: Json, new: Json, replaced: dict[str, str]) -> Change | None:
    if old["Type"] != new["Type"]:
        return Change(name, new["Type"], Action.REFUSE, f"the resource is an {old['Type']}")
    if name in replaced:
        return Change(name, new["Type"], Action.REPLACE, replaced[name])
    was, becomes = properties_of(old), properties_of(new)
    changed = sorted(
        key
        for key in was.keys() | becomes.keys()
        if was.get(key) != becomes.get(key) or references(becomes.get(key)) & replaced.keys()
    )
    if is_custom(new["Type"]) and "ServiceToken" in changed:
        return Change(name, new["Type"], Action.REFUSE, "the ServiceToken of a custom resource cannot change")
    if changed and new["Type"] in _NEVER_UPDATED:
        return Change(name, new["Type"], Action.REFUSE, "updates of this type are not supported")
    return Change(name, new["Type"], Action.UPDATE, ", ".join(changed)) if changed else None


def _removal(name: str, old: Json) -> Change:
    if old.get("DeletionPolicy") in ("Retain", "RetainExceptOnCreate"):
        return Change(name, old["Type"], Action.LEAVE, "is no longer in the template, and is retained")
    return Change(name, old["Type"], Action.DELETE, "is no longer in the template")


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _references(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "Ref":
                yield item
            elif key == "Fn::GetAtt":
                yield item[0] if isinstance(item, list) else item.partition(".")[0]
            elif key == "Fn::Sub":
                yield from _SUBSTITUTED.findall(item if isinstance(item, str) else item[0])
                yield from _references(item)
            else:
                yield from _references(item)
