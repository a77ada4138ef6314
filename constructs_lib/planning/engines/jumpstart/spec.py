"""What AWS publishes about a version of a model, turned into what an endpoint needs.

The specifications lie in JumpStart's public bucket, one for each Region. Their meaning is that of sagemaker-core 2.27.0
(`jumpstart/types.py` and `jumpstart/artifacts`), which a test compares this with.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from constructs_lib.planning.engines.jumpstart.configs import (
    Spec,
    ranked_configs,
    refusals,
    unknown_config,
    variants,
    with_config,
)
from constructs_lib.planning.engines.jumpstart.pinned import PinnedInstance, PinnedModel
from constructs_lib.planning.hardware.instance_types import has_no_accelerator
from constructs_lib.planning.hardware.storage import family_of
from constructs_lib.planning.images.catalogue import parse_uri
from constructs_lib.planning.validation.problem import Described, Problem

_NEURON_FAMILIES = ("inf", "trn")
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
_ANOTHER_MODEL = "Choose another model."


class SpecError(ValueError):
    """A model that cannot be pinned.

    Args:
        problems: Why.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, self.problems)))


@dataclass(frozen=True, kw_only=True)
class Pinned:
    """A pinned model, and what its reader should know.

    Args:
        model: The model.
        notices: Sentences.
    """

    model: PinnedModel
    notices: tuple[str, ...]


def pin(
    specs: Mapping[str, Spec],
    *,
    config: str | None = None,
    instance_types: Sequence[str] = (),
    source: str = "",
    date: str = "",
) -> Pinned:
    """Pin a model.

    Args:
        specs: The specification of one version in each Region; those after the first have to agree with it.
        config: The inference configuration. Default: the preferred one that CloudFormation can create.
        instance_types: The instance types to pin. Default: every one that the model supports.
        source: Where they were read.
        date: Day (ISO) on which they were read.

    Raises:
        SpecError: A construct cannot deploy the model, or not with these arguments.
    """
    first, *others = specs
    chosen, skipped = _chosen_config(specs[first], config)
    pinned, notices = _pin_region(specs[first], first, chosen, instance_types)
    for region in others:
        own, further = _pin_region(specs[region], region, chosen, instance_types)
        pinned = _joined(pinned, own)
        notices += [notice for notice in further if notice not in notices]
    missing = [name for name in instance_types if name not in pinned.instance_types]
    if missing:
        raise SpecError([_unsupported(pinned, name) for name in missing])
    return Pinned(model=replace(pinned, source=source, date=date), notices=(*skipped, *notices))


def _chosen_config(spec: Spec, config: str | None) -> tuple[str | None, list[str]]:
    """The configuration, and a notice for each preferred one that is left out."""
    ranked = ranked_configs(spec)
    if config is not None and config not in ranked:
        raise SpecError([unknown_config(spec, config)])
    if not ranked:
        if reason := next(refusals(spec), None):
            raise SpecError([Problem("model", str(spec.get("model_id")), reason, _ANOTHER_MODEL)])
        return None, []
    reasons: dict[str, str] = {}
    for name in ranked if config is None else [config]:
        reason = next(refusals(with_config(spec, name)), None)
        if reason is None:
            return name, [f"The preferred configuration {left} is left out: it {why}." for left, why in reasons.items()]
        reasons[name] = reason
    raise SpecError([_refused_configs(spec, config, reasons)])


def _refused_configs(spec: Spec, config: str | None, reasons: Mapping[str, str]) -> Problem:
    if config is not None:
        others = [name for name in ranked_configs(spec) if name != config]
        fix = f"Try {' or '.join(f'--config {name}' for name in others)}." if others else _ANOTHER_MODEL
        return Problem("--config", config, reasons[config], fix)
    told = "; ".join(f"{name} {reason}" for name, reason in reasons.items())
    message = f"has no inference configuration that CloudFormation can create: {told}"
    return Problem("model", str(spec.get("model_id")), message, _ANOTHER_MODEL)


