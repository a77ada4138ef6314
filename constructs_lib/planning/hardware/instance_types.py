"""The accelerator instances of SageMaker real-time endpoints."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, ClassVar, Literal

from constructs_lib.planning.data_files import read
from constructs_lib.planning.hardware.storage import family_of, volume_size_supported

Architecture = Literal["x86_64", "arm64"]

# EC2 user guide, "Instance type naming conventions": compute, general purpose, memory, burstable, storage. A test
# compares it with every name that botocore knows.
_CPU_FAMILY = re.compile(r"(?:[acdhimrtxz]|im|is)\d")

BLACKWELL = (10, 0)
"""Compute capability of the first Blackwell GPUs."""


@dataclass(frozen=True, kw_only=True)
class CheapestFor:
    """Stands for the cheapest instance type that serves a load; the plan resolves it (`sizing.cheapest`).

    Args:
        tokens: Longest prompt and answer of a request together, in tokens.
        concurrency: Requests of that length to serve concurrently.
    """

    tokens: int
    concurrency: int = 1


@dataclass(frozen=True)
class InstanceType:
    """An instance type for a model endpoint. It decides the bill, so no argument has one as its default.

    Use one of the class attributes (`InstanceType.G5_2XLARGE`), look one up by name (`InstanceType.named`) or describe
    one that is not in the catalogue (`InstanceType.of`). Numbers are None if they are not published.

    Args:
        name: SageMaker's name, such as `ml.g5.2xlarge`.
        accelerator: Marketing name of the accelerator, such as `A10G`.
        is_gpu: Whether it is an NVIDIA GPU; False for Inferentia and Trainium.
        compute_capability: CUDA compute capability, such as (8, 6); None for other accelerators than GPUs.
        accelerator_count: GPUs (or Neuron devices) in the instance.
        memory_gib: Memory of one accelerator in GiB.
        vcpu: Virtual CPUs.
        host_memory_gib: Memory of the host in GiB.
        nvme_gb: Local NVMe storage in GB; 0 without any.
        volume_configurable: Whether SageMaker takes a volume size and a volume KMS key for it.
        volume_rule_unverified: The SDK's rule lets a volume through although the instance has NVMe storage.
        cores_per_accelerator: Neuron cores of one device; None for GPUs.
        architecture: CPU architecture of the host.
        price_usd_per_hour: SageMaker hosting, on demand, us-east-1; None if no price is published.
        price_is_derived: The price is EC2's times the usual ratio, not one that AWS publishes.
        price_source: Where the price comes from.
        price_date: Day (ISO) on which the price was read.
        source: Where the hardware figures come from.
        date: Day (ISO) on which they were read.
    """

    name: str
    accelerator: str
    is_gpu: bool
    compute_capability: tuple[int, int] | None
    accelerator_count: int | None
    memory_gib: float | None
    vcpu: int | None = None
    host_memory_gib: float | None = None
    nvme_gb: int | None = None
    volume_configurable: bool = False
    volume_rule_unverified: bool = False
    cores_per_accelerator: int | None = None
    architecture: Architecture = "x86_64"
    price_usd_per_hour: float | None = None
    price_is_derived: bool = False
    price_source: str | None = None
    price_date: str | None = None
    source: str = "the caller"
    date: str | None = None

    G4DN_XLARGE: ClassVar[InstanceType]
    G4DN_2XLARGE: ClassVar[InstanceType]
    G4DN_4XLARGE: ClassVar[InstanceType]
    G4DN_8XLARGE: ClassVar[InstanceType]
    G4DN_12XLARGE: ClassVar[InstanceType]
    G4DN_16XLARGE: ClassVar[InstanceType]
    G5_XLARGE: ClassVar[InstanceType]
    G5_2XLARGE: ClassVar[InstanceType]
    G5_4XLARGE: ClassVar[InstanceType]
    G5_8XLARGE: ClassVar[InstanceType]
    G5_12XLARGE: ClassVar[InstanceType]
    G5_16XLARGE: ClassVar[InstanceType]
    G5_24XLARGE: ClassVar[InstanceType]
    G5_48XLARGE: ClassVar[InstanceType]
    G6_XLARGE: ClassVar[InstanceType]
    G6_2XLARGE: ClassVar[InstanceType]
    G6_4XLARGE: ClassVar[InstanceType]
    G6_8XLARGE: ClassVar[InstanceType]
    G6_12XLARGE: ClassVar[InstanceType]
    G6_16XLARGE: ClassVar[InstanceType]
    G6_24XLARGE: ClassVar[InstanceType]
    G6_48XLARGE: ClassVar[InstanceType]
    G6E_XLARGE: ClassVar[InstanceType]
    G6E_2XLARGE: ClassVar[InstanceType]
    G6E_4XLARGE: ClassVar[InstanceType]
    G6E_8XLARGE: ClassVar[InstanceType]
    G6E_12XLARGE: ClassVar[InstanceType]
    G6E_16XLARGE: ClassVar[InstanceType]
    G6E_24XLARGE: ClassVar[InstanceType]
    G6E_48XLARGE: ClassVar[InstanceType]
    G7_2XLARGE: ClassVar[InstanceType]
    G7_4XLARGE: ClassVar[InstanceType]
    G7_8XLARGE: ClassVar[InstanceType]
    G7_12XLARGE: ClassVar[InstanceType]
    G7_24XLARGE: ClassVar[InstanceType]
    G7_48XLARGE: ClassVar[InstanceType]
    G7E_2XLARGE: ClassVar[InstanceType]
    G7E_4XLARGE: ClassVar[InstanceType]
    G7E_8XLARGE: ClassVar[InstanceType]
    G7E_12XLARGE: ClassVar[InstanceType]
    G7E_24XLARGE: ClassVar[InstanceType]
    G7E_48XLARGE: ClassVar[InstanceType]
    P4D_24XLARGE: ClassVar[InstanceType]
    P4DE_24XLARGE: ClassVar[InstanceType]
    P5_48XLARGE: ClassVar[InstanceType]
    P5_4XLARGE: ClassVar[InstanceType]
    P5E_48XLARGE: ClassVar[InstanceType]
    P5EN_48XLARGE: ClassVar[InstanceType]
    P6_B200_48XLARGE: ClassVar[InstanceType]
    P6_B300_48XLARGE: ClassVar[InstanceType]
    P6E_GB200_36XLARGE: ClassVar[InstanceType]
    INF2_XLARGE: ClassVar[InstanceType]
    INF2_8XLARGE: ClassVar[InstanceType]
    INF2_24XLARGE: ClassVar[InstanceType]
    INF2_48XLARGE: ClassVar[InstanceType]
    TRN1_2XLARGE: ClassVar[InstanceType]
    TRN1_32XLARGE: ClassVar[InstanceType]
    TRN1N_32XLARGE: ClassVar[InstanceType]
    TRN2_48XLARGE: ClassVar[InstanceType]

    @property
    def family(self) -> str:
        """The part between the dots: `g5` of `ml.g5.2xlarge`."""
        return family_of(self.name)

    @property
    def unit_count(self) -> int | None:
        """What can share a model: its GPUs, or the cores of its Neuron devices; None if the number is not known."""
        return None if self.accelerator_count is None else self.accelerator_count * (self.cores_per_accelerator or 1)

    def accelerators_for(self, units: int) -> int:
        """How many accelerators have that many units: as many GPUs, or the Neuron devices of that many cores.

        Args:
            units: GPUs or Neuron cores.
        """
        return -(-units // (self.cores_per_accelerator or 1))

    @classmethod
    def all(cls) -> tuple[InstanceType, ...]:
        """Every instance of the catalogue, in the catalogue's order."""
        return tuple(_BY_NAME.values())

    @classmethod
    def named(cls, name: str) -> InstanceType:
        """The catalogue's instance of that name.

        Args:
            name: SageMaker's name, such as `ml.g5.2xlarge`, or EC2's, `g5.2xlarge`.

        Raises:
            ValueError: The catalogue has no such instance; the message names the nearest ones, or says that it has no
                GPU.
        """
        if found := find_instance(name):
            return found
        if has_no_accelerator(name):
            raise ValueError(f"instance type {name!r} has no GPU. Use one that has, such as ml.g5.2xlarge.")
        near = nearest_instances(name)
        nearest = f" The nearest are {', '.join(near)}." if near else ""
        raise ValueError(
            f"instance type {name!r} is not in the catalogue.{nearest}"
            " Describe another one with InstanceType.of(name, accelerator_count=..., memory_gib=...)."
        )

    @staticmethod
    def cheapest_for(*, tokens: int, concurrency: int = 1) -> CheapestFor:
        """Leaves the choice to the plan: the cheapest instance of the catalogue that serves a load.

        The price is that of us-east-1. Left out are Blackwell GPUs, for which TGI was not tested, and instances
        so close to their limit that the model may not start.

        Args:
            tokens: Longest prompt and answer of a request together, in tokens; becomes `max_total_tokens`.
            concurrency: Requests of that length to serve concurrently. Default: 1.
        """
        return CheapestFor(tokens=tokens, concurrency=concurrency)

    @classmethod
    def of(
        cls,
        name: str,
        *,
        accelerator_count: int,
        memory_gib: float,
        accelerator: str = "unknown",
        compute_capability: tuple[int, int] | None = None,
        is_gpu: bool = True,
        cores_per_accelerator: int | None = None,
        vcpu: int | None = None,
        host_memory_gib: float | None = None,
        nvme_gb: int | None = None,
        volume_configurable: bool | None = None,
        architecture: Architecture = "x86_64",
        price_usd_per_hour: float | None = None,
    ) -> InstanceType:
        """Describes an instance that is not in the catalogue.

        Args:
            name: SageMaker's name, such as `ml.g9.2xlarge`.
            accelerator_count: GPUs (or Neuron devices) in the instance.
            memory_gib: Memory of one of them in GiB.
            accelerator: Marketing name of the accelerator.
            compute_capability: CUDA compute capability, such as (8, 6). Default: rules that depend on it are skipped.
            is_gpu: False for Neuron devices.
            cores_per_accelerator: Neuron cores of one device. Default: none, it is a GPU.
            vcpu: Virtual CPUs.
            host_memory_gib: Memory of the host in GiB.
            nvme_gb: Local NVMe storage in GB.
            volume_configurable: Whether SageMaker takes a volume size and key. Default: by the family, as the
                SageMaker SDK decides it (sagemaker-core 2.27.0, `volume_size_supported`).
            architecture: CPU architecture of the host.
            price_usd_per_hour: What an hour of it costs.
        """
        if volume_configurable is None:
            volume_configurable = volume_size_supported(name)
        return cls(
            name=name,
            accelerator=accelerator,
            is_gpu=is_gpu,
            compute_capability=compute_capability,
            accelerator_count=accelerator_count,
            memory_gib=memory_gib,
            cores_per_accelerator=cores_per_accelerator,
            vcpu=vcpu,
            host_memory_gib=host_memory_gib,
            nvme_gb=nvme_gb,
            volume_configurable=volume_configurable,
            architecture=architecture,
            price_usd_per_hour=price_usd_per_hour,
        )

    @classmethod
    def without_accelerator(
        cls,
        name: str,
        *,
        vcpu: int | None = None,
        host_memory_gib: float | None = None,
        architecture: Architecture = "x86_64",
        price_usd_per_hour: float | None = None,
    ) -> InstanceType:
        """An instance that has neither GPUs nor Neuron devices, for a container of your own.

        Args:
            name: SageMaker's name, such as `ml.c7i.xlarge`.
            vcpu: Virtual CPUs.
            host_memory_gib: Memory of the host in GiB.
            architecture: CPU architecture of the host, for which the image has to be built.
            price_usd_per_hour: What an hour of it costs.
        """
        return cls(
            name=name,
            accelerator="no accelerator",
            is_gpu=False,
            compute_capability=None,
            accelerator_count=None,
            memory_gib=None,
            vcpu=vcpu,
            host_memory_gib=host_memory_gib,
            volume_configurable=volume_size_supported(name),
            architecture=architecture,
            price_usd_per_hour=price_usd_per_hour,
        )


