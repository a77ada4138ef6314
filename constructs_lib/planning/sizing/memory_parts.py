"""The parts of a GPU's memory, each with its reason.

Sources, TGI 3.3.6, below `server/text_generation_server`: `models/flash_causal_lm.py`, `models/causal_lm.py`,
`models/custom_modeling`, `layers/tensor_parallel.py`, `layers/attention/flashinfer.py`, `utils/weights.py`;
`backends/v3/src/client/grpc_client.rs` for the requests of the warm-up.
"""

from __future__ import annotations

import math

from constructs_lib.planning.engines.tgi.context import EngineContext
from constructs_lib.planning.hardware.gpu_memory import GIB
from constructs_lib.planning.models.facts import BYTES_PER_PARAMETER, ModelFacts
from constructs_lib.planning.models.quantization import bits_per_parameter, quantization_of

_HALF = 2
"""Bytes of float16 and bfloat16, in which TGI computes whatever type the weights were published in."""

_CONTEXT = int(0.65 * GIB)
"""CUDA's context with the kernels of torch, flashinfer and Marlin, 128 MiB of flashinfer's workspace, cuBLAS's."""

_TALK = int(0.5 * GIB)
"""NCCL's buffers between GPUs."""

_FRAGMENTS = 1.15
"""What torch's allocator holds back beyond the activations themselves."""

_HOST_BASE, _HOST_PER_SHARD = 1 * GIB, int(2.5 * GIB)
"""Launcher and router; Python with torch and CUDA's host side, once for each GPU."""

_WIGGLE_ROOM = (
    ((3, 3, 0), 0.90),
    ((3, 1, 0), 0.93),
    ((3, 0, 0), 0.95),
    ((2, 4, 0), 0.90),
    ((1, 4, 1), 0.95),
    ((0, 0, 0), 1.00),
)

_UNKNOWN_VOCABULARY = 262_144
_UNGATED_TYPES = ("bloom", "opt", "mpt", "gpt_neox", "gpt_bigcode", "gpt2", "gptj", "falcon")
_SAMPLING_BYTES = 20
"""Per entry of the logits that a token is sampled from: a float32 copy for each of the samplers in a row."""

_SCORE_BYTES = 12
"""Per entry of the attention scores of models without flash attention: half, masked, float32 softmax, half again."""

_MASK_BYTES = 11
"""Per entry of Gemma 3's attention masks: the whole and the sliding one in float32, and three of single bytes."""


def usable(ctx: EngineContext, gpu: int, warmed_up: int) -> int:
    """What TGI fills of a GPU: from 3.0 on a share of its memory, before that the same share of what was left.

    Args:
        ctx: The situation.
        gpu: The GPU's memory.
        warmed_up: What the warm-up took of it.
    """
    room = next(room for since, room in _WIGGLE_ROOM if ctx.version >= since)
    if ctx.version >= (2, 3, 0):
        room = ctx.real("tgi_wiggle_room", room)
    if ctx.version >= (3, 0, 0):
        return int(gpu * room)
    return int(gpu - (1 - room) * max(0, gpu - warmed_up))


def weights(ctx: EngineContext, facts: ModelFacts, shards: int) -> int:
    """One GPU's share of the weights.

    Layers are split evenly; the embeddings stay in half precision. Where the output layer is the embeddings, TGI
    loads them a second time; where the vocabulary cannot be split evenly, each GPU has the whole output layer.
    """
    kind = quantization_of(facts, ctx.text("quantize"))
    table = vocabulary(facts) * facts.hidden if facts.vocabulary else 0
    layers = max(0, facts.parameters - table * (1 if facts.tied_embeddings else 2))
    compressed = layers * bits_per_parameter(kind) / 8
    if facts.quantization and facts.weight_bytes:
        compressed = max(0, facts.weight_bytes - table * _HALF * (1 if facts.tied_embeddings else 2))
    whole_output = facts.vocabulary is not None and facts.vocabulary % shards != 0
    output = table if whole_output else table / shards
    return math.ceil(compressed / shards + (table / shards + output) * _HALF)


def runtime(shards: int) -> int:
    """What is neither weights nor activations nor cache."""
    return _CONTEXT + (_TALK if shards > 1 else 0)


def kv_bytes_per_token(ctx: EngineContext, facts: ModelFacts, shards: int) -> int:
    """One GPU's share of a token's keys and values; a single key-value head is kept whole by each GPU."""
    heads = facts.kv_heads // shards if facts.kv_heads > 1 else 1
    size = 1 if facts.flash and ctx.given("kv_cache_dtype") else _HALF
    # Without paged attention every step of an answer makes a longer copy while the old one is still held.
    copies = 1 if facts.flash else 2
    return max(1, 2 * facts.layers * heads * facts.head_dim * size * copies)


