"""Reads the Lambda functions that an API calls, with their code, from the control plane."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from local.deployment.cloudformation import Template
    from local.deployment.control_plane import ControlPlane


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedFunction:
    """A Lambda function that the API calls, with its code as it was deployed."""

    name: str
    arn: str
    handler: str
    environment: Mapping[str, str]
    timeout_seconds: int
    memory_mb: int
    code_zip: bytes
    reserved_concurrency: int | None = None


def read_functions(plane: ControlPlane, templates: Iterable[Template], names: set[str]) -> dict[str, DeployedFunction]:
    """The functions of these names.

    Args:
        plane: Where they are deployed.
        templates: The templates of the deployed stacks.
        names: The names of the functions.

    Raises:
        UserError: No stack has one of them, or the emulated Lambda cannot run it.
    """
    found = {}
    for template in templates:
        for logical_id, properties in template.resources("AWS::Lambda::Function").items():
            if template.physical_id(logical_id) in names:
                function = _read(plane, template.physical_id(logical_id), properties)
                found[function.name] = function
    missing = sorted(names - found.keys())
    if missing:
        raise UserError(
            f"The API calls functions that none of the deployed stacks has: {', '.join(missing)}.",
            "Deploy their stacks as well: STACK=A,B.",
        )
    return found


def _read(plane: ControlPlane, name: str, properties: Mapping[str, Any]) -> DeployedFunction:
    configuration = plane.client("lambda").get_function_configuration(FunctionName=name)
    return DeployedFunction(
        name=configuration["FunctionName"],
        arn=configuration["FunctionArn"],
        handler=configuration.get("Handler", ""),
        environment=configuration.get("Environment", {}).get("Variables", {}),
        timeout_seconds=int(configuration["Timeout"]),
        memory_mb=int(configuration["MemorySize"]),
        code_zip=_code(plane, name, properties),
        reserved_concurrency=properties.get("ReservedConcurrentExecutions"),
    )


def _code(plane: ControlPlane, name: str, properties: Mapping[str, Any]) -> bytes:
    code, runtime = properties["Code"], str(properties.get("Runtime", "a container image"))
    if not runtime.startswith("python"):
        raise UserError(
            f"The API calls the function {name}, whose runtime is {runtime}.",
            "The emulated Lambda runs functions in Python.",
        )
    if "ZipFile" in code:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as written:
            written.writestr("index.py", code["ZipFile"])
        return archive.getvalue()
    stored = plane.client("s3").get_object(Bucket=code["S3Bucket"], Key=code["S3Key"])
    content: bytes = stored["Body"].read()
    return content
