"""What is certain at synth about how LMI will serve."""

from __future__ import annotations

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.engines.lmi.version_rules import reads_images
from constructs_lib.planning.images.catalogue import format_version
from constructs_lib.planning.serving_limits import ServingFacts, StreamFormat
from constructs_lib.planning.validation.unknown import Unknown

_MAX_LOGPROBS = 20
"""vLLM's own max_logprobs (`vllm/config`)."""


def serving_facts(ctx: EngineContext) -> ServingFacts:
    """What is certain about how LMI will serve.

    Args:
        ctx: The context with the options that make the model fit.
    """
    return ServingFacts(
        version=format_version(ctx.version),
        revision=_revision(ctx),
        dtype=ctx.text("dtype"),
        quantize=_quantization(ctx),
        max_total_tokens=_context_length(ctx),
        max_top_n_tokens=ctx.number("max_logprobs") if ctx.given("max_logprobs") else _MAX_LOGPROBS,
        chat=True,
        completions=True,
        tools=ctx.given("tool_call_parser"),
        reads_images=reads_images(ctx),
        stream_format=StreamFormat.JSON_LINES,
    )


def _quantization(ctx: EngineContext) -> str | None:
    if ctx.given("quantize"):
        return ctx.text("quantize")
    return ctx.facts.published_quantization if ctx.facts else None


def _context_length(ctx: EngineContext) -> int | None:
    if ctx.given("max_model_len"):
        return ctx.number("max_model_len")
    return ctx.facts.max_positions if ctx.facts else None


def _revision(ctx: EngineContext) -> str | None:
    revision: object = ctx.model.revision
    if isinstance(revision, Unknown):
        return revision.text
    return revision if isinstance(revision, str) else None
