"""Checks of where the weights come from, and of what is known about them.

Sources: sagemaker-core 2.27.0 `jumpstart/region_config.json` (JumpStart's buckets, one public and one gated for each
Region); botocore 1.44.5, sagemaker `ModelAccessConfig`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from constructs_lib.planning.models.facts import ModelChoice, known_model, known_models
from constructs_lib.planning.models.nearest import nearest_model
from constructs_lib.planning.request import EndpointRequest
from constructs_lib.planning.validation.problem import PlanWarning, Problem
from constructs_lib.planning.validation.rules import Boolean, problem
from constructs_lib.planning.validation.unknown import Unknown

_JUMPSTART = re.compile(r"jumpstart-(?P<gated>private-)?cache-prod-(?P<region>[a-z0-9-]+)")
_EULA = "Read its licence agreement, and accept it with accept_eula=True."


def nearest_known(hub_id: str) -> str | None:
    """The model of the catalogue that a hub id is most like; None if it is like none."""
    return nearest_model(hub_id, (facts.hub_id for facts in known_models()))


def weights_problems(request: EndpointRequest) -> Iterator[Problem]:
    """What is wrong with where the weights come from, and with what is said about them."""
    model = request.model
    yield from _like_problems(model)
    if found := problem("model.accept_eula", model.accept_eula, Boolean()):
        yield found
    yield from _jumpstart_problems(request)


def weights_warnings(request: EndpointRequest) -> Iterator[PlanWarning]:
    """What is risky about where the weights come from."""
    model, facts = request.model, request.model.known_facts()
    described = facts is not None or model.facts is not None or model.like is not None
    if not described and model.source != "image" and not model.is_prescribed:
        yield PlanWarning("tgi-endpoint:unknownModel", _unchecked(model))
    if facts and facts.gated and _is_public_jumpstart(model.bucket) and not model.accept_eula:
        yield PlanWarning(
            "tgi-endpoint:eulaNotAccepted",
            f"{facts.hub_id} has a licence agreement, without which JumpStart's bucket may refuse the weights. {_EULA}",
        )


def _like_problems(model: ModelChoice) -> Iterator[Problem]:
    keyword = "model.like"
    like: object = model.like
    if like is None or isinstance(like, Unknown):
        return
    if model.facts is not None:
        message = "both describe the shape of the weights"
        yield Problem(keyword, like, f"is given together with facts, and {message}", "Leave out one of the two.")
    elif not isinstance(like, str):
        message = f"must be the hub id of a model in the catalogue, not {type(like).__name__}"
        yield Problem(keyword, like, message, "Write like='meta-llama/Llama-3.1-8B-Instruct'.")
    elif not like.strip():
        yield Problem(keyword, like, "must not be empty", "Leave it out, or write the hub id of a known model.")
    elif known_model(like) is None:
        near = nearest_known(like)
        other = f"read its shape with `tgi-endpoint models add {like}` and pass facts=…"
        fix = f"Did you mean {near!r}? Otherwise {other}." if near else f"{other[0].upper()}{other[1:]}."
        yield Problem(keyword, like, "is not in the catalogue", fix)


def _unchecked(model: ModelChoice) -> str:
    unchecked = "neither memory, shards and context nor whether the image can run it"
    call = "from_hub" if model.source == "hub" else "from_s3_archive" if model.is_archive else "from_s3"
    call = "staged" if model.is_staged else call
    if not isinstance(model.hub_id, str):
        described = "model_id=… (what they are a copy of), like=… (a model of the same shape) or facts=ModelFacts(…)"
        return (
            f"The shape of these weights is not known, so nothing was checked for them: {unchecked}. Describe them:"
            f" Model.{call}(…, {described})."
        )
    near = nearest_known(model.hub_id)
    return (
        f"{model.hub_id} is not in the catalogue, so nothing was checked for it: {unchecked}."
        f"{f' Did you mean {near}?' if near else ''} Read its shape with `tgi-endpoint models add {model.hub_id}` and"
        f" pass facts=…, or name a model of the same shape, such as the base model of a fine-tune: Model.{call}(…,"
        f" like={near or 'meta-llama/Llama-3.1-8B-Instruct'!r})."
    )


def _jumpstart_problems(request: EndpointRequest) -> Iterator[Problem]:
    found = _jumpstart(request.model.bucket)
    if found is None:
        return
    if found["gated"] and request.model.accept_eula is not True:
        yield Problem(
            "model.accept_eula",
            request.model.accept_eula,
            f"{request.model.bucket} has gated models, which SageMaker hands out only if their licence is accepted",
            _EULA,
        )
    region: object = request.region
    if isinstance(region, str) and region != found["region"]:
        yield Problem(
            "model.bucket",
            request.model.bucket,
            f"is in {found['region']}; SageMaker reads weights from the endpoint's own Region, {region}, only",
            f"Use jumpstart-{found['gated'] or ''}cache-prod-{region}.",
        )


def _is_public_jumpstart(bucket: object) -> bool:
    found = _jumpstart(bucket)
    return found is not None and found["gated"] is None


def _jumpstart(bucket: object) -> re.Match[str] | None:
    return _JUMPSTART.fullmatch(bucket) if isinstance(bucket, str) else None
