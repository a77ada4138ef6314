"""Checks of the model, the instance and the image that were chosen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from constructs_lib.planning.engine import Engine
from constructs_lib.planning.hardware.instance_types import InstanceType, has_no_accelerator
from constructs_lib.planning.images.catalogue import ImageFamily, parse_version
from constructs_lib.planning.models.facts import (
    UNKNOWN_LICENCE,
    ModelChoice,
    ModelFacts,
    facts_problems,
    known_model,
)
from constructs_lib.planning.network import why_no_hub
from constructs_lib.planning.request import EndpointRequest
from constructs_lib.planning.validation.problem import PlanWarning, Problem
from constructs_lib.planning.validation.rules import Integer, Number, String, problem
from constructs_lib.planning.validation.unknown import Unknown

_HUB_ID = String(
    "a hub id such as 'meta-llama/Llama-3.1-8B-Instruct'",
    r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?(/[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?)?",
    longest=96,
)
_REVISION = String("a commit, tag or branch", r"[!-~]+", longest=255)
_INSTANCE_NAME = String("SageMaker's name, such as ml.g5.2xlarge", r"ml\.[a-z0-9-]+\.[a-z0-9-]+")
_NON_COMMERCIAL = ("-nc", "non-commercial", "qwen-research")


def model_problems(request: EndpointRequest) -> Iterator[Problem]:
    """What is wrong with the chosen weights."""
    model = request.model
    source: str = model.source  # a caller may ignore the literal's type
    if source == "hub":
        yield from _hub_problems(request)
    elif source == "s3":
        yield from _gating_problems(model) if model.is_staged else _s3_problems(model)
    elif source != "image":
        yield Problem("model.source", source, "must be 'hub' or 's3'", "Use Model.from_hub or Model.from_s3.")
    if model.facts is not None:
        yield from facts_problems(model.facts)


def _hub_problems(request: EndpointRequest) -> Iterator[Problem]:
    model = request.model
    yield from _hub_id_problems(model.hub_id)
    if model.revision is not None and (found := problem("model.revision", model.revision, _REVISION)):
        yield found
    yield from _gating_problems(model)
    if request.network_isolation is True:
        yield Problem(
            "network_isolation",
            True,
            "cuts the container off from the Hugging Face hub, from which this model is downloaded",
            "Copy the weights to S3 and use Model.from_s3, or leave network_isolation out.",
        )


def _s3_problems(model: ModelChoice) -> Iterator[Problem]:
    if model.revision is not None:
        message = "is for the hub only; weights in S3 have no revision"
        yield Problem("model.revision", model.revision, message, "Leave revision out.")
    if model.hub_id is not None:
        yield from _hub_id_problems(model.hub_id)


def _gating_problems(model: ModelChoice) -> Iterator[Problem]:
    facts = model.known_facts()
    if isinstance(facts, ModelFacts) and facts.gated and not model.has_token:
        yield Problem(
            "model",
            model.hub_id,
            f"is gated ({facts.licence}): the hub serves it only with a token",
            "Request access on its hub page, store a token in Secrets Manager, and pass it as"
            f" Model.{_call(model)}(…, token=secret).",
        )


def _call(model: ModelChoice) -> str:
    return "staged" if model.is_staged else "from_hub"


def _hub_id_problems(hub_id: object) -> Iterator[Problem]:
    if isinstance(hub_id, str) and hub_id.startswith(("s3://", "https://", "http://")):
        fix = "Use Model.from_s3(bucket, prefix)." if hub_id.startswith("s3:") else "Write only 'owner/name'."
        yield Problem("model", hub_id, "is a URL, not a hub id", fix)
    elif isinstance(hub_id, str) and hub_id.startswith(("/", ".", "~")):
        yield Problem(
            "model",
            hub_id,
            "is a path, which the container does not have",
            "Upload the weights to S3 and use Model.from_s3(bucket, prefix).",
        )
    elif found := problem("model", hub_id, _HUB_ID):
        yield found
    elif isinstance(hub_id, str) and ("--" in hub_id or ".." in hub_id or hub_id.endswith(".git")):
        yield Problem(
            "model", hub_id, "must not contain '--' or '..', or end in '.git'", "Copy the id from the model's hub page."
        )


def model_warnings(request: EndpointRequest) -> Iterator[PlanWarning]:
    """What is risky about the choice of weights."""
    facts = request.model.known_facts()
    is_downloaded = request.model.source == "hub" or request.model.is_staged
    if is_downloaded and facts and facts.gating == "sometimes" and not request.model.has_token:
        yield PlanWarning(
            "tgi-endpoint:mayBeGated",
            f"{facts.hub_id} has required a token at some revisions. If the download is refused, pass one:"
            f" Model.{_call(request.model)}(…, token=secret).",
        )
    yield from _hub_warnings(request)
    if facts:
        yield from _licence_warnings(request.model, facts)


def _hub_warnings(request: EndpointRequest) -> Iterator[PlanWarning]:
    region = request.region
    if request.model.source != "hub" or not isinstance(region, str):
        return
    why = why_no_hub(region)
    if why is not None and "HF_ENDPOINT" not in request.environment:
        yield PlanWarning(
            "tgi-endpoint:hubUnreachable",
            f"The container downloads this model from the Hugging Face hub when it starts, but in {region} {why}. Copy"
            " the weights to S3 and use Model.from_s3, or set HF_ENDPOINT in environment to a mirror of the hub.",
        )


def _licence_warnings(model: ModelChoice, facts: ModelFacts) -> Iterator[PlanWarning]:
    base = known_model(model.like) if isinstance(model.like, str) and facts.licence == UNKNOWN_LICENCE else None
    licensed = base or facts
    if any(word in licensed.licence.lower() for word in _NON_COMMERCIAL):
        derived = ", which binds weights that were made from it as well" if base else ""
        yield PlanWarning(
            "tgi-endpoint:nonCommercialLicence",
            f"The licence of {licensed.hub_id} ({licensed.licence}) does not allow commercial use{derived}.",
        )


def instance_problems(engine: Engine, instance: InstanceType) -> Iterator[Problem]:
    """What is wrong with the choice of hardware."""
    keyword, hardware = "instance_type", engine.hardware
    if found := problem(keyword, instance.name, _INSTANCE_NAME):
        full_name = f"ml.{str(instance.name).removeprefix('ml.')}"
        yield found if _INSTANCE_NAME.validate(full_name) else replace(found, fix=f"Write {full_name}.")
        return
    if hardware.any_instance:
        has_figures = instance.accelerator_count is not None or instance.memory_gib is not None
        yield from figure_problems(instance) if has_figures else ()
        return
    use = f"Use a {'GPU' if hardware.is_gpu else 'Neuron'} instance, such as {hardware.example}."
    if has_no_accelerator(instance.name):
        has = "GPU" if hardware.is_gpu else "Neuron device"
        message = f"has no {has}, but {engine.display_name}'s image is for {hardware.accelerators}"
        yield Problem(keyword, instance.name, message, use)
    elif not hardware.runs_on(instance):
        message = f"has {instance.accelerator}, but {engine.display_name}'s image is for {hardware.accelerators}"
        yield Problem(keyword, instance.name, message, f"{use} {hardware.other_image}".strip())
    if instance.architecture != "x86_64":
        message = f"has an Arm host, but {engine.display_name}'s image is for x86"
        yield Problem(keyword, instance.name, message, "Use an x86 instance, such as p5.")
        return
    yield from figure_problems(instance)


def figure_problems(instance: InstanceType) -> Iterator[Problem]:
    """What is wrong with the figures of an instance that rules work with."""
    if found := problem("instance_type.accelerator_count", instance.accelerator_count, Integer(1, 1024)):
        yield found
    if found := problem("instance_type.memory_gib", instance.memory_gib, Number("above 0", above=0)):
        yield found
    capability: object = instance.compute_capability
    is_pair = isinstance(capability, tuple) and len(capability) == 2 and all(isinstance(n, int) for n in capability)
    if capability is not None and not is_pair:
        yield Problem(
            "instance_type.compute_capability", capability, "must be two whole numbers", "Write (8, 6) for 8.6."
        )


def instance_warnings(engine: Engine, instance: InstanceType) -> Iterator[PlanWarning]:
    """What is risky about the choice of hardware."""
    if engine.hardware.is_untested(instance) and instance.is_gpu:
        yield PlanWarning(
            "tgi-endpoint:blackwellUntested",
            f"{instance.name} has {instance.accelerator} (Blackwell), for which {engine.display_name}'s kernels were"
            f" neither built nor tested. Prefer {engine.hardware.tested_example}.",
        )


def image_problems(request: EndpointRequest) -> Iterator[Problem]:
    """What is wrong with the choice of image."""
    choice, images, engine = request.image_choice, request.images, request.engine.display_name
    version: object = choice.version
    if not isinstance(version, str) or parse_version(version) is None:
        message = f"must be a full version such as {images.newest!r}"
        yield Problem("image", version, message, _version_fix(images, version))
        return
    if choice.uri_override:
        return
    if images.repository_and_tag(version) is None:
        yield Problem(
            "image", version, f"AWS publishes no image of that {engine} version", _version_fix(images, version)
        )
        return
    region: object = request.region
    if (
        choice.mirrored
        or region is None
        or isinstance(region, Unknown)
        or (isinstance(region, str) and images.account(region, version))
    ):
        return
    yield Problem(
        "region",
        region,
        f"AWS publishes no image of {engine} {version} in that Region",
        f"Deploy to another Region, or use an image of your own: {images.construct}.from_ecr_repository.",
    )


def _version_fix(images: ImageFamily, version: object) -> str:
    return f"Use {images.newest_like(version)!r}. AWS publishes {', '.join(images.versions)}."
