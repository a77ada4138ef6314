"""One model of a fleet: a SageMaker Model, and its copies on the fleet's instances."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Unpack

from constructs_lib._tokens import is_token
from constructs_lib.endpoint.inference_component import InferenceComponent, component_name
from constructs_lib.endpoint.interface import DeployedModel, EndpointBase
from constructs_lib.endpoint.metrics import COMPONENTS_NAMESPACE
from constructs_lib.endpoint.rolled_out import RolledOut, Updated
from constructs_lib.endpoint.sagemaker_model import SageMakerModel
from constructs_lib.endpoint.scale_to_zero import zero_request
from constructs_lib.endpoint.scaled_resource import component_copies
from constructs_lib.endpoint.scaling import SCALING, EndpointScaling
from constructs_lib.endpoint.zero_scaling import ZeroScaling
from constructs_lib.planning.monitoring.alarm import RUNBOOK
from constructs_lib.planning.scaling.zero import plan_zero, zero_warnings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aws_cdk import aws_sagemaker as sagemaker
    from aws_cdk import aws_sns as sns
    from constructs import Construct

    from constructs_lib.endpoint.arguments import EndpointArguments
    from constructs_lib.endpoint.fleet_model import FleetModel
    from constructs_lib.endpoint.model_host import ModelHost
    from constructs_lib.endpoint.watched import ModelAlarms
    from constructs_lib.planning.monitoring.capacity import Held
    from constructs_lib.planning.request import EndpointPlan, EndpointRequest
    from constructs_lib.planning.rollout.request import Replaced
    from constructs_lib.planning.scaling.wake import WakeFacts
    from constructs_lib.planning.serving_limits import ServingFacts
    from constructs_lib.planning.validation.problem import PlanWarning, Problem


@dataclass(frozen=True, kw_only=True)
class FleetEndpoint:
    """What the members of a fleet share.

    Args:
        name: Name of the endpoint.
        arn: ARN of the endpoint.
        resource: Its resource.
        config: Its EndpointConfig.
        given_name: The name that the caller has chosen; None if CloudFormation chooses it.
        host: The role and the network interfaces.
        packs: Whether copies are placed on as few instances as possible.
        fleet: The fleet itself.
    """

    name: str
    arn: str
    resource: sagemaker.CfnEndpoint
    config: sagemaker.CfnEndpointConfig
    given_name: str | None
    host: ModelHost
    packs: bool
    fleet: Construct


@dataclass(frozen=True, kw_only=True)
class PlannedModel:
    """One model of a fleet with its plan.

    Args:
        model: As the caller describes it.
        arguments: The same as the arguments of an endpoint of its own.
        request: What that endpoint would be asked for.
        asked: The same with tokens hidden.
        plan: The plan of one copy, without problems.
    """

    model: FleetModel
    arguments: EndpointArguments
    request: EndpointRequest
    asked: EndpointRequest
    plan: EndpointPlan

    def replaced(self) -> Replaced:
        """What an update replaces."""
        # Imported here, as it costs time and few models have a rollout.
        from constructs_lib.endpoint.replaced import replaced_copies

        least, most = self.model.range_of_copies
        least = 0 if self.model.scale_to_zero is not None else least
        return replaced_copies(self.arguments, self.asked, self.plan, least=least, most=most)

    def rollout_problems(self) -> Iterator[Problem]:
        """What is wrong with the rollout of the copies."""
        if self.model.rollout is not None:
            from constructs_lib.endpoint.replaced import replacement_problems

            yield from replacement_problems(self.model.rollout, self.replaced())

    def zero_warnings(self, least_instances: int) -> Iterator[PlanWarning]:
        """What is legal but risky about how the model goes to zero.

        Args:
            least_instances: Of the fleet. Only where that is 0, it matters whether a Region refuses no instance.
        """
        request = self.request if least_instances == 0 else replace(self.request, region=None)
        return zero_warnings(zero_request(self.model.scale_to_zero), request, self.plan)


class FleetMember(EndpointBase, RolledOut):
    """One model of a `ModelFleet`, for a front door or any other caller: `fleet.models["chat"]`.

    Its name and ARN are those of the fleet's endpoint; a call of SageMaker has to name its inference component as well.
    Grants and metrics are those of the component.

    Args:
        scope: Parent construct.
        id: Identifier within the parent.
        endpoint: The fleet's endpoint.
        planned: The model with its plan.
    """

    def __init__(self, scope: Construct, id: str, *, endpoint: FleetEndpoint, planned: PlannedModel) -> None:
        super().__init__(scope, id, physical_name=endpoint.given_name)
        self._endpoint, self._planned = endpoint, planned
        self._component_name = component_name(self, endpoint.given_name)
        self._zero = plan_zero(zero_request(planned.model.scale_to_zero), planned.plan)
        model = SageMakerModel(
            self,
            request=planned.request,
            plan=planned.plan,
            hosting=replace(planned.arguments.hosting(), component_name=self._component_name),
            host=endpoint.host,
        )
        least, most = planned.model.range_of_copies
        component = self._component = InferenceComponent(
            self,
            _component_id(endpoint.given_name),
            name=self._component_name,
            endpoint=endpoint.resource,
            request=planned.request,
            plan=planned.plan,
            model=model.resource,
            copies=least,
            packs=endpoint.packs,
        )
        self._scaling: EndpointScaling | None = None
        if self._zero is not None:
            ZeroScaling(self, component, self._zero)
        elif least != most:
            self._scaling = self._scale(component, least, most)
        self._component = component
        if planned.model.rollout is not None or (self._zero is None and least > 1):
            self._roll_out(planned.model.rollout)

    @property
    def endpoint_arn(self) -> str:
        """ARN of the fleet's endpoint."""
        return self._endpoint.arn

    @property
    def endpoint_name(self) -> str:
        """Name of the fleet's endpoint."""
        return self._endpoint.name

    @property
    def variant_name(self) -> str:
        """Name of the production variant."""
        return self._planned.request.variant_name

    @property
    def inference_component_name(self) -> str:
        """Name of the inference component that serves the model."""
        return self._component_name

    @property
    def engine(self) -> str:
        """The engine that the container runs, which decides its protocol: `tgi`."""
        return self._planned.request.engine.name

    @property
    def model_id(self) -> str | None:
        """The model's repository on the hub; None for weights in S3 without one."""
        return self._planned.arguments.model.model_id

    @property
    def max_body_bytes(self) -> int:
        """Size limit of one request, in bytes."""
        return self._planned.plan.max_body_bytes

    @property
    def serving(self) -> ServingFacts:
        """What is known at synth about how the model is served."""
        return self._planned.plan.serving

    @property
    def wake(self) -> WakeFacts | None:
        """How the model comes back from zero copies; None without `scale_to_zero`."""
        return self._zero.wake if self._zero else None

    @property
    def deployed(self) -> DeployedModel:
        """What this app deploys for the model, for what tests it after that."""
        # Imported here, as it costs time and not every endpoint is tested.
        from constructs_lib._tokens import hide_tokens_of_request
        from constructs_lib.planning.likely_causes import likely_causes

        return DeployedModel(
            after=(self._endpoint.resource, self._component.resource),
            scopes=(self, self._endpoint.config, self._endpoint.resource),
            configuration=self._endpoint.config.attr_endpoint_config_name,
            log_group=f"{COMPONENTS_NAMESPACE}/{self._component_name}",
            load_seconds=self._planned.plan.load_seconds,
            likely_causes=likely_causes(hide_tokens_of_request(self._planned.request), self._planned.plan),
        )

    @property
    def scaling(self) -> EndpointScaling | None:
        """What changes the number of copies, for schedules and further policies.

        None if the number is always the same, or if the model goes to zero.
        """
        return self._scaling

    def monitor(
        self, *, topic: sns.ITopic | None = None, runbook: str = RUNBOOK, **alarms: Unpack[ModelAlarms]
    ) -> None:
        """Add the alarms of the model. Those of the instances are the fleet's: `fleet.monitor(…)`.

        Args:
            topic: As for `TgiEndpoint.monitor`.
            runbook: As for `TgiEndpoint.monitor`.
            alarms: Other thresholds, and None for the alarms that you do not want: the members of `ModelAlarms`.

        Raises:
            ConfigurationError: An argument is wrong, or it has been called already.
        """
        # Imported here, as it costs time and not every endpoint is monitored.
        from constructs_lib.endpoint.monitoring import monitor_member
        from constructs_lib.endpoint.watched import WatchedVariant

        variant = WatchedVariant(self.variant_name, self._planned.plan, self._request_tokens)
        monitor_member(self, variant, topic=topic, runbook=runbook, alarms=alarms)

    @property
    def held(self) -> Held | None:
        """What one copy works on at once, by the plan; more wait in it. None if that is not known."""
        from constructs_lib.planning.monitoring.capacity import held

        return held(self._planned.plan, self._request_tokens)

    @property
    def fleet(self) -> Construct:
        """The fleet that it is a model of."""
        return self._endpoint.fleet

    @property
    def _request_tokens(self) -> int | None:
        return self._planned.model.request_tokens if self._zero is None else self._zero.request_tokens

    def _updated(self) -> Updated:
        return Updated(
            resource=self._component.resource,
            replaced=self._planned.replaced,
            role=self._endpoint.host.execution_role.role,
            dimensions={"InferenceComponentName": self._component_name},
        )

    def _scale(self, component: InferenceComponent, least: int, most: int) -> EndpointScaling:
        model = self._planned.model
        scaling = EndpointScaling(
            self,
            SCALING,
            resource=component_copies(component.name),
            minimum=least,
            maximum=most,
            plan=self._planned.plan,
            request_tokens=model.request_tokens,
            after=component.resource,
        )
        scaling.on_concurrency(target=model.concurrency_target)
        return scaling


def _component_id(endpoint_name: str | None) -> str:
    """Another one for another endpoint: a component cannot move, so it has to be another resource."""
    return "Component" if endpoint_name is None or is_token(endpoint_name) else f"Component{endpoint_name}"
