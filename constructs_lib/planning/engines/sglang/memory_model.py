"""How SGLang divides a GPU's memory, as planning sees it: `SglangMemoryModel` implements `planning.engine.MemoryModel`.

SGLang gives weights and cache together a share of the memory that is free when it starts; what a prefill, its CUDA
graphs and the table of requests take has to fit in the rest, and is not measured. It starts although the cache cannot
hold one request of the model's length, so the plan compares the two.

Sources: SGLang `python/sglang/srt/model_executor/{model_runner,memory_pool_configurator}.py` and
`mem_cache/memory_pool.py` at 0.2.15 to 0.5.23.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from constructs_lib.planning.engine import EngineContext, OptionNames, Reduction, Settings
from constructs_lib.planning.engines.adapter_weights import adapter_bytes
from constructs_lib.planning.engines.sglang.cache_layout import cache_layout, state_bytes
from constructs_lib.planning.engines.sglang.memory_settings import copies, read_settings, tensor_parallel
from constructs_lib.planning.engines.sglang.prefill import beside_the_cache
from constructs_lib.planning.engines.shorter_requests import LEAST_LENGTH, choices
from constructs_lib.planning.engines.tensor_parallel import possible_shards, split_problems
from constructs_lib.planning.hardware.gpu_memory import GIB
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.memory_plan import EngineMemory, GpuShare, MemoryPlan, WeightFormat
from constructs_lib.planning.models.facts import BITS_PER_PARAMETER, ModelFacts
from constructs_lib.planning.validation.problem import Problem

_CONTEXT = 0.45 * GIB
"""CUDA's context, which exists before SGLang asks what is free."""

_NCCL = 0.8 * GIB
"""NCCL's buffers between GPUs, which exist by then as well."""

_LEAST_PREFILL = 2048
"""SGLang reserves no less for a smaller one."""
_FP8_CAPABILITY = (8, 9)
_ON_THE_FLY = {"fp8": 8.0, "w8a8_fp8": 8.0, "bitsandbytes": 4.127}


