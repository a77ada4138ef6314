"""ModelFleet: several models on the instances of one endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Unpack

import jsii
from aws_cdk import Annotations, Tags
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from constructs_lib._tokens import is_token
from constructs_lib.endpoint.endpoint_config import ManagedInstances, render_config
from constructs_lib.endpoint.fleet_arguments import FleetArguments
from constructs_lib.endpoint.fleet_member import FleetEndpoint, FleetMember
from constructs_lib.endpoint.interface import EndpointBase, name_in_arn
from constructs_lib.endpoint.model_host import ModelHost
from constructs_lib.endpoint.network import Network
from constructs_lib.endpoint.updates import keep_instance_count
from constructs_lib.errors import raise_if_any
from constructs_lib.planning.capacity import Capacity
from constructs_lib.planning.cost import describe_price
from constructs_lib.planning.fleet_summary import fleet_summary
from constructs_lib.planning.monitoring.alarm import RUNBOOK
from constructs_lib.planning.scaling.routing import Routing
from constructs_lib.planning.summary import METADATA

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import Duration, Size
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_sns as sns

    from constructs_lib.endpoint.fleet_arguments import PlannedFleet
    from constructs_lib.endpoint.fleet_model import FleetModel
    from constructs_lib.endpoint.watched import InstanceAlarms
    from constructs_lib.planning.hardware.instance_types import InstanceType
    from constructs_lib.planning.scaling.capacity_reservation import CapacityReservation


@jsii.implements(iam.IGrantable, ec2.IConnectable)
class ModelFleet(EndpointBase):
    """Several models on the instances of one SageMaker real-time endpoint, each with copies of its own.

    Each model is an inference component: a copy of it has GPUs of one instance for itself, and Application Auto Scaling
    changes the number of copies of each model by itself. SageMaker adds instances as copies need them, and removes
    those without a copy. What cannot fit together is rejected at synth, with the mistakes of all models at once.

    `fleet.models` goes into a front door as it is: `FrontDoor(self, "Api", models=fleet.models)`.

    Models can be added, changed and removed one by one: the endpoint itself does not change with them. An update of a
    model needs room for its new copies beside the old ones.

    Args:
        scope: Parent construct.
        id: Identifier within the parent.
        models: The models by the names that clients use: 1 to 63 letters, digits, dots, underscores and hyphens. The
            name of a model identifies its resources: another name makes another component.
        instance_type: The instance type, billed by the hour for as long as the endpoint exists, so there is no default.
        instances: The least and the most instances; the least has to hold the least copies of all models. Default: one.
        volume_size: Size of the storage volume, 1 to 512 GiB. Not for instances with local NVMe storage. Default:
            SageMaker's.
        volume_key: KMS key that encrypts the storage volume. Not for instances with local NVMe storage. Default: a key
            of AWS's.
        vpc: VPC that the containers are connected to. Default: none of yours.
        vpc_subnets: Subnets for the network interfaces, as those of `TgiEndpoint`. Requires `vpc`. Default: the private
            subnets of the VPC.
        security_groups: Their security groups, at most 5. Requires `vpc`. Default: a new one that allows no inbound and
            all outbound traffic.
        network_isolation: Whether to cut the containers off from every network. Requires weights in S3. Default: False.
        inference_ami_version: Version of the hosts' machine image, which decides the NVIDIA driver. Default: the one
            that the images of all models run on; an error if there is none.
        routing: How SageMaker chooses the copy of a request. Default: the one with the fewest requests in progress.
        capacity_reservation: Reserved instances, the only ones that the endpoint then uses. Default: none.
        instance_provision_timeout: How long SageMaker may look for instances, 5 to 60 minutes. Default: SageMaker's.
        detailed_observability: Whether SageMaker collects detailed metrics of GPUs, hosts and containers into
            CloudWatch's OpenTelemetry store, which is billed by volume. Default: False, with a warning that names what
            is lost.
        endpoint_name: Name of the endpoint. Changing it replaces the endpoint and every copy. Default: CloudFormation
            chooses one.
        role: Role that SageMaker assumes for the endpoint and all models; it must trust sagemaker.amazonaws.com.
            Default: a new role for the endpoint and one for each model, each with only the permissions that it needs.
        tags: Tags of every resource of the fleet, in addition to those of the stack. Default: none.

    Raises:
        ConfigurationError: The fleet could not be deployed with these arguments. No resource has been created.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        models: Mapping[str, FleetModel],
        instance_type: InstanceType,
        instances: tuple[int, int] = (1, 1),
        volume_size: Size | None = None,
        volume_key: kms.IKey | None = None,
        vpc: ec2.IVpc | None = None,
        vpc_subnets: ec2.SubnetSelection | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        network_isolation: bool = False,
        inference_ami_version: str | None = None,
        routing: Routing | None = None,
        capacity_reservation: CapacityReservation | None = None,
        instance_provision_timeout: Duration | None = None,
        detailed_observability: bool | None = None,
        endpoint_name: str | None = None,
        role: iam.IRole | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        arguments = FleetArguments(
            models=models,
            instance_type=instance_type,
            instances=instances,
            volume_size=volume_size,
            volume_key=volume_key,
            network=Network(vpc, vpc_subnets, security_groups),
            network_isolation=network_isolation,
            inference_ami_version=inference_ami_version,
            routing=Routing() if routing is None else routing,
            capacity_reservation=capacity_reservation,
            instance_provision_timeout=instance_provision_timeout,
            detailed_observability=detailed_observability,
            endpoint_name=endpoint_name,
            role=role,
            tags=tags,
        )
        planned, problems = arguments.planned(scope)
        raise_if_any(scope, id, problems)
        if planned is None:
            raise AssertionError("a fleet without a model is a problem")
        super().__init__(scope, id, physical_name=endpoint_name)
        self._planned = planned
        self._host = ModelHost(self, planned.hosting)
        self._endpoint = self._render_endpoint(planned, instances, endpoint_name)
        self._name = self._get_resource_name_attribute(self._endpoint.attr_endpoint_name)
        self._arn = self._get_resource_arn_attribute(
            self._endpoint.ref, service="sagemaker", resource="endpoint", resource_name=name_in_arn(self._physical_name)
        )
        self._models = self._render_models(planned, endpoint_name)
        self._host.complete()
        for key, value in (tags or {}).items():
            Tags.of(self).add(key, value)
        self._capacity = Capacity(instances=(instance_type,), min_instances=instances[0], max_instances=instances[1])
        self._summary = fleet_summary(planned.asked, planned.plan, self._capacity)
        self.node.add_metadata(METADATA, self._summary.to_json())
        self._add_warnings(planned, instances[0])

    @property
    def models(self) -> Mapping[str, FleetMember]:
        """The models by their names; each is a model endpoint for front doors, with grants and metrics of its own."""
        return self._models

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
        return self._planned.first.request.variant_name

    @property
    def capacity(self) -> Capacity:
        """How many instances it runs, and what they cost."""
        return self._capacity

    def describe_price(self, *, front_door_memory: float | None = None) -> str | None:
        """What an hour of the fleet costs with the least and with the most instances, as a text for people.

        In US dollars, on demand, in us-east-1.

        Args:
            front_door_memory: Memory of the function of its front door in MiB (`FrontDoor.memory_size`), for what that
                costs while as many streams are open as the fleet serves concurrently. Default: without it.

        Returns:
            A text such as `7.090 USD at minimum, 14.180 USD at maximum`; None if no price of the instances is
            published.
        """
        memory = None if is_token(front_door_memory) else front_door_memory
        return describe_price(self._capacity, self._summary.streams, self._summary.stream_tokens, memory)

    @property
    def role(self) -> iam.IRole:
        """The role that SageMaker assumes to start the containers of all models."""
        return self._host.execution_role.role

    @property
    def grant_principal(self) -> iam.IPrincipal:
        """The role: `bucket.grant_read(fleet)` allows the containers of all models to read the bucket."""
        return self.role

    @property
    def connections(self) -> ec2.Connections:
        """Security groups of the fleet's instances.

        Raises:
            ConfigurationError: The fleet is not in a VPC.
        """
        return self._host.connections

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow a grantee to invoke every model, streaming and non-streaming.

        Args:
            grantee: The principal that may invoke them.
        """
        first, *others = (member.grant_invoke(grantee) for member in self._models.values())
        for other in others:
            first = first.combine(other)
        return first

    def monitor(
        self, *, topic: sns.ITopic | None = None, runbook: str = RUNBOOK, **alarms: Unpack[InstanceAlarms]
    ) -> None:
        """Add the alarms of the instances, and a rule that reports when the endpoint fails or is rolled back.

        Those of a model are its own: `fleet.models["chat"].monitor(…)`.

        Args:
            topic: As for `TgiEndpoint.monitor`.
            runbook: As for `TgiEndpoint.monitor`.
            alarms: Other thresholds, and None for the alarms that you do not want: the members of `InstanceAlarms`.

        Raises:
            ConfigurationError: An argument is wrong, or it has been called already.
        """
        # Imported here, as it costs time and not every fleet is monitored.
        from constructs_lib.endpoint.monitoring import monitor_fleet

        monitor_fleet(self, topic=topic, runbook=runbook, alarms=alarms)

    def _render_endpoint(
        self, planned: PlannedFleet, instances: tuple[int, int], endpoint_name: str | None
    ) -> sagemaker.CfnEndpoint:
        """The endpoint without a Model: what its instances run is in the components."""
        least, most = instances
        plan = replace(planned.first.plan, inference_ami_version=planned.plan.inference_ami_version)
        config = self._config = render_config(
            self,
            request=replace(planned.first.request, instance_count=planned.plan.initial_instances),
            plan=plan,
            runs=ManagedInstances(
                minimum=least, maximum=most, role=self._host.execution_role, vpc_config=self._host.vpc_config
            ),
            hosting=planned.hosting,
        )
        endpoint = sagemaker.CfnEndpoint(
            self,
            "Resource",
            endpoint_config_name=config.attr_endpoint_config_name,
            endpoint_name=endpoint_name,
        )
        keep_instance_count(endpoint)
        return endpoint

    def _render_models(self, planned: PlannedFleet, endpoint_name: str | None) -> Mapping[str, FleetMember]:
        shared = FleetEndpoint(
            name=self._name,
            arn=self._arn,
            resource=self._endpoint,
            config=self._config,
            given_name=endpoint_name,
            host=self._host,
            packs=planned.plan.packs,
            fleet=self,
        )
        scope = Construct(self, "Models")
        return {name: FleetMember(scope, name, endpoint=shared, planned=one) for name, one in planned.models.items()}

    def _add_warnings(self, planned: PlannedFleet, least_instances: int) -> None:
        first = planned.first
        for warning in [*planned.plan.warnings, *first.arguments.warnings(self, first.plan)]:
            Annotations.of(self).add_warning_v2(warning.id, warning.message)
        for name, model in planned.models.items():
            own = [*model.zero_warnings(least_instances), *model.arguments.model.warnings(self)]
            for warning in [*planned.plan.model_warnings[name], *own]:
                Annotations.of(self._models[name]).add_warning_v2(warning.id, warning.message)
