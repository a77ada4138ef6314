"""Several instance types by priority: one plan that holds for each of them."""

from dataclasses import replace

import botocore.loaders
import pytest

from constructs_lib.planning.hardware.instance_types import CheapestFor, InstanceType
from constructs_lib.planning.request import UNDECIDED
from constructs_lib.planning.scaling.pools import MAX_POOLS, combine
from constructs_lib.planning.serving_limits import ServingFacts

G5, G6, FOUR_GPUS = InstanceType.G5_2XLARGE, InstanceType.G6_2XLARGE, InstanceType.G5_12XLARGE
BLACKWELL = InstanceType.G7E_2XLARGE


@pytest.fixture
def pooling(planning):
    """The plan for some instance types by priority, with the changes given."""
    return lambda *pools, **changes: planning(instance=UNDECIDED, pools=pools, **changes)


@pytest.fixture
def pool_refusals(pooling):
    """The message of every problem of such a plan."""
    return lambda *pools, **changes: [str(problem) for problem in pooling(*pools, **changes).problems]


@pytest.fixture
def pool_warnings(pooling):
    """The message of every warning of such a plan, which has no problem."""

    def messages(*pools, **changes):
        plan = pooling(*pools, **changes)
        assert plan.problems == ()
        return [warning.message for warning in plan.warnings]

    return messages


def test_each_instance_type_has_its_own_plan_and_the_whole_has_the_first_ones(pooling):
    plan = pooling(G6, FOUR_GPUS)
    assert plan.problems == ()
    assert [(pool.instance, pool.num_shard) for pool in plan.pools] == [(G6, 1), (FOUR_GPUS, 4)]
    assert [pool.environment["SM_NUM_GPUS"] for pool in plan.pools] == ["1", "4"]
    assert (plan.instance, plan.num_shard, plan.environment) == (G6, 1, plan.pools[0].environment)


def test_without_a_list_there_are_no_pools(planning):
    assert planning().pools == ()


def test_a_list_of_one_type_is_planned_like_the_type_itself(pooling, planning):
    alone, whole = planning(instance=G5), pooling(G5)
    assert (whole.pools, whole.environment, whole.memory, whole.serving) == (
        (alone,),
        alone.environment,
        alone.memory,
        alone.serving,
    )


@pytest.mark.parametrize("pools", [(G6, FOUR_GPUS), (FOUR_GPUS, G6)])
def test_scaling_counts_on_the_memory_of_the_smallest_type(pools, pooling):
    plan = pooling(*pools)
    small, large = (next(one.memory for one in plan.pools if one.instance is each) for each in (G6, FOUR_GPUS))
    assert plan.memory == small
    assert small.max_tokens < large.max_tokens


def test_nothing_is_said_of_memory_if_that_of_one_type_is_not_known(pooling):
    unknown = InstanceType.of("ml.g9.xlarge", accelerator_count=1, memory_gib=None)
    assert pooling(G5, unknown).memory is None


def test_clients_are_told_what_every_type_serves(planning):
    serving = ServingFacts(
        version="3.3.6", dtype="float16", max_total_tokens=4096, max_best_of=2, enable_prefill_logprobs=True
    )
    other = ServingFacts(
        version="3.3.6", dtype="bfloat16", max_total_tokens=2048, max_best_of=None, enable_prefill_logprobs=False
    )
    alone = planning()
    plans = [replace(alone, serving=serving), replace(alone, serving=other, max_body_bytes=1000)]
    plan = combine([G5, G6], plans)
    assert plan.serving == ServingFacts(
        version="3.3.6", dtype=None, max_total_tokens=2048, max_best_of=2, enable_prefill_logprobs=False
    )
    assert plan.max_body_bytes == 1000


def test_what_one_type_may_lack_is_not_said(planning):
    plans = [replace(planning(), serving=ServingFacts(reads_images=each)) for each in (True, None)]
    assert combine([G5, G6], plans).serving.reads_images is None


def test_the_timeouts_are_the_longest_of_all(planning):
    alone = planning()
    plans = [
        replace(alone, startup_timeout_seconds=1200, model_download_timeout_seconds=None),
        replace(alone, startup_timeout_seconds=1260, model_download_timeout_seconds=1500, load_seconds=900),
        replace(alone, startup_timeout_seconds=1200, model_download_timeout_seconds=1200),
    ]
    plan = combine([G5, G6, FOUR_GPUS], plans)
    assert (plan.startup_timeout_seconds, plan.model_download_timeout_seconds, plan.load_seconds) == (1260, 1500, 900)
    assert combine([G5], plans[:1]).model_download_timeout_seconds is None


def test_one_machine_image_serves_all_types(pooling):
    assert pooling(G5, G6, FOUR_GPUS).inference_ami_version == "al2-ami-sagemaker-inference-gpu-3-1"


def test_types_that_need_different_machine_images_are_refused(pool_refusals):
    assert pool_refusals(G6, BLACKWELL) == [
        (
            "instance_type=(ml.g6.2xlarge, ml.g7e.2xlarge): need different machine images for their hosts, and an"
            " endpoint has one: ml.g6.2xlarge al2-ami-sagemaker-inference-gpu-3-1, ml.g7e.2xlarge the default of"
            " SageMaker. Leave out those of one kind, or set inference_ami_version to one that all of them run."
        )
    ]


def test_a_machine_image_that_the_caller_names_is_that_of_all_types(pooling):
    plan = pooling(G6, BLACKWELL, inference_ami_version="al2-ami-sagemaker-inference-gpu-3-1")
    assert (plan.problems, plan.inference_ami_version) == ((), "al2-ami-sagemaker-inference-gpu-3-1")


