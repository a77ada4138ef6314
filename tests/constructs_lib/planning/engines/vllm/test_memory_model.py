"""How vLLM divides a GPU's memory."""

from __future__ import annotations

from typing import Any

import pytest

from constructs_lib.planning.hardware.gpu_memory import GIB, visible_bytes
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.memory_plan import MemoryPlan
from constructs_lib.planning.models.facts import ModelFacts, known_model
from constructs_lib.planning.sizing.candidates import candidates
from constructs_lib.planning.sizing.cheapest import cheapest
from constructs_lib.planning.sizing.memory import context_for, fit_memory, full_version
from tests.constructs_lib.planning.engines.sized_engine import VLLM, VllmSizes

LAYER = 32 * 2 * 8 * 128 * 2
"""Bytes of a token of Llama 3.1 8B."""


def facts_of(hub_id: str) -> ModelFacts:
    facts = known_model(hub_id)
    assert facts is not None
    return facts


LLAMA = facts_of("meta-llama/Llama-3.1-8B-Instruct")


def planned(
    instance: InstanceType = InstanceType.G6E_XLARGE,
    version: str = "0.30.0",
    facts: ModelFacts = LLAMA,
    **options: Any,
) -> tuple[dict[str, object], MemoryPlan]:
    """The settings that follow, and the plan."""
    ctx = context_for(VLLM, facts, instance, VllmSizes(**options), full_version(version))
    fitted, memory = fit_memory(ctx, facts, VLLM.memory_model.shards(ctx))
    return dict(VLLM.memory_model.following_settings(ctx, fitted, memory)), memory


def test_the_cache_gets_what_weights_runtime_graphs_and_profile_pass_leave() -> None:
    _, memory = planned(max_model_len=8192)
    total = visible_bytes(InstanceType.G6E_XLARGE)
    activations = max(2048 * (3 * 14_336 + 3 * 4096) * 2, 4 * 256 * 128_256 * 4)
    available = int(total * 0.92) - 8_030_000_000 * 2 - int(0.7 * GIB) - activations
    assert memory.free_for_tokens == pytest.approx(available, abs=2)
    assert memory.max_tokens == available // (16 * LAYER) * 16
    assert (memory.asked_tokens, memory.context, memory.margin) == (8192, 8192, 0)


def test_without_a_length_the_plan_sets_the_longest_that_certainly_fits() -> None:
    settings, memory = planned(InstanceType.G6_2XLARGE)
    assert settings == {"max_model_len": memory.asked_tokens}
    assert memory.asked_tokens % 256 == 0
    assert memory.uncertainty <= memory.slack < memory.uncertainty + 256 * LAYER
    assert not memory.is_tight


def test_the_models_own_length_is_set_where_it_fits() -> None:
    settings, memory = planned(InstanceType.P5_4XLARGE)
    assert settings == {"max_model_len": 131_072}
    assert not memory.is_tight


def test_a_length_that_does_not_fit_by_any_estimate_is_refused() -> None:
    _, memory = planned(InstanceType.G6_2XLARGE, max_model_len=100_000)
    assert memory.is_too_large
    assert memory.high_tokens < 100_000
    assert memory.low_tokens < memory.max_tokens < memory.high_tokens


def test_the_cheapest_instance_gets_the_length_that_is_asked_for() -> None:
    found = cheapest(candidates(LLAMA, engine=VLLM, tokens=16_384, version="0.30.0"))
    assert found is not None
    assert found.settings["max_model_len"] == 16_384
    assert found.memory is not None
    assert not found.memory.is_tight
