"""Wait conditions and their handles: the creation of a stack waits for signals, and fails with their reason.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-waitcondition.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from local.deployment.stacks.state import ResourceFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.deployment.stacks.data_plane import DataPlane
    from local.deployment.stacks.state import StackResource

HANDLE = "AWS::CloudFormation::WaitConditionHandle"
CONDITION = "AWS::CloudFormation::WaitCondition"
TYPES = frozenset({HANDLE, CONDITION})
MAX_SECONDS = 43_200


@dataclass(slots=True)
class WaitResource:
    """A handle or a condition, as a stack keeps it.

    Args:
        cf_resource_type: The resource type.
        logical_resource_id: The logical id.
        physical_resource_id: Of a handle its URL, of a condition an ARN below that of its stack.
        data: What the signals of a condition have brought, by UniqueId.
    """

    cf_resource_type: str
    logical_resource_id: str
    physical_resource_id: str
    data: Mapping[str, str] = field(default_factory=dict)

    def get_cfn_attribute(self, name: str) -> str:
        """The value of `Fn::GetAtt`: of a condition `Data`, as JSON.

        Raises:
            ResourceFailure: There is no such attribute.
        """
        if self.cf_resource_type != CONDITION or name != "Data":
            raise ResourceFailure(f"Attribute: {name} was not found for resource: {self.logical_resource_id}")
        return json.dumps(self.data, separators=(",", ":"))


def create(
    stack_id: str, resource: StackResource, data_plane: DataPlane, is_cancelled: Callable[[], bool]
) -> WaitResource:
    """Gives a handle its URL, or waits for the signals of a condition.

    Raises:
        ResourceFailure: The condition has failed.
    """
    if resource.type == HANDLE:
        return WaitResource(resource.type, resource.logical_id, data_plane.open_handle())
    count = _number(resource.properties, "Count", 1, 1, None)
    seconds = _number(resource.properties, "Timeout", None, 0, MAX_SECONDS)
    data = data_plane.signals_of(str(resource.properties.get("Handle", "")), count, seconds, is_cancelled)
    return WaitResource(resource.type, resource.logical_id, f"{stack_id}/{resource.logical_id}", data)


def update(resource: StackResource) -> WaitResource:
    """Refuses: neither type can be updated.

    Raises:
        ResourceFailure: Always.
    """
    raise ResourceFailure(f"Update to resource type {resource.type} is not supported.")


def _number(properties: Mapping[str, Any], name: str, default: int | None, lowest: int, highest: int | None) -> int:
    value = properties.get(name, default)
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = lowest - 1
    if number < lowest or (highest is not None and number > highest):
        limits = f"from {lowest} to {highest}" if highest is not None else f"at least {lowest}"
        raise ResourceFailure(f"{name}={value}: must be an integer {limits}.")
    return number
