"""A version of a JumpStart model with everything that an endpoint needs, as AWS published it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from constructs_lib.planning.images.catalogue import url_suffix


@dataclass(frozen=True, kw_only=True)
class PinnedInstance:
    """What the model runs on one instance type.

    Args:
        images: URI of the container image by Region. A Region that is missing does not support the instance type.
        artifact: Key of the weights in JumpStart's bucket: a folder with a slash at its end, else a `.tar.gz` archive.
        environment: Variables of the container.
        accelerators: GPUs or Neuron devices that a copy takes. Default: not published.
        memory_mib: Memory of the host that a copy takes. Default: not published.
    """

    images: Mapping[str, str]
    artifact: str
    environment: Mapping[str, str] = field(default_factory=dict)
    accelerators: int | None = None
    memory_mib: int | None = None

    @property
    def is_archive(self) -> bool:
        """Whether the weights are one compressed archive."""
        return not self.artifact.endswith("/")


@dataclass(frozen=True, kw_only=True)
class PinnedModel:
    """A version of a JumpStart model.

    Args:
        model_id: JumpStart's id, such as `meta-textgeneration-llama-3-1-70b`.
        version: Its version, such as `2.16.2`.
        regions: Regions in which it was read.
        instance_types: What it runs on each instance type, by name.
        default_instance_type: The one that JumpStart would take. Default: not published.
        config: The inference configuration, if the model has several. Default: it has none.
        hub_id: Repository on the Hugging Face hub that it comes from. Default: not published.
        licence: Name of the licence. Default: not published.
        is_gated: Whether its weights are in the bucket that requires the licence agreement. Default: no.
        eula_key: Key of the licence agreement in the public bucket. Default: none.
        network_isolation: Whether the container needs no network. Default: no.
        supports_components: Whether it may run as an inference component. Default: no.
        volume_gib: Storage volume of the instance. Default: SageMaker's.
        startup_seconds: Container start-up health check timeout. Default: not published.
        download_seconds: Model data download timeout. Default: not published.
        inference_ami_version: Machine image of the host. Default: not published.
        deprecated: Why it should not be used any more. Default: it is not deprecated.
        vulnerabilities: Known vulnerabilities of its container. Default: none.
        source: Where it was read.
        date: Day (ISO) on which it was read.
    """

    model_id: str
    version: str
    regions: tuple[str, ...]
    instance_types: Mapping[str, PinnedInstance]
    default_instance_type: str | None = None
    config: str | None = None
    hub_id: str | None = None
    licence: str | None = None
    is_gated: bool = False
    eula_key: str | None = None
    network_isolation: bool = False
    supports_components: bool = False
    volume_gib: int | None = None
    startup_seconds: int | None = None
    download_seconds: int | None = None
    inference_ami_version: str | None = None
    deprecated: str | None = None
    vulnerabilities: tuple[str, ...] = ()
    source: str = ""
    date: str = ""

    @property
    def has_agreement(self) -> bool:
        """Whether the licence agreement has to be accepted."""
        return self.is_gated or self.eula_key is not None

    def agreement_url(self, region: str) -> str | None:
        """Where the licence agreement can be read; None if its place is not published."""
        return None if self.eula_key is None else f"{bucket_url(region)}/{self.eula_key}"


def bucket_name(region: str, *, gated: bool = False) -> str:
    """JumpStart's bucket in a Region (sagemaker-core 2.27.0, jumpstart/region_config.json).

    Args:
        region: Code of the Region.
        gated: Whether to name the bucket of the weights that require a licence agreement. Default: the public one.
    """
    return f"jumpstart-{'private-' if gated else ''}cache-prod-{region}"


def bucket_url(region: str) -> str:
    """Where the public bucket is read over HTTPS."""
    return f"https://{bucket_name(region)}.s3.{region}.{url_suffix(region) or 'amazonaws.com'}"
