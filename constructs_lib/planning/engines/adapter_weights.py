"""What room for LoRA adapters takes of one GPU, for engines that reserve it when they start."""

from __future__ import annotations

import math

from constructs_lib.planning.models.facts import ModelFacts
from constructs_lib.planning.sizing.memory import HALF_BYTES, inner_width


def adapter_bytes(facts: ModelFacts, adapters: int, rank: int, shards: int) -> int:
    """Room for so many adapters of a rank: two matrices for each projection of attention and feed-forward layers.

    Args:
        facts: The model.
        adapters: Adapters that are on the GPU at one time.
        rank: Their rank, at most.
        shards: GPUs that share each layer; one of the two matrices is whole on each of them.
    """
    queries, keys, inner = facts.heads * facts.head_dim, facts.kv_heads * facts.head_dim, inner_width(facts)
    whole = 5 * facts.hidden + queries + inner
    split = queries + 2 * keys + 2 * inner + 2 * facts.hidden
    return math.ceil(adapters * rank * facts.layers * (whole + split / shards) * HALF_BYTES)
