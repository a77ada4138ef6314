"""The memory of a GPU as software sees it, which is less than in the instance's data sheet; that of a Neuron core."""

from __future__ import annotations

from functools import cache

from constructs_lib.planning.data_files import read
from constructs_lib.planning.hardware.instance_types import InstanceType

GIB = 2**30

_SHARE = 0.97
"""Share of the data sheet's memory that CUDA reports for a GPU that is not in the catalogue: less than for any in the
catalogue but T4."""


def visible_bytes(instance: InstanceType) -> int:
    """Memory of one GPU as CUDA reports it, in bytes; of a Neuron device the part that belongs to one core.

    The Neuron runtime fills a core's 16 GiB but for some tens of MiB: aws-neuron/transformers-neuronx issue 49 lists
    what it holds when it runs out of memory.

    Raises:
        ValueError: The memory of that instance's accelerators is not published.
    """
    if instance.memory_gib is None:
        raise ValueError(
            f"the memory of the {'GPUs' if instance.is_gpu else 'devices'} of {instance.name} is not known"
        )
    if not instance.is_gpu:
        return int(instance.memory_gib * GIB) // (instance.cores_per_accelerator or 1)
    known = _known(instance)
    return int((known["visible_gib"] if known else instance.memory_gib * _SHARE) * GIB)


def nvidia_smi_bytes(instance: InstanceType) -> int:
    """Memory of one GPU as nvidia-smi reports it, on which TGI's launcher bases its estimates, in bytes."""
    known = _known(instance)
    return int(known["nvidia_smi_mib"]) * 2**20 if known else int((instance.memory_gib or 0) * GIB)


def launcher_flops(instance: InstanceType) -> float | None:
    """Operations per second that TGI's launcher assumes for one GPU; None for a GPU that it does not know."""
    known = _known(instance)
    return known["tflops"] * 1e12 if known and known["tflops"] else None


def _known(instance: InstanceType) -> dict[str, float] | None:
    known = _by_name().get(instance.accelerator)
    # A caller's own figure wins over the catalogue's.
    return known if known and instance.memory_gib == known["memory_gib"] else None


@cache
def _by_name() -> dict[str, dict[str, float]]:
    catalogue = read("hardware/instances")
    memory = {row["accelerator"]: row["memory_gib"] for row in catalogue["rows"]}
    return {row["accelerator"]: row | {"memory_gib": memory[row["accelerator"]]} for row in catalogue["accelerators"]}
