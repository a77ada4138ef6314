"""Creates placeholders for the secrets and endpoints that must exist before a deployment."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from local.deployment.cloudformation import Template, parse_secret, secret_references
from local.deployment.code_build import PROJECT
from local.deployment.control_plane import ACCOUNT
from local.deployment.deployed_stack import pseudo_parameters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.deployment.control_plane import ControlPlane

ROLE = f"arn:aws:iam::{ACCOUNT}:role/placeholder"
PLACEHOLDER = "placeholder-of-the-emulated-cloud"
STAGING_REQUEST = "STAGING_REQUEST"
"""The variable of a build that stages weights: what to copy where, as JSON."""
_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def create_endpoints(plane: ControlPlane, missing: Mapping[str, Mapping[str, Any]]) -> None:
    """Creates placeholders for endpoints that the API calls but no stack has; on AWS they already exist.

    Args:
        plane: The control plane.
        missing: What the API's functions know of each endpoint (`DeployedFunction.models`), by endpoint name.
    """
    sagemaker = plane.client("sagemaker")
    for name, entry in missing.items():
        container = {"Image": PLACEHOLDER, "Environment": _environment(name, entry)}
        sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
        variant = {"VariantName": "AllTraffic", "ModelName": name, "InstanceType": "ml.g5.xlarge"}
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)


_LENGTHS = {"vllm": "SM_VLLM_MAX_MODEL_LEN", "sglang": "SM_SGLANG_CONTEXT_LENGTH", "lmi": "OPTION_MAX_MODEL_LEN"}
_MODELS = {"vllm": "SM_VLLM_MODEL", "sglang": "SM_SGLANG_MODEL_PATH", "lmi": "HF_MODEL_ID"}
_TOOLS = {
    "vllm": {"SM_VLLM_ENABLE_AUTO_TOOL_CHOICE": "true", "SM_VLLM_TOOL_CALL_PARSER": "hermes"},
    "sglang": {"SM_SGLANG_TOOL_CALL_PARSER": "qwen25"},
    "lmi": {"OPTION_ENABLE_AUTO_TOOL_CHOICE": "true", "OPTION_TOOL_CALL_PARSER": "hermes"},
}


def _environment(name: str, entry: Mapping[str, Any]) -> dict[str, str]:
    """The variables of the entry's engine; vLLM stands for any container that speaks OpenAI's protocol."""
    engine = entry.get("engine", "tgi")
    if engine == "openai":
        engine = "vllm"
    model, length = entry.get("model_id") or name, entry.get("max_total_tokens")
    if engine == "tgi":
        return _tgi_environment(model, entry)
    if engine == "tgi-neuron":
        return {"TOY_ENGINE": engine, "MODEL_ID": model, **_tgi_environment(model, entry)}
    return {
        "TOY_ENGINE": engine,
        _MODELS[engine]: model,
        **({_LENGTHS[engine]: str(length)} if length else {}),
        **({} if entry.get("tools") is False else _TOOLS[engine]),
    }


def _tgi_environment(model: str, entry: Mapping[str, Any]) -> dict[str, str]:
    """TGI's environment: the limits in the entry have the same names in lower case."""
    limits = {key.upper(): str(value) for key, value in entry.items() if key.startswith("max_")}
    payload = limits.pop("MAX_BODY_BYTES", None)
    return {
        "HF_MODEL_ID": model,
        **limits,
        **({"PAYLOAD_LIMIT": payload} if payload else {}),
    }


def create_secrets(plane: ControlPlane, bodies: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Creates the secrets that templates or their builds read but that they do not contain, with placeholder values.

    On AWS the owner of the account creates them before the deployment.

    Args:
        plane: The control plane.
        bodies: The templates by stack name.

    Returns:
        The names of the secrets.
    """
    defined: set[str] = set()
    keys: dict[str, set[str]] = {}
    for stack, body in bodies.items():
        template = Template(body, pseudo=pseudo_parameters(stack))
        defined |= {template.physical_id(name) for name in template.resources("AWS::SecretsManager::Secret")}
        types = {entry["Type"] for entry in body["Resources"].values()}
        for reference in secret_references([template.resources(resource_type) for resource_type in types]):
            identifier, json_key = parse_secret(reference)
            keys.setdefault(identifier.split(":secret:", 1)[-1], set()).add(json_key)
        for request in _staging_requests(template):
            if secret := request.get("token_secret"):
                keys.setdefault(secret.split(":secret:", 1)[-1], set()).add("")
    missing = sorted(keys.keys() - defined)
    for name in missing:
        value = PLACEHOLDER if keys[name] == {""} else json.dumps(dict.fromkeys(sorted(keys[name]), PLACEHOLDER))
        plane.client("secretsmanager").create_secret(Name=name, SecretString=value)
    return missing


def create_buckets(plane: ControlPlane, bodies: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Creates the buckets into which builds stage weights and that no template contains; on AWS they already exist.

    Args:
        plane: The control plane.
        bodies: The templates by stack name.

    Returns:
        The names of the buckets.
    """
    defined: set[str] = set()
    named: set[str] = set()
    for stack, body in bodies.items():
        template = Template(body, pseudo=pseudo_parameters(stack))
        defined |= {bucket.get("BucketName", "") for bucket in template.resources("AWS::S3::Bucket").values()}
        named |= {request["bucket"] for request in _staging_requests(template)}
    # What is no name stands for a bucket that is about to be created.
    missing = sorted(name for name in named - defined if _BUCKET_NAME.fullmatch(name))
    for name in missing:
        plane.client("s3").create_bucket(Bucket=name)
    return missing


def _staging_requests(template: Template) -> list[Mapping[str, Any]]:
    """What the builds of a template stage."""
    return [
        json.loads(variable["Value"])
        for project in template.resources(PROJECT).values()
        for variable in project["Environment"].get("EnvironmentVariables", ())
        if variable["Name"] == STAGING_REQUEST
    ]
