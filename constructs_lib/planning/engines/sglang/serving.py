"""What is certain at synth about how SGLang will serve."""

from __future__ import annotations

from collections.abc import Sequence

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.engines.served_model import length_of, quantization_of, revision_of
from constructs_lib.planning.engines.sglang.environment import MAX_QUEUED_REQUESTS
from constructs_lib.planning.engines.sglang.version_rules import reads_images
from constructs_lib.planning.images.catalogue import format_version
from constructs_lib.planning.serving_limits import ServingFacts


def serving_facts(ctx: EngineContext) -> ServingFacts:
    """What is certain about how SGLang will serve; how many requests run at one time it works out at its start.

    Args:
        ctx: The context with the options that make the model fit.
    """
    return ServingFacts(
        version=format_version(ctx.version),
        revision=revision_of(ctx),
        dtype=ctx.text("dtype"),
        quantize=quantization_of(ctx, "quantization"),
        max_total_tokens=length_of(ctx, "context_length"),
        max_concurrent_requests=_concurrent_requests(ctx),
        chat=True,
        completions=False,
        tools=ctx.given("tool_call_parser"),
        adapters=_adapters(ctx),
        reads_images=reads_images(ctx),
    )


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
