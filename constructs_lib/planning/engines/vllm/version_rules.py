"""Which models a version of vLLM has a class for, and which values its options may have.

Source: releases.json, for models from vLLM's `vllm/model_executor/models/registry.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.engines.encoder_decoders import encoder_decoder_problems
from constructs_lib.planning.engines.vllm.images import AWS, HUGGING_FACE, is_hugging_faces
from constructs_lib.planning.engines.vllm.options import ModelImplementation
from constructs_lib.planning.engines.vllm.releases import Kind, has, is_known, names, releases, since, when
from constructs_lib.planning.images.catalogue import format_version, parse_version
from constructs_lib.planning.models.facts import ModelFacts
from constructs_lib.planning.validation.problem import PlanWarning, Problem

_OF_A_RELEASE = (
    ("quantization", Kind.QUANTIZATIONS, None),
    ("kv_cache_dtype", Kind.CACHE_DTYPES, None),
    ("tool_call_parser", Kind.TOOL_PARSERS, "tool_parser_plugin"),
    ("reasoning_parser", Kind.REASONING_PARSERS, "reasoning_parser_plugin"),
)
"""Options of which each release has its own values, and what brings further ones."""


def version_problems(ctx: EngineContext) -> Iterator[Problem]:
    """What this version of vLLM does not have: values of options, and the model, though another one can run it."""
    yield from _value_problems(ctx)
    yield from encoder_decoder_problems(ctx, f"vLLM {format_version(ctx.version)}")
    facts = ctx.facts
    if facts is None or not is_known(ctx.version) or _is_left_to_transformers(ctx):
        return
    if since(Kind.MODEL_TYPES, facts.model_type) is None or has(Kind.MODEL_TYPES, facts.model_type, ctx.version):
        return
    yield Problem(
        "model",
        facts.hub_id,
        f"vLLM {format_version(ctx.version)} has no class for {facts.model_type} models;"
        f" {when(Kind.MODEL_TYPES, facts.model_type)}",
        _newer_image(ctx, facts),
    )


def _value_problems(ctx: EngineContext) -> Iterator[Problem]:
    extra = ctx.values.get("extra_args")
    further = extra if isinstance(extra, Mapping) else {}
    for keyword, kind, plugin in _OF_A_RELEASE:
        value = ctx.text(keyword)
        is_own = plugin is not None and (ctx.given(plugin) or plugin in further)
        if value is None or is_own or has(kind, value, ctx.version) or not is_known(ctx.version):
            continue
        found = when(kind, value)
        message = f"vLLM {format_version(ctx.version)} does not have it{f'; {found}' if found else ''}"
        near = get_close_matches(value.lower(), sorted(names(kind, ctx.version)), n=1)
        fix = f"Did you mean {near[0]!r}?" if near and not found else "Choose another one, or another image."
        yield Problem(f"options.{keyword}", value, message, fix)


def version_warnings(ctx: EngineContext) -> Iterator[PlanWarning]:
    """What is not known of this version, or not sure to run."""
    facts, version = ctx.facts, format_version(ctx.version)
    if not is_known(ctx.version):
        first, last = format_version(releases()[0]), format_version(releases()[-1])
        yield PlanWarning(
            "tgi-endpoint:unknownRelease",
            f"What this library knows of vLLM is from {first} to {last}, so options, formats and models were not"
            f" checked for {version}.",
        )
    elif facts and since(Kind.MODEL_TYPES, facts.model_type) is None and not _is_left_to_transformers(ctx):
        yield PlanWarning(
            "tgi-endpoint:noOptimizedImplementation",
            f"vLLM {version} has no class of its own for {facts.model_type} models. It tries the class of transformers,"
            " which not every model has in the form that it needs; look at the container's log after the first"
            " deployment.",
        )


def _is_left_to_transformers(ctx: EngineContext) -> bool:
    return ctx.text("model_impl") == ModelImplementation.TRANSFORMERS or "model_impl" in ctx.unknown


def _newer_image(ctx: EngineContext, facts: ModelFacts) -> str:
    """The newest image of the same publisher that has the class, else one of the other."""
    own, other = (HUGGING_FACE, AWS) if is_hugging_faces(ctx) else (AWS, HUGGING_FACE)
    for images in (own, other):
        for text in reversed(images.versions):
            if has(Kind.MODEL_TYPES, facts.model_type, parse_version(text) or ctx.version):
                return f"Use {images.construct}.{images.method}({text!r})."
    return "Choose another model, or an image of your own."
