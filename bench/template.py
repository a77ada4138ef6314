"""Reads from a synthesized template how the front door's function is deployed, so that bench/ knows no name in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"
_TASK_ROOT = "/var/task"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedFunction:
    """The front door's function.

    Args:
        asset: The folder with its code, which the CDK CLI zips.
        handler: Its handler, as in the template.
        wrapper: Its exec wrapper, relative to the asset.
    """

    asset: Path
    handler: str
    wrapper: str


def front_door_function(assembly: Path) -> DeployedFunction:
    """The one function in the templates of a cloud assembly that has an exec wrapper.

    Raises:
        RuntimeError: There is no such function, or more than one.
    """
    found = [properties for properties in _functions(assembly) if _WRAPPER in _variables(properties)]
    if len(found) != 1:
        raise RuntimeError(f"{len(found)} functions in {assembly} have an exec wrapper, expected one")
    (properties,) = found
    return DeployedFunction(
        asset=assembly / f"asset.{properties['Code']['S3Key'].removesuffix('.zip')}",
        handler=properties["Handler"],
        wrapper=str(Path(_variables(properties)[_WRAPPER]).relative_to(_TASK_ROOT)),
    )


def _functions(assembly: Path) -> Iterator[dict[str, Any]]:
    for path in assembly.glob("*.template.json"):
        for resource in json.loads(path.read_text())["Resources"].values():
            if resource["Type"] == "AWS::Lambda::Function":
                yield resource["Properties"]


def _variables(properties: dict[str, Any]) -> dict[str, Any]:
    variables: dict[str, Any] = properties.get("Environment", {}).get("Variables", {})
    return variables
