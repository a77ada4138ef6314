"""What a token's keys and values take on one GPU, for engines with paged attention."""

from __future__ import annotations

from constructs_lib.planning.models.facts import ModelFacts
from constructs_lib.planning.sizing.memory import kv_heads_per_gpu


def token_values(facts: ModelFacts, shards: int) -> int:
    """Numbers that one layer keeps of a token on each GPU: keys and values of its heads.

    Key-value heads are split evenly; with more GPUs than heads several GPUs hold the same head.
    """
    return 2 * kv_heads_per_gpu(facts, shards) * facts.head_dim
