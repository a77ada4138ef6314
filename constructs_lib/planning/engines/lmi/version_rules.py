"""Which models and parsers the vLLM in a version of LMI has, by the tables of engines/vllm/releases.py."""

from __future__ import annotations

from collections.abc import Iterator

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.engines.encoder_decoders import encoder_decoder_problems
from constructs_lib.planning.engines.lmi.releases import is_later, possible_vllm, vllm_version
from constructs_lib.planning.engines.vllm.releases import Kind, has, is_known, names, since, when
from constructs_lib.planning.images.catalogue import Version, format_version, parse_version
from constructs_lib.planning.models.facts import ModelFacts
from constructs_lib.planning.validation.problem import PlanWarning, Problem

_PARSERS = {"tool_call_parser": Kind.TOOL_PARSERS, "reasoning_parser": Kind.REASONING_PARSERS}


def version_problems(ctx: EngineContext) -> Iterator[Problem]:
    """What this version's vLLM does not have, though another one's does, and which models none runs."""
    yield from encoder_decoder_problems(ctx, _vllm(ctx))
    if not is_known(vllm_version(ctx.version)) or is_later(ctx.version):
        return
    if ctx.facts and since(Kind.MODEL_TYPES, ctx.facts.model_type) and not _has(ctx, Kind.MODEL_TYPES, ctx.facts):
        model_type = ctx.facts.model_type
        yield Problem(
            "model",
            ctx.facts.hub_id,
            f"{_vllm(ctx)} has no class for {model_type} models; {when(Kind.MODEL_TYPES, model_type)}",
            _newer_image(ctx, ctx.facts),
        )
    for option, kind in _PARSERS.items():
        yield from _parser_problems(ctx, option, kind)


def version_warnings(ctx: EngineContext) -> Iterator[PlanWarning]:
    """What is not sure to run on this version."""
    if ctx.facts and is_known(vllm_version(ctx.version)) and since(Kind.MODEL_TYPES, ctx.facts.model_type) is None:
        yield PlanWarning(
            "tgi-endpoint:noOptimizedImplementation",
            f"{_vllm(ctx)} has no class of its own for {ctx.facts.model_type} models. It tries the class of"
            f" transformers,"
            " which not every model has in the form that it needs; look at the container's log after the first"
            " deployment.",
        )


def reads_images(ctx: EngineContext) -> bool | None:
    """Whether the model sees images; None if the model, or what its vLLM has, is not known."""
    if ctx.facts is None or not is_known(vllm_version(ctx.version)):
        return None
    sees = any(has(Kind.IMAGE_TYPES, ctx.facts.model_type, one) for one in _possible(ctx.version))
    return sees or (None if is_later(ctx.version) else False)


def _parser_problems(ctx: EngineContext, option: str, kind: Kind) -> Iterator[Problem]:
    given = ctx.text(option)
    first, last = possible_vllm(ctx.version)
    known = names(kind, first) | (names(kind, last) if last else frozenset())
    if given is not None and given not in known:
        yield Problem(
            f"options.{option}",
            given,
            f"{_vllm(ctx)} has no such parser, and LMI stops; it has {', '.join(sorted(known))}",
            "Choose one of them, or leave it out.",
        )


def _has(ctx: EngineContext, kind: Kind, facts: ModelFacts) -> bool:
    return any(has(kind, facts.model_type, one) for one in _possible(ctx.version))


def _possible(version: Version) -> tuple[Version, ...]:
    first, last = possible_vllm(version)
    return (first,) if last is None else (first, last)


def _vllm(ctx: EngineContext) -> str:
    return f"vLLM {format_version(vllm_version(ctx.version))} in LMI {format_version(ctx.version)}"


def _newer_image(ctx: EngineContext, facts: ModelFacts) -> str:
    for text in reversed(ctx.images.versions):
        if any(has(Kind.MODEL_TYPES, facts.model_type, one) for one in _possible(parse_version(text) or ctx.version)):
            return f"Use {ctx.images.construct}.version({text!r})."
    return "Choose another model, or VllmEndpoint with a version that has it."