def _pin_region(spec: Spec, region: str, config: str | None, wanted: Sequence[str]) -> tuple[PinnedModel, list[str]]:
    """The model in one Region, and what of it is left out."""
    spec = spec if config is None else with_config(spec, config)
    supported = [name for name in _list(spec, "supported_inference_instance_types") if isinstance(name, str)]
    accelerated = [name for name in supported if not has_no_accelerator(name)]
    usable = [name for name in accelerated if not _is_neuron(name)] or accelerated
    found, notices = {}, []
    if left := [name for name in supported if name not in usable]:
        notices.append(f"Left out, as an endpoint runs on one kind of accelerator: {', '.join(left)}.")
    for name in usable:
        image = _image(spec, name, region)
        if image is None:
            notices.append(f"Left out, as {region} has no image for it: {name}.")
        elif not wanted or name in wanted:
            found[name] = _instance(spec, name, region, image)
    if not found and not (wanted and usable):
        message = f"supports no instance type with GPUs or Neuron devices in {region}"
        raise SpecError([Problem("model", str(spec.get("model_id")), message, "Choose another Region or model.")])
    return _model(spec, region, config, found), notices


def _model(spec: Spec, region: str, config: str | None, found: Mapping[str, PinnedInstance]) -> PinnedModel:
    default = spec.get("default_inference_instance_type")
    deploy = spec.get("deploy_kwargs")
    settings = deploy if isinstance(deploy, Mapping) else {}
    return PinnedModel(
        model_id=str(spec.get("model_id")),
        version=str(spec.get("version")),
        regions=(region,),
        instance_types=dict(sorted(found.items())),
        default_instance_type=default if default in found else None,
        config=config,
        hub_id=_hub_id(spec),
        licence=_text(spec, "license"),
        is_gated=bool(spec.get("gated_bucket")),
        eula_key=_text(spec, "hosting_eula_key"),
        network_isolation=spec.get("inference_enable_network_isolation") is True,
        supports_components=spec.get("dynamic_container_deployment_supported") is True,
        volume_gib=_count(spec, "inference_volume_size"),
        startup_seconds=_count(settings, "container_startup_health_check_timeout"),
        download_seconds=_count(settings, "model_data_download_timeout"),
        inference_ami_version=_text(settings, "inference_ami_version"),
        deprecated=_deprecated(spec),
        vulnerabilities=_vulnerabilities(spec),
    )


def _instance(spec: Spec, name: str, region: str, image: str) -> PinnedInstance:
    resources = {**_object(spec, "hosting_resource_requirements"), **_properties(spec, name, "resource_requirements")}
    return PinnedInstance(
        images={region: image},
        artifact=_artifact(spec, name),
        environment=_environment(spec, name),
        accelerators=_count(resources, "num_accelerators"),
        memory_mib=_count(resources, "min_memory_mb"),
    )


def _environment(spec: Spec, name: str) -> dict[str, str]:
    """The variables: those that every model needs, then the family's, then the instance type's own."""
    defaults = {
        str(one.get("name")): str(one["default"])
        for one in _list(spec, "inference_environment_variables")
        if isinstance(one, Mapping) and one.get("required_for_model_class") and one.get("default") is not None
    }
    own = _properties(spec, name, "environment_variables")
    return {**defaults, **{variable: str(value) for variable, value in own.items()}}


def _artifact(spec: Spec, name: str) -> str:
    """The key of the weights: those packed with their code, of the instance type, of its family, of the model."""
    prepacked = _property(spec, name, "prepacked_artifact_key") or spec.get("hosting_prepacked_artifact_key")
    key = prepacked or _property(spec, name, "artifact_key") or spec.get("hosting_artifact_key")
    if isinstance(key, str) and (key.endswith(("/", ".tar.gz"))) and not key.startswith(("s3://", "/")):
        return key
    message = f"has weights for {name} that are neither a folder nor a .tar.gz archive in JumpStart's bucket"
    value = key if key is None or isinstance(key, str) else Described("something else")
    raise SpecError([Problem("artifact", value, message, "Choose another instance type or model.")])


