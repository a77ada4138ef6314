"""Reads from a synthesized template how the front door's function is deployed, so that bench/ knows no name in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.lambda_service.files import unpack_archive

_WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"
_TASK_ROOT = "/var/task"
_MODELS_FILE = "MODELS_FILE"
_LAYERS_ROOT = "/opt"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedFunction:
    """The front door's function.

    Args:
        archive: Its code, as Lambda downloads it.
        task_root: The folder with the code.
        handler: Its handler, as in the template.
        wrapper: Its exec wrapper, relative to that folder.
        models_file: The file of its models, in the asset of a layer. It has one endpoint, whose name only the
            deployment knows.
    """

    archive: Path
    task_root: Path
    handler: str
    wrapper: str
    models_file: Path


def front_door_function(assembly: Path) -> DeployedFunction:
    """The one function in the templates of a cloud assembly that has an exec wrapper. Its code is unpacked there.

    Raises:
        RuntimeError: There is no such function, or more than one.
    """
    found = [function for function in _functions(assembly) if _WRAPPER in _variables(function[0])]
    if len(found) != 1:
        raise RuntimeError(f"{len(found)} functions in {assembly} have an exec wrapper, expected one")
    ((properties, resources),) = found
    archive = assembly / f"asset.{properties['Code']['S3Key']}"
    unpack_archive(archive, archive.with_suffix(""))
    return DeployedFunction(
        archive=archive,
        task_root=archive.with_suffix(""),
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
    folders = [assembly / f"asset.{layer['S3Key'].removesuffix('.zip')}" for layer in layers]
    return next(file for file in (folder / path for folder in folders) if file.is_file())


def _variables(properties: dict[str, Any]) -> dict[str, Any]:
    variables: dict[str, Any] = properties.get("Environment", {}).get("Variables", {})
    return variables
