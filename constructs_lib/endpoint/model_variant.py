"""ModelVariant: one of the variants that share the requests of an endpoint."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from aws_cdk import Annotations
from constructs import Construct

from constructs_lib._tokens import hide_token, is_token
from constructs_lib.endpoint.endpoint_config import render_variant
from constructs_lib.endpoint.metrics import EndpointMetrics
from constructs_lib.endpoint.sagemaker_model import SageMakerModel
from constructs_lib.endpoint.watched import warn_if_monitored
from constructs_lib.planning.described import REQUEST_METADATA, describe
from constructs_lib.planning.monitoring.capacity import held
from constructs_lib.planning.scaling.routing import ONE_INSTANCE
from constructs_lib.planning.summary import PlanSummary, planned_capacity, summary
from constructs_lib.planning.variants import scaled_variant_warning

if TYPE_CHECKING:
    from aws_cdk import aws_sagemaker as sagemaker
    from aws_cdk.interfaces import ResourceEnvironment

    from constructs_lib.endpoint.arguments import EndpointArguments
    from constructs_lib.endpoint.scaling import EndpointScaling
    from constructs_lib.endpoint.variants import VariedEndpoint
    from constructs_lib.planning.capacity import Capacity
    from constructs_lib.planning.monitoring.capacity import Held
    from constructs_lib.planning.request import EndpointPlan, EndpointRequest
    from constructs_lib.planning.serving_limits import ServingFacts


class ModelVariant(EndpointMetrics):
    """One of the variants that share the requests of an endpoint, with metrics of its own.

    `endpoint.add_variant` creates one; `endpoint.variants` has them all, the endpoint's first one included.
    """

    @property
    @abstractmethod
    def weight(self) -> float:
        """Its weight: of all requests it gets this much divided by the sum of the weights of all variants."""

    @property
    @abstractmethod
    def model_id(self) -> str | None:
        """The model's repository on the hub; None for weights in S3 without one."""

    @property
    @abstractmethod
    def serving(self) -> ServingFacts:
        """What is known at synth about how this variant serves its model."""

    @property
    @abstractmethod
    def max_body_bytes(self) -> int:
        """Size limit of one request to this variant, in bytes."""

    @property
    @abstractmethod
    def capacity(self) -> Capacity:
        """How many instances this variant runs, and what they cost, with what scales it so far."""

    @property
    @abstractmethod
    def held(self) -> Held | None:
        """What one instance works on at once, by the plan; more wait in it. None if that is not known."""

    @property
    def inference_component_name(self) -> str | None:
        """None: an endpoint with inference components has one variant."""
        return None

    @abstractmethod
    def auto_scale(
        self, *, min_instances: int = 1, max_instances: int, request_tokens: int | None = None
    ) -> EndpointScaling:
        """Let Application Auto Scaling change the number of this variant's instances.

        From then on an update keeps the number of instances of every variant of the endpoint, also of those that do not
        scale; weights are updated as ever. SageMaker refuses an update that removes this variant or changes its
        instance type; a warning says how to do it nevertheless.

        Args:
            min_instances: The smallest number of instances, at least 1. Default: 1.
            max_instances: The largest number of instances, which bounds the bill.
            request_tokens: As that of the endpoint's `auto_scale`. Default: the longest request, `max_total_tokens`.

        Raises:
            ConfigurationError: An argument is wrong, `instance_count` is not between the limits, or the variant scales
                already.
        """


class FirstVariant(ModelVariant):
    """The variant that an endpoint has from the start.

    Args:
        endpoint: The endpoint.
        arguments: Its arguments.
        plan: The plan of this variant.
    """

    def __init__(self, endpoint: VariedEndpoint, arguments: EndpointArguments, plan: EndpointPlan) -> None:
        self._endpoint, self._arguments, self._plan = endpoint, arguments, plan

    @property
    def endpoint_name(self) -> str:
        """Name of the endpoint."""
        return self._endpoint.endpoint_name

    @property
    def variant_name(self) -> str:
        """Name of the variant."""
        return self._arguments.variant_name

    @property
    def env(self) -> ResourceEnvironment:
        """Account and Region of the endpoint."""
        return self._endpoint.env

    @property
    def inference_component_name(self) -> str | None:
        """The inference component that serves the model; None without `scale_to_zero`."""
        return self._endpoint.inference_component_name

    @property
    def weight(self) -> float:
        """The endpoint's `variant_weight`."""
        return self._arguments.variant_weight

    @property
    def model_id(self) -> str | None:
        """The model's repository on the hub; None for weights in S3 without one."""
        return self._arguments.model.model_id

    @property
    def serving(self) -> ServingFacts:
        """What is known at synth about how this variant serves its model."""
        return self._plan.serving

    @property
    def max_body_bytes(self) -> int:
        """Size limit of one request to this variant, in bytes."""
        return self._plan.max_body_bytes

    @property
    def capacity(self) -> Capacity:
        """How many instances this variant runs, and what they cost, with what scales it so far."""
        return replace(self._endpoint.capacity, variants=())

    @property
    def held(self) -> Held | None:
        """What one instance works on at once, by the plan; more wait in it. None if that is not known."""
        return held(self._plan, self._endpoint.capacity.request_tokens)

    def auto_scale(
        self, *, min_instances: int = 1, max_instances: int, request_tokens: int | None = None
    ) -> EndpointScaling:
        """The endpoint's own `auto_scale`."""
        return self._endpoint.auto_scale(
            min_instances=min_instances, max_instances=max_instances, request_tokens=request_tokens
        )


