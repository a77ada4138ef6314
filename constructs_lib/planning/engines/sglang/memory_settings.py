"""The options of SGLang that decide about memory, with SGLang's own defaults by version and GPU.

Sources: SGLang `python/sglang/srt/server_args.py` (`__post_init__`, `_handle_gpu_memory_settings`) at 0.2.15 to
0.5.19 and `arg_groups/memory_hook.py` at 0.5.20.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.hardware.gpu_memory import GIB, nvidia_smi_bytes
from constructs_lib.planning.images.catalogue import Version
from constructs_lib.planning.models.facts import ModelFacts

_GIB_IN_MIB = 1024
_RESERVES_SINCE, _RESERVES_BY_SIZE_SINCE = (0, 5, 3), (0, 4, 9)
_MORE_ON_SMALL_SINCE = (0, 5, 20)
_PREFILL_GRAPHS_SINCE = (0, 5, 10)
"""From then on SGLang captures CUDA graphs of prefills too, unless the model reads images."""

_LATENT_GRAPHS_MIB = 1536
_VISION_FACTOR = 0.95
_WHOLE_PREFILL = 16_384
"""Tokens of a prefill (max_prefill_tokens) if prompts are not split."""

_ADAPTERS = 8
_ONE_BYTE = ("fp8_e4m3", "fp8_e5m2")


@dataclass(frozen=True, kw_only=True)
class SglangSettings:
    """What SGLang runs with, its own defaults included.

    Args:
        version: Its version.
        tensor_parallel: GPUs that share each layer.
        length: Longest prompt and answer together, in tokens.
        fraction: Share of the free memory for weights and cache together.
        prefill: Tokens of one step of a prompt.
        graph_batch: Requests of the largest CUDA graph; 0 without graphs.
        most_tokens: Tokens of the cache, at most; None for what is left.
        requests: Requests that run at one time, at most; None if SGLang works it out.
        cache_value_bytes: Bytes of one value in the cache.
        offloaded: Bytes of the weights that stay on the host.
        adapters: LoRA adapters for which there is room.
        adapter_rank: Their rank, at most.
    """

    version: Version
    tensor_parallel: int
    length: int
    fraction: float
    prefill: int
    graph_batch: int
    most_tokens: int | None
    requests: int | None
    cache_value_bytes: float
    offloaded: int = 0
    adapters: int = 0
    adapter_rank: int = 16


def tensor_parallel(ctx: EngineContext) -> int:
    """GPUs that share each layer: as requested, else every GPU of the instance that copies of the model leave."""
    return ctx.number("tp_size") or max(1, (ctx.instance.accelerator_count or 1) // copies(ctx))


def copies(ctx: EngineContext) -> int:
    """Copies of the model on GPUs of their own; with enable_dp_attention dp_size splits the GPUs of one copy."""
    extra = ctx.values.get("extra_args")
    if isinstance(extra, Mapping) and "enable_dp_attention" in extra:
        return 1
    return ctx.number("dp_size") or 1


def read_settings(ctx: EngineContext, facts: ModelFacts) -> SglangSettings:
    """What SGLang runs with."""
    shards, mib = tensor_parallel(ctx), nvidia_smi_bytes(ctx.instance) / 2**20
    prefill_default, graphs_default = _batches(ctx.version, mib, shards)
    given = ctx.number("chunked_prefill_size") or prefill_default
    prefill = given if given > 0 else _WHOLE_PREFILL  # -1 switches the splitting of prompts off
    graphs = ctx.number("cuda_graph_max_bs") or graphs_default
    fraction = _default_fraction(ctx.version, mib, shards, prefill, graphs, facts)
    return SglangSettings(
        version=ctx.version,
        tensor_parallel=shards,
        length=ctx.number("context_length") or facts.max_positions,
        fraction=ctx.fraction("mem_fraction_static", fraction),
        prefill=prefill,
        graph_batch=0 if ctx.values.get("disable_cuda_graph") is True else graphs,
        most_tokens=ctx.number("max_total_tokens"),
        requests=ctx.number("max_running_requests"),
        cache_value_bytes=1 if ctx.text("kv_cache_dtype") in _ONE_BYTE else _value_bytes(ctx),
        offloaded=(ctx.number("cpu_offload_gb") or 0) * GIB,
        adapters=(ctx.number("max_loras_per_batch") or _ADAPTERS) if ctx.given("lora_paths") else 0,
        adapter_rank=ctx.number("max_lora_rank") or 16,
    )


def _value_bytes(ctx: EngineContext) -> int:
    return 4 if ctx.text("dtype") == "float32" else 2


def _batches(version: Version, mib: float, shards: int) -> tuple[int, int]:
    """The default chunked_prefill_size and cuda_graph_max_bs of a GPU."""
    gib, many = mib / _GIB_IN_MIB, shards >= 4
    if version >= _RESERVES_SINCE:
        return _batches_by_size(version, gib, many=many)
    if version >= (0, 4, 1):
        if gib < (35 if version >= _RESERVES_BY_SIZE_SINCE else 25_000 / _GIB_IN_MIB):
            return 2048, 80 if many else 8
        return 8192, 160
    return 8192, 160


def _batches_by_size(version: Version, gib: float, *, many: bool) -> tuple[int, int]:
    if gib < 20:
        return 2048, 8
    if gib < 35:
        if version >= _MORE_ON_SMALL_SINCE:
            return 4096, 160 if many else 48
        return 2048, 80 if many else 24
    if gib < 60:
        return 4096, 160 if many else 32
    return (8192 if gib < 160 else 16_384), 512 if many or gib >= 160 else 256


def _default_fraction(version: Version, mib: float, shards: int, prefill: int, graphs: int, facts: ModelFacts) -> float:
    gib = mib / _GIB_IN_MIB
    if version >= _RESERVES_SINCE:
        reserve = 512 + 1.5 * max(prefill, 2048) + 2 * graphs + shards * 128
        reserve += _prefill_graphs(version, prefill, facts)
        if gib > 60:
            reserve = max(reserve, 10 * _GIB_IN_MIB)
        return round(1 - reserve / mib, 3) * (_VISION_FACTOR if facts.reads_images else 1)
    if version >= _RESERVES_BY_SIZE_SINCE:
        return round(1 - _reserve_by_size(gib, shards) / gib, 3) * (0.9 if facts.reads_images else 1)
    if version >= (0, 4, 6) and gib > 80:
        return (gib - 13) / gib
    eight = 0.82 if version < (0, 4, 1) else 0.81
    steps = ((16, 0.79), (8, eight), (4, 0.85), (2, 0.87), (1, 0.88))
    return next(fraction for least, fraction in steps if shards >= least)


def _prefill_graphs(version: Version, prefill: int, facts: ModelFacts) -> float:
    """MiB for the CUDA graphs of prefills: 8 for each size that is captured."""
    if version < _PREFILL_GRAPHS_SINCE or facts.reads_images:
        return 0
    if facts.latent_width is not None:
        return _LATENT_GRAPHS_MIB
    steps = ((32, 4), (256, 16), (512, 32), (1024, 64), (4096, 256), (prefill, 512))
    sizes, below = 0, 0
    for most, step in steps:
        reached = min(most, prefill)
        sizes += max(0, reached - below) // step
        below = max(below, reached)
    return 8 * sizes


def _reserve_by_size(gib: float, shards: int) -> float:
    if gib < 35:
        return 2.8 + shards / 10
    if gib < 90:
        return 9.5 + shards / 2
    return 12 + shards / 2 if gib < 160 else 32.0
