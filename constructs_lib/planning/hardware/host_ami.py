"""The AMI of the endpoint's host: its NVIDIA driver must support the CUDA release of the image.

SageMaker never chooses one by itself, and a mismatch fails without a log line. Sources: botocore 1.44.5
`ProductionVariantInferenceAmiVersion`; docs.aws.amazon.com/sagemaker/latest/dg/inference-gpu-drivers;
aws/deep-learning-containers test/test_utils/constants.py and pull request 6187.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from constructs_lib.planning.hardware.instance_types import BLACKWELL, InstanceType, has_no_accelerator
from constructs_lib.planning.images.catalogue import Cuda
from constructs_lib.planning.validation.problem import PlanWarning, Problem
from constructs_lib.planning.validation.rules import String, problem

GPU_CUDA_12 = "al2-ami-sagemaker-inference-gpu-3-1"
GPU_CUDA_13 = "al2023-ami-sagemaker-inference-gpu-4-1"
NEURON = "al2-ami-sagemaker-inference-neuron-2"

HOST_CUDA: dict[str, tuple[int, int]] = {
    "al2-ami-sagemaker-inference-gpu-2": (12, 2),
    "al2-ami-sagemaker-inference-gpu-2-1": (12, 2),
    GPU_CUDA_12: (12, 4),
    GPU_CUDA_13: (13, 0),
}
"""CUDA of each GPU AMI's driver."""

_NEWER_DRIVER = ("g7",)
"""Families of instance types whose GPUs need a newer driver than any of these (awslabs/amazon-eks-ami pull request
2768, NVIDIA/aicr issue 2743)."""

SAGEMAKER_DEFAULT = "default"
"""As inference_ami_version, it leaves the AMI to SageMaker, whose default depends on the instance family."""

_NAME = String("the name of an AMI version", r"[a-zA-Z0-9][a-zA-Z0-9.-]*", longest=256)


def default_ami(instance: InstanceType, cuda: Cuda) -> str | None:
    """The AMI that an image with that CUDA needs on that instance; None leaves it to SageMaker.

    CUDA 12.4 and later 12.x need driver 550, which the default hosts of g4dn, g5 and p4d do not have; 13.x needs 580.
    Up to 12.2 every default host is sufficient. Blackwell needs a newer driver than the CUDA 12 AMI has, and CUDA 12
    images do not start on the CUDA 13 AMI, so there the choice stays SageMaker's.
    """
    if not instance.is_gpu:
        return None if has_no_accelerator(instance.name) else NEURON
    if cuda >= (13, 0):
        return GPU_CUDA_13
    blackwell = instance.compute_capability is not None and instance.compute_capability >= BLACKWELL
    return GPU_CUDA_12 if cuda >= (12, 4) and not blackwell else None


def shared_ami(needs: Iterable[tuple[str | None, Cuda]]) -> str | None:
    """The AMI on which images with different CUDA releases run side by side.

    Args:
        needs: For each image its `default_ami` and its CUDA.

    Returns:
        The AMI; None leaves it to SageMaker.

    Raises:
        ValueError: None supports them all.
    """
    needs = list(needs)
    wanted = {ami for ami, _ in needs}
    if len(wanted) == 1:
        return wanted.pop()
    for ami in filter(None, wanted):
        host = HOST_CUDA.get(ami)
        if host is not None and all(_supports(host, cuda) for _, cuda in needs):
            return ami
    raise ValueError(f"no AMI supports all of {needs}")


def ami_problems(chosen: str, instance: InstanceType, cuda: Cuda) -> Iterator[Problem]:
    """Why the requested AMI cannot work.

    Args:
        chosen: The AMI.
        instance: The instance type.
        cuda: CUDA of the image.
    """
    keyword, right = "inference_ami_version", default_ami(instance, cuda)
    fix = f"Use {right!r}." if right else "Leave it out."
    if found := problem(keyword, chosen, _NAME):
        yield found
    elif chosen == NEURON and instance.is_gpu:
        yield Problem(keyword, chosen, f"is for Inferentia and Trainium, but {instance.name} has GPUs", fix)
    elif chosen in HOST_CUDA and not instance.is_gpu:
        yield Problem(keyword, chosen, f"is for GPUs, but {instance.name} has {instance.accelerator}", fix)


def ami_warnings(chosen: str, cuda: Cuda) -> Iterator[PlanWarning]:
    """Why the requested AMI may not work."""
    host = HOST_CUDA.get(chosen)
    if host is None and chosen not in (SAGEMAKER_DEFAULT, NEURON):
        yield PlanWarning(
            "tgi-endpoint:unknownInferenceAmi",
            f"inference_ami_version={chosen!r} is not a known AMI. Known are {', '.join([*HOST_CUDA, NEURON])}.",
        )
    if host is not None and not _supports(host, cuda):
        yield PlanWarning(
            "tgi-endpoint:inferenceAmiMismatch",
            f"inference_ami_version={chosen!r} has the driver of CUDA {host[0]}.{host[1]}, but the image has CUDA"
            f" {cuda[0]}.{cuda[1]}: such containers have failed to start, without a log line. Leave it out to get the"
            " AMI that the image needs.",
        )


def driver_warnings(instance: InstanceType) -> Iterator[PlanWarning]:
    """That no AMI which is known here has the driver of the instance's GPUs."""
    if instance.family in _NEWER_DRIVER:
        yield PlanWarning(
            "tgi-endpoint:driverTooOld",
            f"{instance.name}'s GPUs ({instance.accelerator}) need NVIDIA's driver 595, by public reports, and the"
            " newest AMI of SageMaker's that is known here has 580: the container may find no GPU. Prefer ml.g6e or"
            " ml.g7e, or name a newer AMI with inference_ami_version.",
        )


def _supports(host: Cuda, cuda: Cuda) -> bool:
    if host >= (13, 0) or cuda >= (13, 0):
        return host >= (13, 0) and cuda >= (13, 0)
    return host >= (12, 4) or cuda < (12, 4)
