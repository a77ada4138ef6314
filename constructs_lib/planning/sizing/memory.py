"""What one GPU holds: weights, activations of a prefill, and the key-value cache that is left over.

The figures follow what TGI does at its start (`server/text_generation_server/models/flash_causal_lm.py` 3.3.6, warmup):
it allocates the cache of a warm-up batch, prefills it, sees what is then left of the GPU's memory times
CUDA_MEMORY_FRACTION times TGI_WIGGLE_ROOM, and gives all of that to the cache. What it measures we have to estimate;
docs/memory.md holds the estimate against public reports.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from constructs_lib.planning.engines.tgi.context import EngineContext
from constructs_lib.planning.engines.tgi.options import TgiOptions
from constructs_lib.planning.engines.tgi.prefill import prefill_tokens
from constructs_lib.planning.hardware.gpu_memory import GIB, visible_bytes
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.images.version import Version, parse
from constructs_lib.planning.models.facts import ModelChoice, ModelFacts
from constructs_lib.planning.sizing import memory_parts

__all__ = ["GIB", "LEAST_TOKENS", "MemoryPlan", "concurrent_requests", "memory_plan"]

LEAST_TOKENS = 2048
"""Prompt and answer that have to fit where nothing is asked for, or the model's longest context: less is no service."""


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """The memory of one of the GPUs that share a model; sizes in bytes.

    Args:
        gpu_memory: What the GPU has by CUDA's account, times `cuda_memory_fraction`.
        usable: What TGI fills of it: times `tgi_wiggle_room`.
        weights: This GPU's share of the weights.
        runtime: CUDA's context and kernels, workspaces, and the buffers of the GPUs' talk with each other.
        prefill: Activations of the largest prefill.
        prefill_tokens: Prompt tokens of that prefill (max_batch_prefill_tokens).
        warm_up_tokens: Tokens whose keys and values TGI's warm-up allocates at once.
        kv_bytes_per_token: This GPU's share of one token's keys and values; for models without paged attention twice
            that, because a step of the answer copies them.
        max_tokens: Tokens whose keys and values fit, over all requests; TGI's "max batch total tokens".
        context: Longest prompt and answer together that one request may have.
        asked_tokens: Tokens that have to fit at least.
        loading_peak: Most memory of the GPU while the weights are loaded.
        host_peak: Memory of the host that loading takes.
        download: Size of the published weights, which the instance's storage has to hold.
        static: Whether batches are padded, without paged attention; TGI measures nothing then and has to be told.
    """

    gpu_memory: int
    usable: int
    weights: int
    runtime: int
    prefill: int
    prefill_tokens: int
    warm_up_tokens: int
    kv_bytes_per_token: int
    max_tokens: int
    context: int
    asked_tokens: int
    loading_peak: int
    host_peak: int
    download: int
    static: bool

    @property
    def fixed(self) -> int:
        """What is taken whatever the requests are."""
        return self.weights + self.runtime + self.prefill

    @property
    def free_for_tokens(self) -> int:
        """What is left for keys and values; negative where not even the rest fits."""
        return self.usable - self.fixed

    @property
    def needed(self) -> int:
        """What the model takes with the keys and values of the tokens that have to fit."""
        return self.fixed + self.asked_tokens * self.kv_bytes_per_token

    @property
    def shortfall(self) -> int:
        """What is missing; 0 where it loads, warms up, and serves what is asked."""
        warm_up = self.fixed + self.warm_up_tokens * self.kv_bytes_per_token - self.gpu_memory
        tokens = (self.asked_tokens - self.max_tokens) * self.kv_bytes_per_token
        return max(0, warm_up, tokens, self.loading_peak - self.gpu_memory)

    @property
    def fits(self) -> bool:
        """Whether the model loads, warms up, and one request of the asked length can be served."""
        return self.shortfall == 0

    @property
    def spare(self) -> float:
        """Share of the usable memory that is left beside the tokens that have to fit; may be negative."""
        return (self.usable - self.needed) / self.usable


def memory_plan(
    facts: ModelFacts, instance: InstanceType, options: TgiOptions, version: str, num_shard: int
) -> MemoryPlan:
    """The memory plan of a model on each of the GPUs that share it.

    Args:
        facts: The model.
        instance: The instance, whose GPUs' memory must be known.
        options: The options, right by themselves and known at synth.
        version: Version of TGI, such as `3.3.6`.
        num_shard: GPUs that share the model, over which its heads can be split (`tgi_shards.can_shard`).

    Raises:
        ValueError: Nobody publishes the memory of that instance's GPUs, or the version is none.
    """
    parsed = parse(version)
    if parsed is None:
        raise ValueError(f"{version!r} is no full version")
    return plan_of(engine_context(facts, instance, options, parsed), facts, num_shard)


def engine_context(facts: ModelFacts, instance: InstanceType, options: TgiOptions, version: Version) -> EngineContext:
    """What TGI's rules look at, for options that are right and known at synth."""
    given = {field.name: getattr(options, field.name) for field in fields(options)}
    return EngineContext(
        values={keyword: value for keyword, value in given.items() if value is not None},
        unknown={},
        version=version,
        model=ModelChoice(source="hub", hub_id=facts.hub_id, facts=facts),
        facts=facts,
        instance=instance,
        network_isolation=False,
    )


def plan_of(ctx: EngineContext, facts: ModelFacts, num_shard: int) -> MemoryPlan:
    """The memory plan of a situation (see `memory_plan`)."""
    gpu = int(visible_bytes(ctx.instance) * ctx.real("cuda_memory_fraction", 1.0))
    prompt = prefill_tokens(ctx, facts, num_shard)
    weights = memory_parts.weights(ctx, facts, num_shard)
    runtime = memory_parts.runtime(num_shard)
    activations = memory_parts.activations(ctx, facts, num_shard, prompt)
    per_token = memory_parts.kv_bytes_per_token(ctx, facts, num_shard)
    warm_up = memory_parts.warm_up_tokens(ctx, facts, prompt)
    usable = memory_parts.usable(ctx, gpu, weights + runtime + activations + warm_up * per_token)
    fitting = max(0, (usable - weights - runtime - activations) // per_token)
    most = fitting if not facts.flash else max(fitting, warm_up)
    total = ctx.number("max_total_tokens")
    asked = total or min(LEAST_TOKENS, facts.max_positions)
    unlimited = facts.max_positions if ctx.chunks_prefill else min(facts.max_positions, prompt)
    if not facts.flash:
        asked = max(asked, warm_up, ctx.number("max_batch_total_tokens") or 0)
    return MemoryPlan(
        gpu_memory=gpu,
        usable=usable,
        weights=weights,
        runtime=runtime,
        prefill=activations,
        prefill_tokens=prompt,
        warm_up_tokens=warm_up,
        kv_bytes_per_token=per_token,
        max_tokens=most,
        context=min(most, total or unlimited),
        asked_tokens=asked,
        loading_peak=weights + runtime + 2 * memory_parts.largest_tensor(facts, num_shard),
        host_peak=memory_parts.host_peak(facts, num_shard),
        download=facts.checkpoint_bytes,
        static=not facts.flash,
    )


def concurrent_requests(plan: MemoryPlan, tokens: int) -> int:
    """How many requests of that many tokens (prompt and answer together) are served at the same time."""
    return plan.max_tokens // tokens if 0 < tokens <= plan.context else 0