def find_instance(name: object) -> InstanceType | None:
    """The catalogue's instance of a name, in any case, with or without `ml.`, or as the class attribute has it."""
    return _BY_KEY.get(_key(name)) if isinstance(name, str) else None


def nearest_instances(name: object) -> list[str]:
    """Up to three names of the catalogue that are like an unknown one, the nearest first."""
    text = str(name).strip().lower()
    return get_close_matches(text if text.startswith("ml.") else f"ml.{text}", _BY_NAME, n=3, cutoff=0.5)


def _key(name: str) -> str:
    return re.sub(r"[._-]", "", name.strip().lower().removeprefix("instancetype.").removeprefix("ml."))


def has_no_accelerator(name: object) -> bool:
    """Whether an instance of that name has neither GPUs nor Neuron devices, by the names of EC2's families."""
    return isinstance(name, str) and _CPU_FAMILY.match(family_of(name)) is not None


def attribute_name(name: str) -> str:
    """How the catalogue's instance of that name is written: `InstanceType.G5_2XLARGE` for `ml.g5.2xlarge`."""
    return f"InstanceType.{re.sub(r'[.-]', '_', name.removeprefix('ml.')).upper()}"


def _from_row(row: dict[str, Any]) -> InstanceType:
    capability = row["compute_capability"]
    fields = {key: value for key, value in row.items() if key in InstanceType.__dataclass_fields__}
    fields["compute_capability"] = tuple(map(int, capability.split("."))) if capability else None
    return InstanceType(**fields)


_BY_NAME = {row["name"]: _from_row(row) for row in read("hardware/instances")["rows"]}

_BY_KEY = {_key(name): instance for name, instance in _BY_NAME.items()}

for _instance in _BY_NAME.values():
    setattr(InstanceType, attribute_name(_instance.name).removeprefix("InstanceType."), _instance)
