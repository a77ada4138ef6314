"""The plan of an endpoint: everything that a construct renders, and everything that is wrong with it.

The engine's part comes through `EndpointRequest.engine`; the rest is SageMaker's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from constructs_lib.planning import image_rules, network_rules, sagemaker, selection_rules, timeouts, weights_rules
from constructs_lib.planning.engine import EngineContext, OptionValues
from constructs_lib.planning.environment import environment_problems, extra_variables, variable_warnings
from constructs_lib.planning.hardware import host_ami
from constructs_lib.planning.hardware.instance_types import has_no_accelerator
from constructs_lib.planning.hardware.storage import default_volume_gib, needs_volume, stored_bytes
from constructs_lib.planning.images.catalogue import Version, format_version, parse_version
from constructs_lib.planning.memory_plan import MemoryPlan
from constructs_lib.planning.models.facts import facts_problems
from constructs_lib.planning.request import UNDECIDED, EndpointPlan, EndpointRequest
from constructs_lib.planning.request_parts import part_problems, with_defaults, without_wrong_parts
from constructs_lib.planning.scaling.pools import MAX_POOLS, combine, is_list
from constructs_lib.planning.scaling.startup import load_seconds
from constructs_lib.planning.sizing.cheapest import choose_cheapest
from constructs_lib.planning.sizing.memory import fit_memory, given_options
from constructs_lib.planning.sizing.suggestions import fit_problems, fit_warnings
from constructs_lib.planning.validation.problem import PlanWarning, Problem
from constructs_lib.planning.validation.unknown import Unknown

__all__ = ["EndpointPlan", "EndpointRequest", "plan"]


def plan(request: EndpointRequest) -> EndpointPlan:
    """Decide everything about an endpoint that can be decided without AWS.

    Args:
        request: What the caller asks for.

    Returns:
        The plan with all problems at once; nothing is raised for a mistake of the caller.
    """
    pools: object = request.pools
    if pools is None:
        return _plan(request)
    some = (pools[:MAX_POOLS] if is_list(pools) else ()) or (UNDECIDED,)
    return combine(pools, [_plan(replace(request, instance=pool, pools=None)) for pool in some])


def _plan(request: EndpointRequest) -> EndpointPlan:
    """The plan for one instance type."""
    engine = request.engine
    request = with_defaults(request)
    problems = list(part_problems(request))
    request = without_wrong_parts(request)
    problems += [*selection_rules.model_problems(request), *weights_rules.weights_problems(request)]
    version = _version(request)
    request = _with_own_compression(_without_wrong_facts(request), version)
    request, undecided = choose_cheapest(request, version)
    problems += [*undecided, *_choice_problems(request)]
    request = _without_wrong_figures(request)
    options = engine.read_options(request.options, version)
    own_image = image_rules.is_callers_own(request)
    extra, extra_problems = extra_variables(engine, request.environment, version, own_image=own_image)
    ctx = _context(request, options, version)
    compresses = engine.memory_model.compresses_while_loading(ctx)
    startup_seconds = _startup_timeout(request, compresses=compresses)
    ctx = replace(ctx, startup_seconds=startup_seconds)
    fitted, memory = _memory(ctx, options.left_open)
    environment = engine.environment(ctx, fitted, memory) | extra
    tokens = engine.token_variables if request.model.has_token else ()
    repository, tag = _image(request)
    return EndpointPlan(
        instance=request.instance,
        image_repository=repository,
        image_tag=tag,
        environment={name: _text(value) for name, value in environment.items()},
        token_variables=tokens,
        inference_ami_version=_ami(request, version),
        startup_timeout_seconds=startup_seconds,
        model_download_timeout_seconds=_download_timeout(request),
        load_seconds=load_seconds(request.model, compresses=compresses),
        volume_size_gib=_volume(request),
        num_shard=engine.memory_model.shards(ctx),
        copies=engine.memory_model.copies(ctx),
        keeps_prefixes=engine.keeps_prefixes(ctx),
        max_body_bytes=engine.max_body_bytes(ctx),
        memory=memory,
        serving=engine.serving_facts(ctx, fitted, memory),
        problems=(
            *problems,
            *options.problems,
            *engine.problems(ctx),
            *_fit_problems(ctx, memory, request),
            *extra_problems,
            *environment_problems(engine, environment, tokens),
        ),
        warnings=(
            *_warnings(request, version, compresses=compresses),
            *engine.warnings(ctx),
            *variable_warnings(engine, request.environment, version, own_image=own_image),
            *(fit_warnings(ctx, fitted, ctx.facts, memory) if memory and ctx.facts else ()),
        ),
    )


def _choice_problems(request: EndpointRequest) -> Iterator[Problem]:
    if request.instance is not UNDECIDED:
        yield from selection_rules.instance_problems(request.engine, request.instance)
    yield from selection_rules.image_problems(request)
    yield from image_rules.named_image_problems(request)
    yield from sagemaker.endpoint_problems(request)
    yield from network_rules.network_problems(request)
    chosen: Any = request.inference_ami_version
    is_known = chosen is not None and not isinstance(chosen, Unknown)
    if is_known and request.engine.hardware.runs_on(request.instance):
        cuda = request.images.cuda(format_version(_version(request)))
        yield from host_ami.ami_problems(chosen, request.instance, cuda)


def _without_wrong_facts(request: EndpointRequest) -> EndpointRequest:
    """Without facts that are wrong and reported already: nothing can be worked out from them."""
    model = request.model
    if model.facts is None or not any(facts_problems(model.facts)):
        return request
    return replace(request, model=replace(model, facts=None))


def _with_own_compression(request: EndpointRequest, version: Version) -> EndpointRequest:
    """With weights that the caller has compressed, if the options say so: what is known is only their shape."""
    values = request.engine.read_options(request.options, version).values
    kind = request.engine.published_compression(values) if request.model.may_be_compressed else None
    return replace(request, model=replace(request.model, quantization=kind)) if kind else request


def _without_wrong_figures(request: EndpointRequest) -> EndpointRequest:
    """Without figures that are wrong, or that are of accelerators on which the engine does not run."""
    instance = request.instance
    hardware = request.engine.hardware
    is_other = not hardware.any_instance and (has_no_accelerator(instance.name) or not hardware.runs_on(instance))
    if is_other or any(selection_rules.figure_problems(instance)):
        instance = replace(instance, accelerator_count=None, memory_gib=None, compute_capability=None)
    return replace(request, instance=instance)


def _version(request: EndpointRequest) -> Version:
    version: object = request.image_choice.version
    parsed = parse_version(version) if isinstance(version, str) else None
    return parsed or parse_version(request.images.newest) or (0, 0, 0)


def _context(request: EndpointRequest, options: OptionValues, version: Version) -> EngineContext:
    unknown = {
        name: value
        for name, value in given_options(request.options).items()
        if name not in options.values or isinstance(value, Unknown)
    }
    return EngineContext(
        engine=request.engine,
        values=options.values,
        unknown=unknown,
        version=version,
        model=request.model,
        facts=request.model.known_facts(),
        instance=request.instance,
        network_isolation=request.network_isolation is True,
        own_build=request.image_choice.own_build is True,
        family=request.images,
    )


def _memory(ctx: EngineContext, left_open: frozenset[str]) -> tuple[EngineContext, MemoryPlan | None]:
    """The memory plan, and the context with what the engine's package sets to make it fit."""
    instance, model = ctx.instance, ctx.engine.memory_model
    known = instance.memory_gib and instance.accelerator_count
    if not ctx.facts or not known or model.options is None or (ctx.unknown.keys() | left_open) & model.options:
        return ctx, None
    if next(model.shard_problems(ctx), None):
        return ctx, None
    return fit_memory(ctx, ctx.facts, model.shards(ctx))


