"""The memory of one Neuron core: its share of the weights, and keys and values for the whole batch from the start.

Shapes are compiled, so the batch has all its memory whether requests come or not. What the runtime takes beside that
depends on the compiled code and is not published: a dump of a core that ran out of memory
(aws-neuron/transformers-neuronx issue 49, SDK 2.14) lists 0.2 GiB of code, 0.5 of scratchpad, 0.5 for collectives and
6.5 of DMA rings beside 8.2 GiB of tensors, while huggingface/optimum-neuron exported configurations with 10.3 GiB of
tensors a core for its cache (Llama 2 7B, 2 cores, a batch of 4 with 4096 tokens). So the estimate is wide: a model is
refused only if its tensors alone are too large.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from constructs_lib.planning.engine import EngineContext, OptionNames, Reduction, Settings
from constructs_lib.planning.engines.tgi_neuron.launcher_options import SHAPE
from constructs_lib.planning.engines.tgi_neuron.options import AutoCastType, NeuronOptions
from constructs_lib.planning.engines.tgi_neuron.sizes import longest_input
from constructs_lib.planning.hardware.gpu_memory import GIB
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.memory_plan import CacheLayout, EngineMemory, GpuShare, MemoryPlan, WeightFormat
from constructs_lib.planning.models.architectures import architecture
from constructs_lib.planning.models.facts import ModelFacts
from constructs_lib.planning.sizing.memory import HALF_BYTES, MIN_TOKENS
from constructs_lib.planning.validation.problem import Problem

_RUNTIME = int(2.5 * GIB)
"""What the estimate takes for the runtime; it may be nothing, or twice as much and more."""


@dataclass(frozen=True, slots=True)
class CompiledCache(CacheLayout):
    """Keys and values for a compiled batch, each request of which has room for the whole length.

    Args:
        held: Tokens of the whole batch.
    """

    held: int = 0

    def max_tokens(self, available: int) -> int:
        """See `CacheLayout.max_tokens`; what else is free is of no use."""
        return min(self.held, max(0, available) // (self.block_size * self.bytes_per_token) * self.block_size)


class NeuronMemoryModel:
    """`MemoryModel` of compiled models; a GPU is a core here."""

    options = frozenset(SHAPE)
    option_names = OptionNames(
        shards="num_cores", compression=None, sizes=("max_batch_size", "max_total_tokens"), limits=()
    )

    def shards(self, ctx: EngineContext) -> int:
        """See `MemoryModel.shards`; every core of the instance by default."""
        return ctx.number("num_cores") or ctx.instance.unit_count or 1

    def shard_problems(self, ctx: EngineContext) -> Iterator[Problem]:
        """See `MemoryModel.shard_problems`; heads that cannot be divided are padded."""
        del ctx
        return iter(())

    def weight_format(self, ctx: EngineContext, facts: ModelFacts) -> WeightFormat:
        """See `MemoryModel.weight_format`."""
        del ctx, facts
        return WeightFormat(bits_per_parameter=16.0, copies_tied_embeddings=True)

    def compresses_while_loading(self, ctx: EngineContext) -> bool:
        """See `MemoryModel.compresses_while_loading`."""
        del ctx
        return False

    def memory(self, ctx: EngineContext, facts: ModelFacts, gpu: GpuShare) -> EngineMemory:
        """See `MemoryModel.memory`. Without sizes one request of a useful length has to fit."""
        length = ctx.number("max_total_tokens") or min(MIN_TOKENS, facts.max_positions)
        batch = ctx.number("max_batch_size") or 1
        heads = kv_heads_per_core(ctx, facts, gpu.shards)
        held = batch * length
        cache = CompiledCache(2 * facts.layers * heads * facts.head_dim * HALF_BYTES, block_size=length, held=held)
        return EngineMemory(
            gpu_memory=gpu.visible,
            usable=gpu.visible,
            runtime=_RUNTIME,
            activations=0,
            peak=0,
            prefill_tokens=batch * (longest_input(ctx) or length // 2),
            cache=cache,
            uncertainty=_RUNTIME,
            warm_up_tokens=held,
            min_tokens=held,
            asked_tokens=held,
            max_request_tokens=length,
            static=True,
            most_requests=batch,
        )

    def copies(self, ctx: EngineContext) -> int:
        """See `MemoryModel.copies`."""
        return 1

    def request_limit(self, ctx: EngineContext) -> int | None:
        """See `MemoryModel.request_limit`."""
        return ctx.number("max_total_tokens")

    def settings_for(
        self, options: NeuronOptions, facts: ModelFacts, instance: InstanceType, tokens: int | None, requests: int
    ) -> Settings:
        """See `MemoryModel.settings_for`; for a number of tokens the sizes that are not given, the load as batch."""
        if tokens is None:
            return {}
        wanted = {
            "num_cores": instance.unit_count or 1,
            "auto_cast_type": AutoCastType.FP16 if facts.checkpoint_dtype == "float16" else AutoCastType.BF16,
            "max_batch_size": requests,
            "max_total_tokens": tokens,
        }
        return {keyword: value for keyword, value in wanted.items() if getattr(options, keyword) is None}

    def smaller_settings(self, ctx: EngineContext, memory: MemoryPlan) -> Iterable[Settings]:
        """See `MemoryModel.smaller_settings`; sizes are those of a compiled model, so none."""
        del ctx, memory
        return ()

    def following_settings(self, ctx: EngineContext, fitted: EngineContext, memory: MemoryPlan) -> Settings:
        """See `MemoryModel.following_settings`."""
        del ctx, fitted, memory
        return {}

    def remedies(self, ctx: EngineContext, facts: ModelFacts) -> Iterable[Iterable[Settings] | Reduction]:
        """See `MemoryModel.remedies`: more cores, a smaller batch, shorter requests."""
        del facts
        cores, available = ctx.number("num_cores"), ctx.instance.unit_count or 0
        if cores:
            yield [{"num_cores": more} for more in _CORES if cores < more <= available]
        for keyword, least in (("max_batch_size", 1), ("max_total_tokens", MIN_TOKENS)):
            given = ctx.number(keyword)
            if given:
                yield Reduction(least=least, below=given, settings=_setting(keyword))


_CORES = (1, 2, 4, 8, 12, 16, 24, 32)
"""Numbers of cores that models are compiled for, which are those of devices and instances."""


def kv_heads_per_core(ctx: EngineContext, facts: ModelFacts, cores: int) -> int:
    """Key-value heads whose keys and values one core keeps.

    They are divided over the cores, or each core has a copy of one. If the cores are no multiple of them, the newer
    implementation makes as many of them as there are attention heads, padded to a multiple of the cores
    (huggingface/optimum-neuron v0.3.0 `optimum/neuron/models/inference/backend/modules/attention/gqa.py`,
    get_shardable_head_counts).
    """
    if facts.kv_heads % cores == 0:
        return facts.kv_heads // cores
    support = architecture(facts.model_type).neuron
    if support and support.converts_heads_in(ctx.version) and (cores % facts.kv_heads or facts.kv_heads == facts.heads):
        return -(-facts.heads // cores)
    return max(1, -(-facts.kv_heads // cores))


def _setting(keyword: str) -> Callable[[int], Settings]:
    return lambda number: {keyword: number}