@pytest.mark.parametrize(
    ("pools", "words"),
    [
        ((), "instance_type=(0 instance types): a list must have 1 to 5 instance types. Name at least one."),
        (
            (G5, G6, FOUR_GPUS, InstanceType.G6E_XLARGE, InstanceType.G6E_2XLARGE, InstanceType.G6E_4XLARGE),
            "instance_type=(6 instance types): a list must have 1 to 5 instance types. Leave out the last 1.",
        ),
        ((G5, G6, G5), "instance_type[2]='ml.g5.2xlarge': is instance_type[0] already. Name each type once."),
        (
            (G5, "g6.2xlarge"),
            "instance_type[1]='g6.2xlarge': must be an InstanceType, not str. Write InstanceType.G6_2XLARGE.",
        ),
        (
            (CheapestFor(tokens=4096), G5),
            (
                "instance_type[0]=CheapestFor(tokens=4096, concurrency=1): must be an InstanceType, not CheapestFor."
                " Name each type of a list; the command plan shows which serve the load, the cheapest first."
            ),
        ),
        (
            (G5, InstanceType.of("ml.g9.xlarge", accelerator_count=0, memory_gib=24)),
            "instance_type[1].accelerator_count=0: must be from 1 to 1024. Raise it to 1 or more.",
        ),
    ],
)
def test_what_is_wrong_with_the_list_has_its_place_in_it(pools, words, pool_refusals):
    assert pool_refusals(*pools) == [words]


def test_what_is_no_list_is_refused(refusals):
    assert refusals(pools="ml.g5.2xlarge") == [
        "instance_type='ml.g5.2xlarge': must be a list of instance types, not str. Put them in square brackets."
    ]


def test_a_type_that_the_model_does_not_fit_is_refused_by_its_place(pooling):
    plan = pooling(G5, InstanceType.G4DN_XLARGE)
    assert [(problem.keyword, problem.value) for problem in plan.problems] == [("instance_type[1]", "ml.g4dn.xlarge")]
    assert plan.problems[0].message.startswith("cannot hold meta-llama/Llama-3.1-8B-Instruct: ")


def test_an_option_that_some_types_cannot_have_names_them(pool_refusals):
    assert pool_refusals(FOUR_GPUS, G5, G6, options={"num_shard": 4}) == [
        "options.num_shard=4: ml.g5.2xlarge has 1 GPU (instance_type[1], ml.g5.2xlarge). Lower it to 1 or less.",
        "options.num_shard=4: ml.g6.2xlarge has 1 GPU (instance_type[2], ml.g6.2xlarge). Lower it to 1 or less.",
    ]


def test_a_volume_that_one_type_does_not_take_is_refused(pool_refusals):
    own = InstanceType.of("ml.g9.xlarge", accelerator_count=1, memory_gib=48, volume_configurable=True)
    assert pool_refusals(own, G5, volume_size_gib=100) == [
        (
            "volume_size=100: ml.g5.2xlarge stores data on its own NVMe drives, so SageMaker accepts no volume for it"
            " (instance_type[1], ml.g5.2xlarge). Leave volume_size out."
        )
    ]


def test_a_problem_of_every_type_is_reported_once_and_without_their_names(pool_refusals):
    assert pool_refusals(G5, G6, instance_count=0, options={"max_best_of": 0}) == [
        "instance_count=0: must be from 1 to 4294967295. Raise it to 1 or more.",
        "options.max_best_of=0: must be from 1 to 4294967295. Raise it to 1 or more.",
    ]


def test_a_warning_of_every_type_comes_once(pool_warnings):
    assert pool_warnings(G5, G6, model_download_timeout_seconds=600) == [
        (
            "model_download_timeout applies to weights in S3; the container itself downloads from the Hugging Face hub,"
            " within startup_timeout."
        )
    ]


def test_a_warning_of_some_types_names_them(pool_warnings):
    ami = "al2-ami-sagemaker-inference-gpu-3-1"
    (blackwell,) = pool_warnings(G6, BLACKWELL, inference_ami_version=ami)
    assert blackwell.startswith("ml.g7e.2xlarge has RTX PRO 6000 Blackwell Server (Blackwell), for which TGI's kernels")
    old, *_ = pool_warnings(G5, InstanceType.G4DN_12XLARGE)
    assert old.startswith("ml.g4dn.12xlarge: Without prefill chunking TGI derives the longest context of ")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (299, ["instance_provision_timeout=299: must be from 300 to 3600 seconds. Raise it to 300 or more."]),
        (300, []),
        (3600, []),
        (3601, ["instance_provision_timeout=3601: must be from 300 to 3600 seconds. Lower it to 3600 or less."]),
    ],
)
def test_sagemaker_looks_for_instances_for_five_minutes_to_an_hour(seconds, words, refusals):
    assert refusals(instance_provision_timeout_seconds=seconds) == words


def test_the_limits_are_botocores():
    shapes = botocore.loaders.create_loader().load_service_model("sagemaker", "service-2")["shapes"]
    assert (shapes["InstancePoolList"]["min"], shapes["InstancePoolList"]["max"]) == (1, MAX_POOLS)
    assert (shapes["InstancePoolPriority"]["min"], shapes["InstancePoolPriority"]["max"]) == (1, MAX_POOLS)
    timeout = shapes["VariantInstanceProvisionTimeoutInSeconds"]
    assert (timeout["min"], timeout["max"]) == (300, 3600)
