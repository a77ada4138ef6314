"""Whether the host can take in the weights: its storage the files, its memory what loading takes."""

from __future__ import annotations

from constructs_lib.planning.hardware.gpu_memory import GIB
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.sizing.memory import MemoryPlan

_SHARE = 0.95
"""What the files may fill of the storage; the container's own files and logs need the rest."""


def storage_bytes(instance: InstanceType, volume_size_gib: int | None) -> int | None:
    """Storage for the weights: the volume that is asked for, else NVMe drives; None where it is not known."""
    if volume_size_gib is not None and instance.volume_configurable:
        return volume_size_gib * GIB
    return instance.nvme_gb * 10**9 if instance.nvme_gb else None


def storage_fault(instance: InstanceType, memory: MemoryPlan, volume_size_gib: int | None) -> str | None:
    """Why the host cannot take in the weights, as a sentence; None if it can or its size is not known."""
    storage = storage_bytes(instance, volume_size_gib)
    if storage is not None and memory.download > storage * _SHARE:
        return f"The weights are {memory.download / GIB:.0f} GiB, it has {storage / GIB:.0f} GiB of storage."
    host = instance.host_memory_gib
    if host is not None and memory.host_peak > host * GIB:
        return f"Loading takes {memory.host_peak / GIB:.0f} GiB of the host's memory, it has {host:.0f} GiB."
    return None
