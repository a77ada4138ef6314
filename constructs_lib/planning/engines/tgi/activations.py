"""What a prefill of TGI takes beside weights and cache.

Sources, below `server/text_generation_server`: `models/flash_causal_lm.py` (generate_token) and
`models/custom_modeling`; `layers/tensor_parallel.py` (TensorParallelHead; `utils/layers.py` before 2.0);
`layers/awq/quantize/qmodule.py` and `layers/bnb.py` for the kernels' buffers, each at 1.1.0, 1.4.5, 2.2.0 and 3.3.6.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.engines.tgi.context import is_flash, quantization_of, runs_marlin, support_of
from constructs_lib.planning.engines.tgi.options import Quantization
from constructs_lib.planning.engines.tgi.prefill import warm_up_requests
from constructs_lib.planning.engines.tgi.token_limits import token_limits
from constructs_lib.planning.models.architectures import architecture
from constructs_lib.planning.models.facts import ModelFacts
from constructs_lib.planning.sizing.memory import HALF_BYTES, inner_width, vocabulary

_FRAGMENTATION = 1.10
"""What torch's allocator holds back beyond the tensors themselves."""

_SAMPLING_BYTES = 20
"""Per entry of the logits that a token is sampled from: a float32 copy for each of the samplers in a row."""

_SCORE_BYTES = 12
"""Per entry of the attention scores of models without flash attention: half, masked, float32 softmax, half again."""

_MASK_BYTES = 11
"""Per entry of Gemma 3's attention masks: the full and the sliding one in float32, and three of single bytes."""

_AWQ_PARTS = 8
"""Partial results that AWQ's own kernel adds up: it splits the inner dimension by so many."""

_DEQUANTIZING = (Quantization.BITSANDBYTES_NF4, Quantization.BITSANDBYTES_FP4, Quantization.GPTQ)
"""Kinds whose prefill multiplies by one layer at a time in half precision."""


@dataclass(frozen=True)
class Activations:
    """The activations of a prefill, in bytes.

    Args:
        peak: What is in use at one time, at most.
        reserved: What torch's allocator keeps after it, which TGI counts as used. Layers and logits do not share
            blocks: the logits are too large for those that the layers leave.
    """

    peak: int
    reserved: int


def activations(ctx: EngineContext, facts: ModelFacts, shards: int, prompt: int) -> Activations:
    """What a prefill of that many tokens takes.

    Args:
        ctx: The context.
        facts: The model.
        shards: GPUs that share it.
        prompt: Prompt tokens of the prefill.
    """
    layer = _layer(ctx, facts, shards, prompt) + _scores(ctx, facts, shards, prompt)
    logits = _logits(ctx, facts, shards, prompt)
    hidden_states = 2 * prompt * facts.hidden * HALF_BYTES
    return Activations(
        peak=math.ceil(max(layer, logits + hidden_states) * _FRAGMENTATION),
        reserved=math.ceil((layer + logits) * _FRAGMENTATION),
    )


def _layer(ctx: EngineContext, facts: ModelFacts, shards: int, prompt: int) -> int:
    """The largest layer, which is the feed-forward part.

    Three hidden states, and the inner layer four times (gate and up projection, the activation, their product), two
    times in models without a gate. A kernel for experts holds the projections, one product, and the experts' answers.
    """
    gated = architecture(facts.model_type).gated
    projected = 2 if gated else 1
    inner = inner_width(facts) * facts.experts_per_token / shards
    widest = 2 * projected * inner
    if facts.experts > 1 and ctx.version >= (2, 0, 0):
        widest = (projected + 1) * inner
    elif _runs_awq_kernel(ctx, facts):
        widest = (_AWQ_PARTS + 1) * projected * inner
    projections = 2 * (facts.heads + 2 * facts.kv_heads) * facts.head_dim / shards
    hidden = facts.hidden * (3 + (facts.experts_per_token if facts.experts > 1 else 0))
    whole = projected * inner_width(facts) * facts.hidden / shards if _dequantizes(ctx, facts) else 0
    return math.ceil((prompt * (hidden + max(widest, projections)) + whole) * HALF_BYTES)


def _runs_awq_kernel(ctx: EngineContext, facts: ModelFacts) -> bool:
    kind = quantization_of(ctx, facts)
    return kind == Quantization.AWQ and not runs_marlin(ctx, kind)


def _dequantizes(ctx: EngineContext, facts: ModelFacts) -> bool:
    kind = quantization_of(ctx, facts)
    return kind in _DEQUANTIZING and not runs_marlin(ctx, kind)


def _logits(ctx: EngineContext, facts: ModelFacts, shards: int, prompt: int) -> int:
    """The logits: of one token for each request, or of all prompt tokens if their probabilities are computed.

    That is so before TGI 3, with enable_prefill_logprobs, and without flash attention.
    """
    sampled = warm_up_requests(ctx, prompt) * vocabulary(facts) * _SAMPLING_BYTES
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
    longest = min(token_limits(ctx)[0] or prompt, prompt)
    return math.ceil(warm_up_requests(ctx, prompt) * longest * longest * entry)
