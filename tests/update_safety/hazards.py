"""What can go wrong when one template takes the place of another: one function for each kind, which says it in words.

Each takes the template that the stack has and the one that it gets.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.update_safety.resource_schemas import identity_properties
from tests.update_safety.template_changes import (
    Action,
    changes,
    properties_of,
    references,
    replaced_resources,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.update_safety.template_changes import Json

ENDPOINT = "AWS::SageMaker::Endpoint"
FUNCTION = "AWS::Lambda::Function"
POLICIES = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
API = "AWS::ApiGateway::RestApi"
STAGE = "AWS::ApiGateway::Stage"
KEY = "AWS::ApiGateway::ApiKey"
COMPONENT = "AWS::SageMaker::InferenceComponent"

# Creating one where one exists takes its place, and deleting the old one then takes the new one away.
_TAKING_PLACE = ("AWS::WAFv2::WebACLAssociation", "AWS::IAM::Policy")
# What SageMaker runs with a role, itself or by what it refers to.
_HOSTS = ("AWS::SageMaker::Model", "AWS::SageMaker::Endpoint", "AWS::SageMaker::InferenceComponent")
_GONE = (Action.REPLACE, Action.DELETE)


def all_hazards(before: Json, after: Json) -> list[str]:
    """Everything that must never be, whatever changes."""
    return [
        *refused_changes(before, after),
        *colliding_names(before, after),
        *undone_by_cleanup(before, after),
        *missing_references(before, after),
        *names_of_what_goes(before, after),
        *changed_handlers(before, after),
        *policies_after_their_users(before, after),
        *permissions_after_the_stage(before, after),
        *endpoints_without_their_config(before, after),
        *components_that_move(before, after),
        *lost_places(before, after),
    ]


def refused_changes(before: Json, after: Json) -> list[str]:
    """What CloudFormation refuses: another type under the same logical id, another function of a custom resource."""
    return [
        f"{change.logical_id} cannot become an {change.resource_type}: {change.reason}"
        for change in changes(before, after)
        if change.action is Action.REFUSE
    ]


def colliding_names(before: Json, after: Json) -> list[str]:
    """What is created with the name of something that still exists, as old resources are deleted last."""
    return [
        f"{new} is created while {old} has its name: {_shown(identity)}"
        for new, old, identity in _same_identities(before, after)
        if after["Resources"][new]["Type"] not in _TAKING_PLACE
    ]


def undone_by_cleanup(before: Json, after: Json) -> list[str]:
    """What is created in the place of something, and goes with it when CloudFormation deletes the old one."""
    gone = {change.logical_id for change in changes(before, after) if change.action in _GONE}
    return [
        f"{new} takes the place of {old}, and is gone when {old} is deleted: {_shown(identity)}"
        for new, old, identity in _same_identities(before, after)
        if after["Resources"][new]["Type"] in _TAKING_PLACE and old in gone and not _keeps_old(after, new, old)
    ]


def missing_references(before: Json, after: Json) -> list[str]:
    """What refers to a resource that the template no longer has."""
    lost = before["Resources"].keys() - after["Resources"].keys()
    return [
        f"{name} refers to {target}, which is deleted"
        for name, resource in after["Resources"].items()
        for target in sorted(lost & (references(resource) | set(_depends_on(resource))))
    ]


def names_of_what_goes(before: Json, after: Json) -> list[str]:
    """What mentions the name of a resource that goes, without referring to it: it would go on with the old one."""
    still = set().union(*(_literals(_identity(resource)) for resource in after["Resources"].values()))
    text = {name: json.dumps(properties_of(resource)) for name, resource in after["Resources"].items()}
    found = []
    for change in changes(before, after):
        if change.action not in _GONE or change.resource_type.startswith("AWS::IAM::"):
            continue
        was = _identity(before["Resources"][change.logical_id])
        now = _identity(after["Resources"].get(change.logical_id, {}))
        for name in _literals(was) - _literals(now) - still:
            found += [f"{other} mentions {name}, which goes" for other in text if json.dumps(name) in text[other]]
    return found


def changed_handlers(before: Json, after: Json) -> list[str]:
    """Functions whose code becomes another one while what calls them is still the old.

    An authorizer that becomes another one decides for the old API until its stage has the new definition.
    """
    return [
        f"{name} becomes another function ({was} → {becomes}) before what calls it changes"
        for name, was, becomes in _updated(before, after, FUNCTION, "Handler")
        if was != becomes
    ]


def policies_after_their_users(before: Json, after: Json) -> list[str]:
    """Functions that do not wait for the policies of their role, and policies of endpoints that nothing waits for."""
    resources = after["Resources"]
    policies = [name for name, one in resources.items() if one["Type"] in POLICIES]
    found = []
    for policy in policies:
        roles = references(properties_of(resources[policy]).get("Roles")) & resources.keys()
        users = {name for name in resources if roles & references(_role_of(resources[name]))}
        users -= _needed_by(after, policy)
        functions = sorted(name for name in users if resources[name]["Type"] == FUNCTION)
        found += [f"{name} does not wait for {policy}" for name in functions if policy not in _needed_by(after, name)]
        hosts = [name for name, one in resources.items() if one["Type"] in _HOSTS]
        if users - set(functions) and not any(policy in _needed_by(after, name) for name in hosts):
            found.append(f"nothing waits for {policy}")
    return found


def permissions_after_the_stage(before: Json, after: Json) -> list[str]:
    """Stages that go live before API Gateway may invoke what they invoke."""
    permissions = {
        name: references(properties_of(one)["SourceArn"])
        for name, one in after["Resources"].items()
        if one["Type"] == "AWS::Lambda::Permission"
        and properties_of(one).get("Principal") == "apigateway.amazonaws.com"
    }
    return [
        f"{name} does not wait for {permission}"
        for name, stage in after["Resources"].items()
        if stage["Type"] == STAGE
        for permission, apis in permissions.items()
        if apis & references(properties_of(stage)["RestApiId"]) and permission not in _needed_by(after, name)
    ]


def endpoints_without_their_config(before: Json, after: Json) -> list[str]:
    """Endpoints that do not refer to their EndpointConfig, so that it might be deleted first or created last."""
    configs = {name for name, one in after["Resources"].items() if one["Type"] == "AWS::SageMaker::EndpointConfig"}
    return [
        f"{name} does not refer to its EndpointConfig"
        for name, one in after["Resources"].items()
        if one["Type"] == ENDPOINT and not references(properties_of(one)["EndpointConfigName"]) & configs
    ]


def components_that_move(before: Json, after: Json) -> list[str]:
    """Inference components that would be updated to another endpoint or variant, which they cannot leave."""
    moved = replaced_resources(before, after)
    return [
        f"{name} cannot leave its endpoint and variant"
        for name, old, new in _in_place(before, after)
        if new["Type"] == COMPONENT
        for key in ("EndpointName", "VariantName")
        if properties_of(old).get(key) != properties_of(new).get(key)
        or references(properties_of(new).get(key)) & moved.keys()
    ]


def lost_places(before: Json, after: Json) -> list[str]:
    """Places in S3 that the instances which still run may no longer use, as their policy changes first."""
    return [
        f"{name} no longer allows {target}"
        for name, old, new in _in_place(before, after)
        if new["Type"] in POLICIES
        for target in sorted(_allowed(old, "s3:") - _allowed(new, "s3:"))
    ]


def interruptions(before: Json, after: Json) -> list[str]:
    """What fails for the seconds between two steps of the update."""
    return [
        *denied_invocations(before, after),
        *changed_runtimes(before, after),
        *changed_key_sources(before, after),
    ]


def denied_invocations(before: Json, after: Json) -> list[str]:
    """Endpoints that a function may no longer invoke before it stops doing so."""
    moved = replaced_resources(before, after)
    found = []
    for name, old, new in _in_place(before, after):
        if new["Type"] not in POLICIES:
            continue
        lost = _allowed(old, "sagemaker:InvokeEndpoint") - {
            target
            for target in _allowed(new, "sagemaker:InvokeEndpoint")
            if not references(json.loads(target)) & moved.keys()
        }
        found += [f"{name} no longer allows to invoke {target}" for target in sorted(lost)]
    return found


def changed_runtimes(before: Json, after: Json) -> list[str]:
    """Functions that begin or cease to stream before their API does."""
    wrapper = "AWS_LAMBDA_EXEC_WRAPPER"
    environments = _updated(before, after, FUNCTION, "Environment")
    return [
        f"{name} streams before or after its API does"
        for name, was, becomes in environments
        if (wrapper in json.dumps(was)) != (wrapper in json.dumps(becomes))
    ]


def changed_key_sources(before: Json, after: Json) -> list[str]:
    """APIs that look for keys elsewhere before their stage does."""
    return [
        f"{name} looks for API keys elsewhere before its stage has the new definition"
        for name, was, becomes in _updated(before, after, API, "ApiKeySourceType")
        if was != becomes
    ]


def moved_policies(before: Json, after: Json) -> list[str]:
    """Policies that leave a role which still runs what they allow."""
    return [
        f"{name} leaves its role before what runs with it stops"
        for name, old, new in _in_place(before, after)
        if new["Type"] in POLICIES and properties_of(old).get("Roles") != properties_of(new).get("Roles")
    ]


def effect_on_callers(before: Json, after: Json) -> set[str]:
    """What callers have to learn: `new URL`, `new key`; empty if nothing."""
    found = set()
    for change in changes(before, after):
        if change.resource_type in (API, STAGE) and change.action in _GONE:
            found.add("new URL")
        if change.resource_type == KEY and change.action in _GONE:
            found.add("new key")
    return found


def effect_on_endpoint(before: Json, after: Json) -> str:
    """What happens to the only endpoint: `unchanged`, `updated in place` or `new endpoint`."""
    actions = {change.action for change in changes(before, after) if change.resource_type == ENDPOINT}
    if not actions:
        return "unchanged"
    return "updated in place" if actions == {Action.UPDATE} else "new endpoint"


def _same_identities(before: Json, after: Json) -> Iterator[tuple[str, str, str]]:
    """What is created, the old resource that AWS would not tell from it, and by what."""
    replaced = replaced_resources(before, after)
    old = {
        (resource["Type"], json.dumps(identity, sort_keys=True)): name
        for name, resource in before["Resources"].items()
        if (identity := _identity(resource))
    }
    for name, resource in after["Resources"].items():
        is_created = name in replaced or name not in before["Resources"]
        identity = _identity(resource)
        if not is_created or not identity or references(identity) & replaced.keys():
            continue
        key = (resource["Type"], json.dumps(identity, sort_keys=True))
        if key in old:
            yield name, old[key], key[1]


def _identity(resource: Json) -> dict[str, Any]:
    """What a template says of the name of a resource; empty if AWS chooses it."""
    if not resource:
        return {}
    given = properties_of(resource)
    return {key: given[key] for key in identity_properties(resource["Type"]) if key in given}


def _literals(identity: dict[str, Any]) -> set[str]:
    """The names that other resources could mention; that of a scaling policy means nothing elsewhere."""
    return {
        value
        for key, value in identity.items()
        if isinstance(value, str) and key.endswith("Name") and key != "PolicyName"
    }


def _keeps_old(after: Json, new: str, old: str) -> bool:
    return new == old and after["Resources"][new].get("UpdateReplacePolicy") == "Retain"


def _in_place(before: Json, after: Json) -> Iterator[tuple[str, Json, Json]]:
    for change in changes(before, after):
        if change.action is Action.UPDATE:
            yield change.logical_id, before["Resources"][change.logical_id], after["Resources"][change.logical_id]


def _updated(before: Json, after: Json, resource_type: str, key: str) -> Iterator[tuple[str, Any, Any]]:
    """A property of the resources of a type that are updated in place, before and after."""
    for name, old, new in _in_place(before, after):
        if new["Type"] == resource_type:
            yield name, properties_of(old).get(key), properties_of(new).get(key)


def _allowed(policy: Json, action: str) -> set[str]:
    """The resources of the statements with an action that begins like that, as JSON."""
    found = set()
    for statement in properties_of(policy)["PolicyDocument"]["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        if any(each.startswith(action) for each in actions):
            targets = statement["Resource"]
            found |= {json.dumps(one) for one in (targets if isinstance(targets, list) else [targets])}
    return found


def _role_of(resource: Json) -> Any:
    """The role that a function, a Model or an EndpointConfig runs with."""
    given = properties_of(resource)
    return [given.get("Role"), given.get("ExecutionRoleArn")]


def _depends_on(resource: Json) -> list[str]:
    given = resource.get("DependsOn", [])
    return [given] if isinstance(given, str) else list(given)


def _needed_by(template: Json, name: str) -> set[str]:
    """What CloudFormation creates or updates before a resource."""
    resources, found, open_ids = template["Resources"], set[str](), [name]
    while open_ids:
        resource = resources[open_ids.pop()]
        needed = (references(resource.get("Properties", {})) | set(_depends_on(resource))) & resources.keys()
        open_ids += needed - found
        found |= needed
    return found


def _shown(identity: str) -> str:
    return identity if len(identity) < 200 else f"{identity[:200]}…"
