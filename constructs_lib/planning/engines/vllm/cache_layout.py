"""How vLLM lays out its cache.

Layers of one kind share a table of blocks. Those that keep different things of a request (all tokens, a window, a
state) are cut into groups of equally many layers with one pool of blocks; a request holds blocks in every group.

Sources: vLLM `vllm/v1/core/kv_cache_utils.py` (`_get_kv_cache_groups_uniform_page_size`,
`unify_kv_cache_spec_page_size`), `vllm/v1/kv_cache_interface.py` (`max_memory_usage_bytes` of each kind) and
`vllm/platforms/interface.py` (blocks of models with states) at 0.9.0 to 0.33.0; `vllm/worker/cache_engine.py` (V0) at
0.4.3 to 0.10.2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from constructs_lib.planning.engines.kv_cache import token_values
from constructs_lib.planning.engines.vllm.memory_settings import VllmSettings
from constructs_lib.planning.memory_plan import CacheLayout
from constructs_lib.planning.models.facts import ModelFacts
from constructs_lib.planning.models.layer_groups import LayerGroup, layer_groups

BLOCK = 16

_LATENT_SINCE, _PADDED, _PADDED_UNTIL = (0, 7, 1), (0, 7, 2), (0, 8, 0)
_FULL_HEAD, _PADDED_WIDTH = 256, 640
"""Before 0.7.1 DeepSeek's keys and values are kept whole, each head padded to 256; 0.7.2 and 0.7.3 pad the latent."""

_GROUPS_SINCE = (0, 9, 0)
"""Before, in V0, and with a connector of the cache, every layer keeps all tokens."""

_SAME_SIZE = (((0, 21, 0), 1.5), ((0, 12, 0), 1.25))
"""If the largest kind has at most so many times the layers of the smallest, groups are as large as the largest."""

_STATE_BLOCKS = 2
"""Blocks of states that a request holds in each group, with prefix caching."""

_CHECKS_STATES_SINCE = (0, 20, 0)
"""From then on vLLM captures no graphs for more requests than there are blocks (`vllm/config/compilation.py`)."""


@dataclass(frozen=True, slots=True)
class PooledCache(CacheLayout):
    """One pool of blocks for groups of layers that keep different things of a request.

    `bytes_per_token` is the average of a request of the longest length.

    Args:
        block_bytes: Bytes of a block of the pool.
        full: Tokens of a block, for each group that keeps all tokens.
        windowed: Tokens of a block and most tokens that are kept, for each group with a window.
        state_blocks: Blocks that a request holds whatever its length.
        length: Longest request, in tokens, by which vLLM counts what fits.
        least_blocks: Blocks that there have to be.
    """

    block_bytes: int = 0
    full: tuple[int, ...] = ()
    windowed: tuple[tuple[int, int], ...] = ()
    state_blocks: int = 0
    length: int = 1
    least_blocks: int = 0

    @property
    def least_bytes(self) -> int:
        """See `CacheLayout.least_bytes`."""
        return self.least_blocks * self.block_bytes

    def request_bytes(self, tokens: int) -> int:
        """See `CacheLayout.request_bytes`."""
        return self._request_blocks(tokens) * self.block_bytes

    def max_tokens(self, available: int) -> int:
        """See `CacheLayout.max_tokens`; of requests of the longest length."""
        blocks = max(0, available) // self.block_bytes
        needed = self._request_blocks(self.length)
        return self.length * blocks // needed if blocks >= needed else self._one_request(blocks)

    def _request_blocks(self, tokens: int) -> int:
        kept = sum(-(-tokens // block) for block in self.full)
        for block, most in self.windowed:
            kept += -(-min(tokens, most) // block) + 1  # the window begins somewhere in a block
        return kept + self.state_blocks

    def _one_request(self, blocks: int) -> int:
        """The longest request that fits."""
        fitting, too_long = 0, self.length
        while too_long - fitting > 1:
            middle = (fitting + too_long) // 2
            if self._request_blocks(middle) <= blocks:
                fitting = middle
            else:
                too_long = middle
        return fitting


def cache_layout(settings: VllmSettings, facts: ModelFacts) -> CacheLayout:
    """How vLLM lays out the cache of a model on one GPU of the last pipeline stage that has most layers."""
    grouped = settings.v1 and settings.version >= _GROUPS_SINCE and not settings.same_layers
    groups = layer_groups(facts) if grouped else ()
    if len(groups) > 1 or (groups and (groups[0].window or groups[0].state_bytes)):
        return _pooled(settings, facts, groups)
    values = _stage(facts.layers, settings) * _layer_values(settings, facts)
    if groups:
        values = _stage(groups[0].layers, settings) * _layer_values(settings, facts, groups[0])
    return CacheLayout(math.ceil(values * settings.cache_value_bytes), BLOCK)


def _stage(layers: int, settings: VllmSettings) -> int:
    return -(-layers // settings.pipeline_parallel)


def _layer_values(settings: VllmSettings, facts: ModelFacts, group: LayerGroup | None = None) -> int:
    """Numbers that a layer keeps of a token."""
    if facts.latent_width is None:
        return token_values(facts, settings.tensor_parallel, group)
    if settings.version < _LATENT_SINCE:
        return 2 * max(1, facts.heads // settings.tensor_parallel) * _FULL_HEAD
    if _PADDED <= settings.version < _PADDED_UNTIL:
        return _PADDED_WIDTH
    return token_values(facts, settings.tensor_parallel)


def _pooled(settings: VllmSettings, facts: ModelFacts, groups: tuple[LayerGroup, ...]) -> PooledCache:
    """The pool: pages of all kinds have the same size, so narrow layers have longer blocks."""
    layers = [_stage(group.layers, settings) for group in groups]
    widths = [_token_bytes(settings, facts, group) for group in groups]
    states = [math.ceil((group.state_bytes or 0) / settings.tensor_parallel) for group in groups]
    narrowest = min((width for width in widths if width), default=1)
    block = max(BLOCK, math.ceil(max(states) / narrowest / BLOCK) * BLOCK)
    page = max(*(block * width for width in widths), *states)
    size = _group_size(settings, layers)
    full: list[int] = []
    windowed: list[tuple[int, int]] = []
    state_blocks = 0
    for group, count, width in zip(groups, layers, widths, strict=True):
        number = -(-count // size)
        if group.state_bytes:
            state_blocks += number * _STATE_BLOCKS
        elif group.window:
            windowed += [(page // width, group.window - 1 + settings.batched)] * number
        else:
            full += [page // width] * number
    checked = any(states) and settings.graphs and settings.version >= _CHECKS_STATES_SINCE
    layout = PooledCache(
        bytes_per_token=1,
        block_size=block,
        block_bytes=size * page,
        full=tuple(full),
        windowed=tuple(windowed),
        state_blocks=state_blocks,
        length=settings.length,
        least_blocks=settings.sequences if checked else 0,
    )
    return replace(layout, bytes_per_token=-(-layout.request_bytes(settings.length) // settings.length))


def _token_bytes(settings: VllmSettings, facts: ModelFacts, group: LayerGroup) -> int:
    if group.state_bytes:
        return 0
    return math.ceil(_layer_values(settings, facts, group) * settings.cache_value_bytes)


def _group_size(settings: VllmSettings, layers: list[int]) -> int:
    times = next((times for since, times in _SAME_SIZE if settings.version >= since), 1.0)
    return max(layers) if max(layers) < times * min(layers) else min(layers)
