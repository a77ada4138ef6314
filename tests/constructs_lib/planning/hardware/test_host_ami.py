"""The AMI that several images share."""

import pytest

from constructs_lib.planning.hardware.host_ami import (
    GPU_CUDA_12,
    GPU_CUDA_13,
    NEURON,
    ami_problems,
    driver_warnings,
    shared_ami,
)
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.images.catalogue import Cuda


@pytest.mark.parametrize(
    ("needs", "shared"),
    [
        ([(None, (12, 1)), (None, (11, 8))], None),
        ([(GPU_CUDA_12, (12, 4)), (None, (12, 1))], GPU_CUDA_12),
        ([(GPU_CUDA_13, (13, 0)), (GPU_CUDA_13, (13, 0))], GPU_CUDA_13),
    ],
)
def test_images_share_the_ami_that_runs_them_all(needs: list[tuple[str | None, Cuda]], shared: str | None) -> None:
    assert shared_ami(needs) == shared


@pytest.mark.parametrize("other", [(GPU_CUDA_12, (12, 4)), (None, (12, 1))])
def test_no_ami_runs_images_of_cuda_12_and_13(other: tuple[str | None, Cuda]) -> None:
    with pytest.raises(ValueError, match="no AMI supports all"):
        shared_ami([(GPU_CUDA_13, (13, 0)), other])


@pytest.mark.parametrize(
    ("chosen", "instance", "cuda", "fix"),
    [
        (NEURON, InstanceType.G6_2XLARGE, (13, 0), f"Use '{GPU_CUDA_13}'."),
        (NEURON, InstanceType.G6_2XLARGE, (12, 9), f"Use '{GPU_CUDA_12}'."),
        (GPU_CUDA_12, InstanceType.INF2_8XLARGE, (0, 0), f"Use '{NEURON}'."),
        (GPU_CUDA_12, InstanceType.without_accelerator("ml.c7i.xlarge"), (0, 0), "Leave it out."),
    ],
)
def test_an_ami_for_other_hardware_is_answered_with_the_one_that_the_image_needs(
    chosen: str, instance: InstanceType, cuda: Cuda, fix: str
) -> None:
    assert [one.fix for one in ami_problems(chosen, instance, cuda)] == [fix]


def test_gpus_for_which_no_ami_has_a_driver_bring_a_warning() -> None:
    (found,) = driver_warnings(InstanceType.G7_2XLARGE)
    assert (found.id, found.message) == (
        "tgi-endpoint:driverTooOld",
        (
            "ml.g7.2xlarge's GPUs (RTX PRO 4500 Blackwell) need NVIDIA's driver 595, by public reports, and the newest"
            " AMI of SageMaker's that is known here has 580: the container may find no GPU. Prefer ml.g6e or ml.g7e, or"
            " name a newer AMI with inference_ami_version."
        ),
    )
    assert list(driver_warnings(InstanceType.G7E_2XLARGE)) == []