class SglangMemoryModel:
    """SGLang's `MemoryModel`."""

    options = frozenset(
        (
            "tp_size",
            "dp_size",
            "dtype",
            "cpu_offload_gb",
            "lora_paths",
            "max_loras_per_batch",
            "max_lora_rank",
            "context_length",
            "mem_fraction_static",
            "chunked_prefill_size",
            "cuda_graph_max_bs",
            "max_total_tokens",
            "max_running_requests",
            "kv_cache_dtype",
            "quantization",
            "disable_cuda_graph",
        )
    )
    option_names = OptionNames(
        shards="tp_size",
        compression="quantization",
        sizes=("context_length", "chunked_prefill_size"),
        limits=("context_length",),
        requests="max_running_requests",
    )

    def shards(self, ctx: EngineContext) -> int:
        """See `MemoryModel.shards`; every GPU of the instance by default, though SGLang itself would use one."""
        return tensor_parallel(ctx)

    def shard_problems(self, ctx: EngineContext) -> Iterator[Problem]:
        """See `MemoryModel.shard_problems`."""
        return split_problems(ctx, "tp_size", shards=self.shards(ctx), total=self.shards(ctx))

    def weight_format(self, ctx: EngineContext, facts: ModelFacts) -> WeightFormat:
        """See `MemoryModel.weight_format`."""
        kind, bits = ctx.text("quantization"), 32.0 if ctx.text("dtype") == "float32" else 16.0
        if facts.published_quantization:
            bits = facts.bits_per_parameter
        elif kind:
            bits = _ON_THE_FLY.get(kind, BITS_PER_PARAMETER.get(kind, bits))
        return WeightFormat(bits_per_parameter=bits, copies_tied_embeddings=False)

    def compresses_while_loading(self, ctx: EngineContext) -> bool:
        """See `MemoryModel.compresses_while_loading`."""
        published = ctx.facts is not None and ctx.facts.published_quantization is not None
        return not published and ctx.text("quantization") in _ON_THE_FLY

    def memory(self, ctx: EngineContext, facts: ModelFacts, gpu: GpuShare) -> EngineMemory:
        """See `MemoryModel.memory`.

        SGLang fills the cache first; what a prefill, graphs and the table of requests take comes on top of it.
        """
        settings = read_settings(ctx, facts)
        cache, others = cache_layout(settings, facts), state_bytes(settings, facts)
        context = int(_CONTEXT + (_NCCL if gpu.shards > 1 else 0))
        kept = min(settings.offloaded, gpu.weights)  # on the host, but among the weights of the plan
        others += adapter_bytes(facts, settings.adapters, settings.adapter_rank, settings.tensor_parallel)
        pool = int((gpu.visible - context) * settings.fraction)
        free = pool + kept - gpu.weights - others
        if settings.most_tokens is not None:
            free = min(free, cache.request_bytes(settings.most_tokens))
        runtime = context + others
        uncertainty = int(0.5 * GIB + (0.03 if facts.experts > 1 else 0.01) * gpu.visible)
        return EngineMemory(
            gpu_memory=gpu.visible + kept,
            usable=gpu.weights + runtime + free,
            runtime=runtime,
            activations=0,
            peak=beside_the_cache(settings, facts),
            prefill_tokens=settings.prefill,
            cache=cache,
            uncertainty=uncertainty,
            warm_up_tokens=cache.max_tokens(free),
            margin=0 if ctx.given("context_length") else uncertainty,
            asked_tokens=settings.length,
            max_request_tokens=settings.length,
            most_requests=settings.requests,
        )

    def copies(self, ctx: EngineContext) -> int:
        """See `MemoryModel.copies`."""
        return copies(ctx)

    def request_limit(self, ctx: EngineContext) -> int | None:
        """See `MemoryModel.request_limit`."""
        return ctx.number("context_length")

    def settings_for(
        self, options: Any, facts: ModelFacts, instance: InstanceType, tokens: int | None, requests: int
    ) -> Settings:
        """See `MemoryModel.settings_for`."""
        settings: dict[str, object] = {} if tokens is None else {"context_length": tokens}
        gpus = instance.accelerator_count or 1
        if options.tp_size is None and not getattr(options, "dp_size", None):
            possible = possible_shards(facts, gpus)[-1]
            if possible != gpus:
                settings["tp_size"] = possible
        return settings

    def smaller_settings(self, ctx: EngineContext, memory: MemoryPlan) -> Iterable[Settings]:
        """See `MemoryModel.smaller_settings`: shorter requests than the model's longest, then a smaller prefill."""
        decided = ctx.given("chunked_prefill_size") or ctx.given("mem_fraction_static")
        smaller: list[Settings] = [] if decided else [{"chunked_prefill_size": _LEAST_PREFILL}]
        return choices(memory, smaller, None if ctx.given("context_length") else "context_length")

    def following_settings(self, ctx: EngineContext, fitted: EngineContext, memory: MemoryPlan) -> Settings:
        """See `MemoryModel.following_settings`."""
        settings = {name: value for name, value in fitted.values.items() if name not in ctx.values}
        if not ctx.given("context_length"):
            settings.setdefault("context_length", memory.asked_tokens)
        return settings

    def remedies(self, ctx: EngineContext, facts: ModelFacts) -> Iterable[Iterable[Settings] | Reduction]:
        """See `MemoryModel.remedies`."""
        gpus, now = ctx.instance.accelerator_count or 1, self.shards(ctx)
        yield [{"tp_size": count} for count in possible_shards(facts, gpus) if count > now]
        prefill = ctx.number("chunked_prefill_size")
        if prefill is not None and not ctx.given("mem_fraction_static"):
            yield [{"chunked_prefill_size": _LEAST_PREFILL}] if prefill > _LEAST_PREFILL else []
        capability = ctx.instance.compute_capability
        if not ctx.given("kv_cache_dtype") and capability is not None and capability >= _FP8_CAPABILITY:
            yield [{"kv_cache_dtype": "fp8_e5m2"}]
        length = ctx.number("context_length")
        if length is not None:
            yield Reduction(least=LEAST_LENGTH, below=length, settings=lambda tokens: {"context_length": tokens})
        if not ctx.given("quantization") and facts.published_quantization is None:
            yield [{"quantization": "fp8"}]
