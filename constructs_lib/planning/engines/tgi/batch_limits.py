"""The limits that TGI has to be given, because its own would not fit.

Source: TGI 3.3.6 `backends/v3/src/lib.rs` (connect_backend): models without flash attention get a batch of 16000
tokens, or of the longest request or prefill, whatever their memory; the others get what was measured after a prefill of
max_batch_prefill_tokens, whose default depends on the GPU's speed more than on its memory.
"""

from __future__ import annotations

from collections.abc import Iterator

from constructs_lib.planning.engine import EngineContext, Settings
from constructs_lib.planning.engines.tgi.context import chunks_prefill, implementation_of
from constructs_lib.planning.engines.tgi.token_limits import token_limits
from constructs_lib.planning.memory_plan import MemoryPlan

_DEFAULT_BATCH = 16_000
_PREFILLS = (4096, 2048, 1024)


def smaller_settings(ctx: EngineContext, memory: MemoryPlan) -> Iterator[Settings]:
    """Smaller prefills than TGI's default, largest first; none if the caller sets the prefill.

    A warm-up of several prompts reserves the longest answer for each of them, so a prefill of one prompt, or a short
    one of a model whose long prompts are split, needs the least memory. Versions that do not split prompts and have a
    default length get a shorter one with a prefill that is smaller than it.

    Args:
        ctx: The context.
        memory: Its memory plan.
    """
    if ctx.given("max_batch_prefill_tokens") or ctx.version < (0, 9, 0):
        return
    longest_input, batch = ctx.number("max_input_tokens"), ctx.number("max_batch_total_tokens")
    default_input, _ = token_limits(ctx)
    whole_prompts = chunks_prefill(ctx) is False
    limits_are_ours = not (ctx.given("max_input_tokens") or ctx.given("max_total_tokens"))
    choices = {*_PREFILLS, *(limit for limit in (default_input, batch) if limit)}
    least = (longest_input or 1) if whole_prompts else 1
    most = min(memory.prefill_tokens - 1, batch or memory.prefill_tokens)
    for tokens in sorted((tokens for tokens in choices if least <= tokens <= most), reverse=True):
        settings = {"max_batch_prefill_tokens": tokens}
        if not whole_prompts or default_input is None or tokens >= default_input:
            yield settings
        elif limits_are_ours:
            yield settings | {"max_input_tokens": tokens - 1, "max_total_tokens": tokens}


def batch_setting(ctx: EngineContext, memory: MemoryPlan) -> int | None:
    """A batch (max_batch_total_tokens) that fits the memory, if TGI's own would be larger; None leaves it to TGI."""
    default = max(_DEFAULT_BATCH, ctx.number("max_total_tokens") or 0, memory.prefill_tokens)
    is_needed = memory.static and not memory.is_too_large and memory.max_tokens < default
    if not is_needed or ctx.given("max_batch_total_tokens") or ctx.version < (0, 7, 0):
        return None
    return max(memory.max_tokens, memory.asked_tokens)


def following_settings(ctx: EngineContext, fitted: EngineContext, memory: MemoryPlan) -> Settings:
    """The options that follow from a memory plan; none that TGI would ignore.

    Args:
        ctx: The context as requested.
        fitted: The same with the settings that fit.
        memory: Its memory plan.
    """
    settings = {name: value for name, value in fitted.values.items() if name not in ctx.values}
    limits_given = ctx.given("max_total_tokens") or ctx.given("max_input_tokens")
    takes_limits = ctx.facts is None or implementation_of(ctx, ctx.facts).takes_limits
    derives_limits = chunks_prefill(ctx) is False and ctx.version >= (3, 0, 0) and not limits_given
    if takes_limits and derives_limits and memory.context > 1:
        # Without prefill chunking TGI would take the limits from its warm-up prompt.
        settings |= {"max_input_tokens": memory.context - 1, "max_total_tokens": memory.context}
    batch = batch_setting(ctx, memory)
    return settings | ({"max_batch_total_tokens": batch} if batch else {})
