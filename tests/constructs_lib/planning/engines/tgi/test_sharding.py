"""How many GPUs share a model."""

from dataclasses import replace

import pytest

from constructs_lib.planning.engines.tgi.sharding import possible_shards
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.models.facts import ModelChoice, known_model


@pytest.mark.parametrize(
    ("hub_id", "shards"),
    [
        ("meta-llama/Llama-3.1-8B-Instruct", (1, 2, 4, 8)),
        ("Qwen/Qwen2.5-7B-Instruct", (1, 2, 4)),
        ("Qwen/Qwen2.5-0.5B-Instruct", (1, 2)),
        ("Qwen/Qwen2.5-3B-Instruct", (1, 2)),
        ("microsoft/phi-4", (1, 2, 5)),
        ("microsoft/Phi-3-mini-4k-instruct", (1, 2, 4, 8)),
        ("EleutherAI/gpt-neox-20b", (1, 2, 4, 8)),
        ("bigscience/bloom", (1, 2, 4, 7, 8)),
        ("facebook/opt-66b", (1, 2, 3, 4, 6, 8)),
        ("facebook/galactica-120b", (1, 2, 4, 5, 8)),
        ("facebook/galactica-30b", (1, 2, 4, 7, 8)),
        ("bigcode/santacoder", (1, 2, 4, 8)),
        ("bigcode/starcoder", (1, 2, 3, 4, 6, 8)),
        ("tiiuae/falcon-40b", (1, 2, 4, 8)),
        ("tiiuae/falcon-7b-instruct", (1,)),
        ("google/gemma-3-1b-it", (1,)),
    ],
)
def test_heads_decide_over_how_many_gpus_a_model_splits(hub_id, shards):
    assert possible_shards(known_model(hub_id), 8) == shards


def compressed(hub_id="me/mine", kind="awq", **changes):
    """DeepSeek Coder 33B, whose feed-forward layers of 19,200 are 150 groups of 128."""
    shape = {"parameters": 33_000_000_000, "layers": 62, "hidden": 7168, "heads": 56, "kv_heads": 8, "head_dim": 128}
    further = {"intermediate": 19200, "vocabulary": 32256, "bits": 4, "group_size": 128, "weight_bytes": 18_100_000_000}
    llama = known_model("meta-llama/Llama-2-70b-hf")
    return replace(llama, **({"hub_id": hub_id, "quantization": kind, "gating": "no"} | shape | further | changes))


def of(facts):
    return {"model": ModelChoice(source="hub", hub_id=facts.hub_id, facts=facts), "instance": InstanceType.G5_12XLARGE}


@pytest.mark.parametrize(
    ("changes", "shards"),
    [
        ({}, (1, 2)),
        ({"kind": "gptq"}, (1, 2)),
        ({"kind": "gptq", "act_order": True}, (1, 2, 4, 8)),
        ({"kind": "gptq", "group_size": -1}, (1, 2, 4, 8)),
        ({"kind": "gptq", "group_size": 64}, (1, 2, 4)),
        ({"kind": "fp8"}, (1, 2)),
        ({"kind": "fp8", "group_size": None}, (1, 2, 4, 8)),
        ({"kind": "compressed-tensors"}, (1, 2)),
        ({"kind": "exl2"}, (1, 2, 4, 8)),
        ({"group_size": None}, (1, 2, 4, 8)),
        ({"intermediate": 29568, "hidden": 8192, "heads": 64}, (1,)),
        ({"intermediate": 29696, "hidden": 8192, "heads": 64}, (1, 2, 4, 8)),
        ({"intermediate": 20480, "heads": 8, "head_dim": 96}, (1, 2)),
    ],
)
def test_the_groups_of_compressed_weights_decide_as_well(changes, shards):
    assert possible_shards(compressed(**changes), 8) == shards


def test_groups_that_cannot_be_split_are_reported(refusals):
    words = (
        "options.num_shard=None: me/mine has awq weights in groups of 128, 150 in its feed-forward layers of 19200,"
        " which cannot be split evenly over 4 GPUs of ml.g5.12xlarge; possible here: 1 or 2. Set options.num_shard to 1"
        " or 2, or use an instance with that many GPUs."
    )
    assert refusals(**of(compressed())) == [words]


def test_the_groups_of_the_attention_are_reported(refusals):
    facts = compressed(intermediate=20480, heads=8, head_dim=96)
    assert "awq weights in groups of 128, 6 in its attention layers of 768, which" in (refusals(**of(facts))[0])


