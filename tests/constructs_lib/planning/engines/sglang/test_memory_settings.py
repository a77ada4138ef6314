"""SGLang's own defaults, by version and GPU, as its server_args.py computes them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from constructs_lib.planning.engines.sglang.memory_settings import SglangSettings, read_settings
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.models.facts import ModelFacts, known_model
from constructs_lib.planning.sizing.memory import context_for, full_version
from tests.constructs_lib.planning.engines.sized_engine import SGLANG, SglangSizes


def facts_of(hub_id: str) -> ModelFacts:
    facts = known_model(hub_id)
    assert facts is not None
    return facts


LLAMA = facts_of("meta-llama/Llama-3.1-8B-Instruct")
DEEPSEEK = facts_of("deepseek-ai/DeepSeek-V3")


def read(
    instance: InstanceType, version: str = "0.5.20", facts: ModelFacts = LLAMA, **options: object
) -> SglangSettings:
    return read_settings(
        context_for(SGLANG, facts, instance, SglangSizes(**options), full_version(version)),  # type: ignore[arg-type]
        facts,
    )


@pytest.mark.parametrize(
    ("instance", "version", "prefill", "graphs"),
    [
        (InstanceType.G4DN_XLARGE, "0.5.20", 2048, 8),
        (InstanceType.G6_2XLARGE, "0.5.19", 2048, 24),
        (InstanceType.G6_2XLARGE, "0.5.20", 4096, 48),
        (InstanceType.G6_12XLARGE, "0.5.19", 2048, 80),
        (InstanceType.G6_12XLARGE, "0.5.20", 4096, 160),
        (InstanceType.G6E_XLARGE, "0.5.20", 4096, 32),
        (InstanceType.G6E_12XLARGE, "0.5.20", 4096, 160),
        (InstanceType.P5_4XLARGE, "0.5.20", 8192, 256),
        (InstanceType.P5_48XLARGE, "0.5.20", 8192, 512),
        (InstanceType.P6_B200_48XLARGE, "0.5.20", 16_384, 512),
        (InstanceType.G6_2XLARGE, "0.4.2", 2048, 8),
    ],
)
def test_prefill_and_graphs_follow_the_memory_of_the_gpu(
    instance: InstanceType, version: str, prefill: int, graphs: int
) -> None:
    found = read(instance, version)
    assert (found.prefill, found.graph_batch) == (prefill, graphs)


@pytest.mark.parametrize(
    ("instance", "version", "fraction"),
    [
        (InstanceType.G4DN_XLARGE, "0.5.8", 0.757),
        (InstanceType.G6_2XLARGE, "0.5.8", 0.836),
        (InstanceType.G6E_XLARGE, "0.5.8", 0.851),
        (InstanceType.P5_4XLARGE, "0.5.8", 0.834),
        (InstanceType.P5EN_48XLARGE, "0.5.8", 0.897),
        (InstanceType.G6_2XLARGE, "0.5.19", 0.822),
        (InstanceType.G6_2XLARGE, "0.5.20", 0.684),
        (InstanceType.P5_4XLARGE, "0.4.9", 0.874),
        (InstanceType.G6_2XLARGE, "0.4.2", 0.88),
        (InstanceType.G6_12XLARGE, "0.4.2", 0.85),
        (InstanceType.G6_48XLARGE, "0.4.0", 0.82),
        (InstanceType.P5EN_48XLARGE, "0.4.6", 0.907),
    ],
)
def test_the_fraction_leaves_what_prefill_and_graphs_need(
    instance: InstanceType, version: str, fraction: float
) -> None:
    assert read(instance, version).fraction == pytest.approx(fraction, abs=0.002)


def test_graphs_of_prefills_cost_more_with_a_latent_and_nothing_with_images() -> None:
    text, images = read(InstanceType.G6E_XLARGE), read(InstanceType.G6E_XLARGE, facts=replace(LLAMA, reads_images=True))
    mib = 46_068
    assert text.fraction == pytest.approx(1 - (512 + 6144 + 64 + 128 + 400) / mib, abs=0.001)
    assert images.fraction == pytest.approx((1 - (512 + 6144 + 64 + 128) / mib) * 0.95, abs=0.001)
    latent = read(InstanceType.G6E_XLARGE, facts=DEEPSEEK)
    assert latent.fraction == pytest.approx(1 - (512 + 6144 + 64 + 128 + 1536) / mib, abs=0.001)


def test_what_is_given_replaces_the_defaults() -> None:
    found = read(
        InstanceType.G6E_XLARGE,
        context_length=4096,
        mem_fraction_static=0.5,
        chunked_prefill_size=-1,
        cuda_graph_max_bs=4,
        max_total_tokens=9000,
        max_running_requests=3,
        kv_cache_dtype="fp8_e5m2",
    )
    assert (found.length, found.fraction, found.prefill, found.graph_batch) == (4096, 0.5, 16_384, 4)
    assert (found.most_tokens, found.requests, found.cache_value_bytes) == (9000, 3, 1)
    assert read(InstanceType.G6E_XLARGE, disable_cuda_graph=True).graph_batch == 0