def warm_up_requests(ctx: EngineContext, prompt: int) -> int:
    """Requests of the warm-up: prompts of the longest length until the prefill is full."""
    longest = ctx.number("max_input_tokens")
    return math.ceil(prompt / min(longest, prompt)) if longest else 1


def warm_up_tokens(ctx: EngineContext, facts: ModelFacts, prompt: int) -> int:
    """Tokens whose keys and values the warm-up takes; each request reserves its whole answer where that is limited."""
    total = ctx.number("max_total_tokens")
    if not facts.flash or total is None:
        return prompt
    return warm_up_requests(ctx, prompt) * (total - 1)


def activations(ctx: EngineContext, facts: ModelFacts, shards: int, prompt: int) -> int:
    """What a prefill of that many tokens takes at its peak.

    The peak is in the feed-forward part: three hidden states, and the inner layer four times (gate and up projection,
    the activation, their product), two times in models without a gate. The logits are those of one token for each
    request, or of all prompt tokens where their probabilities are computed: before TGI 3, with
    enable_prefill_logprobs, and without flash attention, which also holds whole matrices of attention scores.
    """
    inner = (facts.intermediate or 4 * facts.hidden) * facts.experts_per_token / shards
    gates = 2 if facts.model_type in _UNGATED_TYPES else 4
    projections = 2 * (facts.heads + 2 * facts.kv_heads) * facts.head_dim / shards
    hidden = 3 * facts.hidden * (facts.experts_per_token if facts.experts > 1 else 1)
    layer = prompt * (hidden + max(gates * inner, projections)) * _HALF
    return math.ceil((layer + _logits(ctx, facts, shards, prompt) + _scores(ctx, facts, shards, prompt)) * _FRAGMENTS)


def _logits(ctx: EngineContext, facts: ModelFacts, shards: int, prompt: int) -> int:
    sampled = warm_up_requests(ctx, prompt) * vocabulary(facts) * _SAMPLING_BYTES
    all_tokens = ctx.version < (3, 0, 0) or ctx.values.get("enable_prefill_logprobs") is True or not facts.flash
    if not all_tokens or facts.model_type == "t5":  # whose decoder starts from one token
        return sampled
    # The logits and their probabilities, which flash models of 2.4 and later write over the logits. Two public reports
    # of 2.2 show a third copy (docs/memory.md).
    copies = 2
    if facts.flash and ctx.version >= (2, 1, 0):
        copies = 3 if ctx.version < (2, 4, 0) else 1
    if shards > 1:  # gathered, and made contiguous
        copies += 1
    return sampled + prompt * vocabulary(facts) * _HALF * copies


def _scores(ctx: EngineContext, facts: ModelFacts, shards: int, prompt: int) -> int:
    """Matrices of prompt by prompt: attention scores without flash attention, and the masks of Gemma 3 for images.

    Before TGI 3.3 those masks kept Gemma 3 from flash attention as well.
    """
    masked = facts.model_type == "gemma3"
    if facts.flash and not masked:
        return 0
    scored = not facts.flash or ctx.version < (3, 3, 0)
    entry = (_MASK_BYTES if masked else 0) + (_SCORE_BYTES * facts.heads / shards if scored else 0)
    longest = min(ctx.number("max_input_tokens") or prompt, prompt)
    return math.ceil(warm_up_requests(ctx, prompt) * longest * longest * entry)


def vocabulary(facts: ModelFacts) -> int:
    """Entries of the vocabulary; more than most models have where it is not known."""
    return facts.vocabulary or _UNKNOWN_VOCABULARY


def largest_tensor(facts: ModelFacts, shards: int) -> int:
    """The largest tensor of a GPU in half precision; loading holds it twice, to join it or to compress it.

    Kinds of quantization that compress while loading do it tensor by tensor, so the full weights pass through the GPU
    but never fill it.
    """
    inner = facts.intermediate or 4 * facts.hidden
    layer = (1 if facts.model_type in _UNGATED_TYPES else 2) * inner * facts.experts * facts.hidden
    table = facts.vocabulary * facts.hidden if facts.vocabulary else 0
    return math.ceil(max(layer, table) / shards) * _HALF


def host_peak(facts: ModelFacts, shards: int) -> int:
    """Memory of the host that loading takes.

    Files are mapped, so their pages can be dropped; what stays is one process for each GPU with the tensor that it
    converts, once as published and once as loaded.
    """
    published = BYTES_PER_PARAMETER[facts.checkpoint_dtype] / _HALF
    return math.ceil(_HOST_BASE + shards * (_HOST_PER_SHARD + largest_tensor(facts, shards) * (1 + published)))
