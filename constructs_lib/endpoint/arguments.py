"""The arguments that endpoints of every engine take, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from constructs_lib._arguments import KEY, ROLE, gibibytes, quantity_problems, seconds, tag_problems
from constructs_lib._stack_env import environment_of
from constructs_lib._tokens import hide_token, hide_tokens, is_token
from constructs_lib.endpoint.container_image import ContainerImage
from constructs_lib.endpoint.data_capture import DataCapture, capture_problems, capture_warnings
from constructs_lib.endpoint.metrics_config import detail_problems, detail_warnings
from constructs_lib.endpoint.model import Model
from constructs_lib.endpoint.network import Network
from constructs_lib.endpoint.places import place_problems
from constructs_lib.endpoint.role_trust import trust_problems
from constructs_lib.endpoint.sagemaker_model import Hosting
from constructs_lib.endpoint.scale_to_zero import ScaleToZero, zero_type_problems
from constructs_lib.planning.hardware.instance_types import CheapestFor, InstanceType
from constructs_lib.planning.request import UNDECIDED, EndpointPlan, EndpointRequest
from constructs_lib.planning.scaling.capacity_reservation import (
    CapacityReservation,
    reservation_problems,
    reservation_warnings,
)
from constructs_lib.planning.scaling.pools import is_list
from constructs_lib.planning.scaling.routing import Routing, routing_problems, routing_warnings
from constructs_lib.planning.scaling.updates import replacement_problems
from constructs_lib.planning.variants import first_weight_problems

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from aws_cdk import Duration, Size
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kms as kms
    from constructs import Construct

    from constructs_lib.endpoint.async_inference import AsyncInference
    from constructs_lib.endpoint.lora_adapter import LoraAdapter
    from constructs_lib.endpoint.rollout import Rollout
    from constructs_lib.planning.engine import Engine
    from constructs_lib.planning.validation.problem import PlanWarning, Problem


@dataclass(frozen=True, kw_only=True)
class EndpointArguments:
    """The arguments of an endpoint with their defaults; `EndpointOptions` describes them.

    The arguments of `vpc`, `vpc_subnets` and `security_groups` are in `network`; those of asynchronous inference in
    `async_inference`.
    """

    model: Model
    instance_type: InstanceType | CheapestFor | Sequence[InstanceType]
    image: ContainerImage
    options: Any
    network: Network
    instance_count: int = 1
    environment: Mapping[str, str] | None = None
    startup_timeout: Duration | None = None
    model_download_timeout: Duration | None = None
    volume_size: Size | None = None
    volume_key: kms.IKey | None = None
    network_isolation: bool = False
    inference_ami_version: str | None = None
    routing: Routing = field(default_factory=Routing)
    capacity_reservation: CapacityReservation | None = None
    instance_provision_timeout: Duration | None = None
    scale_to_zero: ScaleToZero | None = None
    replace_on_instance_type_change: bool = False
    rollout: Rollout | None = None
    data_capture: DataCapture | None = None
    detailed_observability: bool | None = None
    variant_name: str = "AllTraffic"
    variant_weight: float = 1
    endpoint_name: str | None = None
    role: iam.IRole | None = None
    tags: Mapping[str, str] | None = None
    async_inference: AsyncInference | None = None
    adapters: Sequence[LoraAdapter] = ()

    def request(self, scope: Construct, engine: Engine) -> EndpointRequest:
        """What the plan needs to know.

        Args:
            scope: The scope of the endpoint.
            engine: What runs in the container.
        """
        instance: Any = self.instance_type
        is_named = self._pools is None and not isinstance(instance, CheapestFor)
        return EndpointRequest(
            engine=engine,
            model=_spec(self.model),
            instance=instance if is_named else UNDECIDED,
            cheapest=instance if isinstance(instance, CheapestFor) else None,
            pools=self._pools,
            image=_spec(self.image),
            options=self.options,
            environment={} if self.environment is None else self.environment,
            region=_known(environment_of(scope).region),
            instance_count=self.instance_count,
            startup_timeout_seconds=seconds(self.startup_timeout),
            model_download_timeout_seconds=seconds(self.model_download_timeout),
            instance_provision_timeout_seconds=seconds(self.instance_provision_timeout),
            volume_size_gib=gibibytes(self.volume_size),
            has_volume_key=self.volume_key is not None,
            inference_ami_version=self.inference_ami_version,
            network_isolation=self.network_isolation,
            network=self.network.access(),
            endpoint_name=self.endpoint_name,
            variant_name=self.variant_name,
        )

    def problems(self, scope: Construct) -> Iterator[Problem]:
        """What is wrong with arguments that the plan does not see.

        Args:
            scope: The scope of the endpoint.
        """
        for part in (self.model, self.image):
            yield from _validate(part)
        yield from quantity_problems(
            startup_timeout=self.startup_timeout,
            model_download_timeout=self.model_download_timeout,
            instance_provision_timeout=self.instance_provision_timeout,
            volume_size=self.volume_size,
        )
        yield from routing_problems(_hide_members(self.routing))
        reservation, region = _hide_members(self.capacity_reservation), _known(environment_of(scope).region)
        yield from reservation_problems(reservation, region, self._types)
        yield from replacement_problems(self.replace_on_instance_type_change, self.endpoint_name)
        yield from zero_type_problems(self.scale_to_zero)
        yield from detail_problems(self.detailed_observability)
        yield from capture_problems(self.data_capture, environment_of(scope))
        weight, scales_to_zero = hide_token(self.variant_weight), self.scale_to_zero is not None
        yield from first_weight_problems(weight, scales_to_zero=scales_to_zero)
        yield from self._rollout_problems(scope)
        yield from self._adapter_problems()
        yield from self.network.validate()
        yield from KEY.problems("volume_key", self.volume_key)
        yield from ROLE.problems("role", self.role)
        yield from tag_problems(self.tags)
        given = {"vpc": self.network.vpc, "volume_key": self.volume_key, "role": self.role}
        yield from place_problems(environment_of(scope), given | dict(_resources(self.model)))
        yield from trust_problems(self.role)
        if self.async_inference is not None:
            yield from self.async_inference.problems(scope)

    def planned_problems(self, plan: EndpointPlan) -> Iterator[Problem]:
        """What is wrong with arguments that are compared with the plan.

        Args:
            plan: The plan, with or without problems.
        """
        if self.async_inference is not None:
            yield from self.async_inference.planned_problems(plan)

    def warnings(self, scope: Construct, plan: EndpointPlan) -> Iterator[PlanWarning]:
        """What is legal but risky about arguments that the plan does not see.

        Args:
            scope: The scope of the endpoint.
            plan: Its plan, without problems.
        """
        yield from routing_warnings(self.routing, self.instance_count, plan)
        reservation, account = _hide_members(self.capacity_reservation), _known(environment_of(scope).account)
        yield from reservation_warnings(reservation, account)
        yield from detail_warnings(self.detailed_observability)
        access = self.network.access()
        reaches_s3 = None if access is None else access.s3_access
        yield from capture_warnings(
            self.data_capture, has_components=self.scale_to_zero is not None, reaches_s3=reaches_s3
        )
        if self.async_inference is not None:
            yield from self.async_inference.warnings(plan, reaches_s3)

    def _rollout_problems(self, scope: Construct) -> Iterator[Problem]:
        if self.rollout is not None:
            # Imported here, as it costs time and few endpoints have one.
            from constructs_lib.endpoint.rollout import rollout_type_problems

            yield from rollout_type_problems(self.rollout, scope)

    def _adapter_problems(self) -> Iterator[Problem]:
        if self.adapters:
            # Imported here, as it costs time and few endpoints have any.
            from constructs_lib.endpoint.lora_adapter import lora_problems

            has_component, most_rank = self.scale_to_zero is not None, getattr(self.options, "max_lora_rank", None)
            yield from lora_problems(self.adapters, has_component=has_component, most_rank=most_rank)

    def hosting(self) -> Hosting:
        """What the endpoint needs besides its plan."""
        return Hosting(
            model=self.model,
            image=self.image,
            network=self.network,
            volume_key=self.volume_key,
            role=self.role,
            routing=None if self.async_inference else self.routing,
            async_inference=self.async_inference,
            capacity_reservation=self.capacity_reservation,
            detailed_observability=self.detailed_observability,
            data_capture=self.data_capture,
            weight=self.variant_weight,
            tags=self.tags or {},
        )

    @property
    def _pools(self) -> tuple[InstanceType, ...] | None:
        """The instance types by priority, right or wrong; None if there is no list."""
        given: object = self.instance_type
        return tuple(given) if is_list(given) else None

    @property
    def _types(self) -> int:
        """How many instance types the endpoint may have."""
        return 1 if self._pools is None else len(self._pools)


def _known(value: str) -> str | None:
    """The value, or None if only the deployment knows it."""
    return None if is_token(value) else value


def _hide_members(values: Any) -> Any:
    """The dataclass with its tokens hidden; any other object as it is, for the checks to reject."""
    return hide_tokens(values) if isinstance(values, Routing | CapacityReservation) else values


def _spec(part: object) -> Any:
    """What the plan needs to know about a model or an image; any other object as it is, for the plan to reject."""
    return part.spec() if isinstance(part, Model | ContainerImage) else part


def _validate(part: object) -> Iterable[Problem]:
    return part.validate() if isinstance(part, Model | ContainerImage) else ()


def _resources(model: object) -> Mapping[str, object]:
    return model.resources() if isinstance(model, Model) else {}
