"""Creates, updates and deletes one resource: in moto, in the records, or with a custom resource's function."""

from __future__ import annotations

import copy
import json
import traceback
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from local.deployment import alarms, recorded_resources, secrets
from local.deployment.stacks import custom_resources, wait_conditions
from local.deployment.stacks.state import ResourceFailure, StackResource, StackState, definitions_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from local.deployment.stacks.data_plane import DataPlane

_CREATE_ONLY = Path(__file__).with_name("create_only.json")
# CloudFormation creates such a resource only once its own operation has ended.
_NESTED = "AWS::CloudFormation::Stack"


@cache
def create_only_properties() -> Mapping[str, list[str]]:
    """The properties whose change replaces a resource, by type: `createOnlyProperties` in the resource schemas."""
    found: Mapping[str, list[str]] = json.loads(_CREATE_ONLY.read_text())
    return found


def must_be_replaced(old: StackResource, properties: Mapping[str, Any]) -> bool:
    """Whether an update to these properties creates another resource.

    Raises:
        ResourceFailure: It would, but the resource has a name of its own, which the new one cannot have too.
    """
    names = create_only_properties().get(old.type, [])
    changed = [name for name in names if old.properties.get(name) != properties.get(name)]
    if not changed:
        return False
    own_name = _name_property(old.type)
    if own_name in old.properties and old.properties[own_name] == properties.get(own_name):
        raise ResourceFailure(
            "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename "
            f"{old.properties[own_name]} and update the stack again."
        )
    return True


def create(state: StackState, resource: StackResource, data_plane: DataPlane) -> Any:
    """Creates a resource; returns what its service keeps.

    Raises:
        ResourceFailure: The service refuses it.
    """
    moto, resource_type = state.moto, resource.type
    if custom_resources.is_custom(resource_type):
        return custom_resources.create(state.moto.stack_id, resource, data_plane)
    if resource_type in wait_conditions.TYPES:
        return wait_conditions.create(moto.stack_id, resource, data_plane, lambda: state.cancelled)
    with _refusals():
        if recorded_resources.is_recorded(resource_type):
            recorded = recorded_resources.record(
                recorded_resources.RecordedResource(
                    resource_type,
                    resource.logical_id,
                    resource.properties,
                    stack=state.name,
                    account=moto.account_id,
                    region=moto.region_name,
                )
            )
            if resource_type in alarms.ALARMS:
                alarms.put(state.client("cloudwatch"), recorded)
            if resource_type == secrets.SECRET:
                secrets.create(state.client("secretsmanager"), recorded)
            return recorded
        instance = _service(resource_type).create_from_cloudformation_json(
            _name(state, resource),
            _entry(resource),
            moto.account_id,
            moto.region_name,
            LogicalId=resource.logical_id,
            StackId=moto.stack_id,
            ResourceType=resource_type,
        )
    instance.cf_resource_type = resource_type
    instance.logical_resource_id = resource.logical_id
    if resource_type == _NESTED and not instance.status.endswith("CREATE_COMPLETE"):
        raise ResourceFailure(f"Embedded stack {instance.stack_id} was not successfully created: {instance.status}")
    return instance


def update(state: StackState, old: StackResource, new: StackResource, data_plane: DataPlane) -> Any:
    """Updates a resource in place; returns what its service keeps.

    Raises:
        ResourceFailure: The service refuses the update. The resource is then as it was.
    """
    moto = state.moto
    if custom_resources.is_custom(new.type):
        return custom_resources.update(moto.stack_id, old, new, data_plane)
    if new.type in wait_conditions.TYPES:
        return wait_conditions.update(new)
    service = _service(new.type)
    with _refusals():
        if hasattr(service.update_from_cloudformation_json, "__isabstractmethod__"):
            return old.instance  # nothing here reads the changed properties from moto
        instance = service.update_from_cloudformation_json(
            original_resource=old.instance,
            new_resource_name=_name(state, new),
            cloudformation_json=_entry(new),
            account_id=moto.account_id,
            region_name=moto.region_name,
        )
        if new.type in alarms.ALARMS:
            alarms.put(state.client("cloudwatch"), instance)
        if new.type == secrets.SECRET:
            secrets.update(old.instance, instance)
    instance.cf_resource_type = new.type
    instance.logical_resource_id = new.logical_id
    return instance


