"""What a Neuron core holds, and what follows for instances."""

from dataclasses import replace
from typing import Any

import pytest

from constructs_lib.planning.engines.tgi_neuron.memory_model import kv_heads_per_core
from constructs_lib.planning.engines.tgi_neuron.options import NeuronOptions
from constructs_lib.planning.hardware.gpu_memory import GIB, visible_bytes
from constructs_lib.planning.hardware.instance_types import CheapestFor, InstanceType
from constructs_lib.planning.images.catalogue import Version
from constructs_lib.planning.memory_plan import MemoryPlan
from constructs_lib.planning.models.facts import ModelFacts, known_model
from constructs_lib.planning.request import UNDECIDED
from constructs_lib.planning.sizing.candidates import candidates
from constructs_lib.planning.sizing.memory import context_for
from tests.constructs_lib.planning.engines.tgi_neuron.neuron_requests import NEURON, planned, refusals, sized, warnings

HF_70B = "meta-llama/Llama-3.3-70B-Instruct"


def facts_of(hub_id: str) -> ModelFacts:
    facts = known_model(hub_id)
    assert facts is not None
    return facts


def memory_of(**changes: Any) -> MemoryPlan:
    memory = planned(**changes).memory
    assert memory is not None
    return memory


@pytest.mark.parametrize("instance", [one for one in InstanceType.all() if not one.is_gpu], ids=lambda one: one.name)
def test_a_core_has_its_part_of_a_device(instance: InstanceType) -> None:
    assert instance.memory_gib is not None
    assert visible_bytes(instance) == instance.memory_gib * GIB / (instance.cores_per_accelerator or 0)


def test_a_core_holds_its_share_of_the_weights_and_the_whole_batch() -> None:
    memory = memory_of()
    assert memory.gpu_memory == 16 * GIB
    assert memory.weights == 8_030_000_000
    assert memory.cache.request_bytes(4096) == 2 * 32 * 4 * 128 * 2 * 4096
    assert memory.needed == memory.weights + int(2.5 * GIB) + 4 * memory.cache.request_bytes(4096)
    assert (memory.fits, memory.is_tight, memory.static) == (True, False, True)


def test_it_serves_as_many_requests_as_the_batch_has_whatever_their_length() -> None:
    memory = memory_of()
    assert [memory.concurrent_requests(tokens) for tokens in (1, 2048, 4096, 4097)] == [4, 4, 4, 0]
    assert (memory.max_tokens, memory.low_tokens, memory.high_tokens) == (4 * 4096, 4 * 4096, 4 * 4096)
    assert memory.context == 4096


def test_without_sizes_nothing_is_said_of_the_memory() -> None:
    assert planned(options=NeuronOptions()).memory is None


def test_a_model_whose_tensors_are_larger_than_the_core_is_refused() -> None:
    weights, keys = 8_030_000_000 / GIB, 40 * 2 * 32 * 4 * 128 * 2 * 4096 / GIB
    assert weights + keys > 16
    assert refusals(options=sized(max_batch_size=40)) == [
        (
            "instance_type='ml.inf2.8xlarge': cannot hold meta-llama/Llama-3.1-8B-Instruct: 4.0 GiB short on each of 2"
            " cores, of which TGI for Neuron fills 16.0 GiB: 7.5 GiB of weights, 2.5 GiB for the Neuron runtime and"
            " 10.0 GiB for the keys and values of 163840 tokens are too much. What would fit: this one with"
            " options.max_batch_size=24; this one with options.max_total_tokens=2400."
        )
    ]


@pytest.mark.parametrize("batch", [20, 32, 34])
def test_one_that_may_or_may_not_fit_brings_a_warning(batch: int) -> None:
    message = warnings(options=sized(max_batch_size=batch))["tightMemory"]
    assert message.startswith(
        "meta-llama/Llama-3.1-8B-Instruct may not start on ml.inf2.8xlarge: by estimate each core"
    )
    assert message.endswith(
        "the estimate may be 2.5 GiB off. If TGI for Neuron runs out of memory, use more cores, or lower max_batch_size"
        " or max_total_tokens."
    )


