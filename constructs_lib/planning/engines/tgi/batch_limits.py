"""The limits that TGI has to be told, because its own would not fit.

Source: TGI 3.3.6 `backends/v3/src/lib.rs` (connect_backend): models without flash attention get a batch of 16000
tokens, or of the longest request or prefill, whatever their memory; the others get what was measured after a prefill of
max_batch_prefill_tokens, whose default looks at the GPU's speed more than at its memory.
"""

from __future__ import annotations

from dataclasses import replace

from constructs_lib.planning.engines.tgi.context import EngineContext
from constructs_lib.planning.models.facts import ModelFacts
from constructs_lib.planning.sizing.memory import MemoryPlan, plan_of

SIZING = frozenset(
    (
        "num_shard",
        "sharded",
        "quantize",
        "max_input_tokens",
        "max_total_tokens",
        "max_batch_prefill_tokens",
        "max_batch_total_tokens",
        "cuda_memory_fraction",
        "tgi_wiggle_room",
    )
)
"""Options without which nothing can be said about the memory."""

_DEFAULT_BATCH = 16_000
_PREFILLS = (4096, 2048, 1024)


def fitting_plan(ctx: EngineContext, facts: ModelFacts, num_shard: int) -> tuple[EngineContext, MemoryPlan]:
    """The memory plan, with a smaller prefill where that of TGI does not fit and none is asked for.

    A warm-up of several prompts reserves the longest answer for each of them, so a prefill of one prompt, or a short
    one of a model that takes long prompts in parts, needs the least memory.

    Args:
        ctx: The situation.
        facts: The model.
        num_shard: GPUs that share it.

    Returns:
        The situation with the prefill that fits, and its memory plan; where none fits, the plan that lacks the least.
    """
    memory = plan_of(ctx, facts, num_shard)
    if memory.fits or ctx.given("max_batch_prefill_tokens") or ctx.version < (0, 9, 0):
        return ctx, memory
    for tokens in _smaller_prefills(ctx, memory.prefill_tokens):
        smaller = replace(ctx, values={**ctx.values, "max_batch_prefill_tokens": tokens})
        memory = plan_of(smaller, facts, num_shard)
        if memory.fits:
            return smaller, memory
    return ctx, memory


def _smaller_prefills(ctx: EngineContext, prefill: int) -> list[int]:
    longest_input, batch = ctx.number("max_input_tokens"), ctx.number("max_batch_total_tokens")
    choices = {*_PREFILLS, *(limit for limit in (longest_input, batch) if limit)}
    least = (longest_input or 1) if ctx.chunks_prefill is False else 1
    most = min(prefill - 1, batch or prefill)
    return sorted((tokens for tokens in choices if least <= tokens <= most), reverse=True)


def batch_setting(ctx: EngineContext, memory: MemoryPlan) -> int | None:
    """A batch (max_batch_total_tokens) that fits the memory, where TGI's own would be larger; None leaves it to TGI."""
    default = max(_DEFAULT_BATCH, ctx.number("max_total_tokens") or 0, memory.prefill_tokens)
    wanted = memory.static and memory.fits and memory.max_tokens < default
    if not wanted or ctx.given("max_batch_total_tokens") or ctx.version < (0, 7, 0):
        return None
    return memory.max_tokens


def following_options(ctx: EngineContext, fitted: EngineContext, memory: MemoryPlan) -> dict[str, int]:
    """The options that follow from a memory plan, by their names in `TgiOptions`; none that TGI would ignore.

    Args:
        ctx: The situation as it is asked for.
        fitted: The same with the prefill that fits.
        memory: Its memory plan.
    """
    options: dict[str, int] = {}
    limits_given = ctx.given("max_total_tokens") or ctx.given("max_input_tokens")
    if ctx.chunks_prefill is False and ctx.version >= (3, 0, 0) and not limits_given and memory.context > 1:
        # Without prefill chunking TGI would take the limits from its warm-up prompt.
        options |= {"max_input_tokens": memory.context - 1, "max_total_tokens": memory.context}
    prefill = fitted.number("max_batch_prefill_tokens")
    if prefill is not None and not ctx.given("max_batch_prefill_tokens"):
        options["max_batch_prefill_tokens"] = prefill
    batch = batch_setting(ctx, memory)
    return options | ({"max_batch_total_tokens": batch} if batch else {})
