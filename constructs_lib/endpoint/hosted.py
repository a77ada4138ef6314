"""What every endpoint of this app has, whatever its engine: Model, EndpointConfig, Endpoint and role."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jsii
from aws_cdk import Annotations, Tags
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker

from constructs_lib._lazy import late_string, late_value
from constructs_lib._stack_env import node_of, share_environment
from constructs_lib._tokens import hide_tokens_of_request, is_token
from constructs_lib.endpoint.endpoint_config import ManagedInstances, render_config
from constructs_lib.endpoint.inference_component import InferenceComponent, component_home, component_name
from constructs_lib.endpoint.interface import EndpointResource, name_in_arn
from constructs_lib.endpoint.model_host import ModelHost
from constructs_lib.endpoint.rolled_out import RolledOut, Updated
from constructs_lib.endpoint.sagemaker_model import SageMakerModel
from constructs_lib.endpoint.scale_to_zero import zero_request
from constructs_lib.endpoint.updates import keep_instance_count, refuse_other_stacks
from constructs_lib.errors import raise_if_any
from constructs_lib.planning.cost import describe_price
from constructs_lib.planning.described import REQUEST_METADATA, describe
from constructs_lib.planning.plan import plan
from constructs_lib.planning.scaling.routing import ONE_INSTANCE
from constructs_lib.planning.scaling.updates import replacing_id
from constructs_lib.planning.scaling.zero import plan_zero, zero_problems, zero_warnings
from constructs_lib.planning.summary import METADATA, PlanSummary, planned_capacity, summary

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Construct

    from constructs_lib.endpoint.arguments import EndpointArguments
    from constructs_lib.endpoint.lora_adapter import AdapterComponents
    from constructs_lib.planning.capacity import Capacity
    from constructs_lib.planning.engine import Engine
    from constructs_lib.planning.request import EndpointRequest
    from constructs_lib.planning.rollout.request import Replaced
    from constructs_lib.planning.scaling.wake import WakeFacts
    from constructs_lib.planning.scaling.zero import ZeroPlan
    from constructs_lib.planning.serving_limits import ServingFacts


@jsii.implements(iam.IGrantable, ec2.IConnectable)
class HostedEndpoint(EndpointResource, RolledOut):
    """A SageMaker endpoint, rendered from a plan without problems.

    Args:
        scope: Parent construct.
        id: Identifier within the parent.
        engine: What runs in the container.
        arguments: The caller's arguments.

    Raises:
        ConfigurationError: The endpoint could not be deployed with these arguments. No resource has been created.
    """

    _RESOURCE = "Resource"
    """Id of the endpoint's resource."""

    def __init__(self, scope: Construct, id: str, *, engine: Engine, arguments: EndpointArguments) -> None:
        request = arguments.request(scope, engine)
        asked = hide_tokens_of_request(request)
        planned, zero = plan(asked), zero_request(arguments.scale_to_zero)
        problems = [*planned.problems, *arguments.problems(scope), *zero_problems(zero, asked, planned)]
        problems += arguments.planned_problems(planned)
        if arguments.rollout is not None and not problems:
            # Imported here, as it costs time and few endpoints have one.
            from constructs_lib.endpoint.replaced import own_rollout_problems

            problems += own_rollout_problems(arguments, asked, planned)
        raise_if_any(scope, id, problems)
        super().__init__(scope, id, physical_name=request.endpoint_name)
        share_environment(self, scope)
        request, hosting = replace(request, instance=planned.instance), arguments.hosting()
        self._engine, self._plan, self._arguments = engine, planned, arguments
        self._variant_name = request.variant_name
        self._model = hosting.model
        self._zero = plan_zero(zero, planned)
        self._replacement = replacing_id(planned) if arguments.replace_on_instance_type_change else None
        self._home = component_home(arguments.endpoint_name, arguments.variant_name, self._replacement)
        self._component_name = component_name(self, self._home) if self._zero else None
        hosting = replace(hosting, component_name=self._component_name)
        self._host = ModelHost(self, hosting)
        model = SageMakerModel(self, request=request, plan=planned, hosting=hosting, host=self._host)
        self._adapters = self._add_adapters()
        self._host.complete()
        runs = _managed(self._zero, self._host) if self._zero else model
        self._config = render_config(self, request=request, plan=planned, runs=runs, hosting=hosting)
        self._endpoint = self._cfn_endpoint(request)
        for key, value in hosting.tags.items():
            Tags.of(self).add(key, value)
        self._known = replace(asked, instance=planned.instance)
        self._capacity = planned_capacity(self._known)
        self._component: InferenceComponent | None = None
        if self._zero:
            self._scale_to_zero(self._zero, request, model)
        if arguments.rollout is not None or self._capacity.min_instances not in (None, 0, 1):
            self._roll_out(arguments.rollout)
        # Read by `python -m constructs_lib summary`, and by `migrate`.
        node = node_of(self)
        node.add_metadata(METADATA, late_value(lambda: self._summary().to_json()))
        is_asynchronous = arguments.async_inference is not None
        node.add_metadata(REQUEST_METADATA, describe(self._known, asynchronous=is_asynchronous))
        self._warnings = [*planned.warnings, *arguments.warnings(scope, planned), *arguments.model.warnings(scope)]
        for warning in [*self._warnings, *zero_warnings(zero, asked, planned)]:
            Annotations.of(self).add_warning_v2(warning.id, warning.message)

    @property
    def endpoint_arn(self) -> str:
        """ARN of the endpoint."""
        return self._arn

    @property
    def endpoint_name(self) -> str:
        """Name of the endpoint."""
        return self._name

    @property
    def variant_name(self) -> str:
        """Name of the production variant."""
        return self._variant_name

    @property
    def model_id(self) -> str | None:
        """The model's repository on the hub; None for weights in S3 without one."""
        return self._model.model_id

    @property
    def inference_component_name(self) -> str | None:
        """The inference component that serves the model; None without `scale_to_zero`."""
        return self._component_name

    @property
    def adapter_components(self) -> Mapping[str, str]:
        """The inference components of LoRA adapters, by the adapters' names."""
        return {} if self._adapters is None else self._adapters.names

    @property
    def wake(self) -> WakeFacts | None:
        """How the model comes back from zero copies; None without `scale_to_zero`."""
        return self._zero.wake if self._zero else None

    @property
    def serving(self) -> ServingFacts:
        """What is known at synth about how the model is served."""
        return self._plan.serving

    @property
    def capacity(self) -> Capacity:
        """How many instances it runs, and what they cost, with what scales it so far."""
        return self._capacity

    def set_capacity_range(self, min_instances: int, max_instances: int) -> None:
        """Tell the endpoint between which numbers of instances something scales it. No resource changes.

        What is in force at synthesis is in the plan's summary and in the price.

        Args:
            min_instances: The smallest number of instances at any time, 0 if it scales to zero.
            max_instances: The largest number of instances at any time.
        """
        self._capacity = replace(
            self._capacity,
            min_instances=known(min_instances),
            max_instances=known(max_instances),
        )
        if self._capacity.max_instances != 1:
            Annotations.of(self).acknowledge_warning(ONE_INSTANCE, "something adds instances")

    def describe_price(self, *, front_door_memory: float | None = None) -> str | None:
        """What an hour of the endpoint costs at its smallest and at its largest capacity, as a text for people.

        In US dollars, on demand, in us-east-1; with what scales the endpoint at synthesis, also if that is added later.

        Args:
            front_door_memory: Memory of the function of its front door in MiB (`FrontDoor.memory_size`), for what that
                costs while as many streams are open as the endpoint serves concurrently. Default: without it.

        Returns:
            A text such as `1.515 USD at minimum, 3.030 USD at maximum`; None if no price of the instances is published.
        """

        def describe() -> str | None:
            line = self._summary()
            return describe_price(self.capacity, line.streams, line.stream_tokens, known(front_door_memory))

        return None if describe() is None else late_string(describe)

    def _summary(self) -> PlanSummary:
        return summary(self._known, self._plan, self._capacity)

    @property
    def role(self) -> iam.IRole:
        """The role that SageMaker assumes to start the containers."""
        return self._host.execution_role.role

    @property
    def grant_principal(self) -> iam.IPrincipal:
        """The role: `bucket.grant_read(endpoint)` allows the containers to read the bucket."""
        return self.role

    @property
    def connections(self) -> ec2.Connections:
        """Security groups of the endpoint's instances.

        Raises:
            ConfigurationError: The endpoint is not in a VPC.
        """
        return self._host.connections

    def _add_adapters(self) -> AdapterComponents | None:
        if not self._arguments.adapters:
            return None
        # Imported here, as it costs time and few endpoints have any.
        from constructs_lib.endpoint.lora_adapter import AdapterComponents

        adapters = AdapterComponents(self, self._arguments.adapters, self._home)
        adapters.allow_read(self._host.execution_role)
        return adapters

    def _scale_to_zero(self, zero: ZeroPlan, request: EndpointRequest, model: SageMakerModel) -> None:
        # Imported here, as it costs time and few endpoints scale.
        from constructs_lib.endpoint.zero_scaling import ZeroScaling

        component = self._component = InferenceComponent(
            self,
            f"InferenceComponent-{self._home}",
            name=str(self._component_name),
            endpoint=self._endpoint,
            request=request,
            plan=self._plan,
            model=model.resource,
            pools=model.pools,
        )
        if self._adapters is not None:
            self._adapters.render(component, self._endpoint)
        ZeroScaling(self, component, zero)
        keep_instance_count(self._endpoint)
        self.set_capacity_range(0, zero.max_instances)
        self._capacity = replace(self._capacity, max_copies=zero.max_copies, request_tokens=zero.request_tokens)

    def _updated(self) -> Updated:
        # Imported here, as it costs time and few endpoints have a rollout.
        from constructs_lib.endpoint.replaced import replaced_copies, replaced_instances

        def replaced() -> Replaced:
            if self._zero:
                return replaced_copies(self._arguments, self._known, self._plan, least=0, most=self._zero.max_copies)
            return replaced_instances(self._arguments, self._known, self._plan, self._capacities)

        if self._component is not None:
            dimensions = {"InferenceComponentName": self._component.name}
            return Updated(resource=self._component.resource, replaced=replaced, role=self.role, dimensions=dimensions)
        return Updated(
            resource=self._endpoint, replaced=replaced, role=self.role, dimensions=self._dimensions_if_known()
        )

    @property
    def _capacities(self) -> tuple[Capacity, ...]:
        """The capacity of each variant."""
        return (self._capacity,)

    @property
    def _name_as_dimension(self) -> str:
        given = self._arguments.endpoint_name
        return self._name if given is None or is_token(given) else given

    def _dimensions_if_known(self) -> dict[str, str] | None:
        if self._arguments.async_inference is not None:
            return None  # its failures are no share of requests
        dimensions = {"EndpointName": self._name_as_dimension, "VariantName": self._variant_name}
        return None if any(is_token(value) for value in dimensions.values()) else dimensions

    def _cfn_endpoint(self, request: EndpointRequest) -> sagemaker.CfnEndpoint:
        self._config_name = self._config.attr_endpoint_config_name
        resource_id = self._replacement or self._RESOURCE
        endpoint = sagemaker.CfnEndpoint(
            self,
            resource_id,
            endpoint_config_name=self._config_name,
            endpoint_name=request.endpoint_name,
        )
        self._name = self._get_resource_name_attribute(endpoint.attr_endpoint_name)
        # Without a name of its own, the CDK refuses to name it elsewhere.
        name = "" if request.endpoint_name is None else name_in_arn(self._physical_name)
        self._arn = self._get_resource_arn_attribute(
            endpoint.ref, service="sagemaker", resource="endpoint", resource_name=name
        )
        if resource_id != "Resource":  # which the CDK takes as the default child
            self.node.default_child = endpoint
        if self._replacement:
            refuse_other_stacks(endpoint)
        return endpoint


def _managed(zero: ZeroPlan, host: ModelHost) -> ManagedInstances:
    most = zero.update_instances
    return ManagedInstances(minimum=0, maximum=most, role=host.execution_role, vpc_config=host.vpc_config)


def known(number: Any) -> Any:
    """The number; None if only the deployment knows it."""
    return None if is_token(number) else number
