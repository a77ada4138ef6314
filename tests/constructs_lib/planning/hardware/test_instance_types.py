"""The instance catalogue, and the choice of hardware."""

import re
from dataclasses import replace
from typing import get_type_hints

import botocore.loaders
import pytest

from constructs_lib.planning.hardware.instance_types import InstanceType, attribute_name, has_no_accelerator
from constructs_lib.planning.hardware.storage import volume_size_supported

ALL = InstanceType.all()


def botocores_names():
    model = botocore.loaders.create_loader().load_service_model("sagemaker", "service-2")
    return set(model["shapes"]["ProductionVariantInstanceType"]["enum"])


def test_the_catalogue_has_59_instances():
    assert len({instance.name for instance in ALL}) == 59


def test_the_catalogue_has_every_accelerator_instance_that_botocore_names_and_no_other():
    legacy = re.compile(r"ml\.(p2|p3|p3dn|inf1)\.")
    accelerated = re.compile(r"ml\.(g\d|gr\d|p\d|inf|trn)")
    names = {name for name in botocores_names() if accelerated.match(name) and not legacy.match(name)}
    assert {instance.name for instance in ALL} == names


def test_every_instance_is_a_typed_attribute():
    hints = get_type_hints(InstanceType)
    declared = {name for name in hints if name.isupper()}
    assert declared == {attribute_name(instance.name).removeprefix("InstanceType.") for instance in ALL}


@pytest.mark.parametrize("instance", ALL, ids=lambda instance: instance.name)
def test_every_attribute_is_its_instance(instance):
    assert getattr(InstanceType, attribute_name(instance.name).removeprefix("InstanceType.")) is instance


@pytest.mark.parametrize("instance", ALL, ids=lambda instance: instance.name)
def test_every_row_names_its_source_and_day_and_marks_derived_prices(instance):
    assert instance.source
    assert len(instance.date) == 10
    assert (instance.price_usd_per_hour is None) == (instance.price_source is None) == (instance.price_date is None)
    assert instance.price_is_derived == ("EC2" in (instance.price_source or ""))


@pytest.mark.xdist_group("sagemaker-core")  # its import takes seconds
def test_a_volume_is_accepted_if_the_sdk_accepts_it():
    from sagemaker.core.common_utils import volume_size_supported as sdk_rule

    for instance in ALL:
        assert instance.volume_configurable == sdk_rule(instance.name) == volume_size_supported(instance.name)


def test_the_numbers_of_a_row():
    instance = InstanceType.G5_12XLARGE
    assert (
        instance.name,
        instance.family,
        instance.accelerator,
        instance.compute_capability,
        instance.accelerator_count,
        instance.memory_gib,
        instance.host_memory_gib,
        instance.nvme_gb,
        instance.price_usd_per_hour,
        instance.price_is_derived,
    ) == ("ml.g5.12xlarge", "g5", "A10G", (8, 6), 4, 22.35, 192, 3800, 7.09, False)


def test_an_instance_is_found_by_name():
    assert InstanceType.named("ml.p6-b200.48xlarge") is InstanceType.P6_B200_48XLARGE


@pytest.mark.parametrize("name", ["g6e.2xlarge", "ML.G6E.2XLARGE", "G6E_2XLARGE", "InstanceType.G6E_2XLARGE"])
def test_an_instance_is_found_by_each_way_to_write_its_name(name):
    assert InstanceType.named(name) is InstanceType.G6E_2XLARGE


def test_no_two_instances_share_a_name_without_its_signs():
    assert [InstanceType.named(each.name) for each in ALL] == list(ALL)


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(ValueError, match=r"'ml.g5.3xlarge' is not in the catalogue. The nearest are ml.g5.*Describe"):
        InstanceType.named("ml.g5.3xlarge")


@pytest.mark.parametrize("name", [None, 5, [], ""])
def test_a_name_outside_of_the_catalogue_is_an_error(name):
    with pytest.raises(ValueError, match="is not in the catalogue"):
        InstanceType.named(name)


@pytest.mark.parametrize("name", ["ml.t2.2xlarge", "ml.m5.xlarge", "m5d.xlarge", "ml.c6gn.16xlarge", "ml.r8g.48xlarge"])
def test_an_instance_without_a_gpu_is_not_to_be_described(name):
    with pytest.raises(
        ValueError, match=f"^instance type '{name}' has no GPU. Use one that has, such as ml.g5.2xlarge"
    ):
        InstanceType.named(name)


def test_every_instance_that_botocore_names_has_an_accelerator_or_is_recognized_as_one_without():
    legacy = re.compile(r"ml\.(p2|p3|inf1|dl1)\.")
    without = {name for name in botocores_names() if has_no_accelerator(name)}
    assert without == botocores_names() - {one.name for one in ALL} - set(filter(legacy.match, botocores_names()))
    assert not any(has_no_accelerator(one.name) for one in ALL)


def test_an_instance_can_be_described(planning):
    instance = InstanceType.of("ml.g9.12xlarge", accelerator_count=4, memory_gib=48)
    plan = planning(instance=instance)
    assert (plan.problems, plan.num_shard, instance.volume_configurable, instance.family) == ((), 4, True, "g9")


