"""How many GPUs share a model."""

import pytest

from constructs_lib.planning.engines.tgi.sharding import possible_shards
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.models.facts import known_model


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
