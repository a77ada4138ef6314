"""How vLLM divides a GPU's memory."""

from __future__ import annotations

from typing import Any

import pytest

from constructs_lib.planning.engines.vllm.memory_model import VllmMemoryModel
from constructs_lib.planning.engines.vllm.memory_settings import (
    VllmContainer,
    VllmOptionNames,
    read_settings,
    tensor_parallel,
)
from constructs_lib.planning.hardware.gpu_memory import GIB, visible_bytes
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.memory_plan import MemoryPlan
from constructs_lib.planning.models.facts import ModelFacts, known_model
from constructs_lib.planning.sizing.candidates import candidate, candidates
from constructs_lib.planning.sizing.cheapest import cheapest
from constructs_lib.planning.sizing.memory import context_for, fit_memory, full_version, plan_memory
from constructs_lib.planning.sizing.suggestions import fit_problems
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


def test_what_the_caller_gives_is_not_lowered() -> None:
    settings, memory = planned(InstanceType.G6_2XLARGE, max_model_len=8192, max_num_seqs=64)
    assert settings == {}
    assert (memory.asked_tokens, memory.fits) == (8192, True)


def test_fewer_requests_at_a_time_leave_room_for_a_length_that_is_asked_for() -> None:
    """On a T4 the logits of 256 requests take what the length needs."""
    qwen = facts_of("Qwen/Qwen2.5-3B-Instruct")
    without = planned(InstanceType.G4DN_XLARGE, facts=qwen, max_num_seqs=256)[1].max_tokens
    settings, memory = planned(InstanceType.G4DN_XLARGE, facts=qwen, max_model_len=without + 2048)
    assert settings == {"max_num_seqs": 128}
    assert memory.fits


@pytest.mark.parametrize(
    ("version", "share", "graphs"), [("0.19.1", 0.90, 0.0), ("0.20.0", 0.92, 0.5), ("0.30.0", 0.92, 0.5)]
)
def test_from_0_20_on_a_larger_share_holds_the_cuda_graphs(version: str, share: float, graphs: float) -> None:
    _, memory = planned(version=version, max_model_len=8192)
    assert memory.usable == int(visible_bytes(InstanceType.G6E_XLARGE) * share)
    assert memory.runtime == pytest.approx((0.2 + graphs) * GIB, abs=2)
    _, eager = planned(version=version, max_model_len=8192, enforce_eager=True)
    assert eager.runtime == pytest.approx(0.2 * GIB, abs=2)


@pytest.mark.parametrize(
    ("instance", "version", "batched", "sequences"),
    [
        (InstanceType.P5_4XLARGE, "0.30.0", 8192, 1024),
        (InstanceType.P4DE_24XLARGE, "0.30.0", 2048, 256),
        (InstanceType.P4DE_24XLARGE, "0.8.5", 8192, 1024),
        (InstanceType.G6E_XLARGE, "0.30.0", 2048, 256),
        (InstanceType.G6E_XLARGE, "0.8.0", 2048, 1024),
        (InstanceType.P6_B200_48XLARGE, "0.27.1", 8192, 1024),
        (InstanceType.P6_B200_48XLARGE, "0.28.0", 16_384, 1024),
        (InstanceType.G4DN_XLARGE, "0.10.0", 8192, 256),  # V0, which splits no prompts of that length
    ],
)
def test_the_size_of_a_step_follows_gpu_and_version(
    instance: InstanceType, version: str, batched: int, sequences: int
) -> None:
    ctx = context_for(VLLM, LLAMA, instance, VllmSizes(max_model_len=8192), full_version(version))
    found = read_settings(ctx, LLAMA, visible_bytes(instance), VllmContainer())
    assert (found.batched, found.sequences) == (batched, sequences)


def test_the_cache_may_be_given_in_bytes() -> None:
    _, memory = planned(max_model_len=8192, kv_cache_memory_bytes=2 * GIB)
    assert memory.free_for_tokens == 2 * GIB


def test_weights_on_the_host_make_room_on_the_gpu() -> None:
    _, without = planned(InstanceType.G6_2XLARGE, max_model_len=8192)
    _, memory = planned(InstanceType.G6_2XLARGE, max_model_len=8192, cpu_offload_gb=4)
    assert memory.free_for_tokens - without.free_for_tokens == 4 * GIB


def test_adapters_take_room_for_their_rank() -> None:
    _, without = planned(max_model_len=8192)
    _, memory = planned(max_model_len=8192, enable_lora=True, max_loras=4, max_lora_rank=32)
    widths = 5 * 4096 + 4096 + 14_336 + 4096 + 2 * 1024 + 2 * 14_336 + 2 * 4096
    assert memory.runtime - without.runtime == pytest.approx(4 * 32 * 32 * widths * 2, abs=2)


def test_float32_doubles_weights_and_cache() -> None:
    _, half = planned(InstanceType.P5_4XLARGE, max_model_len=8192)
    _, full = planned(InstanceType.P5_4XLARGE, max_model_len=8192, dtype="float32")
    assert full.cache.bytes_per_token == 2 * half.cache.bytes_per_token
    assert full.weights > 1.8 * half.weights