@pytest.mark.parametrize(
    ("name", "taken"), [("ml.g5.9xlarge", False), ("ml.p9d.xlarge", False), ("ml.p3.2xlarge", True)]
)
def test_a_described_instance_accepts_a_volume_by_the_sdks_rule(name, taken):
    assert InstanceType.of(name, accelerator_count=1, memory_gib=24).volume_configurable is taken


@pytest.mark.parametrize(
    ("instance", "words"),
    [
        (
            InstanceType.INF2_XLARGE,
            (
                "instance_type='ml.inf2.xlarge': has Inferentia2, but TGI's image is for NVIDIA GPUs."
                " Use a GPU instance, such as InstanceType.G5_2XLARGE. For Inferentia 2 and Trainium 1"
                " use TgiNeuronEndpoint, which runs AWS's image of TGI for them."
            ),
        ),
        (
            InstanceType.TRN2_48XLARGE,
            (
                "instance_type='ml.trn2.48xlarge': has Trainium2, but TGI's image is for NVIDIA GPUs."
                " Use a GPU instance, such as InstanceType.G5_2XLARGE. For Inferentia 2 and Trainium 1"
                " use TgiNeuronEndpoint, which runs AWS's image of TGI for them."
            ),
        ),
        (
            InstanceType.of("ml.m5.xlarge", accelerator_count=1, memory_gib=16),
            (
                "instance_type='ml.m5.xlarge': has no GPU, but TGI's image is for NVIDIA GPUs."
                " Use a GPU instance, such as InstanceType.G5_2XLARGE."
            ),
        ),
        (
            InstanceType.P6E_GB200_36XLARGE,
            (
                "instance_type='ml.p6e-gb200.36xlarge': has an Arm host, but TGI's image is for x86."
                " Use an x86 instance, such as p5."
            ),
        ),
        (
            "ml.g5.2xlarge",
            "instance_type='ml.g5.2xlarge': must be an InstanceType, not str. Write InstanceType.G5_2XLARGE.",
        ),
        (
            "ml.p6-b200.48xlarge",
            (
                "instance_type='ml.p6-b200.48xlarge': must be an InstanceType, not str."
                " Write InstanceType.P6_B200_48XLARGE."
            ),
        ),
        (
            "g5.2xlarge",
            "instance_type='g5.2xlarge': must be an InstanceType, not str. Write InstanceType.G5_2XLARGE.",
        ),
        (
            "g6e.12xlarge",
            "instance_type='g6e.12xlarge': must be an InstanceType, not str. Write InstanceType.G6E_12XLARGE.",
        ),
        (
            "p4d_24xlarge",
            "instance_type='p4d_24xlarge': must be an InstanceType, not str. Write InstanceType.P4D_24XLARGE.",
        ),
        (
            "g6e.13xlarge",
            (
                "instance_type='g6e.13xlarge': must be an InstanceType, not str."
                " Did you mean InstanceType.G6E_16XLARGE or InstanceType.G6E_12XLARGE or InstanceType.G6E_XLARGE?"
            ),
        ),
        (
            "ml.m5.large",
            (
                "instance_type='ml.m5.large': must be an InstanceType, not str."
                " ml.m5.large has no GPU; write one that has, such as InstanceType.G5_2XLARGE."
            ),
        ),
        (None, "instance_type=None: must be an InstanceType, not NoneType. Write InstanceType.G5_2XLARGE."),
        (
            InstanceType.of("g5.2xlarge", accelerator_count=1, memory_gib=24),
            ("instance_type='g5.2xlarge': must be SageMaker's name, such as ml.g5.2xlarge. Write ml.g5.2xlarge."),
        ),
        (
            InstanceType.of("ml.g5", accelerator_count=1, memory_gib=24),
            (
                "instance_type='ml.g5': must be SageMaker's name, such as ml.g5.2xlarge."
                " Write it in that form, or leave it out."
            ),
        ),
        (
            replace(InstanceType.G5_2XLARGE, accelerator_count=0),
            "instance_type.accelerator_count=0: must be from 1 to 1024. Raise it to 1 or more.",
        ),
        (
            replace(InstanceType.G5_2XLARGE, memory_gib=-1),
            "instance_type.memory_gib=-1: must be above 0. Choose a number in that range, or leave it out.",
        ),
        (
            replace(InstanceType.G5_2XLARGE, compute_capability="8.6"),
            "instance_type.compute_capability='8.6': must be two whole numbers. Write (8, 6) for 8.6.",
        ),
    ],
)
def test_unsuitable_hardware_is_reported(instance, words, refusals):
    assert refusals(instance=instance) == [words]


@pytest.mark.parametrize(
    "instance",
    [each for each in ALL if each.is_gpu and (8, 0) <= each.compute_capability < (10, 0)],
    ids=lambda instance: instance.name,
)
def test_every_gpu_from_ampere_to_hopper_brings_neither_problem_nor_warning(instance, planning):
    plan = planning(instance=instance)
    assert (plan.problems, plan.warnings) == ((), ())
