"""The file with the logical ids: what is in it, and how it is written."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).resolve().parents[2] / "tests" / "update_safety"

PINNED = _FOLDER / "logical_ids.json"
RELEASED = _FOLDER / "released_templates.json"

RELEASED_STACKS = (
    "LlamaTgiStack",
    "FrontDoorStack",
    "Jwt",
    "Scaled",
    "NamedToZero",
    "NamedFleet",
    "PrivateWithDomain",
)
"""The stacks whose templates of the last release are kept: one of each kind that an update treats differently."""

Ids = Mapping[str, str]
"""Resource types by logical id."""

# A deployment is a snapshot of its API: its id has a fingerprint of what the API serves, and so the hash of its path.
_FINGERPRINT = re.compile(r"(?<=Deployment)[0-9a-f]{12}[0-9A-F]{8}$")
_NOT_DEPLOYED = ("AWS::CDK::Metadata",)


def logical_ids(template: Mapping[str, Any]) -> dict[str, str]:
    """The resource types of a template by logical id; a deployment without its fingerprint.

    Args:
        template: The template.
    """
    return {
        _stable_id(name, resource["Type"]): resource["Type"]
        for name, resource in sorted(template["Resources"].items())
        if resource["Type"] not in _NOT_DEPLOYED
    }


def render(stacks: Mapping[str, Ids]) -> str:
    """The text of the file. Stacks with the same resources share an entry, so that a change shows once.

    Args:
        stacks: The ids of each stack by its name.
    """
    entries: list[dict[str, Any]] = []
    for name, ids in sorted(stacks.items()):
        same = next((entry for entry in entries if entry["resources"] == ids), None)
        if same is None:
            entries.append({"stacks": [name], "resources": dict(ids)})
        else:
            same["stacks"].append(name)
    return f"{json.dumps(entries, indent=1)}\n"


def read(text: str) -> dict[str, Ids]:
    """The ids of each stack by its name.

    Args:
        text: The text of the file.
    """
    return {name: entry["resources"] for entry in json.loads(text) for name in entry["stacks"]}


def deployed(template: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of a released template: its resources, without metadata and without the text of its API.

    Args:
        template: The template.
    """
    resources = {
        name: {key: value for key, value in resource.items() if key != "Metadata"}
        for name, resource in template["Resources"].items()
    }
    for resource in resources.values():
        if resource["Type"] == "AWS::ApiGateway::RestApi":
            resource["Properties"] = {key: value for key, value in resource["Properties"].items() if key != "Body"}
    return {"Resources": resources}


def render_released(templates: Mapping[str, Mapping[str, Any]]) -> str:
    """The text of the file with released templates, a line for each resource.

    Args:
        templates: The templates by the names of their stacks.
    """
    stacks = []
    for name in RELEASED_STACKS:
        resources = deployed(templates[name])["Resources"].items()
        lines = ",\n".join(f"  {json.dumps(key)}: {json.dumps(resource)}" for key, resource in resources)
        stacks.append(f' {json.dumps(name)}: {{"Resources": {{\n{lines}\n }}}}')
    return "{{\n{}\n}}\n".format(",\n".join(stacks))


def _stable_id(name: str, resource_type: str) -> str:
    return _FINGERPRINT.sub("", name) if resource_type == "AWS::ApiGateway::Deployment" else name
