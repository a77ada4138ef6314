"""Engines for the tests of memory models, which have no other part of an engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from constructs_lib.planning.engine import EngineContext, MemoryModel
from constructs_lib.planning.engines.sglang.memory_model import SglangMemoryModel
from constructs_lib.planning.engines.vllm.memory_model import VllmMemoryModel
from constructs_lib.planning.validation.problem import Problem
from tests.constructs_lib.planning.engines.paged_engine import PagedEngine


@dataclass(frozen=True, kw_only=True)
class VllmSizes:
    """The options of vLLM that decide about memory."""

    tensor_parallel_size: int | None = None
    pipeline_parallel_size: int | None = None
    max_model_len: int | None = None
    max_num_seqs: int | None = None
    max_num_batched_tokens: int | None = None
    gpu_memory_utilization: float | None = None
    kv_cache_memory_bytes: int | None = None
    kv_cache_dtype: str | None = None
    quantization: str | None = None
    enforce_eager: bool | None = None
    enable_chunked_prefill: bool | None = None
    data_parallel_size: int | None = None
    dtype: str | None = None
    cpu_offload_gb: float | None = None
    enable_lora: bool | None = None
    max_loras: int | None = None
    max_lora_rank: int | None = None
    disable_hybrid_kv_cache_manager: bool | None = None
    kv_transfer_config: str | None = None


@dataclass(frozen=True, kw_only=True)
class SglangSizes:
    """The options of SGLang that decide about memory."""

    tp_size: int | None = None
    context_length: int | None = None
    mem_fraction_static: float | None = None
    chunked_prefill_size: int | None = None
    cuda_graph_max_bs: int | None = None
    max_total_tokens: int | None = None
    max_running_requests: int | None = None
    kv_cache_dtype: str | None = None
    quantization: str | None = None
    disable_cuda_graph: bool | None = None
    dp_size: int | None = None
    dtype: str | None = None
    cpu_offload_gb: int | None = None
    lora_paths: tuple[str, ...] | None = None
    max_loras_per_batch: int | None = None
    max_lora_rank: int | None = None


class SizedEngine(PagedEngine):
    """An engine with a memory model and its options."""

    def __init__(self, display_name: str, memory_model: MemoryModel, options_type: type[object]) -> None:
        self.display_name = display_name
        self.memory_model = memory_model  # type: ignore[assignment]
        self.options_type = options_type  # type: ignore[assignment]

    def problems(self, ctx: EngineContext) -> Iterator[Problem]:
        return self.memory_model.shard_problems(ctx)


VLLM = SizedEngine("vLLM", VllmMemoryModel(), VllmSizes)
SGLANG = SizedEngine("SGLang", SglangMemoryModel(), SglangSizes)
