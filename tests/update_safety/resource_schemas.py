"""What CloudFormation's resource schemas say about updates, as cfn-lint brings them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_REGION = "us-east-1"
_PROPERTIES = "/properties/"

# What identifies a resource beside others, where the schema names an id that AWS chooses. An empty tuple: nothing that
# a template can set.
_IDENTITIES: dict[str, tuple[str, ...]] = {
    "AWS::ApiGateway::ApiKey": ("Value",),
    "AWS::ApiGateway::BasePathMappingV2": ("DomainNameArn", "BasePath"),
    "AWS::ApiGateway::Deployment": (),
    "AWS::ApiGateway::DomainNameAccessAssociation": ("DomainNameArn", "AccessAssociationSource"),
    "AWS::ApiGateway::DomainNameV2": ("DomainName",),
    "AWS::ApiGateway::UsagePlanKey": ("KeyId", "UsagePlanId"),
    "AWS::ApplicationAutoScaling::ScalingPolicy": ("ScalingTargetId", "PolicyName"),
    "AWS::EC2::SecurityGroup": ("GroupName",),
    "AWS::IAM::Policy": ("PolicyName", "Roles", "Users", "Groups"),
    "AWS::Lambda::LayerVersion": (),
    "AWS::Lambda::Permission": (),
    "AWS::Logs::QueryDefinition": ("Name",),
    "AWS::SageMaker::InferenceComponent": ("InferenceComponentName",),
    # A stage has one web ACL at a time, whichever it is.
    "AWS::WAFv2::WebACLAssociation": ("ResourceArn",),
}


@cache
def schema(resource_type: str) -> dict[str, Any]:
    """The schema of a resource type.

    Raises:
        LookupError: cfn-lint has none.
    """
    from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

    found: dict[str, Any] = PROVIDER_SCHEMA_MANAGER.get_resource_schema(_REGION, resource_type).schema
    if not found:
        raise LookupError(resource_type)
    return found


def is_custom(resource_type: str) -> bool:
    """Whether a function of the stack's own makes the resource."""
    return resource_type.startswith("Custom::") or resource_type == "AWS::CloudFormation::CustomResource"


def create_only_paths(resource_type: str) -> list[str]:
    """The properties of which another value is another resource, such as `Content` or `Endpoint/Name`.

    What replaces a resource only in some cases is among them.
    """
    if is_custom(resource_type):
        return []
    found = schema(resource_type)
    paths = [*found.get("createOnlyProperties", ()), *found.get("conditionalCreateOnlyProperties", ())]
    return sorted(path.removeprefix(_PROPERTIES) for path in paths)


def identity_properties(resource_type: str) -> tuple[str, ...]:
    """The properties by which AWS tells resources of a type from each other, as far as a template sets them."""
    if is_custom(resource_type):
        return ()
    if resource_type in _IDENTITIES:
        return _IDENTITIES[resource_type]
    found = schema(resource_type)
    chosen_by_aws = set(found.get("readOnlyProperties", ()))
    identifier = [str(path) for path in found.get("primaryIdentifier", ())]
    if not chosen_by_aws.intersection(identifier):
        return tuple(path.removeprefix(_PROPERTIES) for path in identifier)
    own_names = ("Name", f"{resource_type.rpartition('::')[2]}Name")
    return tuple(path for path in create_only_paths(resource_type) if path in own_names)


def values_at(properties: dict[str, Any], path: str) -> list[Any]:
    """The values at a path of a schema, in which `*` stands for every member."""
    return list(_values(properties, path.split("/")))


def _values(value: Any, path: list[str]) -> Iterator[Any]:
    if not path:
        yield value
    elif path[0] == "*":
        members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        for member in members:
            yield from _values(member, path[1:])
    elif isinstance(value, dict) and path[0] in value:
        yield from _values(value[path[0]], path[1:])
