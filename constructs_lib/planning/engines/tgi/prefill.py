"""How many prompt tokens TGI processes in one prefill, which decides its activations.

Source: TGI `launcher/src/main.rs` 3.3.6: compute_optimal, vram_maximum, and the default of max_batch_prefill_tokens;
the same file at v2.4.0.
"""

from __future__ import annotations

import math

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.engines.tgi.context import chunks_prefill, default_prefill, support_of
from constructs_lib.planning.engines.tgi.token_limits import (
    compares_prefill_with_batch,
    default_positions,
    default_prefill_before_3,
    token_limits,
)
from constructs_lib.planning.hardware.gpu_memory import launcher_flops, nvidia_smi_bytes
from constructs_lib.planning.models.facts import ModelFacts

_LAUNCHER_WIGGLE_ROOM = 0.95
_LEAST_OPTIMAL = 100


def prefill_setting(ctx: EngineContext) -> int | None:
    """A prefill budget that fits the other limits, if TGI's own does not or may not; None leaves it to TGI.

    Without prefill chunking a prompt must fit one prefill, and where TGI compares the two, no prefill may be larger
    than the batch. Before 0.9 there is no such budget.
    """
    if "max_batch_prefill_tokens" in ctx.values or ctx.version < (0, 9, 0):
        return None
    own = default_prefill_before_3(ctx) if ctx.version < (3, 0, 0) else None
    likely = own or default_prefill(ctx)
    longest_input, _ = token_limits(ctx)
    needed = longest_input if chunks_prefill(ctx) is False else None
    batch = ctx.number("max_batch_total_tokens") if compares_prefill_with_batch(ctx) is not False else None
    fits_batch = batch is None or likely <= batch
    if fits_batch and (needed is None or (own is not None and needed <= own)):
        return None
    prefill = max(likely, needed or 0)
    return min(prefill, batch) if batch is not None else prefill


def prefill_tokens(ctx: EngineContext, facts: ModelFacts, shards: int) -> int:
    """The prompt tokens of the largest prefill: as requested, as the plan sets it, else as the launcher computes it.

    Before 0.9 nothing limits it; what has to fit is one prompt.
    """
    longest_input, _ = token_limits(ctx)
    if longest_input is not None and ctx.version < (0, 9, 0):
        return longest_input
    chosen = ctx.number("max_batch_prefill_tokens") or prefill_setting(ctx)
    if chosen is not None:
        return chosen
    if ctx.version < (3, 0, 0):
        return default_prefill_before_3(ctx) or default_positions(facts) + 49
    return _launcher_default(ctx, facts, shards)


def warm_up_requests(ctx: EngineContext, prompt: int) -> int:
    """Requests of the warm-up: prompts of the longest length until the prefill of that many tokens is full."""
    longest, _ = token_limits(ctx)
    return math.ceil(prompt / min(longest, prompt)) if longest else 1


def _launcher_default(ctx: EngineContext, facts: ModelFacts, shards: int) -> int:
    tokens = _optimal_prefill(ctx, facts, shards) or default_prefill(ctx)
    if support_of(facts).launcher_reads_positions:
        tokens = min(tokens, default_positions(facts))
    maximum = _max_prefill(ctx, facts, shards)
    return tokens if maximum is None else max(1, min(tokens, maximum))


def _optimal_prefill(ctx: EngineContext, facts: ModelFacts, shards: int) -> int | None:
    flops = launcher_flops(ctx.instance)
    if flops is None or not support_of(facts).launcher_reads_sizes or facts.intermediate is None:
        return None
    projections = (6 * facts.heads + 4 * facts.kv_heads) * facts.head_dim * facts.hidden
    feed_forward = 6 * facts.hidden * facts.intermediate * facts.experts_per_token
    optimal = int(flops * shards / ((projections + feed_forward) * facts.layers))
    return optimal if optimal > _LEAST_OPTIMAL else None


def _max_prefill(ctx: EngineContext, facts: ModelFacts, shards: int) -> int | None:
    """The launcher's own estimate of the tokens that fit; None for weights that were published compressed."""
    unreadable = not support_of(facts).launcher_reads_sizes
    if unreadable or facts.quantization or facts.intermediate is None or facts.vocabulary is None:
        return None
    attention = (facts.heads + 2 * facts.kv_heads) * facts.head_dim + facts.heads * facts.head_dim * facts.hidden
    feed_forward = 3 * facts.intermediate * facts.experts * facts.hidden
    model = 2 * ((attention + feed_forward) * facts.layers + 2 * facts.hidden * facts.vocabulary)
    token = 4 * facts.kv_heads * facts.head_dim * facts.layers + 9 * facts.intermediate * facts.experts
    fraction = ctx.fraction("cuda_memory_fraction", 1.0)
    wiggle_room = ctx.fraction("tgi_wiggle_room", _LAUNCHER_WIGGLE_ROOM)
    left = int(nvidia_smi_bytes(ctx.instance) * shards * fraction * wiggle_room) - model
    return left // token if left >= 0 else None
