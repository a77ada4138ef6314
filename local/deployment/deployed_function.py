"""Reads from the control plane the Lambda functions that an API calls, with their code and their layers."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.errors import UserError
from local.lambda_service.files import LAYERS_ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from local.deployment.cloudformation import Template
    from local.deployment.control_plane import ControlPlane

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_LAYERS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedFunction:
    """A Lambda function that the API calls, with its deployed code and the archives of its layers, in order."""

    name: str
    arn: str
    handler: str
    environment: Mapping[str, str]
    timeout_seconds: int
    memory_mb: int
    code_zip: bytes
    layers: Sequence[bytes] = ()
    reserved_concurrency: int | None = None

    def models(self) -> dict[str, Mapping[str, Any]]:
        """The models by name, from the file that the variable `MODELS_FILE` names; none without one.

        In the file, `{"deployed": n}` stands for the n-th value of the variable `DEPLOYED_VALUES`.
        """
        path, values = self.environment.get("MODELS_FILE"), self.environment.get("DEPLOYED_VALUES", "").split()
        if path is None:
            return {}

        def replace(value: dict[str, Any]) -> Any:
            number = value.get("deployed")
            return values[number] if isinstance(number, int) else value

        found: dict[str, Mapping[str, Any]] = json.loads(self._read_file(path), object_hook=replace)
        return found

    def _read_file(self, path: str) -> bytes:
        name = path.removeprefix(f"{LAYERS_ROOT}/")
        for layer in reversed(self.layers):
            with zipfile.ZipFile(io.BytesIO(layer)) as archive:
                if name in archive.namelist():
                    return archive.read(name)
        raise UserError(f"No layer of the function {self.name} has {path}.", "Synthesize and deploy its stack again.")


def read_functions(plane: ControlPlane, templates: Sequence[Template], names: set[str]) -> dict[str, DeployedFunction]:
    """The functions by name.

    Raises:
        UserError: No stack has one of the functions, or the emulated Lambda cannot run it.
    """
    layers = _read_layers(plane, templates)
    found = {}
    for template in templates:
        for logical_id, properties in template.resources("AWS::Lambda::Function").items():
            if template.physical_id(logical_id) in names:
                function = _read_function(plane, template.physical_id(logical_id), properties, layers)
                found[function.name] = function
    missing = sorted(names - found.keys())
    if missing:
        raise UserError(
            f"The API calls functions that no deployed stack has: {', '.join(missing)}.",
            "Deploy their stacks too: STACK=A,B.",
        )
    return found


def _read_layers(plane: ControlPlane, templates: Sequence[Template]) -> dict[str, bytes]:
    """The archives of the layer versions of all stacks by ARN."""
    return {
        template.physical_id(logical_id): _read_object(plane, properties["Content"])
        for template in templates
        for logical_id, properties in template.resources("AWS::Lambda::LayerVersion").items()
    }


def _read_function(
    plane: ControlPlane, name: str, properties: Mapping[str, Any], layers: Mapping[str, bytes]
) -> DeployedFunction:
    configuration = plane.client("lambda").get_function_configuration(FunctionName=name)
    return DeployedFunction(
        name=configuration["FunctionName"],
        arn=configuration["FunctionArn"],
        handler=configuration.get("Handler", ""),
        environment=configuration.get("Environment", {}).get("Variables", {}),
        timeout_seconds=int(configuration["Timeout"]),
        memory_mb=int(configuration["MemorySize"]),
        code_zip=_read_code(plane, name, properties),
        layers=_layers_of(name, properties.get("Layers", []), layers),
        reserved_concurrency=properties.get("ReservedConcurrentExecutions"),
    )


def _read_code(plane: ControlPlane, name: str, properties: Mapping[str, Any]) -> bytes:
    code, runtime = properties["Code"], str(properties.get("Runtime", "a container image"))
    if not runtime.startswith("python"):
        raise UserError(
            f"The API calls the function {name} with the runtime {runtime}.",
            "The emulated Lambda only runs Python functions.",
        )
    if "ZipFile" in code:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as zip_file:
            zip_file.writestr("index.py", code["ZipFile"])
        return archive.getvalue()
    return _read_object(plane, code)


def _layers_of(name: str, arns: Sequence[str], layers: Mapping[str, bytes]) -> list[bytes]:
    if len(arns) > MAX_LAYERS:
        raise UserError(
            f"The function {name} has {len(arns)} layers.", f"Lambda allows {MAX_LAYERS}: put their files together."
        )
    if missing := [arn for arn in arns if arn not in layers]:
        raise UserError(
            f"The function {name} has layers that no deployed stack has: {', '.join(missing)}.",
            "Deploy their stacks too: STACK=A,B.",
        )
    return [layers[arn] for arn in arns]


def _read_object(plane: ControlPlane, place: Mapping[str, str]) -> bytes:
    stored = plane.client("s3").get_object(Bucket=place["S3Bucket"], Key=place["S3Key"])
    content: bytes = stored["Body"].read()
    return content
