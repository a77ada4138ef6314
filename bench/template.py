"""Reads from a synthesized template how the front door's function is deployed, so that bench/ knows no name in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"
_TASK_ROOT = "/var/task"
_MODELS_FILE = "MODELS_FILE"
_LAYERS_ROOT = "/opt"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedFunction:
    """The front door's function.

    Args:
        asset: The folder with its code, which the CDK CLI zips.
        handler: Its handler, as in the template.
        wrapper: Its exec wrapper, relative to the asset.
        models_file: The file of its models, in the asset of a layer. It has one endpoint, whose name only the
            deployment knows.
    """

    asset: Path
    handler: str
    wrapper: str
    models_file: Path


def front_door_function(assembly: Path) -> DeployedFunction:
    """The one function in the templates of a cloud assembly that has an exec wrapper.

    Raises:
        RuntimeError: There is no such function, or more than one.
    """
    found = [function for function in _functions(assembly) if _WRAPPER in _variables(function[0])]
    if len(found) != 1:
        raise RuntimeError(f"{len(found)} functions in {assembly} have an exec wrapper, expected one")
    ((properties, resources),) = found
    return DeployedFunction(
        asset=_asset(assembly, properties["Code"]),
        handler=properties["Handler"],
        wrapper=str(Path(_variables(properties)[_WRAPPER]).relative_to(_TASK_ROOT)),
        models_file=_models_file(assembly, properties, resources),
    )


def _functions(assembly: Path) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """The properties of each function, with the resources of its template."""
    for path in assembly.glob("*.template.json"):
        resources = json.loads(path.read_text())["Resources"]
        for resource in resources.values():
            if resource["Type"] == "AWS::Lambda::Function":
                yield resource["Properties"], resources


def _models_file(assembly: Path, properties: dict[str, Any], resources: dict[str, Any]) -> Path:
    path = Path(_variables(properties)[_MODELS_FILE]).relative_to(_LAYERS_ROOT)
    layers = [resources[layer["Ref"]]["Properties"]["Content"] for layer in properties["Layers"]]
    return next(file for file in (_asset(assembly, layer) / path for layer in layers) if file.is_file())


def _asset(assembly: Path, content: dict[str, Any]) -> Path:
    return assembly / f"asset.{content['S3Key'].removesuffix('.zip')}"


def _variables(properties: dict[str, Any]) -> dict[str, Any]:
    variables: dict[str, Any] = properties.get("Environment", {}).get("Variables", {})
    return variables
