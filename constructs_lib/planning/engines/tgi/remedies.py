"""Changes of options with which a model that does not fit may fit the same instance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from constructs_lib.planning.engine import EngineContext, Reduction, Settings
from constructs_lib.planning.engines.tgi.context import chunks_prefill
from constructs_lib.planning.engines.tgi.launcher_options import QUANTIZATION_SINCE
from constructs_lib.planning.engines.tgi.options import Quantization
from constructs_lib.planning.engines.tgi.sharding import num_shard, possible_shards
from constructs_lib.planning.models.facts import ModelFacts

_COMPRESSIONS = (Quantization.FP8, Quantization.EETQ, Quantization.BITSANDBYTES_NF4)
_LEAST_PREFILL, _LEAST_CONTEXT = 512, 1024


def remedies(ctx: EngineContext, facts: ModelFacts) -> Iterator[Iterable[Settings] | Reduction]:
    """What takes least away first: more GPUs, a smaller prefill, shorter requests, compressed weights."""
    yield _more_shards(ctx, facts)
    yield from _smaller_prefill(ctx)
    yield from _shorter_requests(ctx)
    yield _compressions(ctx, facts)


def _smaller_prefill(ctx: EngineContext) -> Iterator[Reduction]:
    given = ctx.number("max_batch_prefill_tokens")
    if given is None:
        return
    longest_input = ctx.number("max_input_tokens") if chunks_prefill(ctx) is False else None
    yield Reduction(
        least=longest_input or _LEAST_PREFILL,
        below=given,
        settings=lambda tokens: {"max_batch_prefill_tokens": tokens},
    )


def _shorter_requests(ctx: EngineContext) -> Iterator[Reduction]:
    """Shorter prompts with answers of the same length, and a prefill that is not larger than it has to be."""
    total, longest_input = ctx.number("max_total_tokens"), ctx.number("max_input_tokens")
    if total is None or longest_input is None or longest_input >= total:
        return
    answer = total - longest_input

    def shortened(tokens: int) -> Settings:
        prompt = max(tokens - answer, tokens // 2)
        settings = {"max_input_tokens": prompt, "max_total_tokens": tokens}
        prefill = ctx.number("max_batch_prefill_tokens")
        if prefill is not None:
            settings["max_batch_prefill_tokens"] = min(prefill, prompt)
        return settings

    yield Reduction(least=_LEAST_CONTEXT, below=total, settings=shortened)


def _compressions(ctx: EngineContext, facts: ModelFacts) -> Iterator[Settings]:
    if ctx.given("quantize") or facts.published_quantization:
        return
    for kind in _COMPRESSIONS:
        if ctx.version >= QUANTIZATION_SINCE[kind]:
            yield {"quantize": str(kind)}


def _more_shards(ctx: EngineContext, facts: ModelFacts) -> Iterator[Settings]:
    for shards in possible_shards(facts, ctx.instance.accelerator_count or 1):
        if shards > num_shard(ctx):
            yield {"num_shard": shards}
