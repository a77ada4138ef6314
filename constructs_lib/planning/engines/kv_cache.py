"""What a token's keys and values take on one GPU, for engines with paged attention."""

from __future__ import annotations

from constructs_lib.planning.models.facts import ModelFacts
from constructs_lib.planning.models.layer_groups import LayerGroup


def token_values(facts: ModelFacts, shards: int, group: LayerGroup | None = None) -> int:
    """Numbers that one layer keeps of a token on each GPU.

    Key-value heads are split evenly; with more GPUs than heads several GPUs hold the same head. What multi-head latent
    attention keeps is whole on every GPU.

    Args:
        facts: The model.
        shards: GPUs that share each layer.
        group: The layer's kind. Default: the model's usual layer.
    """
    if facts.latent_width is not None:
        return facts.latent_width
    heads = (group and group.kv_heads) or facts.kv_heads
    return 2 * max(1, heads // shards) * ((group and group.head_dim) or facts.head_dim)
