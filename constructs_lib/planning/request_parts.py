"""The parts of a request whose type a caller may get wrong; with a replacement the other parts are still checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from constructs_lib.planning.hardware.instance_types import (
    CheapestFor,
    InstanceType,
    attribute_name,
    find_instance,
    has_no_accelerator,
    nearest_instances,
)
from constructs_lib.planning.images.catalogue import ImageChoice, ImageFamily
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.request import UNDECIDED, EndpointRequest
from constructs_lib.planning.validation.problem import HIDDEN, Problem


@dataclass(frozen=True)
class _Part:
    """One part of a request: what it must be, in the caller's words, and what takes the place of a wrong one."""

    keyword: str
    field: str
    kind: type
    description: str
    example: str
    replacement: object

    def is_wrong_in(self, request: EndpointRequest) -> bool:
        value = getattr(request, self.field)
        return not isinstance(value, self.kind) or other_construct(request, value) is not None


@dataclass(frozen=True, slots=True)
class _GivenFields:
    """Takes the place of options in a message: without those that are at their default, which are many."""

    options: Any

    def __repr__(self) -> str:
        values = [(one.name, getattr(self.options, one.name), one.default) for one in fields(self.options)]
        given = ", ".join(f"{name}={value!r}" for name, value, default in values if value != default)
        return f"{type(self.options).__name__}({given})"


def with_defaults(request: EndpointRequest) -> EndpointRequest:
    """The request with the default options, and with the default image if somebody publishes one."""
    options = request.engine.options_type() if request.options is None else request.options
    image = request.image_choice if request.image is not None or request.engine.images.versions else None
    return replace(request, image=image, options=options)


def _parts(request: EndpointRequest) -> tuple[_Part, ...]:
    images, options = request.engine.images, request.engine.options_type
    image, newest = f"{images.construct}.{images.method}(…)", ImageChoice(version=images.newest)
    if not images.versions:  # there is none to replace it by
        newest = replace(newest, uri_override=True, family=images)
    return (
        _Part("model", "model", ModelChoice, "a Model", "Model.from_hub(…) or .from_s3(…)", ModelChoice(source="s3")),
        _Part("instance_type", "instance", InstanceType, "an InstanceType", request.engine.hardware.example, UNDECIDED),
        _Part("image", "image", ImageChoice, f"{_article(images.construct)} {images.construct}", image, newest),
        _Part("options", "options", options, options.__name__, f"{options.__name__}(…)", options()),
        _Part("environment", "environment", Mapping, "a mapping", "{'NAME': 'value'}", {}),
    )


def _article(name: str) -> str:
    return "an" if name[0] in "AEIOU" else "a"


def part_problems(request: EndpointRequest) -> Iterator[Problem]:
    """The parts that are of a wrong type."""
    for part in _parts(request):
        if part.is_wrong_in(request):
            value = getattr(request, part.field)
            fix = (
                _instance_fix(value, request.engine.hardware.example)
                if part.field == "instance"
                else f"Write {part.example}."
            )
            other = other_construct(request, value)
            shown = HIDDEN if part.field == "environment" else value  # which may hold secrets in another form
            if other is not None:
                shown = value.version
            if part.field == "options" and is_dataclass(value):
                shown = _GivenFields(value)
            given = other or type(value).__name__
            yield Problem(part.keyword, shown, f"must be {part.description}, not {given}", fix)


def other_construct(request: EndpointRequest, image: object) -> str | None:
    """The class that names an image, if that is another engine's; None for one of this engine, and for no image."""
    family: object = image.family if isinstance(image, ImageChoice) else None
    if not isinstance(family, ImageFamily) or family.construct == request.engine.images.construct:
        return None
    return family.construct


def without_wrong_parts(request: EndpointRequest) -> EndpointRequest:
    """The request with what takes the place of such parts."""
    wrong: dict[str, Any] = {part.field: part.replacement for part in _parts(request) if part.is_wrong_in(request)}
    if "instance" in wrong:
        wrong["instance"] = find_instance(request.instance) or UNDECIDED
    return replace(request, **wrong)


def _instance_fix(value: object, example: str) -> str:
    if isinstance(value, CheapestFor):
        return "Name each type of a list; the command plan shows which serve the load, the cheapest first."
    if has_no_accelerator(value):
        return f"{value} has no GPU; write one that has, such as {example}."
    named = find_instance(value)
    near = nearest_instances(value) if isinstance(value, str) and not named else []
    if near:
        return f"Did you mean {' or '.join(map(attribute_name, near))}?"
    return f"Write {attribute_name(named.name) if named else example}."
