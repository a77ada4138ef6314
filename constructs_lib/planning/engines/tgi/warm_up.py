"""What TGI makes of a GPU's memory when it starts.

It allocates the cache of a warm-up batch, prefills it, sees what is then left of the GPU's memory times
CUDA_MEMORY_FRACTION times TGI_WIGGLE_ROOM, and gives all of that to the cache. What it measures we have to estimate;
docs/memory.md compares the estimate with public reports.

Sources: `server/text_generation_server/models/flash_causal_lm.py` (warmup, from_pb) at each tag since 0.9.0 and
`causal_lm.py` of 3.3.6; for the requests of the warm-up `router/client/src/client.rs` (0.9.0 to 2.0.4) and
`backends/v3/src/client/grpc_client.rs` (3.3.6); `models/flash_mistral.py` (1.1.0 to 2.0.4) for sliding windows.
"""

from __future__ import annotations

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.engines.tgi.activations import activations
from constructs_lib.planning.engines.tgi.context import chunks_prefill, is_flash
from constructs_lib.planning.engines.tgi.prefill import prefill_tokens, warm_up_requests
from constructs_lib.planning.engines.tgi.token_limits import MEASURED_SINCE, default_positions, token_limits
from constructs_lib.planning.hardware.gpu_memory import GIB
from constructs_lib.planning.memory_plan import CacheLayout, EngineMemory, GpuShare
from constructs_lib.planning.models.facts import ModelFacts
from constructs_lib.planning.sizing.memory import HALF_BYTES, MIN_TOKENS, kv_heads_per_gpu

UNCERTAINTY = (((3, 0, 0), 0.045), ((0, 0, 0), 0.055))
"""How far the estimate may be off, as a share of the GPU's memory, by version.

The public reports in docs/memory.md are the measure, and a test holds the two together: since 3.0 the budgets differ by
up to 3.4 %, and the longest context that started is estimated 4.4 % too large; before 3.0 the budgets differ by up to
5.3 %.
"""

_CONTEXT = int(0.65 * GIB)
"""CUDA's context with the kernels of torch, flashinfer and Marlin, 128 MiB of flashinfer's workspace, cuBLAS's."""

_NCCL = int(0.5 * GIB)
"""NCCL's buffers between GPUs."""

_WIGGLE_ROOM = (
    ((3, 3, 0), 0.90),
    ((3, 1, 0), 0.93),
    ((3, 0, 0), 0.95),
    ((2, 4, 0), 0.90),
    ((1, 4, 1), 0.95),
    ((0, 0, 0), 1.00),
)

_OLD_BATCH = 16_000
"""Tokens whose cache versions from 0.9.0 on allocate until they measure what is left; older ones allocate none."""

_BLOCK = 16


def engine_memory(ctx: EngineContext, facts: ModelFacts, gpu: GpuShare) -> EngineMemory:
    """What TGI makes of one GPU's memory (see `MemoryModel.memory`)."""
    flash = is_flash(ctx, facts)
    gpu_memory = int(gpu.visible * ctx.fraction("cuda_memory_fraction", 1.0))
    prompt = prefill_tokens(ctx, facts, gpu.shards)
    runtime = _CONTEXT + (_NCCL if gpu.shards > 1 else 0)
    used = activations(ctx, facts, gpu.shards, prompt)
    cache = _cache(ctx, facts, gpu.shards)
    warm_up = _warm_up_tokens(ctx, facts, prompt)
    free = gpu_memory - gpu.weights - runtime - cache.request_bytes(warm_up)
    reserved = max(used.peak, min(used.reserved, free))
    warmed_up = gpu_memory - free + reserved
    _, total = token_limits(ctx)
    longest = default_positions(facts)
    requested = total or min(MIN_TOKENS, longest)
    if not flash:
        requested = max(requested, warm_up, ctx.number("max_batch_total_tokens") or 0)
    return EngineMemory(
        gpu_memory=gpu_memory,
        usable=_usable(ctx, gpu_memory, warmed_up, flash=flash),
        runtime=runtime,
        activations=reserved,
        peak=used.peak,
        prefill_tokens=prompt,
        cache=cache,
        uncertainty=int(next(share for since, share in UNCERTAINTY if ctx.version >= since) * gpu.visible),
        warm_up_tokens=warm_up,
        min_tokens=warm_up if flash else 0,
        asked_tokens=requested,
        max_request_tokens=total or (longest if chunks_prefill(ctx) else min(longest, prompt)),
        static=not flash,
    )


def _usable(ctx: EngineContext, gpu_memory: int, warmed_up: int, *, flash: bool) -> int:
    """What TGI fills of a GPU: from 3.0 on a share of its memory, before that the same share of what was left."""
    if flash and (0, 9, 0) <= ctx.version < MEASURED_SINCE:
        return min(gpu_memory, warmed_up)
    room = next(room for since, room in _WIGGLE_ROOM if ctx.version >= since)
    if ctx.version >= (2, 3, 0):
        room = ctx.fraction("tgi_wiggle_room", room)
    if ctx.version >= (3, 0, 0):
        return int(gpu_memory * room)
    return int(gpu_memory - (1 - room) * max(0, gpu_memory - warmed_up))


def _cache(ctx: EngineContext, facts: ModelFacts, shards: int) -> CacheLayout:
    size = 1 if is_flash(ctx, facts) and ctx.given("kv_cache_dtype") else HALF_BYTES
    # Without paged attention every step of an answer makes a longer copy while the old one is still held.
    copies = 1 if is_flash(ctx, facts) else 2
    width = facts.cache_width or facts.head_dim
    return CacheLayout(2 * facts.layers * kv_heads_per_gpu(facts, shards) * width * size * copies)


def _warm_up_tokens(ctx: EngineContext, facts: ModelFacts, prompt: int) -> int:
    """Tokens whose keys and values the warm-up takes.

    Since 1.1.1 each of its requests reserves its whole answer, as far as the sliding window reaches; before that it
    asked for two new tokens.
    """
    if ctx.version < (0, 9, 0):
        return 0
    if not is_flash(ctx, facts):
        return prompt
    if ctx.version < MEASURED_SINCE:
        return (ctx.number("max_batch_total_tokens") or _OLD_BATCH) + 10 * _BLOCK
    _, total = token_limits(ctx)
    requests = warm_up_requests(ctx, prompt)
    if ctx.version < (1, 1, 1):
        return prompt + requests
    if total is None:
        return prompt
    longest = total - 1 if ctx.version >= (3, 0, 0) else -(-(total - 1) // _BLOCK) * _BLOCK
    if facts.sliding_window and ctx.version < (2, 1, 0):
        longest = min(longest, facts.sliding_window)
    return requests * longest
