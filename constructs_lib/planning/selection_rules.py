"""Checks of the model, the instance and the image that were chosen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches

from constructs_lib.planning.engines.tgi.options import Quantization
from constructs_lib.planning.hardware.instance_types import BLACKWELL, InstanceType
from constructs_lib.planning.images.catalogue import NEWEST, VERSIONS, image_account, image_repository_and_tag
from constructs_lib.planning.images.version import parse
from constructs_lib.planning.models.facts import BYTES_PER_PARAMETER, ModelFacts
from constructs_lib.planning.request import EndpointRequest
from constructs_lib.planning.validation.problem import PlanWarning, Problem
from constructs_lib.planning.validation.rules import Integer, Number, String, problem

_HUB_ID = String(
    "a hub id such as 'meta-llama/Llama-3.1-8B-Instruct'",
    r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?(/[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?)?",
    longest=96,
)
_REVISION = String("a commit, tag or branch", r"[!-~]+", longest=255)
_INSTANCE_NAME = String("SageMaker's name, such as ml.g5.2xlarge", r"ml\.[a-z0-9-]+\.[a-z0-9-]+")
_NON_COMMERCIAL = ("-nc", "non-commercial", "qwen-research")
_FURTHER_SHAPE = ("intermediate", "vocabulary", "experts", "experts_per_token", "weight_bytes")
_CUT_OFF = re.compile(r"cn-.*|.*-iso[a-z]?-.*")  # Regions of aws-cn, and of aws-iso and its like
_SHAPE = ("parameters", "layers", "hidden", "heads", "kv_heads", "head_dim", "max_positions")


def model_problems(request: EndpointRequest) -> Iterator[Problem]:
    """What is wrong with the choice of weights."""
    model = request.model
    source: str = model.source  # what is typed as a literal may still be given wrong
    if source == "hub":
        yield from _hub_problems(request)
    elif source == "s3":
        if model.revision is not None:
            yield Problem(
                "model.revision", model.revision, "is for the hub; weights in S3 have none", "Leave revision out."
            )
        if model.hub_id is not None and not request.is_token(model.hub_id):
            yield from _hub_id_problems(model.hub_id)
    else:
        yield Problem("model.source", source, "must be 'hub' or 's3'", "Use Model.from_hub or Model.from_s3.")
    if model.facts is not None:
        yield from facts_problems(model.facts)


def _hub_problems(request: EndpointRequest) -> Iterator[Problem]:
    model = request.model
    if not request.is_token(model.hub_id):
        yield from _hub_id_problems(model.hub_id)
    revision_is_known = model.revision is not None and not request.is_token(model.revision)
    if revision_is_known and (found := problem("model.revision", model.revision, _REVISION)):
        yield found
    facts = model.known_facts()
    if isinstance(facts, ModelFacts) and facts.gated and not model.has_token:
        yield Problem(
            "model",
            model.hub_id,
            f"is gated ({facts.licence}): the hub serves it to nobody without a token",
            "Ask for access on its hub page, keep a token in Secrets Manager, and give it as"
            " Model.from_hub(…, token=secret).",
        )
    if request.network_isolation is True:
        yield Problem(
            "network_isolation",
            True,
            "cuts the container off from the Hugging Face hub, from which this model is downloaded",
            "Copy the weights to S3 and use Model.from_s3, or leave network_isolation out.",
        )


def _hub_id_problems(hub_id: object) -> Iterator[Problem]:
    if isinstance(hub_id, str) and hub_id.startswith(("s3://", "https://", "http://")):
        fix = "Use Model.from_s3(bucket, prefix)." if hub_id.startswith("s3:") else "Give only 'owner/name'."
        yield Problem("model", hub_id, "is an address, not a hub id", fix)
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
            "model", hub_id, "must not have '--' or '..', nor end in '.git'", "Copy the id from the model's hub page."
        )


def facts_problems(facts: object) -> Iterator[Problem]:
    """What is wrong with a description of a model."""
    if not isinstance(facts, ModelFacts):
        yield Problem("model.facts", facts, "must be ModelFacts", "Describe the model with ModelFacts(…).")
        return
    for name in _SHAPE:
        if found := problem(f"model.facts.{name}", getattr(facts, name), Integer(1, 10**15)):
            yield found
    for name in _FURTHER_SHAPE:
        value = getattr(facts, name)
        if value is not None and (found := problem(f"model.facts.{name}", value, Integer(1, 10**15))):
            yield found
    if facts.quantization is not None and facts.quantization not in list(Quantization):
        yield Problem(
            "model.facts.quantization",
            facts.quantization,
            f"must be one of {', '.join(Quantization)}",
            "Take the quant_method of its config.json, or leave it out for weights that are not compressed.",
        )
    for name in ("hub_id", "model_type", "implementation"):
        if found := problem(f"model.facts.{name}", getattr(facts, name), String()):
            yield found
    if facts.checkpoint_dtype not in list(BYTES_PER_PARAMETER):
        yield Problem(
            "model.facts.checkpoint_dtype",
            facts.checkpoint_dtype,
            f"must be one of {', '.join(BYTES_PER_PARAMETER)}",
            "Take the type of the published weights.",
        )


def model_warnings(request: EndpointRequest) -> Iterator[PlanWarning]:
    """What is risky about the choice of weights."""
    facts = request.model.known_facts()
    if request.model.source == "hub" and facts and facts.gating == "sometimes" and not request.model.has_token:
        yield PlanWarning(
            "tgi-endpoint:mayBeGated",
            f"{facts.hub_id} has asked for a token at some revisions. If the download is refused, give one:"
            " Model.from_hub(…, token=secret).",
        )
    yield from _hub_warnings(request)
    if facts:
        yield from _licence_warnings(facts)


def _hub_warnings(request: EndpointRequest) -> Iterator[PlanWarning]:
    region = request.region
    if request.model.source != "hub" or not isinstance(region, str) or request.is_token(region):
        return
    if _CUT_OFF.fullmatch(region) and "HF_ENDPOINT" not in request.environment:
        why = "the hub is usually blocked" if region.startswith("cn-") else "there is no internet"
        yield PlanWarning(
            "tgi-endpoint:hubUnreachable",
            f"The container downloads this model from the Hugging Face hub when it starts, but in {region} {why}. Copy"
            " the weights to S3 and use Model.from_s3, or give the address of a mirror of the hub as HF_ENDPOINT in"
            " environment.",
        )


def _licence_warnings(facts: ModelFacts) -> Iterator[PlanWarning]:
    if any(word in facts.licence.lower() for word in _NON_COMMERCIAL):
        yield PlanWarning(
            "tgi-endpoint:nonCommercialLicence",
            f"The licence of {facts.hub_id} ({facts.licence}) does not allow commercial use.",
        )


def instance_problems(instance: InstanceType) -> Iterator[Problem]:
    """What is wrong with the choice of hardware."""
    keyword = "instance_type"
    if found := problem(keyword, instance.name, _INSTANCE_NAME):
        yield found
        return
    if not instance.is_gpu:
        yield Problem(
            keyword,
            instance.name,
            f"has {instance.accelerator}, TGI's image is for NVIDIA GPUs",
            "Take a GPU instance, such as InstanceType.G5_2XLARGE.",
        )
    if instance.architecture != "x86_64":
        yield Problem(
            keyword, instance.name, "has an Arm host, TGI's image is for x86", "Take an x86 instance, such as p5."
        )
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


def instance_warnings(instance: InstanceType) -> Iterator[PlanWarning]:
    """What is risky about the choice of hardware."""
    if instance.compute_capability is not None and instance.compute_capability >= BLACKWELL and instance.is_gpu:
        yield PlanWarning(
            "tgi-endpoint:blackwellUntested",
            f"{instance.name} has {instance.accelerator} (Blackwell), for which TGI's kernels were neither built nor"
            " tested. Prefer Ampere, Ada or Hopper GPUs (g5, g6, g6e, p4d, p5).",
        )


def image_problems(request: EndpointRequest) -> Iterator[Problem]:
    """What is wrong with the choice of image."""
    version = request.image.version
    if not isinstance(version, str) or parse(version) is None:
        yield Problem("image", version, f"must be a full version such as {NEWEST!r}", _version_fix(version))
        return
    if request.image.uri_override:
        return
    if image_repository_and_tag(version) is None:
        yield Problem("image", version, "AWS has no image of that TGI version", _version_fix(version))
        return
    region = request.region
    if region is None or request.is_token(region) or (isinstance(region, str) and image_account(region, version)):
        return
    yield Problem(
        "region",
        region,
        f"AWS offers no image of TGI {version} there",
        "Deploy to another Region, or bring an image: TgiImage.from_ecr_repository.",
    )


def _version_fix(version: object) -> str:
    family = [known for known in VERSIONS if isinstance(version, str) and known.startswith(f"{version}.")]
    near = family[-1:] or get_close_matches(str(version), VERSIONS, n=1) or [NEWEST]
    return f"Take {near[0]!r}. There are {', '.join(VERSIONS)}."