def _image(spec: Spec, name: str, region: str) -> str | None:
    """The image of the instance type or of its family; specifications name it by an alias of the Region."""
    known = variants(spec)
    alias = next(
        (
            one
            for key in (name, family_of(name))
            if (one := _object(known.get(key, {}), "regional_properties").get("image_uri"))
        ),
        None,
    )
    aliases = _object(_object(_object(spec, "hosting_instance_type_variants"), "regional_aliases"), region)
    uri = aliases.get(alias[1:]) if isinstance(alias, str) and alias.startswith("$") else None
    parsed = parse_uri(uri) if isinstance(uri, str) else None
    return uri if parsed is not None and parsed.region == region else None


def _properties(spec: Spec, name: str, member: str) -> dict[str, Any]:
    """What the family and the instance type say, of which the instance type's own counts."""
    known = variants(spec)
    found: dict[str, Any] = {}
    for key in (family_of(name), name):
        found |= _object(_object(known.get(key, {}), "properties"), member)
    return found


def _property(spec: Spec, name: str, member: str) -> object:
    known = variants(spec)
    for key in (name, family_of(name)):
        if value := _object(known.get(key, {}), "properties").get(member):
            return value
    return None


def _joined(first: PinnedModel, other: PinnedModel) -> PinnedModel:
    """Both Regions in one; the images of each instance type that either supports."""
    region = other.regions[0]
    if problems := list(_differences(first, other)):
        raise SpecError(problems)
    types = dict(first.instance_types)
    for name, instance in other.instance_types.items():
        before = types.get(name, replace(instance, images={}))
        types[name] = replace(before, images={**before.images, **instance.images})
    return replace(first, regions=(*first.regions, region), instance_types=dict(sorted(types.items())))


def _differences(first: PinnedModel, other: PinnedModel) -> Iterator[Problem]:
    region, fix = other.regions[0], "Pin them in a file for each Region (--output)."
    common = first.instance_types.keys() & other.instance_types.keys()
    if _settings(first) != _settings(other):
        yield Problem("--region", region, f"the model has other settings there than in {first.regions[0]}", fix)
    for name in sorted(common):
        own, further = first.instance_types[name], other.instance_types[name]
        if replace(own, images={}) != replace(further, images={}):
            message = f"{name} has other weights or variables there than in {first.regions[0]}"
            yield Problem("--region", region, message, fix)


def _settings(model: PinnedModel) -> PinnedModel:
    """What has to be the same in every Region."""
    return replace(model, regions=(), instance_types={}, default_instance_type=None)


def _unsupported(pinned: PinnedModel, name: str) -> Problem:
    message = f"is not supported by {pinned.model_id} {pinned.version} in {', '.join(pinned.regions)}"
    known = ", ".join(pinned.instance_types)
    return Problem("--instance-type", name, message, f"Use one of {known}." if known else "Leave it out.")


def _hub_id(spec: Spec) -> str | None:
    hub_id = _text(spec, "huggingface_id")
    return hub_id if hub_id and _HUB_ID.fullmatch(hub_id) else None


def _deprecated(spec: Spec) -> str | None:
    message = _text(spec, "deprecated_message") or _text(spec, "deprecate_warn_message")
    return message or ("AWS does not say why." if spec.get("deprecated") is True else None)


def _vulnerabilities(spec: Spec) -> tuple[str, ...]:
    named = tuple(str(one) for one in _list(spec, "inference_vulnerabilities"))
    return named or (("not named",) if spec.get("inference_vulnerable") is True else ())


def _is_neuron(name: str) -> bool:
    return family_of(name).startswith(_NEURON_FAMILIES)


def _object(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = of.get(name)
    return value if isinstance(value, Mapping) else {}


def _list(of: Mapping[str, Any], name: str) -> list[Any]:
    value = of.get(name)
    return value if isinstance(value, list) else []


def _text(of: Mapping[str, Any], name: str) -> str | None:
    value = of.get(name)
    return value if isinstance(value, str) and value.strip() else None


def _count(of: Mapping[str, Any], name: str) -> int | None:
    value = of.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        return None
    return int(value)
