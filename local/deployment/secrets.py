"""Puts the deployed secrets into moto's Secrets Manager with generated values, and reads secrets for references."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from local.deployment.cloudformation import parse_secret, replace_secrets

if TYPE_CHECKING:
    from local.deployment.control_plane import ControlPlane
    from local.deployment.recorded_resources import RecordedResource

SECRET = "AWS::SecretsManager::Secret"  # noqa: S105 - a type

# The members of GenerateSecretString that GetRandomPassword has too.
_GENERATED = (
    "ExcludeCharacters",
    "ExcludeLowercase",
    "ExcludeNumbers",
    "ExcludePunctuation",
    "ExcludeUppercase",
    "IncludeSpace",
    "PasswordLength",
    "RequireEachIncludedType",
)


def create(secrets_manager: Any, secret: RecordedResource) -> None:
    """Creates a secret with the value that its properties give or describe; its physical id is its ARN."""
    properties = secret.properties
    created = secrets_manager.create_secret(
        Name=properties.get("Name") or f"{secret.stack}-{secret.logical_resource_id}",
        Description=properties.get("Description", ""),
        SecretString=_value(secrets_manager, properties),
    )
    secret.physical_resource_id = created["ARN"]


def update(old: RecordedResource, new: RecordedResource) -> None:
    """Keeps a secret, whose value CloudFormation generates once: none of the stacks here changes a given one."""
    new.physical_resource_id = old.physical_resource_id


def delete(secrets_manager: Any, secret: RecordedResource) -> None:
    """Deletes a secret; AWS keeps it for some time, under a name that nothing else gets."""
    secrets_manager.delete_secret(SecretId=secret.physical_resource_id, ForceDeleteWithoutRecovery=True)


def with_secrets(plane: ControlPlane, text: str) -> str:
    """A text with the value of the secret in place of each dynamic reference."""
    return replace_secrets(text, lambda reference: _read(plane, reference))


def _read(plane: ControlPlane, reference: str) -> str:
    identifier, json_key = parse_secret(reference)
    text: str = plane.client("secretsmanager").get_secret_value(SecretId=identifier)["SecretString"]
    return str(json.loads(text)[json_key]) if json_key else text


def _value(secrets_manager: Any, properties: Any) -> str:
    described = properties.get("GenerateSecretString")
    if described is None:
        return str(properties.get("SecretString", ""))
    options = {name: described[name] for name in _GENERATED if name in described}
    password = str(secrets_manager.get_random_password(**options)["RandomPassword"])
    if "GenerateStringKey" not in described:
        return password
    return json.dumps({**json.loads(described["SecretStringTemplate"]), described["GenerateStringKey"]: password})
