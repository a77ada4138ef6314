"""What exists on AWS before a deployment, made up in the emulated account."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from local.deployment.cloudformation import Template, parse_secret, secret_references
from local.deployment.control_plane import ACCOUNT
from local.deployment.deployed_stack import pseudo_parameters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.deployment.control_plane import ControlPlane

ROLE = f"arn:aws:iam::{ACCOUNT}:role/made-up"
MADE_UP = "made-up-for-the-emulated-cloud"


def create_endpoints(plane: ControlPlane, missing: Mapping[str, Mapping[str, Any]]) -> None:
    """Creates endpoints that the API calls and no stack has, of models as the API knows them.

    On AWS they exist before the deployment.
    """
    sagemaker = plane.client("sagemaker")
    for name, entry in missing.items():
        container = {"Image": MADE_UP, "Environment": _environment(name, entry)}
        sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
        variant = {"VariantName": "AllTraffic", "ModelName": name, "InstanceType": "ml.g5.xlarge"}
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)


def _environment(name: str, entry: Mapping[str, Any]) -> dict[str, str]:
    """TGI's, whose names of limits are those of the API in capitals."""
    limits = {key.upper(): str(value) for key, value in entry.items() if key.startswith("max_")}
    payload = limits.pop("MAX_BODY_BYTES", None)
    return {
        "HF_MODEL_ID": entry.get("model_id") or name,
        **limits,
        **({"PAYLOAD_LIMIT": payload} if payload else {}),
    }


def create_secrets(plane: ControlPlane, bodies: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Creates the secrets that templates refer to, with made-up values; returns their names.

    On AWS the account's owner creates them before the deployment.

    Args:
        plane: Where.
        bodies: The templates by the names of their stacks.
    """
    own: set[str] = set()
    keys: dict[str, set[str]] = {}
    for stack, body in bodies.items():
        template = Template(body, pseudo=pseudo_parameters(stack))
        own |= {template.physical_id(name) for name in template.resources("AWS::SecretsManager::Secret")}
        kinds = {entry["Type"] for entry in body["Resources"].values()}
        for reference in secret_references([template.resources(kind) for kind in kinds]):
            name, json_key = parse_secret(reference)
            keys.setdefault(name, set()).add(json_key)
    wanted = sorted(keys.keys() - own)
    for name in wanted:
        value = MADE_UP if keys[name] == {""} else json.dumps(dict.fromkeys(sorted(keys[name]), MADE_UP))
        plane.client("secretsmanager").create_secret(Name=name, SecretString=value)
    return wanted
