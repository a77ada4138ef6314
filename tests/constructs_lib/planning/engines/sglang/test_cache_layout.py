"""The layout of SGLang's cache."""

from __future__ import annotations

import math
from dataclasses import replace

from constructs_lib.planning.engines.sglang.cache_layout import cache_layout, state_bytes
from constructs_lib.planning.engines.sglang.memory_settings import SglangSettings
from constructs_lib.planning.images.catalogue import Version
from constructs_lib.planning.models.facts import ModelFacts, known_model
from constructs_lib.planning.models.layer_groups import LayerGroup


def facts_of(hub_id: str) -> ModelFacts:
    facts = known_model(hub_id)
    assert facts is not None
    return facts


LLAMA = facts_of("meta-llama/Llama-3.1-8B-Instruct")
GEMMA = facts_of("google/gemma-3-27b-it")
STATE = 48 * 128 * 128 * 4
QWEN = replace(
    LLAMA,
    layers=64,
    kv_heads=4,
    head_dim=256,
    layer_groups=(LayerGroup(layers=16), LayerGroup(layers=48, state_bytes=STATE)),
)


def settings(version: Version = (0, 5, 20), *, shards: int = 1, requests: int | None = None) -> SglangSettings:
    return SglangSettings(
        version=version,
        tensor_parallel=shards,
        length=8192,
        fraction=0.8,
        prefill=4096,
        graph_batch=48,
        most_tokens=None,
        requests=requests,
        cache_value_bytes=2,
    )


def test_key_value_heads_are_shared_and_a_latent_is_not() -> None:
    assert cache_layout(settings(shards=4), LLAMA).bytes_per_token == 32 * 2 * 2 * 128 * 2
    deepseek = facts_of("deepseek-ai/DeepSeek-V3")
    assert cache_layout(settings(shards=8), deepseek).bytes_per_token == 61 * 576 * 2


def test_layers_with_a_window_have_four_fifths_of_the_tokens() -> None:
    layer = 2 * 16 * 128 * 2
    assert cache_layout(settings(), GEMMA).bytes_per_token == math.ceil((10 + 0.8 * 52) * layer)
    assert cache_layout(settings((0, 4, 6)), GEMMA).bytes_per_token == 62 * layer


def test_states_take_nine_tenths_of_what_keys_and_values_do_unless_their_number_is_known() -> None:
    """A log of SGLang 0.5.17: 64 KiB of keys and values a token."""
    assert cache_layout(settings(requests=8), QWEN).bytes_per_token == 64 * 1024
    assert cache_layout(settings(), QWEN).bytes_per_token == math.ceil(1.9 * 64 * 1024)
    assert state_bytes(settings(requests=8), QWEN) == 8 * 48 * STATE
    assert state_bytes(settings(), QWEN) == 0
