"""Over how many GPUs vLLM and SGLang can split the layers of a model.

Sources: `QKVParallelLinear` and `divide` in vLLM `vllm/model_executor/layers/linear.py` and
`vllm/distributed/utils.py` (0.30.0), and the same in SGLang `python/sglang/srt/layers/linear.py` (0.5.20).
"""

from __future__ import annotations

from collections.abc import Iterator

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.models.facts import ModelFacts
from constructs_lib.planning.validation.problem import Problem


def possible_shards(facts: ModelFacts, at_most: int) -> tuple[int, ...]:
    """The numbers of GPUs, up to a number, that can share each layer."""
    return tuple(shards for shards in range(1, at_most + 1) if indivisible(facts, shards) is None)


def indivisible(facts: ModelFacts, shards: int) -> str | None:
    """What cannot be split evenly over that many GPUs; None if everything can.

    With more GPUs than key-value heads each head is on equally many of them. A latent is on all of them.
    """
    heads, kv_heads = facts.heads, facts.kv_heads
    if heads % shards:
        return f"{heads} attention heads"
    if facts.latent_width is None and kv_heads % shards and shards % kv_heads:
        return f"{kv_heads} key-value heads"
    if facts.experts == 1 and facts.intermediate is not None and facts.intermediate % shards:
        return f"feed-forward layers of {facts.intermediate}"
    return None


def split_problems(ctx: EngineContext, option: str, *, shards: int, total: int) -> Iterator[Problem]:
    """Why so many GPUs cannot share the model.

    Args:
        ctx: The context.
        option: The option that says how many share each layer.
        shards: How many those are.
        total: GPUs that share the whole model.
    """
    keyword, requested, gpus = f"options.{option}", ctx.shown(option), ctx.instance.accelerator_count
    if gpus is not None and total > gpus:
        has = "1 GPU" if gpus == 1 else f"{gpus} GPUs"
        yield Problem(keyword, requested, f"{ctx.instance.name} has {has}", f"Lower it to {gpus} or less.")
        return
    odd = None if ctx.facts is None or option in ctx.unknown else indivisible(ctx.facts, shards)
    if ctx.facts is None or odd is None:
        return
    words = " or ".join(map(str, possible_shards(ctx.facts, gpus or shards)))
    yield Problem(
        keyword,
        requested,
        f"{ctx.facts.hub_id} has {odd}, which cannot be split evenly over {shards} GPUs of {ctx.instance.name};"
        f" possible here: {words}",
        f"Set {keyword} to {words}, or use an instance with that many GPUs.",
    )