@dataclass(frozen=True, kw_only=True)
class PlannedVariant:
    """A variant before it is rendered.

    Args:
        arguments: Its arguments, as those of an endpoint of its own.
        request: What they ask for, on the planned instance type.
        known: The same with tokens hidden.
        plan: Its plan, without problems.
    """

    arguments: EndpointArguments
    request: EndpointRequest
    known: EndpointRequest
    plan: EndpointPlan


class AddedVariant(Construct, ModelVariant):
    """A further variant of an endpoint.

    Args:
        scope: The scope of the endpoint's further variants.
        id: Its name.
        endpoint: The endpoint.
        planned: What it is.
    """

    def __init__(self, scope: Construct, id: str, *, endpoint: VariedEndpoint, planned: PlannedVariant) -> None:
        super().__init__(scope, id)
        self._endpoint, self._planned = endpoint, planned
        self._capacity = planned_capacity(planned.known)
        self.node.add_metadata(REQUEST_METADATA, describe(planned.known))

    @property
    def endpoint_name(self) -> str:
        """Name of the endpoint."""
        return self._endpoint.endpoint_name

    @property
    def variant_name(self) -> str:
        """Name of the variant: its id."""
        return self._planned.request.variant_name

    @property
    def env(self) -> ResourceEnvironment:
        """Account and Region of the endpoint."""
        return self._endpoint.env

    @property
    def weight(self) -> float:
        """Its weight: of all requests it gets this much divided by the sum of the weights of all variants."""
        return self._planned.arguments.variant_weight

    @property
    def model_id(self) -> str | None:
        """The model's repository on the hub; None for weights in S3 without one."""
        return self._planned.arguments.model.model_id

    @property
    def serving(self) -> ServingFacts:
        """What is known at synth about how this variant serves its model."""
        return self._planned.plan.serving

    @property
    def max_body_bytes(self) -> int:
        """Size limit of one request to this variant, in bytes."""
        return self._planned.plan.max_body_bytes

    @property
    def capacity(self) -> Capacity:
        """How many instances this variant runs, and what they cost, with what scales it so far."""
        return self._capacity

    @property
    def plan(self) -> EndpointPlan:
        """Its plan, without problems."""
        return self._planned.plan

    @property
    def held(self) -> Held | None:
        """What one instance works on at once, by the plan; more wait in it. None if that is not known."""
        return held(self._planned.plan, self._capacity.request_tokens)

    def summary(self) -> PlanSummary:
        """The plan in short, with what scales this variant so far."""
        return summary(self._planned.known, self._planned.plan, self._capacity)

    def render(self) -> sagemaker.CfnEndpointConfig.ProductionVariantProperty:
        """Render the Model, and the variant that runs it. Call it once."""
        request, plan = self._planned.request, self._planned.plan
        hosting, host = self._planned.arguments.hosting(), self._endpoint.host
        model = SageMakerModel(self, request=request, plan=plan, hosting=hosting, host=host)
        host.execution_role.complete()
        return render_variant(request=request, plan=plan, runs=model, hosting=hosting)

    def auto_scale(
        self, *, min_instances: int = 1, max_instances: int, request_tokens: int | None = None
    ) -> EndpointScaling:
        """See `ModelVariant.auto_scale`."""
        # Imported here, as it costs time and few variants scale.
        from constructs_lib.endpoint.instance_scaling import own_scaling_problems, scale_instances

        minimum, maximum = hide_token(min_instances), hide_token(max_instances)
        scaling = scale_instances(
            self,
            min_instances=min_instances,
            max_instances=max_instances,
            request_tokens=request_tokens,
            plan=self._planned.plan,
            problems=own_scaling_problems(self._planned.arguments, minimum, maximum),
            tell_range=self._set_range,
        )
        if request_tokens is not None:
            alarm = f"Overload-{self.variant_name}"
            missing = f"The threshold of {alarm} is not by request_tokens of auto_scale"
            warn_if_monitored(self._endpoint, missing, alarm=alarm)
        self._capacity = replace(self._capacity, request_tokens=_known(request_tokens))
        self._endpoint.keep_instance_count()
        warning = scaled_variant_warning(self.variant_name)
        Annotations.of(self).add_warning_v2(warning.id, warning.message)
        return scaling

    def _set_range(self, min_instances: int, max_instances: int) -> None:
        least, most = _known(min_instances), _known(max_instances)
        self._capacity = replace(self._capacity, min_instances=least, max_instances=most)
        if most != 1:
            Annotations.of(self).acknowledge_warning(ONE_INSTANCE, "something adds instances")


def _known(number: int | None) -> int | None:
    """The number; None if only the deployment knows it."""
    return None if is_token(number) else number
