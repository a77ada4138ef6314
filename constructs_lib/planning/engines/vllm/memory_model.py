"""How vLLM divides a GPU's memory, as planning sees it: `VllmMemoryModel` implements `planning.engine.MemoryModel`.

vLLM takes a share of the GPU's memory, loads the weights, measures one step of the largest batch, and gives the rest to
the cache, in blocks. It does not start unless the cache holds one request of max_model_len. docs/memory.md compares the
estimate with public reports.

Sources: `determine_available_memory` in vLLM `vllm/v1/worker/gpu_worker.py`, `vllm/v1/core/kv_cache_utils.py` (from
0.33 `kv_cache_planning.py`), `vllm/worker/worker.py` (V0) at 0.4.3 to 0.33.0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from constructs_lib.planning.engine import EngineContext, OptionNames, Reduction, Settings
from constructs_lib.planning.engines.adapter_weights import adapter_bytes
from constructs_lib.planning.engines.tensor_parallel import possible_shards, split_problems
from constructs_lib.planning.engines.vllm import context_length
from constructs_lib.planning.engines.vllm.cache_layout import cache_layout
from constructs_lib.planning.engines.vllm.memory_settings import (
    FOUR_BYTES,
    VllmContainer,
    data_parallel,
    pipeline_parallel,
    read_settings,
    tensor_parallel,
)
from constructs_lib.planning.engines.vllm.profile_pass import activations, runtime, uncertainty
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.memory_plan import EngineMemory, GpuShare, MemoryPlan, WeightFormat
from constructs_lib.planning.models.facts import BITS_PER_PARAMETER, ModelFacts
from constructs_lib.planning.validation.problem import Problem

_ON_THE_FLY = {
    "bitsandbytes": 4.127,
    "experts_int8": 8.0,
    "fp8": 8.0,
    "fp8_per_block": 8.0,
    "fp8_per_channel": 8.0,
    "fp8_per_tensor": 8.0,
    "int8": 8.0,
    "int8_per_channel_weight_only": 8.0,
    "mxfp8": 8.25,
}
"""Bits of weights that vLLM compresses itself while it loads them."""


class VllmMemoryModel:
    """vLLM's `MemoryModel`, of any container that runs vLLM.

    Args:
        container: What that container calls the options, and which vLLM it has. Default: vLLM's own.
    """

    def __init__(self, container: VllmContainer | None = None) -> None:
        self._container = container or VllmContainer()
        names = self._container.names
        self.options = names.every
        self.option_names = OptionNames(
            shards=names.tensor_parallel,
            compression=names.quantization,
            sizes=(names.length, names.sequences),
            limits=(names.length,),
            requests=names.sequences,
        )

    def shards(self, ctx: EngineContext) -> int:
        """See `MemoryModel.shards`; every GPU of the instance by default, though vLLM itself would use one."""
        return self.tensor_parallel(ctx) * pipeline_parallel(ctx, self._container)

    def tensor_parallel(self, ctx: EngineContext) -> int:
        """GPUs that share each layer, which the container has to be told."""
        return tensor_parallel(ctx, self._container)

    def shard_problems(self, ctx: EngineContext) -> Iterator[Problem]:
        """See `MemoryModel.shard_problems`."""
        option = self._container.names.tensor_parallel
        return split_problems(ctx, option, shards=self.tensor_parallel(ctx), total=self.shards(ctx))

    def weight_format(self, ctx: EngineContext, facts: ModelFacts) -> WeightFormat:
        """See `MemoryModel.weight_format`."""
        kind = ctx.text(self._container.names.quantization)
        bits = 32.0 if ctx.text(self._container.names.dtype) in FOUR_BYTES else 16.0
        if facts.published_quantization:
            bits = facts.bits_per_parameter
        elif kind:
            bits = _ON_THE_FLY.get(kind, BITS_PER_PARAMETER.get(kind, bits))
        return WeightFormat(bits_per_parameter=bits, copies_tied_embeddings=False)

    def compresses_while_loading(self, ctx: EngineContext) -> bool:
        """See `MemoryModel.compresses_while_loading`."""
        published = ctx.facts is not None and ctx.facts.published_quantization is not None
        return not published and ctx.text(self._container.names.quantization) in _ON_THE_FLY

    def memory(self, ctx: EngineContext, facts: ModelFacts, gpu: GpuShare) -> EngineMemory:
        """See `MemoryModel.memory`."""
        settings = read_settings(ctx, facts, gpu.visible, self._container)
        peak = activations(settings, facts)
        other = runtime(settings, ctx.instance.accelerator, gpu.visible)
        other += adapter_bytes(facts, settings.adapters, settings.adapter_rank, settings.tensor_parallel)
        kept = min(settings.offloaded, gpu.weights)  # on the host, but among the weights of the plan
        usable = int(gpu.visible * settings.utilization) + kept
        if settings.cache_bytes is not None:
            usable = gpu.weights + other + peak + settings.cache_bytes
        off_by = uncertainty(settings, facts, gpu.visible)
        return EngineMemory(
            gpu_memory=gpu.visible + kept,
            usable=usable,
            runtime=other,
            activations=peak,
            peak=peak,
            prefill_tokens=settings.batched,
            cache=cache_layout(settings, facts),
            uncertainty=off_by,
            margin=0 if ctx.given(self._container.names.length) else off_by,
            asked_tokens=settings.length,
            max_request_tokens=settings.length,
            most_requests=settings.sequences,
        )

    def copies(self, ctx: EngineContext) -> int:
        """See `MemoryModel.copies`."""
        return data_parallel(ctx, self._container)

    def request_limit(self, ctx: EngineContext) -> int | None:
        """See `MemoryModel.request_limit`."""
        return ctx.number(self._container.names.length)

    def settings_for(
        self, options: Any, facts: ModelFacts, instance: InstanceType, tokens: int | None, requests: int
    ) -> Settings:
        """See `MemoryModel.settings_for`."""
        names = self._container.names
        settings: dict[str, object] = {} if tokens is None else {names.length: tokens}
        gpus = instance.accelerator_count or 1
        others = (getattr(options, name, None) for name in (names.pipeline_parallel, names.data_parallel))
        if getattr(options, names.tensor_parallel) is None and not any(others):
            possible = possible_shards(facts, gpus)[-1]
            if possible != gpus:
                settings[names.tensor_parallel] = possible
        return settings

    def smaller_settings(self, ctx: EngineContext, memory: MemoryPlan) -> Iterable[Settings]:
        """See `MemoryModel.smaller_settings`."""
        return context_length.smaller_settings(ctx, memory, self._container)

    def following_settings(self, ctx: EngineContext, fitted: EngineContext, memory: MemoryPlan) -> Settings:
        """See `MemoryModel.following_settings`."""
        return context_length.following_settings(ctx, fitted, memory, self._container)

    def remedies(self, ctx: EngineContext, facts: ModelFacts) -> Iterable[Iterable[Settings] | Reduction]:
        """See `MemoryModel.remedies`."""
        return context_length.remedies(ctx, facts, self._container)
