"""What is wrong with an endpoint for a pinned model, apart from its instance types."""

from __future__ import annotations

from collections.abc import Iterator

from constructs_lib.planning.engines.jumpstart.containers import container_of
from constructs_lib.planning.engines.jumpstart.engine import Selection
from constructs_lib.planning.validation.problem import Problem
from constructs_lib.planning.validation.rules import Boolean, problem
from constructs_lib.planning.validation.unknown import Unknown

PROTOCOLS = ("tgi", "vllm", "sglang", "lmi", "openai")
"""What a front door can speak to a container that the caller declares."""


def selection_problems(
    selection: Selection, *, stack_region: str | None, accept_eula: object, scales_to_zero: bool
) -> Iterator[Problem]:
    """What is wrong with the endpoint's place, its licence agreement and what it needs of the container.

    Args:
        selection: What the endpoint runs.
        stack_region: Region of the stack; None if only the deployment knows it.
        accept_eula: What the caller says about the licence agreement, right or wrong.
        scales_to_zero: Whether the endpoint has `scale_to_zero`.
    """
    yield from _region_problems(selection, stack_region)
    yield from _agreement_problems(selection, accept_eula)
    yield from _protocol_problems(selection)
    model = selection.model
    if scales_to_zero and not model.supports_components:
        message = f"runs the model as an inference component, which AWS does not support for {model.model_id}"
        fix = "Leave it out, or scale the instances with auto_scale."
        yield Problem("scale_to_zero", True, message, fix)


def _region_problems(selection: Selection, region: str | None) -> Iterator[Problem]:
    model = selection.model
    pinned = ", ".join(model.regions)
    if region is None:
        message = f"must be known at synth, as image and weights of {model.model_id} are those of one Region"
        fix = f"Give the stack its Region: env=Environment(region={model.regions[0]!r}), or another of {pinned}."
        yield Problem("region", None, message, fix)
    elif region not in model.regions:
        message = f"is none in which {model.model_id} {model.version} is pinned: {pinned}"
        fix = f"Run `tgi-endpoint jumpstart add {model.model_id} --version {model.version} --region {region}`."
        yield Problem("region", region, message, fix)


def _agreement_problems(selection: Selection, accept_eula: object) -> Iterator[Problem]:
    keyword, model = "model.accept_eula", selection.model
    if found := problem(keyword, accept_eula, Boolean()):
        yield found
    elif model.has_agreement and accept_eula is not True:
        if isinstance(accept_eula, Unknown):
            message, fix = "must be known at synth: accepting a licence agreement is a decision", "Write True."
        else:
            where = model.agreement_url(selection.region or model.regions[0]) or "it in SageMaker Studio"
            message = f"must be True: {model.model_id} has a licence agreement, without which AWS hands out no weights"
            fix = f"Read {where}, and accept it with JumpStartModel.from_file(…, accept_eula=True)."
        yield Problem(keyword, accept_eula, message, fix)


def _protocol_problems(selection: Selection) -> Iterator[Problem]:
    keyword, given, image = "engine", selection.protocol, selection.image.rpartition("/")[2]
    of_image, choices = container_of(selection.image).engine, ", ".join(PROTOCOLS)
    if given is not None and of_image is not None:
        message = f"is known of AWS's image {image}: {of_image}"
        yield Problem(keyword, given, message, "Leave it out.")
    elif given is None and of_image is None:
        message = f"is required, as the name of the image {image} does not tell what its container speaks"
        yield Problem(keyword, None, message, f"Write the one whose requests it takes: {choices}.")
    elif given is not None and given not in PROTOCOLS:
        yield Problem(keyword, given, f"must be one of {choices}", "Use the one whose requests the container takes.")
