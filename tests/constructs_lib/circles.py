"""Looks for circular dependencies in templates, which CloudFormation refuses and the CDK does not see."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aws_cdk import App

_PLACEHOLDER = re.compile(r"\$\{([^!.}]+)")


def circles(app: App) -> list[list[str]]:
    """Every circle in every template of an app, nested stacks and stages included, as logical ids."""
    folder = Path(app.synth().directory)
    templates = [json.loads(file.read_text()) for file in sorted(folder.rglob("*.template.json"))]
    assert templates
    return [circle for template in templates if (circle := circle_of(template))]


def circle_of(template: Mapping[str, Any]) -> list[str] | None:
    """A circle in a template; None if there is none."""
    resources = template.get("Resources", {})
    needs = {
        name: {
            *references({key: value for key, value in resource.items() if key != "DependsOn"}),
            *_listed(resource.get("DependsOn", [])),
        }
        & resources.keys()
        for name, resource in resources.items()
    }
    done: set[str] = set()

    def walk(name: str, path: list[str]) -> list[str] | None:
        if name in path:
            return [*path[path.index(name) :], name]
        if name not in done:
            for other in sorted(needs[name]):
                if found := walk(other, [*path, name]):
                    return found
            done.add(name)
        return None

    return next((found for name in needs if (found := walk(name, []))), None)


def references(value: Any) -> Iterator[str]:
    """What a value refers to by Ref, Fn::GetAtt and Fn::Sub."""
    match value:
        case {"Ref": str(name)}:
            yield name
        case {"Fn::GetAtt": [str(name), *_]}:
            yield name
        case {"Fn::GetAtt": str(name)}:
            yield name.partition(".")[0]
        case {"Fn::Sub": [str(text), values]}:
            yield from _PLACEHOLDER.findall(text)
            yield from references(values)
        case {"Fn::Sub": str(text)}:
            yield from _PLACEHOLDER.findall(text)
        case dict():
            for part in value.values():
                yield from references(part)
        case list():
            for part in value:
                yield from references(part)


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
