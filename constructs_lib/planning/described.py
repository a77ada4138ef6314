"""What an endpoint was asked for, as JSON in the cloud assembly, so that commands can plan it anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from constructs_lib.planning.hardware.instance_types import CheapestFor, InstanceType, find_instance
from constructs_lib.planning.images.catalogue import format_version, parse_version
from constructs_lib.planning.models.facts import ModelChoice, facts_from_row
from constructs_lib.planning.request import EndpointRequest
from constructs_lib.planning.validation.unknown import UNKNOWN, Unknown

REQUEST_METADATA = "tgi-endpoint:request"
"""Type of the metadata under which an endpoint leaves its description."""

_UNKNOWN = {"known": "at deployment"}


@dataclass(frozen=True, kw_only=True)
class DescribedEndpoint:
    """What an endpoint was asked for; what only the deployment knows is `Unknown`.

    Args:
        engine: Name of its engine, as the registry has it.
        version: Version of the engine.
        own_image: Whether the image is one of the owner's own.
        own_build: Whether it is a build or a fork of the engine.
        asynchronous: Whether it takes asynchronous requests alone.
        model: The weights.
        instances: The instance types by priority; the one that the plan has chosen if `cheapest` was requested.
        cheapest: The load for which the cheapest instance type was requested; None if a type was.
        options: The options of the engine that are given, by name.
        environment: Further variables of the container.
        region: Region; None if synth does not know it.
        instance_count: Instances.
        network_isolation: Whether the container is cut off from every network.
        volume_size_gib: Storage volume; None leaves it to the plan.
    """

    engine: str
    version: str
    own_image: bool
    own_build: bool
    asynchronous: bool
    model: ModelChoice
    instances: tuple[InstanceType, ...]
    cheapest: CheapestFor | None
    options: Mapping[str, Any]
    environment: Mapping[str, Any]
    region: str | None
    instance_count: Any
    network_isolation: bool
    volume_size_gib: Any


def describe(request: EndpointRequest, *, asynchronous: bool = False) -> dict[str, Any]:
    """The description of an endpoint as JSON values.

    Args:
        request: What it is asked for, with the instance type that the plan has chosen, and without problems.
        asynchronous: Whether it takes asynchronous requests alone.
    """
    image = request.image_choice
    given = {} if request.options is None else vars(request.options)
    options = {name: value for name, value in given.items() if value is not None}
    described = DescribedEndpoint(
        engine=request.engine.name,
        version=format_version(parse_version(str(image.version)) or request.engine.images.newest_version),
        own_image=image.uri_override,
        own_build=image.own_build is True,
        asynchronous=asynchronous,
        model=request.model,
        instances=request.pools or (request.instance,),
        cheapest=request.cheapest,
        options=options,
        environment=request.environment,
        region=request.region if isinstance(request.region, str) else None,
        instance_count=request.instance_count,
        network_isolation=request.network_isolation is True,
        volume_size_gib=request.volume_size_gib,
    )
    values = {field.name: _json(getattr(described, field.name)) for field in fields(DescribedEndpoint)}
    return values | {"instances": [_instance(one) for one in described.instances]}


def read_description(values: Mapping[str, Any]) -> DescribedEndpoint:
    """The description that `describe` made, also of another version of this library, whose additions are ignored."""
    read = {field.name: _value(values.get(field.name)) for field in fields(DescribedEndpoint)}
    facts = read["model"].get("facts")
    names = {field.name for field in fields(ModelChoice)}
    model = {name: value for name, value in read["model"].items() if name in names}
    return DescribedEndpoint(
        **read
        | {
            "model": ModelChoice(**model | {"facts": facts_from_row(facts) if facts else None}),
            "instances": tuple(_read_instance(one) for one in values["instances"]),
            "cheapest": CheapestFor(**read["cheapest"]) if read["cheapest"] else None,
            "options": read["options"] or {},
            "environment": read["environment"] or {},
        }
    )


def _instance(instance: InstanceType) -> object:
    return instance.name if find_instance(instance.name) == instance else _json(instance)


def _read_instance(value: Any) -> InstanceType:
    if isinstance(value, str):
        return InstanceType.named(value)
    capability = value.get("compute_capability")
    return InstanceType(
        **{"compute_capability": None, "accelerator_count": None, "memory_gib": None}
        | value
        | {"compute_capability": tuple(capability) if capability else None}
    )


def _json(value: object) -> Any:
    """A value as JSON; members that are None are left out, as the CDK leaves them out of metadata."""
    if isinstance(value, Unknown):
        return _UNKNOWN
    if isinstance(value, Mapping):
        return {str(name): _json(one) for name, one in value.items() if one is not None}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_json(one) for one in value]
    if isinstance(value, InstanceType):
        return _json(asdict(value))
    if hasattr(value, "__dataclass_fields__"):
        return _json({field.name: getattr(value, field.name) for field in fields(value)})  # type: ignore[arg-type]
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def _value(value: Any) -> Any:
    if value == _UNKNOWN:
        return UNKNOWN
    if isinstance(value, dict):
        return {name: _value(one) for name, one in value.items()}
    return [_value(one) for one in value] if isinstance(value, list) else value
