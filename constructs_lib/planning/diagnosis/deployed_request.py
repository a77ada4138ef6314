"""What was asked for, worked out from what is deployed: image, variables and instance type."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

from constructs_lib.planning.diagnosis.signals import Deployed
from constructs_lib.planning.engine import Engine
from constructs_lib.planning.engines import ENGINES, engine_named
from constructs_lib.planning.hardware.instance_types import find_instance
from constructs_lib.planning.images.catalogue import ImageChoice, ImageUri, parse_uri, parse_version
from constructs_lib.planning.models.facts import ModelChoice, known_model
from constructs_lib.planning.request import EndpointRequest

_OPTION = "options."
_MODEL_VARIABLES = ("SM_VLLM_MODEL", "SM_SGLANG_MODEL_PATH", "MODEL_ID", "HF_MODEL_ID")
_REVISIONS = ("SM_VLLM_REVISION", "SM_SGLANG_REVISION", "HF_REVISION", "REVISION", "HF_MODEL_REVISION")
_MOUNTED = "/opt/ml/model"
_NEGATED = re.compile(r"(?:^|_)(?:NO|DO_NOT|DISABLE)_")
_TRUE, _FALSE = ("true", "1"), ("false", "0")


@dataclass(frozen=True, kw_only=True)
class Replanned:
    """What is deployed, as a request.

    Args:
        request: What to plan.
        unread: Variables of options whose values could not be read, so that the engine may not read them either.
    """

    request: EndpointRequest
    unread: tuple[str, ...] = ()


def deployed_request(deployed: Deployed, region: str) -> Replanned | None:
    """What to plan for what is deployed; None if image or instance type are not known.

    Args:
        deployed: A variant or a component.
        region: The Region.
    """
    instance = next((found for name in deployed.instance_types if (found := find_instance(name))), None)
    named = _engine(deployed.image)
    if instance is None or named is None:
        return None
    engine, version = named
    options, extra, unread = _options(engine, deployed.environment)
    request = EndpointRequest(
        engine=engine,
        model=_model(deployed, engine),
        instance=instance,
        image=ImageChoice(version=version, uri_override=True, uri=deployed.image, mirrored=True),
        options=engine.options_type(**options),
        environment=extra,
        region=region or None,
        startup_timeout_seconds=deployed.startup_seconds,
        volume_size_gib=deployed.volume_gib,
        inference_ami_version=deployed.ami,
        network_isolation=deployed.network_isolation,
    )
    return Replanned(request=request, unread=unread)


def _engine(image: str) -> tuple[Engine, str] | None:
    """The engine of an image by AWS's names of repositories, also of a copy in another registry, and its version."""
    uri = parse_uri(image)
    if uri is None:
        return None
    for name in ENGINES:
        engine = engine_named(name)
        if engine.hardware.is_gpu == uri.is_for_neuron or not _is_in(uri, engine):
            continue
        version = engine.images.named_version(uri)
        if version is None:
            return None
        return engine, version if parse_version(version) else engine.images.newest_like(version)
    return None


def _is_in(uri: ImageUri, engine: Engine) -> bool:
    return any(uri.repository == one or uri.repository.endswith(f"/{one}") for one in engine.images.repositories)


def _model(deployed: Deployed, engine: Engine) -> ModelChoice:
    variables = deployed.environment
    given = next((variables[name] for name in _MODEL_VARIABLES if variables.get(name)), None)
    if deployed.weights is not None or (given or "").startswith(("/", "s3://")):
        hub_id = _hub_id_in(deployed.weights or given or "")
        return ModelChoice(
            source="s3",
            hub_id=hub_id,
            like=hub_id,
            is_archive=(deployed.weights or "").endswith(".tar.gz"),
            bucket=_bucket(deployed.weights),
        )
    return ModelChoice(
        source="hub",
        hub_id=given,
        revision=next((variables[name] for name in _REVISIONS if variables.get(name)), None),
        has_token=any(variables.get(name) for name in engine.token_variables),
    )


def _bucket(weights: str | None) -> str | None:
    found = re.match(r"s3://([^/]+)", weights or "")
    return found[1] if found else None


def _hub_id_in(url: str) -> str | None:
    """A hub id of the catalogue that is part of the path, as staged weights have it."""
    parts = [part for part in url.split("/") if part]
    pairs = (f"{owner}/{name}" for owner, name in pairwise(parts))
    return next((facts.hub_id for pair in pairs if (facts := known_model(pair))), None)


def _options(engine: Engine, variables: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str], tuple[str, ...]]:
    """The engine's options, further variables, and the variables whose values are of no such type."""
    kinds = {field.name: str(field.type) for field in fields(engine.options_type)}
    options: dict[str, Any] = {}
    extra, unread = {}, []
    for name, value in variables.items():
        owner = engine.owner(name) or ""
        option = owner.removeprefix(_OPTION)
        if owner == "" and engine.refusal(name) is None:
            extra[name] = value
        is_negated = _NEGATED.search(name) and not option.startswith("disable_")
        if not owner.startswith(_OPTION) or option not in kinds or option in options or is_negated:
            continue
        read = list(_read(value, kinds[option]))
        if read:
            options[option] = read[0]
        elif _is_scalar(kinds[option]):
            unread.append(name)
    return options, extra, tuple(unread)


def _is_scalar(kind: str) -> bool:
    return kind.partition(" ")[0] in ("int", "float", "bool")


def _read(value: str, kind: str) -> Iterator[Any]:
    """The value of an option in a variable, if it can be read."""
    match kind.partition(" ")[0]:
        case "int":
            yield from (int(value),) if re.fullmatch(r"-?\d{1,18}", value, re.ASCII) else ()
        case "float":
            yield from (float(value),) if re.fullmatch(r"-?\d{1,18}(\.\d{1,18})?", value, re.ASCII) else ()
        case "bool":
            yield from (True,) if value.lower() in _TRUE else (False,) if value.lower() in _FALSE else ()
        case kind if not kind.startswith(("Sequence", "Mapping", "JsonObject")):
            yield value
