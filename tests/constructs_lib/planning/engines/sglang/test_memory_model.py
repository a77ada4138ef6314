"""How SGLang divides a GPU's memory."""

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
from tests.constructs_lib.planning.engines.sized_engine import SGLANG, SglangSizes


def facts_of(hub_id: str) -> ModelFacts:
    facts = known_model(hub_id)
    assert facts is not None
    return facts


LLAMA = facts_of("meta-llama/Llama-3.1-8B-Instruct")


def planned(
    instance: InstanceType = InstanceType.G6_2XLARGE,
    version: str = "0.5.20",
    facts: ModelFacts = LLAMA,
    **options: Any,
) -> tuple[dict[str, object], MemoryPlan]:
    """The settings that follow, and the plan."""
    ctx = context_for(SGLANG, facts, instance, SglangSizes(**options), full_version(version))
    fitted, memory = fit_memory(ctx, facts, SGLANG.memory_model.shards(ctx))
    return dict(SGLANG.memory_model.following_settings(ctx, fitted, memory)), memory


def test_weights_and_cache_share_a_fraction_of_what_is_free() -> None:
    _, memory = planned(mem_fraction_static=0.8, context_length=8192)
    free = visible_bytes(InstanceType.G6_2XLARGE) - 0.45 * GIB
    assert memory.free_for_tokens == pytest.approx(free * 0.8 - 8_030_000_000 * 2, abs=2)
    assert memory.max_tokens == memory.free_for_tokens // (32 * 2 * 8 * 128 * 2)


def test_without_a_length_the_plan_sets_the_longest_that_the_cache_certainly_holds() -> None:
    settings, memory = planned(InstanceType.G6E_XLARGE, facts=facts_of("Qwen/Qwen2.5-14B-Instruct"))
    assert settings == {"context_length": memory.asked_tokens}
    assert memory.uncertainty <= memory.slack
    assert memory.asked_tokens % 256 == 0


def test_a_length_that_the_cache_cannot_hold_is_refused() -> None:
    _, memory = planned(context_length=100_000)
    assert memory.is_too_large


def test_the_cheapest_instance_gets_the_length_that_is_asked_for() -> None:
    found = cheapest(candidates(LLAMA, engine=SGLANG, tokens=16_384, version="0.5.20"))
    assert found is not None
    assert found.settings["context_length"] == 16_384
    assert found.memory is not None
    assert not found.memory.is_tight
