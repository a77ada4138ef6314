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
from constructs_lib.planning.sizing.suggestions import fit_problems
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


def test_a_smaller_prefill_leaves_a_larger_share_for_weights_and_cache() -> None:
    """From 0.5.20 on a prefill of 4096 tokens leaves no room for an 8B model on an L4."""
    settings, memory = planned(version="0.5.20", context_length=4096)
    assert settings == {"chunked_prefill_size": 2048}
    assert memory.fits
    settings, memory = planned(version="0.5.19", context_length=4096)
    assert settings == {}
    assert memory.fits


def test_a_share_that_leaves_nothing_for_a_prefill_is_refused() -> None:
    _, memory = planned(InstanceType.G6E_XLARGE, mem_fraction_static=0.99, context_length=8192)
    assert memory.free_for_tokens > memory.cache.request_bytes(8192)
    assert not memory.fits


def test_the_table_of_requests_lies_beside_the_cache() -> None:
    _, few = planned(InstanceType.G6E_XLARGE, context_length=8192, max_running_requests=8)
    _, many = planned(InstanceType.G6E_XLARGE, context_length=8192)
    assert many.peak - few.peak == (2048 - 8) * 8192 * 4
    assert many.max_tokens == few.max_tokens


def test_a_number_of_tokens_only_lowers_the_cache() -> None:
    _, memory = planned(InstanceType.G6E_XLARGE, context_length=8192, max_total_tokens=20_000)
    assert memory.max_tokens == 20_000
    _, memory = planned(InstanceType.G6E_XLARGE, context_length=8192, max_total_tokens=10**7)
    assert memory.max_tokens < 10**6


def test_weights_on_the_host_and_adapters_change_what_is_left() -> None:
    _, usual = planned(InstanceType.G6E_XLARGE, context_length=8192)
    _, offloaded = planned(InstanceType.G6E_XLARGE, context_length=8192, cpu_offload_gb=4)
    assert offloaded.free_for_tokens - usual.free_for_tokens == 4 * GIB
    _, adapted = planned(InstanceType.G6E_XLARGE, context_length=8192, lora_paths=("a=b",), max_lora_rank=8)
    widths = 5 * 4096 + 4096 + 14_336 + 4096 + 2 * 1024 + 2 * 14_336 + 2 * 4096
    assert usual.free_for_tokens - adapted.free_for_tokens == 8 * 8 * 32 * widths * 2


def test_several_gpus_hold_buffers_between_them() -> None:
    _, memory = planned(InstanceType.G6_12XLARGE, mem_fraction_static=0.8, context_length=8192)
    free = visible_bytes(InstanceType.G6_12XLARGE) - 1.25 * GIB
    assert memory.free_for_tokens == pytest.approx(free * 0.8 - memory.weights, abs=2)


@pytest.mark.parametrize(
    ("instance", "options", "words"),
    [
        (InstanceType.G6_2XLARGE, {"tp_size": 2}, "has 1 GPU. Lower it to 1 or less."),
        (InstanceType.G6_12XLARGE, {"tp_size": 3}, "32 attention heads, which cannot be split evenly over 3"),
    ],
)
def test_what_cannot_be_split_is_a_problem(instance: InstanceType, options: dict[str, Any], words: str) -> None:
    ctx = context_for(SGLANG, LLAMA, instance, SglangSizes(**options), full_version("0.5.20"))
    found = [str(problem) for problem in SGLANG.memory_model.shard_problems(ctx)]
    assert len(found) == 1
    assert words in found[0]


def test_remedies_take_an_fp8_cache_before_shorter_requests() -> None:
    ctx = context_for(
        SGLANG, LLAMA, InstanceType.G6_2XLARGE, SglangSizes(context_length=32_768), full_version("0.5.19")
    )
    _, memory = fit_memory(ctx, LLAMA, 1)
    fix = next(iter(fit_problems(ctx, LLAMA, memory, None))).fix
    assert fix.startswith(
        "What would fit: this one with options.kv_cache_dtype='fp8_e5m2'; this one with options.context"
    )
