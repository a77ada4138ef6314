"""Over how many GPUs vLLM and SGLang can split the layers of a model."""

from __future__ import annotations

from dataclasses import replace

import pytest

from constructs_lib.planning.engines.tensor_parallel import indivisible, possible_shards
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.models.facts import ModelFacts, known_model
from constructs_lib.planning.sizing.memory import context_for, full_version
from tests.constructs_lib.planning.engines.sized_engine import SGLANG, VLLM, SglangSizes, VllmSizes


def facts_of(hub_id: str) -> ModelFacts:
    facts = known_model(hub_id)
    assert facts is not None
    return facts


QWEN = facts_of("Qwen/Qwen2.5-7B-Instruct")


@pytest.mark.parametrize(
    ("hub_id", "possible"),
    [
        ("meta-llama/Llama-3.1-8B-Instruct", (1, 2, 4, 8)),
        ("Qwen/Qwen2.5-7B-Instruct", (1, 2, 4)),  # 28 heads, 4 of them for keys and values: 7 GPUs cannot share those
        ("google/gemma-2b", (1, 2, 4, 8)),  # one head for keys and values, which every GPU holds
        ("deepseek-ai/DeepSeek-V3", (1, 2, 4, 8)),
    ],
)
def test_heads_decide_how_many_gpus_share_a_model(hub_id: str, possible: tuple[int, ...]) -> None:
    assert possible_shards(facts_of(hub_id), 8) == possible


@pytest.mark.parametrize(
    ("shards", "words"),
    [(4, None), (8, "28 attention heads"), (7, "4 key-value heads"), (14, "4 key-value heads")],
)
def test_what_cannot_be_split_is_named(shards: int, words: str | None) -> None:
    assert indivisible(QWEN, shards) == words


def test_feed_forward_layers_have_to_be_split_evenly() -> None:
    dense = replace(QWEN, heads=32, kv_heads=32, intermediate=1000)
    assert indivisible(dense, 8) is None
    assert indivisible(dense, 16) == "feed-forward layers of 1000"
    assert indivisible(replace(dense, experts=4), 16) is None  # whole experts may be shared out


@pytest.mark.parametrize(
    ("engine", "sizes", "version", "option"),
    [(VLLM, VllmSizes, "0.30.0", "tensor_parallel_size"), (SGLANG, SglangSizes, "0.5.20", "tp_size")],
)
def test_an_instance_gets_the_most_gpus_that_can_share_the_model(engine, sizes, version, option) -> None:
    settings = engine.memory_model.settings_for(sizes(), QWEN, InstanceType.G6_48XLARGE, None, 1)
    assert settings == {option: 4}
    ctx = context_for(engine, QWEN, InstanceType.G6_48XLARGE, sizes(), full_version(version))
    words = (
        f"options.{option}=None: Qwen/Qwen2.5-7B-Instruct has 28 attention heads, which cannot be split evenly over 8"
        f" GPUs of ml.g6.48xlarge; possible here: 1 or 2 or 4. Set options.{option} to 1 or 2 or 4, or use an instance"
        " with that many GPUs."
    )
    assert [str(problem) for problem in engine.memory_model.shard_problems(ctx)] == [words]
