"""How many GPUs share a model.

Source: TGI `launcher/src/main.rs` (find_num_shards) and the model classes below
`server/text_generation_server/models/custom_modeling`, which split attention heads evenly.
"""

from __future__ import annotations

from collections.abc import Iterator

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.engines.tgi.context import support_of
from constructs_lib.planning.engines.tgi.options import Quantization
from constructs_lib.planning.models.facts import ModelFacts
from constructs_lib.planning.validation.problem import PlanWarning, Problem

_KEYWORD = "options.num_shard"


def num_shard(ctx: EngineContext) -> int:
    """The GPUs that share the model: as requested, else every GPU of the instance."""
    requested = ctx.number("num_shard")
    if requested is not None:
        return requested
    return 1 if ctx.values.get("sharded") is False else ctx.instance.accelerator_count or 1


def can_shard(facts: ModelFacts, shards: int) -> bool:
    """Whether the model's heads can be split evenly over that many GPUs."""
    kv_fits = support_of(facts).replicates_kv_heads or facts.kv_heads % shards == 0
    return facts.heads % shards == 0 and kv_fits


def possible_shards(facts: ModelFacts, at_most: int) -> tuple[int, ...]:
    """The numbers of GPUs, up to a number, over which the model's heads can be split."""
    return tuple(shards for shards in range(1, at_most + 1) if can_shard(facts, shards))


def shard_problems(ctx: EngineContext) -> Iterator[Problem]:
    """Why the model cannot be shared among that many GPUs."""
    shards, requested, gpus = num_shard(ctx), ctx.number("num_shard"), ctx.instance.accelerator_count
    if gpus is not None and shards > gpus:
        yield Problem(_KEYWORD, requested, f"{ctx.instance.name} has {_gpus(gpus)}", f"Lower it to {gpus} or less.")
        return
    if ctx.values.get("sharded") is True and shards < 2:
        yield Problem(
            "options.sharded",
            True,
            f"needs more than one GPU, but {ctx.instance.name} has {_gpus(gpus)} and num_shard is {shards}",
            "Leave it out, or use an instance with more GPUs.",
        )
    if ctx.values.get("sharded") is False and requested is not None and requested > 1:
        yield Problem("options.sharded", False, f"contradicts num_shard={requested}", "Leave it out.")
    if ctx.text("quantize") == Quantization.EXL2 and shards > 1:
        yield Problem(
            "options.quantize", "exl2", f"cannot be split over {shards} GPUs", "Set num_shard to 1, or use awq."
        )
    if ctx.facts and not (ctx.unknown.keys() & {"num_shard", "sharded"}) and not can_shard(ctx.facts, shards):
        yield _head_problem(ctx, ctx.facts, shards)


def _head_problem(ctx: EngineContext, facts: ModelFacts, shards: int) -> Problem:
    possible = possible_shards(facts, max(ctx.instance.accelerator_count or shards, shards))
    words = " or ".join(map(str, possible))
    return Problem(
        _KEYWORD,
        ctx.number("num_shard"),
        f"{facts.hub_id} has {facts.heads} attention heads and {facts.kv_heads} key-value heads, which cannot be split"
        f" evenly over {shards} GPUs of {ctx.instance.name}; possible here: {words}",
        f"Set options.num_shard to {words}, or use an instance with that many GPUs.",
    )


def shard_warnings(ctx: EngineContext) -> Iterator[PlanWarning]:
    """GPUs that are paid for and idle."""
    shards, gpus = num_shard(ctx), ctx.instance.accelerator_count
    if gpus is not None and shards < gpus:
        yield PlanWarning(
            "tgi-endpoint:idleGpus",
            f"{ctx.instance.name} has {_gpus(gpus)}, the model uses {shards}: the others are paid for and idle.",
        )


def _gpus(count: int | None) -> str:
    return "1 GPU" if count == 1 else f"{count} GPUs"
