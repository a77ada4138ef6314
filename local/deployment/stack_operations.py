"""The order in which the emulated CloudFormation creates and deletes resources, and how it reports a failure.

CloudFormation creates at the same time whatever depends on nothing, and deletes in the opposite direction. Moto follows
the order of the template, and tries again what cannot be deleted yet. Here what needs another resource is created as
early as the template allows, and deleted as late: without a dependency in the template it fails, as it may on AWS.
"""

from __future__ import annotations

from contextlib import contextmanager
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


def creation_order(resources: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The logical ids in the order in which moto is asked for them; it creates first what a resource refers to."""
    rank = {resource_type: position for position, resource_type in enumerate(_EARLY)}
    return sorted(resources, key=lambda logical_id: rank.get(resources[logical_id]["Type"], len(rank)))


def dependencies(resource: Mapping[str, Any]) -> list[str]:
    """The logical ids in a resource's `DependsOn`."""
    named = resource.get("DependsOn", [])
    return [named] if isinstance(named, str) else list(named)


@contextmanager
def _failure_of(logical_id: str) -> Iterator[None]:
    """Reports an error of a service as an error of CloudFormation, which names the resource."""
    from moto.cloudformation.exceptions import CloudFormationError, ValidationError
    from moto.core.exceptions import ServiceException, _RESTError

    try:
        yield
    except CloudFormationError:
        raise
    except (ServiceException, _RESTError) as error:
        raise ValidationError(message=f"{logical_id}: {error.message}") from error


def install() -> None:
    """Patches moto's CloudFormation."""
    from moto.cloudformation import parsing

    create, update = parsing.parse_and_create_resource, parsing.parse_and_update_resource

    def create_after_dependencies(logical_id: str, resource_json: Any, resources_map: Any, **account: str) -> Any:
        # Moto creates a resource when another one, or an output, first refers to it.
        for dependency in dependencies(resource_json):
            resources_map[dependency]
        with _failure_of(logical_id):
            return create(logical_id, resource_json, resources_map, **account)

    def update_resource(logical_id: str, resource_json: Any, resources_map: Any, **account: str) -> Any:
        with _failure_of(logical_id):
            return update(logical_id, resource_json, resources_map, **account)

    def delete_in_opposite_order(resources_map: Any) -> None:
        created = resources_map._parsed_resources
        for logical_id in reversed(list(created)):
            definition = resources_map._resource_json_map.get(logical_id)
            if definition is not None and definition.get("DeletionPolicy") not in ("Retain", "RetainExceptOnCreate"):
                with _failure_of(logical_id):
                    resources_map._delete_resource(created[logical_id], definition)
                del created[logical_id]

    parsing.parse_and_create_resource = create_after_dependencies
    parsing.parse_and_update_resource = update_resource
    parsing.ResourceMap._ResourceMap__get_resources_in_dependency_order = lambda resources_map: creation_order(
        resources_map._resource_json_map
    )
    parsing.ResourceMap.delete = delete_in_opposite_order