def _fit_problems(ctx: EngineContext, memory: MemoryPlan | None, request: EndpointRequest) -> Iterator[Problem]:
    volume: object = request.volume_size_gib
    known = isinstance(volume, int) and sagemaker.VOLUME.validate(volume) is None
    if ctx.facts and memory:
        yield from fit_problems(ctx, ctx.facts, memory, request.volume_size_gib if known else None)


def _image(request: EndpointRequest) -> tuple[str, str] | tuple[None, None]:
    choice = request.image_choice
    found = None if choice.uri_override else request.images.repository_and_tag(str(choice.version))
    return found or (None, None)


def _ami(request: EndpointRequest, version: Version) -> str | None:
    chosen: object = request.inference_ami_version
    if chosen is None:
        return host_ami.default_ami(request.instance, request.images.cuda(format_version(version)))
    return None if chosen == host_ami.SAGEMAKER_DEFAULT else _text(chosen)


def _text(value: Any) -> str:
    text: str = value.text if isinstance(value, Unknown) else value
    return text


def _startup_timeout(request: EndpointRequest, *, compresses: bool) -> int:
    given = request.startup_timeout_seconds or request.engine.hardware.startup_seconds
    if given is not None:
        return given
    return timeouts.startup_seconds(request.model, compresses=compresses)


def _download_timeout(request: EndpointRequest) -> int | None:
    if request.model_download_timeout_seconds is not None:
        return request.model_download_timeout_seconds
    return timeouts.download_seconds(request.model)


def _volume(request: EndpointRequest) -> int | None:
    """The storage volume: SageMaker's own has 30 GB, with which an instance without NVMe drives cannot do."""
    if request.volume_size_gib is not None or not needs_volume(request.instance):
        return request.volume_size_gib
    facts = request.model.known_facts()
    stored = stored_bytes(facts.checkpoint_bytes, is_archive=request.model.is_archive) if facts else None
    return default_volume_gib(stored)


def _warnings(request: EndpointRequest, version: Version, *, compresses: bool) -> Iterator[PlanWarning]:
    yield from selection_rules.model_warnings(request)
    yield from weights_rules.weights_warnings(request)
    yield from image_rules.named_image_warnings(request)
    yield from selection_rules.instance_warnings(request.engine, request.instance)
    yield from sagemaker.endpoint_warnings(request)
    yield from network_rules.network_warnings(request)
    chosen: object = request.inference_ami_version
    if chosen is None or (isinstance(chosen, str) and chosen in host_ami.HOST_CUDA):
        yield from host_ami.driver_warnings(request.instance)
    if isinstance(chosen, str):
        yield from host_ami.ami_warnings(chosen, request.images.cuda(format_version(version)))
    if request.startup_timeout_seconds is None and timeouts.outgrows_startup(request.model, compresses=compresses):
        yield PlanWarning(
            "tgi-endpoint:longestStartup",
            "The model is so large that it may not start within SageMaker's longest startup timeout, 3600 s. Weights in"
            " S3 (Model.from_s3) load faster and have a download timeout of their own.",
        )
    if request.model_download_timeout_seconds is None and timeouts.outgrows_download(request.model):
        yield PlanWarning("tgi-endpoint:longestDownload", _longest_download(request))


def _longest_download(request: EndpointRequest) -> str:
    if request.model.is_archive:
        return (
            "The archive is so large that it may not be downloaded and unpacked within SageMaker's longest model"
            " download timeout, 3600 s. Upload its files into a folder, and use Model.from_s3."
        )
    return (
        "The weights are so large that they may not be downloaded within SageMaker's longest model download timeout,"
        " 3600 s. Weights that are published compressed are smaller."
    )
