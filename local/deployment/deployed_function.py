"""Reads the deployed Lambda functions from the control plane, with their code and their layers."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.deployment.control_plane import ACCOUNT, REGION
from local.errors import UserError
from local.lambda_service.environment import DEFAULT_EVENT_AGE_SECONDS, DEFAULT_EVENT_RETRIES, function_name
from local.lambda_service.files import LAYERS_ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from local.deployment.control_plane import ControlPlane

FUNCTION = "AWS::Lambda::Function"
EVENT_INVOKE_CONFIG = "AWS::Lambda::EventInvokeConfig"
LAYER = "AWS::Lambda::LayerVersion"
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_LAYERS = 5
DEFAULT_TIMEOUT_SECONDS = 3
DEFAULT_MEMORY_MB = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedFunction:
    """A Lambda function with its deployed code and the archives of its layers, in order."""

    name: str
    arn: str
    handler: str
    environment: Mapping[str, str]
    timeout_seconds: int
    memory_mb: int
    code_zip: bytes
    layers: Sequence[bytes] = ()
    reserved_concurrency: int | None = None
    event_retries: int = DEFAULT_EVENT_RETRIES
    event_age_seconds: int = DEFAULT_EVENT_AGE_SECONDS

    def models(self) -> dict[str, Mapping[str, Any]]:
        """The entries of the models by name, from the file that the variable `MODELS_FILE` names; none without one.

        In the file, `{"deployed": n}` stands for the n-th value of the variable `DEPLOYED_VALUES`; aliases are
        left out.
        """
        path, values = self.environment.get("MODELS_FILE"), self.environment.get("DEPLOYED_VALUES", "").split()
        if path is None:
            return {}

        def replace(value: dict[str, Any]) -> Any:
            number = value.get("deployed")
            return values[number] if isinstance(number, int) else value

        found: dict[str, Mapping[str, Any]] = json.loads(self._read_file(path), object_hook=replace)
        return {name: entry for name, entry in found.items() if "alias" not in entry}

    def _read_file(self, path: str) -> bytes:
        name = path.removeprefix(f"{LAYERS_ROOT}/")
        for layer in reversed(self.layers):
            with zipfile.ZipFile(io.BytesIO(layer)) as archive:
                if name in archive.namelist():
                    return archive.read(name)
        raise UserError(f"No layer of the function {self.name} has {path}.", "Synthesize and deploy its stack again.")


def endpoint_entries(entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The entries of the endpoints in that of a model, which may divide, copy or pass on its requests."""
    if "mirror" in entry:
        return [*endpoint_entries(entry["mirror"]["primary"]), *endpoint_entries(entry["mirror"]["to"])]
    inner = entry.get("fallback") or [share["to"] for share in entry.get("split", ())]
    return [found for each in inner for found in endpoint_entries(each)] if inner else [entry]


def read_functions(plane: ControlPlane) -> tuple[dict[str, DeployedFunction], dict[str, UserError]]:
    """The functions of the account by name, and why the emulated Lambda cannot run the others."""
    found: dict[str, DeployedFunction] = {}
    problems: dict[str, UserError] = {}
    for resource in plane.stacks.resources(FUNCTION):
        name = str(resource.physical_id)
        try:
            function = _read_function(plane, name, resource.properties)
            function.models()  # which may be in none of its layers
            found[name] = function
        except UserError as problem:
            problems[name] = problem
    return found, problems


def _read_function(plane: ControlPlane, name: str, properties: Mapping[str, Any]) -> DeployedFunction:
    return DeployedFunction(
        name=name,
        arn=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}",
        handler=properties.get("Handler", ""),
        environment={key: str(value) for key, value in properties.get("Environment", {}).get("Variables", {}).items()},
        timeout_seconds=int(properties.get("Timeout", DEFAULT_TIMEOUT_SECONDS)),
        memory_mb=int(properties.get("MemorySize", DEFAULT_MEMORY_MB)),
        code_zip=_read_code(plane, name, properties),
        layers=_read_layers(plane, name, properties.get("Layers", [])),
        reserved_concurrency=properties.get("ReservedConcurrentExecutions"),
        **_read_event_options(plane, name),
    )


def _read_event_options(plane: ControlPlane, name: str) -> dict[str, int]:
    """How long and how often events for a function are tried, if its stack says so."""
    for resource in plane.stacks.resources(EVENT_INVOKE_CONFIG):
        properties = resource.properties
        if function_name(str(properties["FunctionName"])) == name:
            return {
                "event_retries": int(properties.get("MaximumRetryAttempts", DEFAULT_EVENT_RETRIES)),
                "event_age_seconds": int(properties.get("MaximumEventAgeInSeconds", DEFAULT_EVENT_AGE_SECONDS)),
            }
    return {}


def _read_code(plane: ControlPlane, name: str, properties: Mapping[str, Any]) -> bytes:
    code, runtime = properties["Code"], str(properties.get("Runtime", "a container image"))
    if not runtime.startswith("python"):
        raise UserError(
            f"The function {name} has the runtime {runtime}.",
            "The emulated Lambda only runs Python functions.",
        )
    if "ZipFile" in code:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as zip_file:
            zip_file.writestr(zipfile.ZipInfo("index.py"), code["ZipFile"])
        return archive.getvalue()
    return _read_object(plane, code)


def _read_layers(plane: ControlPlane, name: str, arns: Sequence[str]) -> list[bytes]:
    if len(arns) > MAX_LAYERS:
        raise UserError(
            f"The function {name} has {len(arns)} layers.", f"Lambda allows {MAX_LAYERS}: put their files together."
        )
    contents = {layer.physical_id: layer.properties["Content"] for layer in plane.stacks.resources(LAYER)}
    if missing := [arn for arn in arns if arn not in contents]:
        raise UserError(
            f"The function {name} has layers that no deployed stack has: {', '.join(missing)}.",
            "Deploy their stacks too: STACK=A,B.",
        )
    return [_read_object(plane, contents[arn]) for arn in arns]


def _read_object(plane: ControlPlane, place: Mapping[str, str]) -> bytes:
    stored = plane.client("s3").get_object(Bucket=place["S3Bucket"], Key=place["S3Key"])
    content: bytes = stored["Body"].read()
    return content
