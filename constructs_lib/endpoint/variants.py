"""The variants of an endpoint: its first one, and those that are added."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jsii
from aws_cdk import Annotations
from constructs import Construct, IValidation

from constructs_lib._tokens import hide_token, hide_tokens_of_request
from constructs_lib.endpoint.hosted import HostedEndpoint
from constructs_lib.endpoint.interface import EndpointBase
from constructs_lib.endpoint.updates import keep_instance_count
from constructs_lib.endpoint.watched import warn_if_monitored
from constructs_lib.errors import raise_if_any
from constructs_lib.planning.plan import plan
from constructs_lib.planning.serving_limits import common_facts
from constructs_lib.planning.variants import no_share_error, variants_summary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import Duration, Size

    from constructs_lib.endpoint.arguments import EndpointArguments
    from constructs_lib.endpoint.container_image import ContainerImage
    from constructs_lib.endpoint.model import Model
    from constructs_lib.endpoint.model_host import ModelHost
    from constructs_lib.endpoint.model_variant import AddedVariant, ModelVariant
    from constructs_lib.endpoint.scaling import EndpointScaling
    from constructs_lib.planning.capacity import Capacity
    from constructs_lib.planning.engine import Engine
    from constructs_lib.planning.hardware.instance_types import CheapestFor, InstanceType
    from constructs_lib.planning.scaling.capacity_reservation import CapacityReservation
    from constructs_lib.planning.scaling.routing import Routing
    from constructs_lib.planning.serving_limits import ServingFacts
    from constructs_lib.planning.summary import PlanSummary


class VariedEndpoint(HostedEndpoint, EndpointBase):
    """An endpoint to which variants can be added; the arguments are those of its base."""

    def __init__(self, scope: Construct, id: str, *, engine: Engine, arguments: EndpointArguments) -> None:
        self._added: list[AddedVariant] = []
        super().__init__(scope, id, engine=engine, arguments=arguments)
        self._validate_weights()

    @abstractmethod
    def auto_scale(
        self, *, min_instances: int = 1, max_instances: int, request_tokens: int | None = None
    ) -> EndpointScaling:
        """Let Application Auto Scaling change the number of instances of the first variant."""

    @property
    def capacity(self) -> Capacity:
        """How many instances it runs, and what they cost, with what scales it so far.

        Of several variants the numbers are those of the first one, in `variants` are those of the others, and the costs
        are those of all.
        """
        return replace(self._capacity, variants=tuple(variant.capacity for variant in self._added))

    @property
    def _capacities(self) -> tuple[Capacity, ...]:
        return (self._capacity, *(variant.capacity for variant in self._added))

    @property
    def host(self) -> ModelHost:
        """What the Models of the endpoint share."""
        return self._host

    @property
    def variants(self) -> tuple[ModelVariant, ...]:
        """All variants: the one that the endpoint has from the start, then those of `add_variant` in their order.

        The metrics of the endpoint itself are those of the first one.
        """
        from constructs_lib.endpoint.model_variant import FirstVariant

        return (FirstVariant(self, self._arguments, self._plan), *self._added)

    @property
    def max_body_bytes(self) -> int:
        """Size limit of one request, in bytes: the smallest of all variants."""
        return min([self._plan.max_body_bytes, *(variant.max_body_bytes for variant in self._added)])

    @property
    def serving(self) -> ServingFacts:
        """What is known at synth about how the model is served, whichever variant answers: the strictest limits."""
        return common_facts([self._plan.serving, *(variant.serving for variant in self._added)])

    def add_variant(
        self,
        id: str,
        *,
        weight: float,
        model: Model | None = None,
        image: ContainerImage | None = None,
        options: Any = None,
        instance_type: InstanceType | CheapestFor | Sequence[InstanceType] | None = None,
        instance_count: int = 1,
        environment: Mapping[str, str] | None = None,
        startup_timeout: Duration | None = None,
        model_download_timeout: Duration | None = None,
        volume_size: Size | None = None,
        inference_ami_version: str | None = None,
        routing: Routing | None = None,
        capacity_reservation: CapacityReservation | None = None,
        instance_provision_timeout: Duration | None = None,
    ) -> ModelVariant:
        """Try another model, image, options or instance type on a share of this endpoint's requests.

        What is not given is as in the endpoint, but `instance_count`. SageMaker chooses a variant for each request by
        itself, at random by the weights: of all requests a variant gets its weight divided by the sum of all weights.
        So with the first variant's weight of 1, a weight of 0.25 is a fifth of the requests, and 1 is half of them.
        Nothing keeps a client or a conversation on one variant.

        Each variant has instances of its own, which are billed whatever its share. A front door checks requests
        against the strictest limits of all variants, and names the one that answered in its log. With
        `replace_on_instance_type_change`, only the types of the first variant make another endpoint.

        Changing a weight here changes the EndpointConfig, and SageMaker starts new instances for every variant, as in
        any update. `aws sagemaker update-endpoint-weights-and-capacities` changes weights without new instances; the
        next update applies the weights that are written here.

        Args:
            id: Name of the variant: 1 to 63 letters, digits and hyphens. It identifies the variant's resources.
            weight: Its weight, from 0 on. With 0 it gets only the requests that name it (`TargetVariant` of
                InvokeEndpoint).
            model: The weights. With another model, timeouts that the endpoint was given do not apply to it.
            image: The container image, of the same engine.
            options: Options of the engine, in place of all those of the endpoint.
            instance_type: The instance type, a list by priority, or `InstanceType.cheapest_for(…)`. With another one,
                `volume_size`, `inference_ami_version` and `capacity_reservation` of the endpoint do not apply to it.
            instance_count: Instances. Default: 1.
            environment: Further variables of the container, in place of all those of the endpoint.
            startup_timeout: As that of the endpoint.
            model_download_timeout: As that of the endpoint.
            volume_size: As that of the endpoint.
            inference_ami_version: As that of the endpoint. With another image, the endpoint's does not apply to it.
            routing: How SageMaker chooses among the variant's instances.
            capacity_reservation: As that of the endpoint.
            instance_provision_timeout: As that of the endpoint.

        Returns:
            The variant, which has metrics and scaling of its own.

        Raises:
            ConfigurationError: The variant could not be deployed, or the endpoint cannot have it: it has ten already,
                or `scale_to_zero`. Nothing has been created.
        """
        given = {
            "model": model,
            "image": image,
            "options": options,
            "instance_type": instance_type,
            "instance_count": instance_count,
            "environment": environment,
            "startup_timeout": startup_timeout,
            "model_download_timeout": model_download_timeout,
            "volume_size": volume_size,
            "inference_ami_version": inference_ami_version,
            "routing": routing,
            "capacity_reservation": capacity_reservation,
            "instance_provision_timeout": instance_provision_timeout,
        }
        return self._add_variant(id, weight, given)

    def keep_instance_count(self) -> None:
        """Let updates keep the number of instances of every variant, as something scales one of them."""
        keep_instance_count(self._endpoint)

    def _add_variant(self, id: str, weight: float, given: Mapping[str, Any]) -> ModelVariant:
        # Imported here, as few endpoints have several variants.
        from constructs_lib.endpoint.model_variant import AddedVariant, PlannedVariant
        from constructs_lib.endpoint.variant_arguments import added_problems, variant_arguments

        arguments = variant_arguments(self._arguments, self._plan, name=id, weight=weight, given=given)
        request = arguments.request(self, self._engine)
        asked = hide_tokens_of_request(request)
        planned = plan(asked)
        names = [variant.variant_name for variant in self.variants]
        problems = added_problems(arguments, self, id=id, request=asked, plan=planned, names=names)
        raise_if_any(self, id if isinstance(id, str) else "", problems)
        request, known = (replace(one, instance=planned.instance) for one in (request, asked))
        variant = AddedVariant(
            self._variants_scope(),
            id,
            endpoint=self,
            planned=PlannedVariant(arguments=arguments, request=request, known=known, plan=planned),
        )
        rendered: Any = self._config.production_variants
        self._config.production_variants = [*rendered, variant.render()]
        self._added.append(variant)
        warn_if_monitored(self, f"The variant {id} has no alarms")
        for warning in [*planned.warnings, *arguments.warnings(self, planned), *arguments.model.warnings(self)]:
            if warning not in self._warnings:
                Annotations.of(variant).add_warning_v2(warning.id, warning.message)
        return variant

    def _summary(self) -> PlanSummary:
        own = super()._summary()
        if not self._added:
            return own
        weights = [hide_token(variant.weight) for variant in self.variants]
        return variants_summary([own, *(variant.summary() for variant in self._added)], weights)

    def _validate_weights(self) -> None:
        """Make it an error of the synthesis if no variant gets requests."""
        if self._arguments.variant_weight == 0:
            self.node.add_validation(_SomeShare(self))

    def _variants_scope(self) -> Construct:
        found: Any = self.node.try_find_child("Variants")
        return found or Construct(self, "Variants")


@jsii.implements(IValidation)
class _SomeShare:
    """Validates that some variant has a weight: the CDK does so once all are there."""

    def __init__(self, endpoint: VariedEndpoint) -> None:
        self._endpoint = endpoint

    def validate(self) -> list[str]:
        """The error, if there is one."""
        return [] if any(variant.weight for variant in self._endpoint.variants) else [no_share_error()]