def delete(state: StackState, resource: StackResource, data_plane: DataPlane) -> None:
    """Deletes a resource.

    Raises:
        ResourceFailure: The service refuses it.
    """
    if custom_resources.is_custom(resource.type):
        custom_resources.delete(state.moto.stack_id, resource, data_plane)
        return
    if resource.type in wait_conditions.TYPES:
        return
    account, region = state.moto.account_id, state.moto.region_name
    service = _service(resource.type)
    definition = _entry(resource)
    with _refusals():
        if resource.type in alarms.ALARMS:
            alarms.delete(state.client("cloudwatch"), resource.instance)
        if resource.type == secrets.SECRET:
            secrets.delete(state.client("secretsmanager"), resource.instance)
        if hasattr(resource.instance, "delete"):
            try:
                resource.instance.delete(account, region)
            except (TypeError, AttributeError):  # a method for something else
                service.delete_from_cloudformation_json(resource.physical_id, definition, account, region)
        elif not hasattr(service.delete_from_cloudformation_json, "__isabstractmethod__"):
            service.delete_from_cloudformation_json(resource.physical_id, definition, account, region)


def put_back(resource: StackResource) -> None:
    """Makes a resource that was replaced the one of its logical id again."""
    if isinstance(resource.instance, recorded_resources.RecordedResource):
        recorded_resources.keep(resource.instance)


def unsupported(moto_stack: Any) -> str | None:
    """Why a stack cannot be deployed here: a type that there is not; None if it can."""
    from moto.cloudformation import parsing

    for logical_id, entry in definitions_of(moto_stack).items():
        resource_type = entry["Type"]
        known = recorded_resources.is_recorded(resource_type) or custom_resources.is_custom(resource_type)
        known = known or resource_type in wait_conditions.TYPES
        if not known and resource_type not in parsing.get_model_map():
            return (
                f"{logical_id}: the emulated cloud has no {resource_type}. If the stack works without its behaviour, "
                "add the type to RECORDED in local/deployment/recorded_resources.py."
            )
    return None


def _entry(resource: StackResource) -> dict[str, Any]:
    """What moto reads of a resource, and changes as it likes."""
    return {**resource.definition, "Properties": copy.deepcopy(resource.properties)}


def _service(resource_type: str) -> Any:
    from moto.cloudformation import parsing

    return parsing.resource_class_from_type(resource_type)


def _name(state: StackState, resource: StackResource) -> str:
    from moto.cloudformation import parsing

    generated = parsing.generate_resource_name(resource.type, state.name, resource.logical_id)
    return str(resource.properties.get(_name_property(resource.type)) or generated)


def _name_property(resource_type: str) -> str:
    """The property with the name of a resource; "" if its type has none."""
    from moto.cloudformation import parsing

    recorded = recorded_resources.name_property(resource_type)
    return recorded or parsing.resource_name_property_from_type(resource_type) or _NAMES.get(resource_type, "")


# Names that moto does not know as such.
_NAMES = {
    "AWS::SageMaker::Endpoint": "EndpointName",
    "AWS::SageMaker::EndpointConfig": "EndpointConfigName",
    "AWS::SageMaker::Model": "ModelName",
}


@contextmanager
def _refusals() -> Iterator[None]:
    """Reports any error of a service as the failure of the resource."""
    from moto.core.exceptions import ServiceException, _RESTError

    try:
        yield
    except ResourceFailure:
        raise
    except (ServiceException, _RESTError) as error:
        raise ResourceFailure(error.message) from error
    except (BotoCoreError, ClientError) as error:
        raise ResourceFailure(str(error)) from error
    except Exception as error:
        # Moto checks little: a property that it does not expect is a KeyError or the like somewhere inside.
        traceback.print_exc()
        raise ResourceFailure(f"{type(error).__name__}: {error}") from error
