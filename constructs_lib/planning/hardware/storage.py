"""Whether an instance has room for the weights: its storage for the files, its memory for loading them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from constructs_lib.planning.hardware.instance_types import InstanceType

_GIB = 2**30

STORAGE_SHARE = 0.95
"""Share of the storage that the files may fill; the container's own files and logs need the rest."""

# The families whose storage is fixed: sagemaker-core 2.27.0 common_utils.volume_size_supported, where any family with
# a "d" (local disk) counts as well.
_FIXED_STORAGE = ("g5", "g6", "g7e", "p5", "p6-b200", "trn1", "trn2")


def volume_size_supported(name: str) -> bool:
    """Whether SageMaker takes a volume size for instances of that name (the rule of sagemaker-core 2.27.0)."""
    family = family_of(name)
    return "d" not in family and not family.startswith(_FIXED_STORAGE)


def family_of(name: str) -> str:
    """The family of an instance type: `g5` of `ml.g5.2xlarge`."""
    return str(name).removeprefix("ml.").partition(".")[0]


_SMALLEST_VOLUME, _UNKNOWN_VOLUME, _LARGEST_VOLUME = 128, 256, 512
"""GiB. The second is what AWS's test of a Neuron endpoint has (awslabs/llm-hosting-container
tests/huggingface/sagemaker_dlc_test.py); SageMaker takes no more than the third."""

_IMAGE_AND_CACHES = 64
"""GiB for the image, the compiler's cache and logs."""


def needs_volume(instance: InstanceType) -> bool:
    """Whether it has no storage of its own, so that the weights need a volume of their size."""
    return instance.nvme_gb == 0 and instance.volume_configurable


def default_volume_gib(stored: int | None) -> int:
    """The volume for such an instance: twice the weights, of which an engine may keep a converted copy, and 64 GiB.

    Args:
        stored: Size of the weights in bytes; None if it is not known, which gives 256 GiB.
    """
    if stored is None:
        return _UNKNOWN_VOLUME
    wanted = _IMAGE_AND_CACHES + math.ceil(2 * stored / _GIB)
    return min(_LARGEST_VOLUME, max(_SMALLEST_VOLUME, wanted))


def storage_bytes(instance: InstanceType, volume_size_gib: int | None) -> int | None:
    """Storage for the weights: the volume that is requested, else NVMe drives; None if it is not known."""
    if volume_size_gib is not None and instance.volume_configurable:
        return volume_size_gib * _GIB
    return instance.nvme_gb * 10**9 if instance.nvme_gb else None


def stored_bytes(weights: int, *, is_archive: bool) -> int:
    """What the storage has to hold, in bytes: an archive stays until it is unpacked, and weights hardly compress."""
    return weights * 2 if is_archive else weights


def storage_problem(
    instance: InstanceType,
    *,
    download: int,
    host_peak: int,
    volume_size_gib: int | None = None,
    is_archive: bool = False,
) -> str | None:
    """Why the host has no room for the weights, as a sentence; None if it has, or its size is not known.

    Args:
        instance: The instance.
        download: Size of the published weights in bytes.
        host_peak: Memory of the host that loading takes, in bytes.
        volume_size_gib: The requested volume. Default: none.
        is_archive: Whether they are in an archive, which SageMaker unpacks there. Default: False.
    """
    storage, stored = storage_bytes(instance, volume_size_gib), stored_bytes(download, is_archive=is_archive)
    if storage is not None and stored > storage * STORAGE_SHARE:
        what = "archive and its contents" if is_archive else "weights"
        return f"The {what} are {stored / _GIB:.0f} GiB, but it has {storage / _GIB:.0f} GiB of storage."
    host = instance.host_memory_gib
    if host is not None and host_peak > host * _GIB:
        return f"Loading takes {host_peak / _GIB:.0f} GiB of the host's memory, but it has {host:.0f} GiB."
    return None
