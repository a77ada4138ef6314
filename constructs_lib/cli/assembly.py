"""Reads cloud assemblies, which cdk synth writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from constructs_lib.cli.errors import CommandError
from constructs_lib.planning.validation.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class SynthesizedStack:
    """A stack of a cloud assembly.

    Args:
        name: Its name.
        folder: The folder of its assembly, which paths are relative to.
        artifact: Its entry in the assembly's manifest.
        assets: The files that it publishes, by hash; none with a synthesizer that has no asset manifest.
    """

    name: str
    folder: Path
    artifact: dict[str, Any]
    assets: dict[str, Any]


def read_stacks(assembly: Path) -> Iterator[SynthesizedStack]:
    """The stacks of a cloud assembly.

    Args:
        assembly: The folder written by cdk synth; the assemblies of stages are nested in it.

    Raises:
        CommandError: It is not a cloud assembly.
    """
    artifacts = read_json(assembly / "manifest.json").get("artifacts", {})
    for name, artifact in sorted(artifacts.items()):
        properties = artifact.get("properties", {})
        if artifact.get("type") == "cdk:cloud-assembly":
            yield from read_stacks(assembly / properties["directoryName"])
        elif artifact.get("type") == "aws:cloudformation:stack":
            yield SynthesizedStack(
                name=str(properties.get("stackName", name)),
                folder=assembly,
                artifact=artifact,
                assets=_assets(assembly, artifacts, artifact),
            )


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file of an assembly.

    Raises:
        CommandError: There is none.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"cannot be read: {error.strerror or type(error).__name__}"
        raise CommandError(
            Problem(str(path), None, message, "Run cdk synth first, and name the folder it wrote.")
        ) from error
    except ValueError as error:
        raise CommandError(Problem(str(path), None, f"is not valid JSON: {error}", "Run cdk synth again.")) from error
    if not isinstance(content, dict):
        raise CommandError(Problem(str(path), None, "is not a cloud assembly", "Run cdk synth again."))
    return content


def _assets(assembly: Path, artifacts: dict[str, Any], artifact: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in artifact.get("dependencies", []):
        dependency = artifacts.get(name, {})
        if dependency.get("type") == "cdk:asset-manifest":
            found |= read_json(assembly / dependency["properties"]["file"]).get("files", {})
    return found


def entries(stack: SynthesizedStack) -> Iterator[tuple[str, str, Any]]:
    """The metadata of a stack: path of the construct, type and data.

    Args:
        stack: The stack.

    Raises:
        CommandError: The file that has them cannot be read.
    """
    for path, entries in _metadata(stack).items():
        for entry in entries:
            yield path.removeprefix("/"), entry["type"], entry.get("data")


def _metadata(stack: SynthesizedStack) -> dict[str, list[dict[str, Any]]]:
    """The metadata of a stack, which newer CDK versions write into a file of its own."""
    metadata = dict(stack.artifact.get("metadata", {}))
    if "additionalMetadataFile" in stack.artifact:
        metadata |= read_json(stack.folder / stack.artifact["additionalMetadataFile"])
    return metadata
