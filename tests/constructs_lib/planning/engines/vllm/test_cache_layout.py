"""The layout of vLLM's cache, by models whose logs say how many blocks and requests there are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from constructs_lib.planning.engines.vllm.cache_layout import PooledCache, cache_layout
from constructs_lib.planning.engines.vllm.memory_settings import VllmSettings
from constructs_lib.planning.hardware.gpu_memory import GIB
from constructs_lib.planning.images.catalogue import Version
from constructs_lib.planning.memory_plan import CacheLayout
from constructs_lib.planning.models.facts import ModelFacts, known_model
from constructs_lib.planning.models.layer_groups import LayerGroup

QWEN_STATE = 32 * 128 * 128 * 4 + (2 * 16 * 128 + 32 * 128) * 3 * 2


def facts_of(hub_id: str) -> ModelFacts:
    facts = known_model(hub_id)
    assert facts is not None
    return facts


LLAMA = facts_of("meta-llama/Llama-3.1-8B-Instruct")
DEEPSEEK = facts_of("deepseek-ai/DeepSeek-V3")
GEMMA = facts_of("google/gemma-3-27b-it")
QWEN = replace(
    LLAMA,
    layers=40,
    kv_heads=2,
    head_dim=256,
    layer_groups=(LayerGroup(layers=10), LayerGroup(layers=30, state_bytes=QWEN_STATE)),
)


def settings(
    version: Version = (0, 30, 0), *, shards: int = 1, length: int = 65_536, **changes: object
) -> VllmSettings:
    usual = VllmSettings(
        version=version,
        v1=version >= (0, 8, 0),
        tensor_parallel=shards,
        pipeline_parallel=1,
        length=length,
        sequences=256,
        batched=2048,
        utilization=0.92,
        cache_bytes=None,
        cache_dtype=None,
        graphs=True,
        chunked=True,
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


def pooled(facts: ModelFacts, chosen: VllmSettings) -> PooledCache:
    layout = cache_layout(chosen, facts)
    assert isinstance(layout, PooledCache)
    return layout


def test_full_attention_takes_the_same_for_each_token_in_blocks_of_16() -> None:
    assert cache_layout(settings(), LLAMA) == CacheLayout(32 * 2 * 8 * 128 * 2, 16)
    assert cache_layout(settings(cache_dtype="fp8"), LLAMA) == CacheLayout(32 * 2 * 8 * 128, 16)


@pytest.mark.parametrize(("shards", "heads"), [(2, 4), (8, 1), (16, 1)])
def test_key_value_heads_are_shared_until_each_gpu_has_one(shards: int, heads: int) -> None:
    assert cache_layout(settings(shards=shards), LLAMA).bytes_per_token == 32 * 2 * heads * 128 * 2


@pytest.mark.parametrize(
    ("version", "width"),
    [((0, 30, 0), 576), ((0, 7, 3), 640), ((0, 7, 1), 576), ((0, 7, 0), 2 * 16 * 256)],
)
def test_a_latent_is_whole_on_every_gpu_and_once_was_none(version: Version, width: int) -> None:
    assert cache_layout(settings(version, shards=8), DEEPSEEK).bytes_per_token == 61 * width * 2


def test_a_pipeline_stage_keeps_its_own_layers() -> None:
    assert cache_layout(settings(pipeline_parallel=3), LLAMA).bytes_per_token == 11 * 2 * 8 * 128 * 2


def test_blocks_are_as_long_as_a_state_and_a_request_holds_two_blocks_of_states_a_group() -> None:
    """A log of vLLM 0.17: 159,296 tokens, which are 304 blocks in 4 groups, and 8.0 requests of 65,536 tokens."""
    layout = pooled(QWEN, settings((0, 17, 0), cache_dtype="fp8"))
    assert (layout.block_size, layout.full, layout.state_blocks) == (2096, (2096,), 6)
    assert layout.block_bytes == 10 * QWEN_STATE
    blocks = 304
    assert blocks // 4 * layout.block_size == 159_296
    assert layout.max_tokens(blocks * layout.block_bytes) == 8 * 65_536


def test_a_window_keeps_what_it_reaches_and_one_step() -> None:
    layout = pooled(GEMMA, settings(length=131_072))
    assert (layout.full, len(layout.windowed)) == ((16,), 6)
    assert layout.windowed[0] == (16, 1023 + 2048)
    assert layout.block_bytes == 10 * 16 * 2 * 16 * 128 * 2
    window = -(-3071 // 16) + 1
    assert layout.request_bytes(131_072) == (8192 + 6 * window) * layout.block_bytes
    assert layout.bytes_per_token * 131_072 == pytest.approx(layout.request_bytes(131_072), abs=131_072)
    assert layout.request_bytes(1024) == (64 + 6 * 65) * layout.block_bytes


def test_wide_layers_make_the_blocks_of_narrow_ones_longer() -> None:
    """Gemma 4 31B: layers with a window have 16 heads of 256, the others 4 of 512."""
    groups = (LayerGroup(layers=10, kv_heads=4, head_dim=512), LayerGroup(layers=50, window=1024))
    gemma = replace(GEMMA, layers=60, head_dim=256, layer_groups=groups)
    layout = pooled(gemma, settings((0, 20, 0)))
    assert (layout.full, layout.windowed[0][0], len(layout.windowed)) == ((32,), 16, 5)
    assert 50 * GIB // layout.block_bytes // 6 * 16 == pytest.approx(55_000, rel=0.01)


def test_before_0_9_and_in_v0_every_layer_keeps_all_tokens() -> None:
    whole = CacheLayout(62 * 2 * 16 * 128 * 2, 16)
    assert cache_layout(settings((0, 8, 5)), GEMMA) == whole
    assert cache_layout(settings((0, 10, 0), v1=False), GEMMA) == whole


def test_kinds_of_nearly_as_many_layers_get_groups_as_large_as_the_largest() -> None:
    groups = (LayerGroup(layers=20), LayerGroup(layers=28, window=1024))
    facts = replace(LLAMA, layers=48, layer_groups=groups)
    page = 16 * 2 * 8 * 128 * 2
    sizes = [pooled(facts, settings(version)).block_bytes // page for version in ((0, 21, 0), (0, 19, 1), (0, 10, 0))]
    assert sizes == [28, 20, 20]


def test_the_longest_request_that_fits_is_found_where_the_longest_allowed_does_not() -> None:
    layout = pooled(GEMMA, settings(length=131_072))
    available = 1000 * layout.block_bytes
    found = layout.max_tokens(available)
    assert layout.request_bytes(found) <= available < layout.request_bytes(found + 16)
    assert layout.max_tokens(-1) == 0


def test_from_0_20_on_there_must_be_blocks_for_the_states_of_all_requests() -> None:
    assert pooled(QWEN, settings()).least_bytes == 256 * pooled(QWEN, settings()).block_bytes
    assert pooled(QWEN, settings((0, 19, 1))).least_bytes == 0
    assert pooled(QWEN, settings(graphs=False)).least_bytes == 0
    assert pooled(GEMMA, settings()).least_bytes == 0
