"""What a fleet refuses, what it warns of, and what it says of itself."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Environment, Stack

from constructs_lib import (
    ConfigurationError,
    FleetModel,
    InstanceType,
    Model,
    ModelFleet,
    NeuronOptions,
    Routing,
    ScaleToZero,
    SglangImage,
    TgiImage,
    TgiOptions,
    VllmOptions,
)
from constructs_lib.endpoint.container_image import CatalogueImage, ContainerImage
from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.fleet_plan import plan_copy
from constructs_lib.planning.images.catalogue import ImageChoice
from constructs_lib.planning.summary import METADATA, PlanSummary, concurrent_requests
from tests.constructs_lib.endpoint.fleets import QWEN_7B, QWEN_32B, fleet, qwen, refusal, warnings_of
from tests.constructs_lib.rendered import template_of, variant

NOTHING_OF_THE_KIND = object()


def test_no_instance_is_refused_as_long_as_a_model_stays(stack: Stack) -> None:
    models = {"chat": qwen(), "night": qwen(scale_to_zero=ScaleToZero())}
    assert refusal(stack, models, instances=(0, 1)) == [
        (
            "instances=(0, 1): must be the least and the most instances, from 1 to 1000. Write (1, 1), or give every"
            " model scale_to_zero."
        )
    ]


def test_scale_to_zero_takes_the_place_of_what_scales_a_model_that_stays(stack: Stack) -> None:
    models = {"night": qwen(scale_to_zero=ScaleToZero(), copies=(1, 2), concurrency_target=4)}
    assert [one.partition(":")[0] for one in refusal(stack, models)] == [
        "models['night'].copies=(1, 2)",
        "models['night'].concurrency_target=4",
    ]


def test_copies_of_none_are_refused_as_sagemaker_creates_no_component_without(stack: Stack) -> None:
    assert refusal(stack, {"chat": qwen(copies=(0, 2))}) == [
        (
            "models['chat'].copies=(0, 2): must be the least and the most copies, from 1 to 1000. Write (1, 2),"
            " or scale_to_zero=ScaleToZero()."
        )
    ]


def test_all_problems_are_reported_together_under_the_names_of_the_models(stack: Stack) -> None:
    models = {
        "a b": qwen(),
        "chat": qwen(options=TgiOptions(max_batch_size=0), copies=(2, 1)),
        "code": qwen(environment={"HF_MODEL_ID": "x"}, request_tokens=0, concurrency_target=-1),
        "own": Model.from_hub(QWEN_7B),
    }
    found = refusal(stack, models, instances=(3, 1), role=5, endpoint_name="a_b")
    assert [one.partition(":")[0].partition("=")[0] for one in found] == [
        "models",
        "models['own']",
        "endpoint_name",
        "models['chat'].options.max_batch_size",
        "models['code'].environment['HF_MODEL_ID']",
        "models['chat'].copies",
        "instances",
        "role",
        "models['code'].concurrency_target",
        "models['code'].request_tokens",
    ]


@pytest.mark.parametrize(
    ("models", "words"),
    [
        ([qwen()], "models=[…]: must be a mapping of name to FleetModel, not list"),
        ({}, "models={}: must have at least one model. Write"),
    ],
)
def test_models_are_a_mapping_with_at_least_one(stack: Stack, models: Any, words: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        ModelFleet(stack, "Fleet", models=models, instance_type=InstanceType.G5_12XLARGE)
    (found,) = raised.value.problems
    assert words.partition(": ")[2] in str(found)


def test_the_instance_type_is_named(stack: Stack) -> None:
    cheapest: Any = InstanceType.cheapest_for(tokens=4096)
    pools: Any = [InstanceType.G5_12XLARGE, InstanceType.G6_12XLARGE]
    assert "must be an InstanceType, not CheapestFor" in refusal(stack, instance_type=cheapest)[0]
    assert "must be an InstanceType, not list" in refusal(stack, instance_type=pools)[0]


def test_numbers_that_only_the_deployment_knows_are_refused(stack: Stack) -> None:
    number: Any = CfnParameter(stack, "Count", type="Number").value_as_number
    found = refusal(stack, {"chat": qwen(copies=(1, number))}, instances=(1, number))
    assert [one.partition("=")[0] for one in found] == ["models['chat'].copies", "instances"]
    assert all("must be known at synth" in one for one in found)


def test_a_target_that_only_the_deployment_knows_is_refused_before_anything_is_created(stack: Stack) -> None:
    number: Any = CfnParameter(stack, "Target", type="Number").value_as_number
    assert refusal(stack, {"chat": qwen(copies=(1, 3), concurrency_target=number)}) == [
        (
            "models['chat'].concurrency_target=(known at deployment): must be known at synth, as the number below which"
            " a copy is removed is worked out from it. Write it as a number."
        )
    ]
    assert stack.node.try_find_child("Fleet") is None


def test_copies_that_are_no_numbers_are_refused(stack: Stack) -> None:
    wrong: Any = ([1], 2)
    assert refusal(stack, {"chat": qwen(copies=wrong)}) == [
        "models['chat'].copies=([1], 2): must be two whole numbers, the least and the most copies. Write (1, 3)."
    ]


@pytest.mark.parametrize(
    ("most", "told"),
    [
        (0, "0: must be a whole number from 1 to 1000. Write 3, or leave it out."),
        ("2", "'2': must be a whole number from 1 to 1000. Write 3, or leave it out."),
        (
            9,
            (
                "9: can never reach 9: beside the smallest numbers of copies of the other models, 1 × ml.g5.12xlarge (4"
                " GPUs) have room for 4. Write 4, or instances=(1, 3)."
            ),
        ),
    ],
)
def test_the_most_copies_of_a_model_that_goes_to_zero_are_named_as_they_are_written(
    stack: Stack, most: Any, told: str
) -> None:
    night = {"night": qwen(scale_to_zero=ScaleToZero(max_copies=most, target=4))}
    found = refusal(stack, night, instance_type=InstanceType.G5_12XLARGE)
    assert found == [f"models['night'].scale_to_zero.max_copies={told}"]


def test_a_target_is_required_where_the_plan_does_not_know_what_a_copy_holds(stack: Stack) -> None:
    own = FleetModel(model=Model.from_hub("owner/unheard-of"), options=TgiOptions(num_shard=1), copies=(1, 2))
    assert refusal(stack, {"own": own}) == [
        (
            "models['own'].concurrency_target=None: is required to scale this model: the plan does not know how many"
            " requests a copy holds. Set it to the requests in progress at once that a copy should have."
        )
    ]


def test_the_image_has_to_be_one_of_the_engine(stack: Stack) -> None:
    image = ContainerImage(ImageChoice(version="3.3.6"), CatalogueImage(TGI.images, "3.3.6"))
    (found,) = refusal(stack, {"chat": qwen(image=image)})
    assert "models['chat'].image" in found
    assert "must be a TgiImage for TGI, not ContainerImage. Write TgiImage.version(…)." in found


def test_an_image_of_another_engine_is_one_problem(stack: Stack) -> None:
    models = {"chat": qwen(options=VllmOptions(), image=SglangImage.version("0.5.20"))}
    assert refusal(stack, models) == [
        "models['chat'].image='0.5.20': must be a VllmImage, not SglangImage. Write VllmImage.version(…)."
    ]


def test_the_cores_of_a_copy_have_to_be_given_as_only_the_container_chooses_them_otherwise(stack: Stack) -> None:
    models = {"chat": qwen(options=NeuronOptions())}
    assert refusal(stack, models, instance_type=InstanceType.INF2_48XLARGE) == [
        ("models['chat'].options.num_cores=None: is required: nothing else says how many cores a copy takes. Set it.")
    ]


def test_images_of_different_cuda_releases_share_the_host_that_runs_both(stack: Stack) -> None:
    models = {"old": qwen(image=TgiImage.version("2.2.0")), "new": qwen()}
    fleet(stack, models)
    assert variant(template_of(stack))["InferenceAmiVersion"] == "al2-ami-sagemaker-inference-gpu-3-1"


def test_a_region_that_refuses_no_instance_matters_only_to_a_fleet_without(app: App) -> None:
    found = []
    for number, instances in enumerate([(0, 2), (1, 2)]):
        stack = Stack(app, f"Paris{number}", env=Environment(account="123456789012", region="eu-west-3"))
        fleet(stack, {"night": qwen(scale_to_zero=ScaleToZero())}, instances=instances)
        found.append(warnings_of(stack))
    assert found == [{"Paris0/Fleet/Models/night": ["zeroInstancesRefused"]}, {}]


def test_what_is_risky_about_the_arguments_that_all_share_is_said_once(stack: Stack) -> None:
    routing = Routing.prefix_aware(shared_bytes=2048, threshold=4)
    fleet(stack, {"chat": qwen(), "code": qwen()}, routing=routing)
    assert warnings_of(stack) == {"Team/Fleet": ["prefixAwareOneInstance"]}


def test_the_plan_of_a_fleet_is_listed_with_its_gpus_and_its_price(stack: Stack) -> None:
    models = {"chat": qwen(copies=(2, 4), concurrency_target=4), "code": qwen(QWEN_32B)}
    shared = fleet(stack, models, instances=(2, 3))
    ((data,),) = [[one.data for one in shared.node.metadata if one.type == METADATA]]
    found = PlanSummary.from_json(data)
    assert found.model == f"{QWEN_7B}, {QWEN_32B}"
    assert (found.instances, found.min_instances, found.max_instances) == (["ml.g5.12xlarge"], 2, 3)
    assert (found.num_shard, found.accelerator) == (6, "A10G")
    assert (found.min_usd_per_hour, found.max_usd_per_hour) == (
        shared.capacity.min_usd_per_hour,
        shared.capacity.max_usd_per_hour,
    )


def test_its_price_is_that_of_the_least_and_of_the_most_instances_and_of_the_streams_of_all_models(
    stack: Stack,
) -> None:
    shared = fleet(stack, {"chat": qwen(copies=(1, 2), concurrency_target=4), "code": qwen()}, instances=(1, 2))
    assert shared.describe_price() == "7.090 USD at minimum, 14.180 USD at maximum"
    found = shared.describe_price(front_door_memory=256)
    assert found is not None
    (streams,) = re.findall(r" per hour of (\d+) open streams of 1024 tokens$", found)
    (data,) = (one.data for one in shared.node.metadata if one.type == METADATA)
    assert int(streams) == PlanSummary.from_json(data).streams
    one = plan_copy(shared.models["chat"]._planned.request)
    assert int(streams) == 3 * (concurrent_requests(one, 1024) or 0)


def test_warnings_are_those_of_the_model_that_they_are_about(stack: Stack) -> None:
    own = FleetModel(model=Model.from_hub("owner/unheard-of"), options=TgiOptions(num_shard=1))
    fleet(stack, {"own": own, "chat": qwen()}, instances=(1, 2))
    assert warnings_of(stack)["Team/Fleet/Models/own"][-1] == "unknownCopySize"
    assert "Team/Fleet/Models/chat" not in warnings_of(stack)


@pytest.mark.parametrize("field", [one.name for one in fields(FleetModel)])
def test_whatever_is_given_to_a_model_is_refused_under_its_name(stack: Stack, field: str) -> None:
    model: Any = {"model": Model.from_hub(QWEN_7B), field: NOTHING_OF_THE_KIND}
    for problem in refusal(stack, {"chat": FleetModel(**model)}):
        assert problem.startswith(f"models['chat'].{field}=")


@pytest.mark.parametrize(
    "argument",
    [
        "instance_type",
        "instances",
        "volume_size",
        "volume_key",
        "vpc",
        "vpc_subnets",
        "security_groups",
        "network_isolation",
        "inference_ami_version",
        "routing",
        "capacity_reservation",
        "instance_provision_timeout",
        "detailed_observability",
        "endpoint_name",
        "role",
        "tags",
    ],
)
def test_whatever_is_given_to_the_fleet_is_refused_once(stack: Stack, argument: str) -> None:
    found = refusal(stack, {"chat": qwen(), "code": qwen()}, **{argument: NOTHING_OF_THE_KIND})
    assert {problem.partition("=")[0] for problem in found} == {argument}
    assert len(found) == len(set(found))


@pytest.mark.parametrize("name", ["constructor", "toString", "valueOf", "hasOwnProperty", "__proto__"])
def test_a_name_that_the_cdk_takes_for_a_construct_is_refused(stack: Stack, name: str) -> None:
    assert refusal(stack, {name: qwen()}) == [f"models='{name}': is a name that the CDK has for itself. Rename it."]