def test_a_connector_of_the_cache_makes_every_layer_keep_all_tokens() -> None:
    gemma = facts_of("google/gemma-3-12b-it")
    _, groups = planned(InstanceType.P5_4XLARGE, facts=gemma, max_model_len=32_768)
    _, same = planned(InstanceType.P5_4XLARGE, facts=gemma, max_model_len=32_768, kv_transfer_config="{}")
    assert same.cache.request_bytes(32_768) > 2 * groups.cache.request_bytes(32_768)


def test_a_pipeline_shares_layers_and_the_rest_of_the_gpus_shares_each_layer() -> None:
    ctx = context_for(
        VLLM, LLAMA, InstanceType.G6_12XLARGE, VllmSizes(pipeline_parallel_size=2), full_version("0.30.0")
    )
    assert (VLLM.memory_model.shards(ctx), tensor_parallel(ctx, VllmContainer())) == (4, 2)


def test_another_container_has_its_own_names_version_and_number_of_requests() -> None:
    container = VllmContainer(
        names=VllmOptionNames(sequences="kv_cache_memory_bytes", length="pipeline_parallel_size"),
        version=lambda version: (0, 19, version[0]),
        sequences=32,
        batched=1024,
    )
    ctx = context_for(VLLM, LLAMA, InstanceType.P5_4XLARGE, VllmSizes(), full_version("1.0.0"))
    found = read_settings(ctx, LLAMA, visible_bytes(InstanceType.P5_4XLARGE), container)
    assert (found.version, found.sequences, found.batched, found.utilization) == ((0, 19, 1), 32, 1024, 0.9)
    assert VllmMemoryModel(container).option_names.sizes == ("pipeline_parallel_size", "kv_cache_memory_bytes")


@pytest.mark.parametrize(
    ("instance", "options", "words"),
    [
        (InstanceType.G6_2XLARGE, {"tensor_parallel_size": 2}, "has 1 GPU. Lower it to 1 or less."),
        (
            InstanceType.G6_12XLARGE,
            {"tensor_parallel_size": 3},
            "32 attention heads, which cannot be split evenly over",
        ),
    ],
)
def test_what_cannot_be_split_is_a_problem(instance: InstanceType, options: dict[str, Any], words: str) -> None:
    ctx = context_for(VLLM, LLAMA, instance, VllmSizes(**options), full_version("0.30.0"))
    found = [str(problem) for problem in VLLM.memory_model.shard_problems(ctx)]
    assert len(found) == 1
    assert words in found[0]


def test_remedies_start_with_what_takes_least_away() -> None:
    ctx = context_for(
        VLLM,
        LLAMA,
        InstanceType.G6_12XLARGE,
        VllmSizes(tensor_parallel_size=1, max_model_len=100_000, max_num_seqs=256),
        full_version("0.30.0"),
    )
    _, memory = fit_memory(ctx, LLAMA, 1)
    fix = next(iter(fit_problems(ctx, LLAMA, memory, None))).fix
    assert fix.startswith("What would fit: this one with options.tensor_parallel_size=2; this one with options.")


def test_no_more_requests_run_at_a_time_than_the_options_allow() -> None:
    _, memory = planned(max_model_len=256, max_num_seqs=8)
    assert memory.concurrent_requests(256) == 8
    assert memory.free_for_tokens // memory.cache.request_bytes(256) > 100
    found = candidate(
        LLAMA, InstanceType.G6E_XLARGE, engine=VLLM, tokens=256, concurrency=9, options=VllmSizes(max_num_seqs=8)
    )
    assert found.reason == (
        "It serves 8 concurrent requests of 256 tokens (as many as max_num_seqs allows), but 9 are requested."
    )


def test_short_requests_are_the_last_resort() -> None:
    """Gemma 2's vocabulary is so large that fewer requests at a time leave room for longer ones."""
    gemma = facts_of("google/gemma-2-9b-it")
    ctx = context_for(VLLM, gemma, InstanceType.G6_2XLARGE, VllmSizes(), full_version("0.30.0"))
    memory = plan_memory(ctx, gemma, 1)
    found = [tuple(one.values()) for one in VLLM.memory_model.smaller_settings(ctx, memory)]
    fewer = [one for count in (128, 64, 32, 16) for one in ((count,), (4096, count))]
    assert found == [(4096,), *fewer, (2048, 16), (1024, 16)]


def test_what_the_plan_chooses_fits_in_the_worst_case() -> None:
    gemma = facts_of("google/gemma-2-9b-it")
    settings, memory = planned(InstanceType.G6_2XLARGE, facts=gemma)
    assert settings == {"max_model_len": 4096, "max_num_seqs": 64}
    assert memory.slack >= memory.uncertainty


def test_requests_for_whose_states_there_are_no_blocks_do_not_run_at_a_time() -> None:
    granite = facts_of("ibm-granite/granite-4.0-h-small")
    settings, memory = planned(InstanceType.P5_4XLARGE, facts=granite)
    assert settings == {"max_model_len": 131_072, "max_num_seqs": 128}
    assert memory.slack >= memory.uncertainty
    assert not planned(InstanceType.P5_4XLARGE, facts=granite, max_model_len=131_072, max_num_seqs=1024)[1].fits


def test_a_step_is_no_longer_than_all_requests_together() -> None:
    ctx = context_for(
        VLLM, LLAMA, InstanceType.P5_4XLARGE, VllmSizes(max_model_len=256, max_num_seqs=4), full_version("0.30.0")
    )
    assert read_settings(ctx, LLAMA, visible_bytes(InstanceType.P5_4XLARGE), VllmContainer()).batched == 1024
