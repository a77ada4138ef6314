"""The limits that TGI has to be given, because its own would not fit.

Source: TGI 3.3.6 `backends/v3/src/lib.rs` (connect_backend): models without flash attention get a batch of 16000
tokens, or of the longest request or prefill, whatever their memory; the others get what was measured after a prefill of
max_batch_prefill_tokens, whose default depends on the GPU's speed more than on its memory.
"""

from __future__ import annotations

from collections.abc import Iterator

from constructs_lib.planning.engine import EngineContext, Settings
from constructs_lib.planning.engines.tgi.context import chunks_prefill, implementation_of
from constructs_lib.planning.engines.tgi.launcher_options import QUANTIZATION_SINCE
from constructs_lib.planning.engines.tgi.options import Quantization
from constructs_lib.planning.engines.tgi.sharding import num_shard, possible_shards
from constructs_lib.planning.memory_plan import MemoryPlan
from constructs_lib.planning.models.facts import ModelFacts

_DEFAULT_BATCH = 16_000
_PREFILLS = (4096, 2048, 1024)
_COMPRESSIONS = (Quantization.FP8, Quantization.EETQ, Quantization.BITSANDBYTES_NF4)
_MIN_SHORTENED = 2048


def smaller_settings(ctx: EngineContext, memory: MemoryPlan) -> Iterator[Settings]:
    """Smaller prefills than TGI's default, largest first; none if the caller sets the prefill.

    A warm-up of several prompts reserves the longest answer for each of them, so a prefill of one prompt, or a short
    one of a model whose long prompts are split, needs the least memory.

    Args:
        ctx: The context.
        memory: Its memory plan.
    """
    if ctx.given("max_batch_prefill_tokens") or ctx.version < (0, 9, 0):
        return
    longest_input, batch = ctx.number("max_input_tokens"), ctx.number("max_batch_total_tokens")
    choices = {*_PREFILLS, *(limit for limit in (longest_input, batch) if limit)}
    least = (longest_input or 1) if chunks_prefill(ctx) is False else 1
    most = min(memory.prefill_tokens - 1, batch or memory.prefill_tokens)
    for tokens in sorted((tokens for tokens in choices if least <= tokens <= most), reverse=True):
        yield {"max_batch_prefill_tokens": tokens}


def batch_setting(ctx: EngineContext, memory: MemoryPlan) -> int | None:
    """A batch (max_batch_total_tokens) that fits the memory, if TGI's own would be larger; None leaves it to TGI."""
    default = max(_DEFAULT_BATCH, ctx.number("max_total_tokens") or 0, memory.prefill_tokens)
    is_needed = memory.static and memory.fits and memory.max_tokens < default
    if not is_needed or ctx.given("max_batch_total_tokens") or ctx.version < (0, 7, 0):
        return None
    return memory.max_tokens


def following_settings(ctx: EngineContext, fitted: EngineContext, memory: MemoryPlan) -> dict[str, int]:
    """The options that follow from a memory plan; none that TGI would ignore.

    Args:
        ctx: The context as requested.
        fitted: The same with the prefill that fits.
        memory: Its memory plan.
    """
    settings: dict[str, int] = {}
    limits_given = ctx.given("max_total_tokens") or ctx.given("max_input_tokens")
    takes_limits = ctx.facts is None or implementation_of(ctx, ctx.facts).takes_limits
    derives_limits = chunks_prefill(ctx) is False and ctx.version >= (3, 0, 0) and not limits_given
    if takes_limits and derives_limits and memory.context > 1:
        # Without prefill chunking TGI would take the limits from its warm-up prompt.
        settings |= {"max_input_tokens": memory.context - 1, "max_total_tokens": memory.context}
    prefill = fitted.number("max_batch_prefill_tokens")
    if prefill is not None and not ctx.given("max_batch_prefill_tokens"):
        settings["max_batch_prefill_tokens"] = prefill
    batch = batch_setting(ctx, memory)
    return settings | ({"max_batch_total_tokens": batch} if batch else {})


def remedies(ctx: EngineContext, facts: ModelFacts) -> Iterator[Iterator[Settings]]:
    """Changes with which a model that does not fit may: more GPUs, shorter requests, smaller prefills, compression."""
    yield _more_shards(ctx, facts)
    yield _shorter_requests(ctx)
    yield _smaller_prefills(ctx)
    yield _compressions(ctx, facts)


def _more_shards(ctx: EngineContext, facts: ModelFacts) -> Iterator[Settings]:
    most = possible_shards(facts, ctx.instance.accelerator_count or 1)
    if most and most[-1] > num_shard(ctx):
        yield {"num_shard": most[-1]}


def _shorter_requests(ctx: EngineContext) -> Iterator[Settings]:
    total, longest_input = ctx.number("max_total_tokens"), ctx.number("max_input_tokens")
    while total and longest_input and total >= _MIN_SHORTENED:
        longest_input, total = max(1, longest_input // 2), total // 2
        yield {"max_input_tokens": longest_input, "max_total_tokens": total}


def _smaller_prefills(ctx: EngineContext) -> Iterator[Settings]:
    given = ctx.number("max_batch_prefill_tokens")
    for tokens in _PREFILLS:
        if given is not None and tokens < given:
            yield {"max_batch_prefill_tokens": tokens}


def _compressions(ctx: EngineContext, facts: ModelFacts) -> Iterator[Settings]:
    if ctx.given("quantize") or facts.published_quantization:
        return
    for kind in _COMPRESSIONS:
        if ctx.version >= QUANTIZATION_SINCE[kind]:
            yield {"quantize": str(kind)}
