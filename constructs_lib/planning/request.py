"""The request of a caller, and the plan that answers it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from constructs_lib.planning.engine import Engine
from constructs_lib.planning.hardware.instance_types import CheapestFor, InstanceType
from constructs_lib.planning.images.catalogue import ImageChoice, ImageFamily
from constructs_lib.planning.memory_plan import MemoryPlan
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.network import NetworkAccess
from constructs_lib.planning.serving_limits import ServingFacts
from constructs_lib.planning.validation.problem import PlanWarning, Problem

UNDECIDED = InstanceType(
    name="ml.unknown.xlarge",
    accelerator="unknown",
    is_gpu=True,
    compute_capability=None,
    accelerator_count=None,
    memory_gib=None,
    volume_configurable=True,
)
"""Takes the place of an instance type that is not chosen yet, or not a right one."""


@dataclass(frozen=True, kw_only=True)
class EndpointRequest:
    """Everything about an endpoint that can be checked without AWS.

    What is not resolved at synth is an `Unknown`: no rule checks it, and the plan writes its text.

    Args:
        engine: What runs in the container.
        model: Which weights.
        instance: Which instance type; `UNDECIDED` with `cheapest` or `pools`.
        cheapest: The load for which the cheapest instance type is chosen instead. Default: none.
        pools: Instance types by priority instead, of which SageMaker takes the first that has capacity. Default: none.
        image: Which container image. Default: the newest in the catalogue.
        options: The engine's options, of its `options_type`. Default: the engine's defaults.
        environment: Further variables for the container.
        region: Code of the Region; None if it is not known at synth.
        instance_count: Instances of the variant, at least 1.
        startup_timeout_seconds: Seconds until the container must answer its health check, 60 to 3600. Default: by the
            model's size (`timeouts.startup_seconds`).
        model_download_timeout_seconds: Seconds for SageMaker's download from S3, 60 to 3600. Default: by the model's
            size (`timeouts.download_seconds`) for weights in S3, none for the hub.
        instance_provision_timeout_seconds: Seconds for SageMaker to find instances, 300 to 3600. Default: SageMaker's.
        volume_size_gib: Storage volume, 1 to 512 GiB, if the instance takes one. Default: SageMaker's.
        has_volume_key: Whether a KMS key for that volume is given.
        inference_ami_version: AMI of the host. Default: what the image's CUDA needs (`host_ami.default_ami`).
        network_isolation: Whether the container is cut off from every network.
        network: What the endpoint's subnets reach. None: it is in no VPC of the caller's, or nothing can be said.
        endpoint_name: Name of the endpoint; None lets CloudFormation choose.
        variant_name: Name of the production variant.
    """

    engine: Engine
    model: ModelChoice
    instance: InstanceType
    cheapest: CheapestFor | None = None
    pools: tuple[InstanceType, ...] | None = None
    image: ImageChoice | None = None
    options: Any = None
    environment: Mapping[str, str] = field(default_factory=dict)
    region: str | None = None
    instance_count: int = 1
    startup_timeout_seconds: int | None = None
    model_download_timeout_seconds: int | None = None
    instance_provision_timeout_seconds: int | None = None
    volume_size_gib: int | None = None
    has_volume_key: bool = False
    inference_ami_version: str | None = None
    network_isolation: bool = False
    network: NetworkAccess | None = None
    endpoint_name: str | None = None
    variant_name: str = "AllTraffic"

    @property
    def images(self) -> ImageFamily:
        """The images among which the version is looked up."""
        family: object = self.image_choice.family
        return family if isinstance(family, ImageFamily) else self.engine.images

    @property
    def image_choice(self) -> ImageChoice:
        """The image, with the default."""
        return ImageChoice(version=self.engine.images.newest) if self.image is None else self.image


@dataclass(frozen=True, kw_only=True)
class EndpointPlan:
    """What a construct renders, and everything that is wrong with the request.

    Args:
        instance: The instance type, chosen by the plan if the cheapest one was requested; of several the first.
        image_repository: Repository of the image; None for the caller's own image, or a version that is not in the
            catalogue.
        image_tag: Tag of the image; None like the repository.
        environment: The container's variables, without the hub token.
        token_variables: Variables that take the hub token; empty without one.
        inference_ami_version: AMI of the host; None leaves it to SageMaker.
        startup_timeout_seconds: Container start-up health check timeout.
        model_download_timeout_seconds: Model data download timeout; None leaves it to SageMaker.
        load_seconds: What image and weights take on a new instance, as an estimate.
        volume_size_gib: Storage volume; None leaves it to SageMaker.
        num_shard: GPUs, or cores of Neuron devices, that share the model.
        keeps_prefixes: Whether later prompts that begin the same use the cache of earlier ones; None: not known.
        max_body_bytes: Largest request body that reaches the model.
        memory: What each GPU holds; None if the model, the GPU or an option that decides it is not known.
        serving: What is certain at synth about how it will serve.
        problems: Why it cannot be deployed; nothing else of the plan counts then.
        warnings: What is legal but risky.
        copies: Copies of the model in one container, each on GPUs of its own. Default: 1.
        pools: The plan for each instance type by priority, if there is a list. `environment` and `num_shard` of the
            whole are those of the first.
    """

    instance: InstanceType
    image_repository: str | None
    image_tag: str | None
    environment: dict[str, str]
    token_variables: tuple[str, ...]
    inference_ami_version: str | None
    startup_timeout_seconds: int
    model_download_timeout_seconds: int | None
    load_seconds: int
    volume_size_gib: int | None
    num_shard: int
    keeps_prefixes: bool | None
    max_body_bytes: int
    memory: MemoryPlan | None
    serving: ServingFacts
    problems: tuple[Problem, ...]
    warnings: tuple[PlanWarning, ...]
    copies: int = 1
    pools: tuple[EndpointPlan, ...] = ()

    @property
    def accelerators(self) -> int:
        """The accelerators that one container takes: GPUs, or Neuron devices, which have several cores."""
        return self.instance.accelerators_for(self.num_shard * self.copies)
