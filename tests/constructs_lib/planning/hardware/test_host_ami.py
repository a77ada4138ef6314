"""The AMI that several images share."""

import pytest

from constructs_lib.planning.hardware.host_ami import GPU_CUDA_12, GPU_CUDA_13, shared_ami
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
