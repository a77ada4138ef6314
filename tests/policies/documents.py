"""The policy documents of a template, statement by statement."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from tests.constructs_lib.rendered import Json, as_list, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Which actions take which resources: AWS's own data for its policy generator, as cfn-lint ships it.
_SERVICES: dict[str, Any] = json.loads(files("cfnlint.data.AdditionalSpecs").joinpath("Policies.json").read_text())


@dataclass(frozen=True)
class Statement:
    """One statement of a policy.

    Args:
        where: Stack and logical id of the resource.
        resource_type: Type of that resource.
        path: Where the document is in the resource's properties.
        content: The statement.
    """

    where: str
    resource_type: str
    path: str
    content: Mapping[str, Any]

    @property
    def allows(self) -> bool:
        """Whether it allows something, rather than denying it."""
        return bool(self.content["Effect"] == "Allow")

    @property
    def actions(self) -> list[str]:
        """Its actions."""
        return as_list(self.content.get("Action", []))

    @property
    def resources(self) -> list[str]:
        """Its resources, with references as `<Ref>`."""
        return [text(one) for one in as_list(self.content.get("Resource", []))]

    @property
    def services(self) -> list[str]:
        """The services among its principals; `logs` is CloudWatch Logs of a Region."""
        principal = self.content.get("Principal", {})
        names = [text(one) for one in as_list(principal.get("Service", []))] if isinstance(principal, dict) else []
        return ["logs" if name.startswith("logs.") else name for name in names]


def statements(templates: Mapping[str, Json]) -> Iterator[Statement]:
    """Every statement of every policy document, in whatever property of whatever resource it is."""
    for name, template in templates.items():
        for logical_id, resource in template["Resources"].items():
            for path, document in _documents(resource.get("Properties", {})):
                for content in as_list(document["Statement"]):
                    yield Statement(f"{name}/{logical_id}", resource["Type"], path, content)


def resource_types(action: str) -> list[str] | None:
    """The types of resources that a statement with an action can name; none: it takes `*` alone.

    Args:
        action: Such as `s3:GetObject`.

    Returns:
        None if there is no such action.
    """
    service, _, name = action.lower().partition(":")
    known = _SERVICES.get(service, {"Actions": {}})["Actions"].get(name)
    return None if known is None else as_list(known.get("Resources", []))


def _documents(value: Any, path: str = "") -> Iterator[tuple[str, Json]]:
    if isinstance(value, list):
        for part in value:
            yield from _documents(part, path)
    elif isinstance(value, dict):
        # Rules of a web ACL have a Statement too, which is no policy's: it has no Effect.
        if any("Effect" in one for one in as_list(value.get("Statement", []))):
            yield path, value
        for key, part in value.items():
            yield from _documents(part, f"{path}.{key}".lstrip("."))
