"""How SGLang lays out its cache.

Layers that look at all tokens, and layers with a window, have pools of their own, whose sizes have a fixed ratio; the
states of layers without keys and values get a fixed share of the memory first. So every token of the cache takes the
same number of bytes, and a long request is no cheaper than its tokens.

Sources: SGLang `python/sglang/srt/model_executor/pool_configurator.py` and `mem_cache/kv_cache_configurator.py`
(0.5.20), `model_executor/model_runner.py` and `server_args.py` (0.4.6 to 0.5.16).
"""

from __future__ import annotations

import math

from constructs_lib.planning.engines.kv_cache import token_values
from constructs_lib.planning.engines.sglang.memory_settings import SglangSettings
from constructs_lib.planning.memory_plan import CacheLayout
from constructs_lib.planning.models.facts import ModelFacts
from constructs_lib.planning.models.layer_groups import LayerGroup, layer_groups

_WINDOW_SHARE = 0.8
"""Tokens in the pool of layers with a window, for each token in the pool of the others (swa_full_tokens_ratio)."""

_STATE_SHARE = 0.9
"""Memory for states, for each byte for keys and values (mamba_full_memory_ratio)."""

_POOLS_SINCE = (0, 4, 9)
"""From then on layers with a window have a pool of their own."""


def cache_layout(settings: SglangSettings, facts: ModelFacts) -> CacheLayout:
    """How SGLang lays out the cache of a model on one GPU."""
    groups = layer_groups(facts)
    both = any(group.window for group in groups) and any(_is_full(group) for group in groups)
    split = both and settings.version >= _POOLS_SINCE
    values = 0.0
    for group in groups:
        if group.state_bytes is None:
            share = _WINDOW_SHARE if split and group.window else 1.0
            values += share * group.layers * token_values(facts, settings.tensor_parallel, group)
    size = values * settings.cache_value_bytes
    has_states = any(group.state_bytes for group in groups)
    if has_states and settings.requests is None:
        size *= 1 + _STATE_SHARE
    return CacheLayout(math.ceil(size))


def state_bytes(settings: SglangSettings, facts: ModelFacts) -> int:
    """What the states of as many requests take as the options allow; 0 if SGLang gives them a share instead."""
    states = sum(group.layers * (group.state_bytes or 0) for group in layer_groups(facts))
    return math.ceil(states / settings.tensor_parallel) * (settings.requests or 0)


def _is_full(group: LayerGroup) -> bool:
    return group.window is None and group.state_bytes is None