@pytest.mark.parametrize(
    ("version", "is_refused"), [("1.1.0", False), ("1.2.0", True), ("1.3.3", True), ("1.4.0", False), ("3.3.6", False)]
)
def test_some_versions_split_the_only_group_of_a_column(refusals, version, is_refused):
    found = refusals(**of(compressed(kind="gptq", group_size=-1, act_order=True)), version=version)
    words = (
        f"options.num_shard=None: TGI {version} cannot split GPTQ weights with one group for each column (group_size"
        " -1), as me/mine has, over 4 GPUs. Use TgiImage.version('1.4.0') or newer, or set options.num_shard to 1."
    )
    assert (words in found) is is_refused


def test_every_gpu_of_the_instance_is_used_by_default(planning):
    plan = planning(instance=InstanceType.G5_12XLARGE)
    assert (plan.num_shard, plan.environment["SM_NUM_GPUS"]) == (4, "4")


def test_fewer_gpus_are_used_on_request(planning):
    plan = planning(instance=InstanceType.G5_12XLARGE, options={"num_shard": 2})
    assert (plan.problems, plan.num_shard, plan.environment["SM_NUM_GPUS"]) == ((), 2, "2")


def test_unsharded_means_one_gpu(planning):
    plan = planning(instance=InstanceType.G5_12XLARGE, options={"sharded": False})
    assert (plan.problems, plan.num_shard, plan.environment["SM_NUM_GPUS"]) == ((), 1, "1")


def test_idle_gpus_bring_a_warning(planning):
    warnings = planning(instance=InstanceType.G5_12XLARGE, options={"num_shard": 2}).warnings
    assert [(found.id, found.message) for found in warnings] == [
        (
            "tgi-endpoint:idleGpus",
            "ml.g5.12xlarge has 4 GPUs, the model uses 2: the others are paid for and idle.",
        )
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param(
            {"hub_id": "tiiuae/falcon-7b", "instance": InstanceType.G5_12XLARGE},
            "options.num_shard=None: tiiuae/falcon-7b has 71 attention heads and 1 key-value heads, which cannot be"
            " split evenly over 4 GPUs of ml.g5.12xlarge; possible here: 1. Set options.num_shard to 1, or use an"
            " instance with that many GPUs.",
            id="falcon-7b on four GPUs",
        ),
        pytest.param(
            {"hub_id": "microsoft/phi-4", "instance": InstanceType.G5_12XLARGE, "options": {"num_shard": 4}},
            "options.num_shard=4: microsoft/phi-4 has 40 attention heads and 10 key-value heads, which cannot be split"
            " evenly over 4 GPUs of ml.g5.12xlarge; possible here: 1 or 2. Set options.num_shard to 1 or 2, or use an"
            " instance with that many GPUs.",
            id="phi-4 on four GPUs",
        ),
        pytest.param(
            {"options": {"num_shard": 2}},
            "options.num_shard=2: ml.g5.2xlarge has 1 GPU. Lower it to 1 or less.",
            id="more shards than GPUs",
        ),
        pytest.param(
            {"options": {"sharded": True}},
            "options.sharded=True: needs more than one GPU, but ml.g5.2xlarge has 1 GPU and num_shard is 1."
            " Leave it out, or use an instance with more GPUs.",
            id="sharded on one GPU",
        ),
        pytest.param(
            {"instance": InstanceType.G5_12XLARGE, "options": {"sharded": False, "num_shard": 2}},
            "options.sharded=False: contradicts num_shard=2. Leave it out.",
            id="unsharded on two GPUs",
        ),
        pytest.param(
            {"instance": InstanceType.G5_12XLARGE, "hub_id": "me/mine", "options": {"quantize": "exl2"}},
            "options.quantize='exl2': cannot be split over 4 GPUs. Set num_shard to 1, or use awq.",
            id="exl2 on four GPUs",
        ),
    ],
)
def test_impossible_shards_are_reported(changes, words, refusals):
    assert refusals(**changes) == [words]


def test_a_wrong_number_of_shards_is_reported_once(refusals):
    found = refusals(hub_id="tiiuae/falcon-7b", instance=InstanceType.G5_12XLARGE, options={"num_shard": "4"})
    assert found == ["options.num_shard='4': must be a whole number, not str. Write 4."]


def test_an_unknown_model_may_be_split_over_any_number_of_gpus(refusals):
    assert refusals(hub_id="me/mine", instance=InstanceType.P4D_24XLARGE) == []
