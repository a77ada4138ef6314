"""What the memory plan says about a choice: it does not fit, and what would; or it fits narrowly."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice

from constructs_lib.planning.engines.tgi.batch_limits import fitting_plan
from constructs_lib.planning.engines.tgi.context import EngineContext
from constructs_lib.planning.engines.tgi.launcher_options import QUANTIZATION_SINCE
from constructs_lib.planning.engines.tgi.options import Quantization, TgiOptions
from constructs_lib.planning.engines.tgi.sharding import num_shard, possible_shards
from constructs_lib.planning.hardware.gpu_memory import GIB
from constructs_lib.planning.hardware.storage import storage_fault
from constructs_lib.planning.images.version import dotted
from constructs_lib.planning.models.facts import ModelFacts
from constructs_lib.planning.models.quantization import quantization_of
from constructs_lib.planning.sizing.candidates import Candidate, candidates, gib, rule_problems
from constructs_lib.planning.sizing.memory import MemoryPlan
from constructs_lib.planning.validation.problem import PlanWarning, Problem

TIGHT = 0.10
"""Less than this share of the usable memory to spare is worth a warning: public reports differ by as much."""

_REMEDIES = 3
_MOST_SETTINGS = 2
_PREFILLS = (4096, 2048, 1024)
_COMPRESSIONS = (Quantization.FP8, Quantization.EETQ, Quantization.BITSANDBYTES_NF4)


def fit_problems(
    ctx: EngineContext, facts: ModelFacts, memory: MemoryPlan, volume_size_gib: int | None
) -> Iterator[Problem]:
    """That a model does not fit, in GiB, with the three cheapest ways out."""
    if not memory.fits:
        yield Problem("instance_type", ctx.instance.name, _misfit(ctx, facts, memory), _ways_out(ctx, facts))
    elif fault := storage_fault(ctx.instance, memory, volume_size_gib):
        own_volume = volume_size_gib is not None and ctx.instance.volume_configurable
        words = f"{fault[0].lower()}{fault[1:].rstrip('.')}"
        if own_volume and "storage" in fault:
            least = math.ceil(memory.download / GIB / 0.95)
            yield Problem("volume_size", volume_size_gib, words, f"Raise it to {least} GiB or more.")
        else:
            yield Problem("instance_type", ctx.instance.name, words, _ways_out(ctx, facts))


def _misfit(ctx: EngineContext, facts: ModelFacts, memory: MemoryPlan) -> str:
    shards = num_shard(ctx)
    each = "its GPU" if shards == 1 else f"each of {shards} GPUs"
    keys = memory.asked_tokens * memory.kv_bytes_per_token
    return (
        f"cannot hold {facts.hub_id}: {gib(memory.shortfall)} GiB short on {each}, of which TGI fills"
        f" {gib(memory.usable)} GiB: {gib(memory.weights)} GiB of weights, {gib(memory.runtime)} GiB for CUDA,"
        f" {gib(memory.prefill)} GiB to prefill {memory.prefill_tokens} tokens and {gib(keys)} GiB for the keys and"
        f" values of {memory.asked_tokens} tokens are too much"
    )


def _ways_out(ctx: EngineContext, facts: ModelFacts) -> str:
    ways = sorted([*islice(_settings(ctx, facts), _MOST_SETTINGS), *_instances(ctx, facts)])
    if not ways:
        return "No instance of the catalogue would do; take a smaller model, or one that was published compressed."
    texts = [text for _, text in ways[:_REMEDIES]]
    return f"What would do, cheapest first: {'; '.join(texts)}."


def _settings(ctx: EngineContext, facts: ModelFacts) -> Iterator[tuple[float, str]]:
    """Changes of the options with which it fits the same instance."""
    price = ctx.instance.price_usd_per_hour or math.inf
    for group in (_other_shards(ctx, facts), _shorter(ctx), _smaller_prefill(ctx), _compressed(ctx, facts)):
        found = next((change for change in group if _does(ctx, facts, change)), None)
        if found:
            words = " and ".join(f"options.{keyword}={value!r}" for keyword, value in found.items())
            yield price, f"this one with {words}"


def _does(ctx: EngineContext, facts: ModelFacts, change: Mapping[str, object]) -> bool:
    changed = replace(ctx, values={**ctx.values, **change})
    if next(rule_problems(changed), None):
        return False
    _, memory = fitting_plan(changed, facts, num_shard(changed))
    return memory.fits and storage_fault(ctx.instance, memory, None) is None


def _other_shards(ctx: EngineContext, facts: ModelFacts) -> Iterator[dict[str, object]]:
    most = possible_shards(facts, ctx.instance.accelerator_count or 1)
    if most and most[-1] > num_shard(ctx):
        yield {"num_shard": most[-1]}


def _shorter(ctx: EngineContext) -> Iterator[dict[str, object]]:
    total, longest_input = ctx.number("max_total_tokens"), ctx.number("max_input_tokens")
    while total and longest_input and total >= 2048:
        longest_input, total = max(1, longest_input // 2), total // 2
        yield {"max_input_tokens": longest_input, "max_total_tokens": total}


def _smaller_prefill(ctx: EngineContext) -> Iterator[dict[str, object]]:
    given = ctx.number("max_batch_prefill_tokens")
    for tokens in _PREFILLS:
        if given is not None and tokens < given:
            yield {"max_batch_prefill_tokens": tokens}


def _compressed(ctx: EngineContext, facts: ModelFacts) -> Iterator[dict[str, object]]:
    if ctx.given("quantize") or quantization_of(facts, None):
        return
    for kind in _COMPRESSIONS:
        if ctx.version >= QUANTIZATION_SINCE[kind]:
            yield {"quantize": str(kind)}


def _instances(ctx: EngineContext, facts: ModelFacts) -> Iterator[tuple[float, str]]:
    """The cheapest instance of each kind and number of GPUs that would do."""
    options = TgiOptions(**dict(ctx.values))  # type: ignore[arg-type]
    kinds: set[tuple[str, int | None]] = set()
    for one in candidates(facts, options=options, version=dotted(ctx.version)):
        kind = (one.instance.accelerator, one.instance.accelerator_count)
        if one.fits and one.caution is None and kind not in kinds:
            kinds.add(kind)
            yield one.price_usd_per_hour or math.inf, _instance_words(one)


def _instance_words(one: Candidate) -> str:
    price = "" if one.price_usd_per_hour is None else f" (${one.price_usd_per_hour:.2f} an hour)"
    shards = one.settings.get("num_shard")
    return f"{one.instance.name}{price}" + (f" with options.num_shard={shards}" if shards else "")


def fit_warnings(ctx: EngineContext, facts: ModelFacts, memory: MemoryPlan) -> Iterator[PlanWarning]:
    """That it fits narrowly."""
    if memory.fits and memory.spare < TIGHT:
        yield PlanWarning(
            "tgi-endpoint:tightMemory",
            f"{facts.hub_id} leaves {max(0.0, memory.spare):.0%} of the memory of {ctx.instance.name} to spare beside"
            f" {memory.asked_tokens} tokens, less than such an estimate is sure of. If TGI runs out of memory, take"
            " larger GPUs, or lower max_batch_prefill_tokens or max_total_tokens.",
        )
