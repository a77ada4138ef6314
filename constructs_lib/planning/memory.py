"""What one GPU holds: weights, activations of a prefill, and the key-value cache that is left over."""

from __future__ import annotations

from dataclasses import dataclass

from constructs_lib.planning.instance import GpuInstance
from constructs_lib.planning.model import ModelFacts
from constructs_lib.planning.quantization import bits_per_parameter, quantization_of
from constructs_lib.planning.tgi_options import TgiOptions

GIB = 2**30

WIGGLE_ROOM = 0.9
"""Share of the memory that TGI fills: `TGI_WIGGLE_ROOM` of server/text_generation_server/models/globals.py."""


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """The memory of one of the GPUs that share a model; sizes in bytes.

    Args:
        gpu_memory: What the GPU has.
        usable: What TGI fills of it: times `cuda_memory_fraction` times `tgi_wiggle_room`.
        weights: This GPU's share of the weights.
        runtime: CUDA's own context, kernels, and the buffers of the GPUs' talk with each other.
        prefill: Activations of the largest prefill.
        kv_bytes_per_token: This GPU's share of one token's keys and values.
        prefill_tokens: Prompt tokens of the largest prefill (max_batch_prefill_tokens).
        max_tokens: Tokens whose keys and values fit, over all requests; TGI's "max batch total tokens".
        context: Longest prompt and answer together that one request may have.
        asked_tokens: Tokens that have to fit at least: one request of the longest context that is asked for.
        loading_peak: Most memory of the GPU at any time while the weights are loaded.
        host_peak: Memory of the host that loading takes.
        download: Size of what is downloaded.
        static: Whether batches are padded and allocated as they come, without paged attention.
    """

    gpu_memory: int
    usable: int
    weights: int
    runtime: int
    prefill: int
    kv_bytes_per_token: int
    prefill_tokens: int
    max_tokens: int
    context: int
    asked_tokens: int
    loading_peak: int
    host_peak: int
    download: int
    static: bool

    @property
    def free_for_tokens(self) -> int:
        """What is left for keys and values; negative where not even the rest fits."""
        return self.usable - self.weights - self.runtime - self.prefill

    @property
    def needed(self) -> int:
        """What the model takes with the keys and values of the tokens that have to fit."""
        return self.weights + self.runtime + self.prefill + self.asked_tokens * self.kv_bytes_per_token

    @property
    def shortfall(self) -> int:
        """What is missing; 0 where it fits."""
        return max(0, self.needed - self.usable, self.loading_peak - self.gpu_memory)

    @property
    def fits(self) -> bool:
        """Whether the model loads and one request of the asked length can be served."""
        return self.shortfall == 0

    @property
    def spare(self) -> float:
        """Share of the usable memory that is left with the tokens that have to fit; negative where it does not."""
        return (self.usable - self.needed) / self.usable


def memory_plan(
    facts: ModelFacts, instance: GpuInstance, options: TgiOptions, version: str, num_shard: int
) -> MemoryPlan:
    """The memory plan of a model on each of the GPUs that share it.

    Args:
        facts: The model.
        instance: The instance, whose count and memory of GPUs must be known.
        options: The options, right by themselves (`tgi_environment.option_values`).
        version: Version of TGI, such as `3.3.6`.
        num_shard: GPUs that share the model, over which its heads can be split.

    Raises:
        ValueError: Nobody publishes the memory of that instance's GPUs.
    """
    if instance.memory_gib is None:
        raise ValueError(f"the memory of the GPUs of {instance.name} is not known")
    gpu = int(instance.memory_gib * GIB)
    usable = int(gpu * (options.cuda_memory_fraction or 1.0) * (options.tgi_wiggle_room or WIGGLE_ROOM))
    kind = quantization_of(facts, options.quantize)
    weights = int(facts.parameters * bits_per_parameter(kind) / 8 / num_shard)
    kv_heads = max(1, facts.kv_heads // num_shard)
    kv = 2 * facts.layers * kv_heads * facts.head_dim * (1 if options.kv_cache_dtype else 2)
    prefill_tokens = options.max_batch_prefill_tokens or min(4096, facts.max_positions)
    prefill = prefill_tokens * 2 * (4 * facts.hidden + 3 * (facts.intermediate or 4 * facts.hidden) // num_shard)
    runtime = GIB // 2
    max_tokens = max(0, (usable - weights - runtime - prefill) // kv)
    context = min(max_tokens, options.max_total_tokens or facts.max_positions)
    return MemoryPlan(
        gpu_memory=gpu,
        usable=usable,
        weights=weights,
        runtime=runtime,
        prefill=prefill,
        kv_bytes_per_token=kv,
        prefill_tokens=prefill_tokens,
        max_tokens=max_tokens,
        context=context,
        asked_tokens=options.max_total_tokens or 1,
        loading_peak=weights,
        host_peak=0,
        download=facts.checkpoint_bytes,
        static=not facts.flash,
    )


def concurrent_requests(plan: MemoryPlan, tokens: int) -> int:
    """How many requests of that many tokens (prompt and answer together) are served at the same time."""
    return plan.max_tokens // tokens if 0 < tokens <= plan.context else 0
