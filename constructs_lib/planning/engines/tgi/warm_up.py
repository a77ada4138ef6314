"""What TGI makes of a GPU's memory when it starts.

It allocates the cache of a warm-up batch, prefills it, sees what is then left of the GPU's memory times
CUDA_MEMORY_FRACTION times TGI_WIGGLE_ROOM, and gives all of that to the cache. What it measures we have to estimate;
docs/memory.md compares the estimate with public reports.

Sources, TGI 3.3.6, below `server/text_generation_server`: `models/flash_causal_lm.py`, `models/causal_lm.py`,
`models/custom_modeling`, `layers/attention/flashinfer.py`; `backends/v3/src/client/grpc_client.rs` for the requests of
the warm-up.
"""

from __future__ import annotations

import math

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.engines.tgi.context import chunks_prefill, is_flash, support_of
from constructs_lib.planning.engines.tgi.prefill import prefill_tokens
from constructs_lib.planning.hardware.gpu_memory import GIB
from constructs_lib.planning.memory_plan import CacheLayout, EngineMemory, GpuShare
from constructs_lib.planning.models.architectures import architecture
from constructs_lib.planning.models.facts import ModelFacts
from constructs_lib.planning.sizing.memory import HALF_BYTES, MIN_TOKENS, inner_width, kv_heads_per_gpu, vocabulary

_CONTEXT = int(0.65 * GIB)
"""CUDA's context with the kernels of torch, flashinfer and Marlin, 128 MiB of flashinfer's workspace, cuBLAS's."""

_NCCL = int(0.5 * GIB)
"""NCCL's buffers between GPUs."""

_FRAGMENTATION = 1.15
"""What torch's allocator holds back beyond the activations themselves."""

_WIGGLE_ROOM = (
    ((3, 3, 0), 0.90),
    ((3, 1, 0), 0.93),
    ((3, 0, 0), 0.95),
    ((2, 4, 0), 0.90),
    ((1, 4, 1), 0.95),
    ((0, 0, 0), 1.00),
)

_SAMPLING_BYTES = 20
"""Per entry of the logits that a token is sampled from: a float32 copy for each of the samplers in a row."""

_SCORE_BYTES = 12
"""Per entry of the attention scores of models without flash attention: half, masked, float32 softmax, half again."""

_MASK_BYTES = 11
"""Per entry of Gemma 3's attention masks: the full and the sliding one in float32, and three of single bytes."""


def engine_memory(ctx: EngineContext, facts: ModelFacts, gpu: GpuShare) -> EngineMemory:
    """What TGI makes of one GPU's memory (see `MemoryModel.memory`)."""
    gpu_memory = int(gpu.visible * ctx.fraction("cuda_memory_fraction", 1.0))
    prompt = prefill_tokens(ctx, facts, gpu.shards)
    runtime = _CONTEXT + (_NCCL if gpu.shards > 1 else 0)
    activations = _activations(ctx, facts, gpu.shards, prompt)
    cache = _cache(ctx, facts, gpu.shards)
    warm_up = _warm_up_tokens(ctx, facts, prompt)
    warmed_up = gpu.weights + runtime + activations + cache.request_bytes(warm_up)
    total = ctx.number("max_total_tokens")
    requested = total or min(MIN_TOKENS, facts.max_positions)
    if not is_flash(ctx, facts):
        requested = max(requested, warm_up, ctx.number("max_batch_total_tokens") or 0)
    return EngineMemory(
        gpu_memory=gpu_memory,
        usable=_usable(ctx, gpu_memory, warmed_up),
        runtime=runtime,
        activations=activations,
        prefill_tokens=prompt,
        cache=cache,
        warm_up_tokens=warm_up,
        min_tokens=warm_up if is_flash(ctx, facts) else 0,
        asked_tokens=requested,
        max_request_tokens=total or (facts.max_positions if chunks_prefill(ctx) else min(facts.max_positions, prompt)),
        static=not is_flash(ctx, facts),
    )


def _usable(ctx: EngineContext, gpu_memory: int, warmed_up: int) -> int:
    """What TGI fills of a GPU: from 3.0 on a share of its memory, before that the same share of what was left."""
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


def _warm_up_requests(ctx: EngineContext, prompt: int) -> int:
    """Requests of the warm-up: prompts of the longest length until the prefill is full."""
    longest = ctx.number("max_input_tokens")
    return math.ceil(prompt / min(longest, prompt)) if longest else 1


def _warm_up_tokens(ctx: EngineContext, facts: ModelFacts, prompt: int) -> int:
    """Tokens whose keys and values the warm-up takes; each request reserves its whole answer if that is limited."""
    total = ctx.number("max_total_tokens")
    if not is_flash(ctx, facts) or total is None:
        return prompt
    return _warm_up_requests(ctx, prompt) * (total - 1)


def _activations(ctx: EngineContext, facts: ModelFacts, shards: int, prompt: int) -> int:
    """What a prefill of that many tokens takes at its peak.

    The peak is in the feed-forward part: three hidden states, and the inner layer four times (gate and up projection,
    the activation, their product), two times in models without a gate. The logits are those of one token for each
    request, or of all prompt tokens if their probabilities are computed: before TGI 3, with enable_prefill_logprobs,
    and without flash attention, which also holds whole matrices of attention scores.
    """
    inner = inner_width(facts) * facts.experts_per_token / shards
    copies = 4 if architecture(facts.model_type).gated else 2
    projections = 2 * (facts.heads + 2 * facts.kv_heads) * facts.head_dim / shards
    hidden = 3 * facts.hidden * (facts.experts_per_token if facts.experts > 1 else 1)
    layer = prompt * (hidden + max(copies * inner, projections)) * HALF_BYTES
    logits, scores = _logits(ctx, facts, shards, prompt), _scores(ctx, facts, shards, prompt)
    return math.ceil((layer + logits + scores) * _FRAGMENTATION)


def _logits(ctx: EngineContext, facts: ModelFacts, shards: int, prompt: int) -> int:
    sampled = _warm_up_requests(ctx, prompt) * vocabulary(facts) * _SAMPLING_BYTES
    all_tokens = (
        ctx.version < (3, 0, 0) or ctx.values.get("enable_prefill_logprobs") is True or not is_flash(ctx, facts)
    )
    if not all_tokens or support_of(facts).decodes_from_one_token:
        return sampled
    # The logits and their probabilities, which flash models of 2.4 and later write over the logits. Two public reports
    # of 2.2 show a third copy (docs/memory.md).
    copies = 2
    if is_flash(ctx, facts) and ctx.version >= (2, 1, 0):
        copies = 3 if ctx.version < (2, 4, 0) else 1
    if shards > 1:  # gathered, and made contiguous
        copies += 1
    return sampled + prompt * vocabulary(facts) * HALF_BYTES * copies


def _scores(ctx: EngineContext, facts: ModelFacts, shards: int, prompt: int) -> int:
    """Matrices of prompt by prompt: attention scores without flash attention, and the masks of Gemma 3 for images.

    Before TGI 3.3 those masks kept Gemma 3 from flash attention as well.
    """
    masked = support_of(facts).masks_images
    if is_flash(ctx, facts) and not masked:
        return 0
    scored = not is_flash(ctx, facts) or ctx.version < (3, 3, 0)
    entry = (_MASK_BYTES if masked else 0) + (_SCORE_BYTES * facts.heads / shards if scored else 0)
    longest = min(ctx.number("max_input_tokens") or prompt, prompt)
    return math.ceil(_warm_up_requests(ctx, prompt) * longest * longest * entry)
