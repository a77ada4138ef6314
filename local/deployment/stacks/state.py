"""What the emulated CloudFormation knows of a stack and its resources."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.deployment.cloudformation import OutputName


class ResourceFailure(Exception):  # noqa: N818 - what CloudFormation reports of a resource
    """A resource cannot be created, updated or deleted; the text is the reason in its event."""


@dataclass(slots=True, kw_only=True, eq=False)
class StackResource:
    """A resource of a stack.

    Args:
        stack: The name of the stack.
        logical_id: The logical id.
        definition: Its entry in the template.
        properties: Its properties with all references resolved.
        instance: What the service keeps of it; None while it is being created.
        status: Its status, as in the events.
    """

    stack: str
    logical_id: str
    definition: Mapping[str, Any]
    properties: dict[str, Any]
    instance: Any = None
    status: str = ""

    @property
    def type(self) -> str:
        """The resource type."""
        resource_type: str = self.definition["Type"]
        return resource_type

    @property
    def physical_id(self) -> str | None:
        """The physical id, if it has one."""
        found: str | None = getattr(self.instance, "physical_resource_id", None)
        return found


@dataclass(slots=True, kw_only=True, eq=False)
class StackState:
    """A stack.

    Args:
        moto: Moto's stack, with its template, parameters and events.
        client: Gives the client of a service of the control plane.
        resources: What exists, by logical id, in the order of creation.
        references: The outputs of other stacks that it refers to weakly, as they were when it was created or updated.
        outputs: Its outputs, as DescribeStacks gives them, of the last operation that succeeded.
        cancelled: Whether it is to be deleted before its creation has ended.
    """

    moto: Any
    client: Callable[[str], Any]
    resources: dict[str, StackResource] = field(default_factory=dict)
    references: dict[OutputName, str] = field(default_factory=dict)
    outputs: list[dict[str, Any]] | None = None
    cancelled: bool = False

    @property
    def name(self) -> str:
        """The name of the stack."""
        name: str = self.moto.name
        return name

    @property
    def definitions(self) -> Mapping[str, Any]:
        """The resources of the template whose condition is true, by logical id."""
        return definitions_of(self.moto)

    def resolve(self, definition: Mapping[str, Any]) -> dict[str, Any]:
        """The properties of a resource with everything resolved that refers to what exists."""
        from moto.cloudformation import parsing

        resolved: dict[str, Any] = parsing.clean_json(definition.get("Properties") or {}, self.moto.resource_map)
        return resolved

    def put(self, resource: StackResource) -> None:
        """Adds or exchanges a resource; from now on it is what a reference to its logical id means."""
        self.resources[resource.logical_id] = resource
        self.moto.resource_map._parsed_resources[resource.logical_id] = resource.instance

    def drop(self, logical_id: str) -> None:
        """Forgets a resource."""
        self.resources.pop(logical_id, None)
        self.moto.resource_map._parsed_resources.pop(logical_id, None)

    def report(self, status: str, reason: str | None = None) -> None:
        """Sets the status of the stack, with an event."""
        self.moto.status = status
        self.moto.stack_status_reason = reason
        self.moto._add_stack_event(status, resource_status_reason=reason)

    def report_resource(self, resource: StackResource, status: str, reason: str | None = None) -> None:
        """Sets the status of a resource, with an event."""
        from moto.cloudformation.models import Event

        resource.status = status
        self.moto.events.append(
            Event(
                stack_id=self.moto.stack_id,
                stack_name=self.name,
                logical_resource_id=resource.logical_id,
                physical_resource_id=resource.physical_id or "",
                resource_type=resource.type,
                resource_status=status,
                resource_status_reason=reason,
                resource_properties=None,
            )
        )


def definitions_of(moto_stack: Any) -> Mapping[str, Any]:
    """The resources of a template whose condition is true, by logical id."""
    conditions = moto_stack.resource_map.lazy_condition_map
    return {
        logical_id: entry
        for logical_id, entry in moto_stack.template_dict["Resources"].items()
        if "Condition" not in entry or conditions[entry["Condition"]]
    }
