"""The plan of an endpoint: everything that a construct renders, and everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from constructs_lib.planning import sagemaker, selection_rules, timeouts
from constructs_lib.planning.engines.tgi import engine
from constructs_lib.planning.engines.tgi.environment import TOKEN_VARIABLES, owner
from constructs_lib.planning.engines.tgi.options import TgiOptions
from constructs_lib.planning.hardware import host_ami
from constructs_lib.planning.hardware.instance_types import InstanceType, attribute_name
from constructs_lib.planning.images.catalogue import NEWEST, ImageChoice, image_repository_and_tag
from constructs_lib.planning.images.version import Version, parse
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.request import UNDECIDED, EndpointPlan, EndpointRequest
from constructs_lib.planning.sizing.cheapest import with_cheapest
from constructs_lib.planning.validation.problem import HIDDEN, PlanWarning, Problem

__all__ = ["EndpointPlan", "EndpointRequest", "plan"]


@dataclass(frozen=True)
class _Part:
    """One part of a request: what it must be, in the caller's words, and what stands in for a wrong one.

    With the stand-in the other parts are still checked.
    """

    keyword: str
    field: str
    kind: type
    wanted: str
    example: str
    stand_in: object

    def is_wrong_in(self, request: EndpointRequest) -> bool:
        return not isinstance(getattr(request, self.field), self.kind)


_PARTS = (
    _Part("model", "model", ModelChoice, "a Model", "Model.from_hub(…) or .from_s3(…)", ModelChoice(source="s3")),
    _Part("instance_type", "instance", InstanceType, "an InstanceType", "InstanceType.G5_2XLARGE", UNDECIDED),
    _Part("image", "image", ImageChoice, "a TgiImage", "TgiImage.version(…)", ImageChoice(version=NEWEST)),
    _Part("options", "options", TgiOptions, "TgiOptions", "TgiOptions(…)", TgiOptions()),
    _Part("environment", "environment", Mapping, "a mapping", "{'NAME': 'value'}", {}),
)


def plan(request: EndpointRequest) -> EndpointPlan:
    """Decides everything about an endpoint that can be decided without AWS.

    Args:
        request: What the caller asks for.

    Returns:
        The plan with all problems at once; nothing is raised for a mistake of the caller.
    """
    problems = list(_part_problems(request))
    request = _with_stand_ins(request)
    problems += selection_rules.model_problems(request)
    version = _version(request)
    request, ungranted = with_cheapest(_without_wrong_facts(request), version)
    problems += [*ungranted, *_choice_problems(request)]
    request = _without_wrong_figures(request)
    rendering = engine.render(request, version)
    tokens = TOKEN_VARIABLES if request.model.has_token else ()
    catalogued = None if request.image.uri_override else image_repository_and_tag(str(request.image.version))
    return EndpointPlan(
        instance=request.instance,
        image_repository=catalogued[0] if catalogued else None,
        image_tag=catalogued[1] if catalogued else None,
        environment=rendering.environment,
        token_variables=tokens,
        inference_ami_version=_ami(request, version),
        startup_timeout_seconds=_startup_timeout(request, compresses=rendering.compresses),
        model_download_timeout_seconds=_download_timeout(request),
        volume_size_gib=request.volume_size_gib,
        num_shard=rendering.num_shard,
        max_body_bytes=rendering.max_body_bytes,
        memory=rendering.memory,
        serving=rendering.serving,
        problems=(
            *problems,
            *rendering.problems,
            *sagemaker.environment_problems(rendering.environment, owner, request.is_token, tokens),
        ),
        warnings=(*_warnings(request, version, compresses=rendering.compresses), *rendering.warnings),
    )


def _part_problems(request: EndpointRequest) -> Iterator[Problem]:
    for part in _PARTS:
        if part.is_wrong_in(request):
            value = getattr(request, part.field)
            named = _catalogued(value) if part.field == "instance" else None
            fix = f"Write {attribute_name(named.name) if named else part.example}."
            shown = HIDDEN if part.field == "environment" else value  # which may hold secrets in another form
            yield Problem(part.keyword, shown, f"must be {part.wanted}, not {type(value).__name__}", fix)


def _with_stand_ins(request: EndpointRequest) -> EndpointRequest:
    wrong: dict[str, Any] = {part.field: part.stand_in for part in _PARTS if part.is_wrong_in(request)}
    if "instance" in wrong:
        wrong["instance"] = _catalogued(request.instance) or UNDECIDED
    return replace(request, **wrong)


def _catalogued(name: object) -> InstanceType | None:
    return next((instance for instance in InstanceType.all() if instance.name == name), None)


def _choice_problems(request: EndpointRequest) -> Iterator[Problem]:
    if request.instance is not UNDECIDED:
        yield from selection_rules.instance_problems(request.instance)
    yield from selection_rules.image_problems(request)
    yield from sagemaker.endpoint_problems(request)
    chosen = request.inference_ami_version
    if chosen is not None and not request.is_token(chosen):
        yield from host_ami.ami_problems(chosen, request.instance)


def _without_wrong_facts(request: EndpointRequest) -> EndpointRequest:
    """Nothing can be worked out from facts that are none; they are reported already."""
    model = request.model
    if model.facts is None or not any(selection_rules.facts_problems(model.facts)):
        return request
    return replace(request, model=replace(model, facts=None))


def _without_wrong_figures(request: EndpointRequest) -> EndpointRequest:
    """Nor from figures that are none, nor from other than GPUs."""
    instance = request.instance
    if any(selection_rules.figure_problems(instance)) or not instance.is_gpu:
        instance = replace(instance, accelerator_count=None, memory_gib=None, compute_capability=None)
    return replace(request, instance=instance)


def _version(request: EndpointRequest) -> Version:
    version = request.image.version
    parsed = parse(version) if isinstance(version, str) else None
    return parsed or parse(NEWEST) or (0, 0, 0)


def _ami(request: EndpointRequest, version: Version) -> str | None:
    chosen = request.inference_ami_version
    if chosen is None:
        return host_ami.default_ami(request.instance, engine.cuda(version))
    return None if chosen == host_ami.SAGEMAKER_DEFAULT else chosen


def _startup_timeout(request: EndpointRequest, *, compresses: bool) -> int:
    if request.startup_timeout_seconds is not None:
        return request.startup_timeout_seconds
    return timeouts.startup_seconds(request.model, compresses=compresses)


def _download_timeout(request: EndpointRequest) -> int | None:
    if request.model_download_timeout_seconds is not None:
        return request.model_download_timeout_seconds
    return timeouts.download_seconds(request.model)


def _warnings(request: EndpointRequest, version: Version, *, compresses: bool) -> Iterator[PlanWarning]:
    yield from selection_rules.model_warnings(request)
    yield from selection_rules.instance_warnings(request.instance)
    yield from sagemaker.endpoint_warnings(request)
    chosen = request.inference_ami_version
    if isinstance(chosen, str) and not request.is_token(chosen):
        yield from host_ami.ami_warnings(chosen, engine.cuda(version))
    if request.startup_timeout_seconds is None and timeouts.outgrows_startup(request.model, compresses=compresses):
        yield PlanWarning(
            "tgi-endpoint:longestStartup",
            "By its size the model may need more than SageMaker's longest start-up timeout, 3600 s. Weights in S3"
            " (Model.from_s3) load faster, and have a timeout of their own.",
        )
