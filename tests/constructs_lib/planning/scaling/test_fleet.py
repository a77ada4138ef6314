"""Copies of several models on instances of one type."""

from dataclasses import replace
from typing import Any

import pytest

from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.scaling.fleet import (
    COPIES,
    INSTANCES,
    Copies,
    CopySize,
    Fleet,
    fleet_problems,
    fleet_warnings,
    instances_needed,
)
from constructs_lib.planning.validation.unknown import UNKNOWN

GIB = 2**30
FOUR_GPUS = CopySize(4, 192 * GIB, 3800 * GIB)


def fleet(instances: tuple[int, int] = (1, 1), **models: tuple[int, int, int]) -> Fleet:
    """Models with GPUs per copy, the least and the most copies, on ml.g5.12xlarge with its four GPUs."""
    copies = {name: Copies(CopySize(gpus), least, most) for name, (gpus, least, most) in models.items()}
    return Fleet(models=copies, instance=InstanceType.G5_12XLARGE, least=instances[0], most=instances[1])


def problems(*arguments: Any, **models: Any) -> list[str]:
    return [str(one) for one in fleet_problems(fleet(*arguments, **models))]


def warnings(*arguments: Any, **models: Any) -> dict[str, str]:
    return {one.id: one.message for one in fleet_warnings(fleet(*arguments, **models))}


@pytest.mark.parametrize(
    ("gpus", "needed"),
    [
        ([1, 1, 1, 1], 1),
        ([2, 1, 2], 2),
        ([1, 2, 1, 4], 2),
        ([3, 3], 2),  # the GPUs of a copy are those of one instance
        ([1, 3, 2, 2], 2),
        ([], 0),
    ],
)
def test_copies_are_packed_into_as_few_instances_as_their_gpus_allow(gpus: list[int], needed: int) -> None:
    assert instances_needed([CopySize(each) for each in gpus], FOUR_GPUS) == needed


def test_memory_of_the_host_and_storage_limit_what_shares_an_instance() -> None:
    loads = CopySize(1, host=100 * GIB)
    stored = CopySize(1, storage=2000 * GIB)
    assert instances_needed([loads, loads], FOUR_GPUS) == 2
    assert instances_needed([stored, stored], FOUR_GPUS) == 2
    assert instances_needed([loads, stored], FOUR_GPUS) == 1


def test_the_smallest_numbers_of_copies_need_instances_from_the_beginning() -> None:
    assert problems((1, 3), chat=(2, 2, 2), code=(1, 1, 1)) == [
        (
            "instances=(1, 3): must begin with 2 or more: models['chat'] takes 2 × 2 GPUs, models['code'] takes 1 × 1"
            " GPU, and ml.g5.12xlarge (4 GPUs) has no room for more. Write (2, 3), or lower the smallest numbers of"
            " copies."
        )
    ]
    assert problems((2, 3), chat=(2, 2, 2), code=(1, 1, 1)) == []


def test_more_instances_than_the_most_are_written_into_the_fix() -> None:
    assert problems((1, 1), chat=(4, 3, 3))[0].endswith("Write (3, 3), or lower the smallest numbers of copies.")


def test_it_says_whether_memory_or_storage_of_the_host_is_what_lacks() -> None:
    one = Copies(CopySize(1, host=100 * GIB), 2, 2)
    other = Copies(CopySize(1, storage=2500 * GIB), 2, 2)
    base = fleet()
    (memory,) = fleet_problems(replace(base, models={"a": one}))
    (storage,) = fleet_problems(replace(base, models={"a": other}))
    assert "ml.g5.12xlarge (4 GPUs) has 192 GiB of memory, which loading them takes" in memory.message
    assert "ml.g5.12xlarge (4 GPUs) has 3539 GiB of storage, which their weights take" in storage.message


def test_a_volume_is_the_storage_of_an_instance_that_takes_one() -> None:
    instance = replace(InstanceType.G5_12XLARGE, volume_configurable=True, nvme_gb=0)
    copies = Copies(CopySize(1, storage=60 * GIB), 2, 2)
    small = Fleet(models={"a": copies}, instance=instance, least=1, most=1, volume_size_gib=100)
    assert [one.keyword for one in fleet_problems(small)] == ["instances"]
    assert list(fleet_problems(replace(small, volume_size_gib=200))) == []


def test_what_is_not_known_of_an_instance_does_not_limit() -> None:
    instance = replace(InstanceType.G5_12XLARGE, host_memory_gib=None, nvme_gb=None)
    copies = Copies(CopySize(1, 10**13, 10**13), 4, 4)
    assert list(fleet_problems(Fleet(models={"a": copies}, instance=instance, least=1, most=1))) == []


def test_a_number_of_copies_that_can_never_be_reached_is_refused() -> None:
    assert problems((1, 2), chat=(2, 1, 5), code=(1, 1, 1)) == [
        (
            "models['chat'].copies=(1, 5): can never reach 5: beside the smallest numbers of copies of the other"
            " models, 2 × ml.g5.12xlarge (4 GPUs) have room for 3. Write (1, 3), or instances=(1, 3)."
        )
    ]
    assert problems((1, 2), chat=(2, 1, 3), code=(1, 1, 1)) == []


def test_models_that_cannot_all_be_busy_at_once_bring_a_warning() -> None:
    assert warnings((1, 2), chat=(2, 1, 3), code=(1, 1, 4))["tgi-endpoint:copiesCompete"] == (
        "All models at their largest numbers of copies take 3 × ml.g5.12xlarge (4 GPUs), and instances allows 2: when"
        " several are busy at the same time, copies wait until another model gives up its own. Write instances=(1, 3),"
        " or lower the largest numbers."
    )
    assert "tgi-endpoint:copiesCompete" not in warnings((1, 3), chat=(2, 1, 3), code=(1, 1, 4))


def test_instances_that_are_full_have_no_room_for_an_update() -> None:
    assert warnings((1, 1), chat=(2, 1, 1), code=(1, 1, 1)) == {
        "tgi-endpoint:noRoomForUpdates": "SageMaker starts the new copies of a model before it stops the old ones. For"
        " an update of models['chat'] it needs 2 × ml.g5.12xlarge (4 GPUs), and instances allows 1, so the update may"
        " fail for want of GPUs. Write instances=(1, 2); the further instance is billed only while it is needed."
    }
    assert warnings((1, 2), chat=(2, 1, 1), code=(1, 1, 1)) == {}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (3, "must be two whole numbers, the least and the most copies. Write (1, 3)."),
        ((1, 2, 3), "must be two whole numbers, the least and the most copies. Write (1, 3)."),
        ((1.5, 2), "must be two whole numbers, the least and the most copies. Write (1, 3)."),
        ((3, 1), "must be the least and the most copies, from 1 to 1000. Write (1, 3)."),
        ((1, 5000), "must be the least and the most copies, from 1 to 1000. Write (1, 1000)."),
        (UNKNOWN, "must be known at synth, as the plan checks that the copies fit together. Write numbers, such as"),
        ((1, UNKNOWN), "must be known at synth, as the plan checks that the copies fit together. Write numbers"),
    ],
)
def test_a_range_is_two_numbers_that_synth_knows(value: object, words: str) -> None:
    found = COPIES.problem("models['a'].copies", value)
    assert found is not None
    assert words in str(found)


def test_a_range_of_one_number_is_written_twice() -> None:
    assert COPIES.problem("models['a'].copies", (8, 8)) is None
    assert INSTANCES.problem("instances", [1, 2]) is None