# huggingface/optimum-neuron exported these for its cache, the last two are in public deployments.
@pytest.mark.parametrize(
    ("hub_id", "cores", "batch"),
    [
        ("meta-llama/Llama-2-7b-chat-hf", 2, 4),
        ("meta-llama/Llama-2-7b-chat-hf", 8, 16),
        ("meta-llama/Llama-2-13b-chat-hf", 8, 8),
        ("mistralai/Mistral-7B-Instruct-v0.3", 2, 4),
        ("mistralai/Mistral-7B-Instruct-v0.3", 8, 16),
        ("meta-llama/Llama-2-70b-chat-hf", 24, 1),
        ("meta-llama/Llama-3.1-8B-Instruct", 2, 8),
        (HF_70B, 24, 4),
    ],
)
def test_configurations_that_run_fit_without_a_warning(hub_id: str, cores: int, batch: int) -> None:
    sizes = {"num_cores": cores, "max_batch_size": batch}
    found = planned(
        hub_id=hub_id, instance=InstanceType.INF2_48XLARGE, options=sized(**sizes), version="0.0.25", region="us-east-1"
    )
    assert found.problems == ()
    assert "tgi-endpoint:tightMemory" not in [warning.id for warning in found.warnings]


@pytest.mark.parametrize(
    ("version", "cores", "heads"),
    [
        ((0, 3, 0), 1, 8),
        ((0, 3, 0), 2, 4),
        ((0, 3, 0), 8, 1),
        ((0, 3, 0), 24, 1),
        ((0, 3, 0), 12, 6),  # 64 attention heads, padded to 72
        ((0, 0, 28), 12, 1),
    ],
)
def test_key_value_heads_are_shared_or_copied_or_become_attention_heads(
    version: Version, cores: int, heads: int
) -> None:
    facts = facts_of(HF_70B)
    ctx = context_for(NEURON, facts, InstanceType.INF2_48XLARGE, NeuronOptions(), version)
    assert kv_heads_per_core(ctx, facts, cores) == heads


def test_a_model_without_shared_heads_has_them_padded() -> None:
    facts = replace(facts_of("meta-llama/Llama-2-13b-hf"), model_type="llama")
    ctx = context_for(NEURON, facts, InstanceType.INF2_48XLARGE, NeuronOptions(), (0, 3, 0))
    assert (facts.heads, facts.kv_heads, kv_heads_per_core(ctx, facts, 24)) == (40, 40, 2)


def test_the_cheapest_instance_gets_the_sizes_that_are_not_given() -> None:
    found = planned(
        instance=UNDECIDED,
        cheapest=CheapestFor(tokens=4096, concurrency=4),
        options=NeuronOptions(max_batch_size=4),
    )
    assert (found.problems, found.instance.name) == ((), "ml.inf2.xlarge")
    assert found.environment["HF_NUM_CORES"] == "2"
    assert found.environment["HF_AUTO_CAST_TYPE"] == "bf16"
    assert found.environment["MAX_TOTAL_TOKENS"] == "4096"


def test_the_batch_is_as_large_as_the_load() -> None:
    found = planned(
        instance=UNDECIDED, cheapest=CheapestFor(tokens=4096, concurrency=4), options=NeuronOptions(num_cores=2)
    )
    assert found.problems == ()
    assert found.environment["MAX_BATCH_SIZE"] == "4"


def test_a_batch_of_one_serves_no_four_requests() -> None:
    load = CheapestFor(tokens=4096, concurrency=4)
    assert refusals(instance=UNDECIDED, cheapest=load, options=sized(max_batch_size=1)) == [
        (
            "instance_type=CheapestFor(tokens=4096, concurrency=4): no instance in the catalogue serves that load with"
            " meta-llama/Llama-3.1-8B-Instruct; the closest is ml.inf2.xlarge: It serves 1 concurrent requests of 4096"
            " tokens, but 4 are requested. Lower tokens or concurrency, or spread the load over more endpoints."
        )
    ]


def test_candidates_are_the_instances_with_enough_cores() -> None:
    found = {one.instance.name: one for one in candidates(facts_of(HF_70B), engine=NEURON, options=sized(num_cores=24))}
    assert [name for name, one in found.items() if one.fits] == [
        "ml.inf2.48xlarge",
        "ml.trn1.32xlarge",
        "ml.trn1n.32xlarge",
    ]
    assert (
        found["ml.g5.2xlarge"].reason == "It has A10G, but TGI for Neuron's image is for Inferentia 2 and Trainium 1."
    )
    assert found["ml.trn2.48xlarge"].reason == (
        "It has Trainium2, but TGI for Neuron's image is for Inferentia 2 and Trainium 1."
    )
    assert found["ml.inf2.24xlarge"].reason == "options.num_cores: ml.inf2.24xlarge has 12 Neuron cores."


def test_a_plan_counts_cores_and_an_inference_component_devices() -> None:
    found = planned(hub_id=HF_70B, instance=InstanceType.INF2_48XLARGE, options=sized(num_cores=24))
    assert (found.num_shard, found.accelerators) == (24, 12)
