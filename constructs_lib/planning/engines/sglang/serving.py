"""What is certain at synth about how SGLang will serve."""

from __future__ import annotations

from collections.abc import Sequence

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.engines.sglang.environment import MAX_QUEUED_REQUESTS
from constructs_lib.planning.engines.sglang.version_rules import reads_images
from constructs_lib.planning.images.catalogue import format_version
from constructs_lib.planning.serving_limits import ServingFacts
from constructs_lib.planning.validation.unknown import Unknown


def serving_facts(ctx: EngineContext) -> ServingFacts:
    """What is certain about how SGLang will serve; how many requests run at one time it works out at its start.

    Args:
        ctx: The context with the options that make the model fit.
    """
    return ServingFacts(
        version=format_version(ctx.version),
        revision=_revision(ctx),
        dtype=ctx.text("dtype"),
        quantize=_quantization(ctx),
        max_total_tokens=_context_length(ctx),
        max_concurrent_requests=_concurrent_requests(ctx),
        chat=True,
        completions=False,
        tools=ctx.given("tool_call_parser"),
        adapters=_adapters(ctx),
        reads_images=reads_images(ctx),
    )


def _quantization(ctx: EngineContext) -> str | None:
    if ctx.given("quantization"):
        return ctx.text("quantization")
    return ctx.facts.published_quantization if ctx.facts else None


def _context_length(ctx: EngineContext) -> int | None:
    if ctx.given("context_length"):
        return ctx.number("context_length")
    return ctx.facts.max_positions if ctx.facts else None


def _concurrent_requests(ctx: EngineContext) -> int | None:
    """Requests that run and wait; None if SGLang decides how many run."""
    running = ctx.number("max_running_requests")
    if running is None or "max_queued_requests" in ctx.unknown:
        return None
    return running + (ctx.number("max_queued_requests") or MAX_QUEUED_REQUESTS)


def _adapters(ctx: EngineContext) -> Sequence[str] | None:
    adapters = ctx.values.get("lora_paths")
    if "lora_paths" in ctx.unknown or not isinstance(adapters, Sequence):
        return None
    return tuple(str(adapter).partition("=")[0] for adapter in adapters)


def _revision(ctx: EngineContext) -> str | None:
    revision: object = ctx.model.revision
    if isinstance(revision, Unknown):
        return revision.text
    return revision if isinstance(revision, str) else None
