"""TgiEndpoint: a Hugging Face text model on SageMaker, served by Text Generation Inference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from constructs_lib.endpoint.arguments import EndpointArguments
from constructs_lib.endpoint.imported import ImportedEndpoint
from constructs_lib.endpoint.network import Network
from constructs_lib.endpoint.real_time import RealTimeEndpoint
from constructs_lib.endpoint.tgi_image import TgiImage
from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.engines.tgi.options import TgiOptions
from constructs_lib.planning.sagemaker import MAX_BODY_BYTES
from constructs_lib.planning.scaling.routing import Routing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import Duration, Size
    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kms as kms
    from constructs import Construct

    from constructs_lib.endpoint.data_capture import DataCapture
    from constructs_lib.endpoint.model import Model
    from constructs_lib.endpoint.rollout import Rollout
    from constructs_lib.endpoint.scale_to_zero import ScaleToZero
    from constructs_lib.planning.hardware.instance_types import CheapestFor, InstanceType
    from constructs_lib.planning.scaling.capacity_reservation import CapacityReservation
    from constructs_lib.planning.serving_limits import ServingOptions


class TgiEndpoint(RealTimeEndpoint):
    """A SageMaker real-time endpoint that serves one model with TGI.

    Anything that would keep it from starting is rejected at synth, all problems at once; what is legal but risky is a
    warning that can be acknowledged. Every change of the model, its options or its hardware creates a new Model and
    EndpointConfig, and the endpoint moves to them in place: it keeps serving, and keeps its name. It can be used
    wherever the CDK takes a SageMaker `IEndpoint`, as grantee of permissions for its containers and, in a VPC, as
    `IConnectable`. There is no serverless one: SageMaker's serverless inference has no GPUs.

    Args:
        scope: Parent construct.
        id: Identifier within the parent.
        model: The weights: `Model.from_hub`, `Model.from_s3` or `Model.from_s3_archive`.
        instance_type: The instance type, billed by the hour for as long as the endpoint exists, so there is no default.
            `InstanceType.cheapest_for(tokens=…, concurrency=…)` selects the cheapest instance type that serves that
            load by the plan's estimate; a new version of this library may then select another one. A list of up to 5
            types by priority, for when the first ones are scarce: SageMaker starts instances of the first type that it
            has, and the model is planned for each.
        image: The container image of TGI. Default: AWS's image of the newest version that this library knows.
        options: Launcher options of TGI. Default: every GPU of the instance, and TGI's own defaults for the rest.
        instance_count: Instances. A changed number is applied to a running endpoint, unless `auto_scale` is on: then an
            update keeps the number that scaling has set, and this is the number of a new endpoint. Default: 1.
        environment: Further environment variables of the container. Variables that an option covers, and misspelt
            ones, are rejected; those of other servers bring a warning. Anybody with `sagemaker:DescribeModel` can read
            them: no secrets. Default: none.
        startup_timeout: How long an instance may take until the model answers, 1 minute to 1 hour. Default: computed
            from the model's size, at least 20 minutes.
        model_download_timeout: How long SageMaker may take to copy weights from S3, and to unpack an archive, 1 minute
            to 1 hour. Default: computed from the model's size for weights in S3, at least 20 minutes; none for the hub,
            where `startup_timeout` covers the download.
        volume_size: Size of the storage volume, 1 to 512 GiB. Not for instances with local NVMe storage. Default:
            SageMaker's.
        volume_key: KMS key that encrypts the storage volume. Not for instances with local NVMe storage, which their
            hardware encrypts. Default: a key of AWS's.
        vpc: VPC that the containers are connected to. Default: none of yours; the containers reach the internet
            through SageMaker's.
        vpc_subnets: Subnets for the network interfaces, which have private addresses only. Each must reach what the
            weights come from: the hub through a NAT gateway, S3 through one or through a VPC endpoint. Routes and
            endpoints of this app count if they are declared before the model endpoint. Requires `vpc`. Default: the
            private subnets of the VPC.
        security_groups: Their security groups, at most 5, of that VPC. Requires `vpc`. Default: a new one that allows
            no inbound and all outbound traffic.
        network_isolation: Whether to cut the containers off from every network. Requires weights in S3. Default: False.
        inference_ami_version: Version of the host's machine image, which decides the NVIDIA driver. Default: the one
            that the image's CUDA version needs.
        routing: How SageMaker chooses the instance of a request. Default: the one with the fewest requests in progress.
        capacity_reservation: Reserved instances, the only ones that the endpoint then uses. Not for a list of instance
            types. Default: none.
        instance_provision_timeout: How long SageMaker may look for instances, of all types of a list together, before
            it gives up, 5 minutes to 1 hour; starting them does not count. Default: SageMaker's.
        scale_to_zero: How the endpoint goes to zero copies while nobody asks it. For a new endpoint: one that exists
            cannot be switched in place. Default: it never does.
        replace_on_instance_type_change: Whether another instance type makes a new endpoint beside the old one, which
            goes once the front door of the same stack has moved. Set it from the first deployment on. Default: False,
            the endpoint moves in place.
        rollout: How an update replaces the instances, and which alarms undo it. Default: all at once with one instance,
            else in batches; see `Rollout`.
        data_capture: Which requests and answers SageMaker stores in S3. Default: none.
        detailed_observability: Whether SageMaker collects detailed metrics of GPUs and container into CloudWatch's
            OpenTelemetry store, which is billed by volume. Default: False, with a warning that names what is lost.
        variant_name: Name of the production variant. Default: AllTraffic.
        variant_weight: Its weight beside those of `add_variant`; 0 requires one of them above 0. Default: 1.
        endpoint_name: Name of the endpoint. Changing it replaces the endpoint. Default: CloudFormation chooses one.
        role: Role that SageMaker assumes; it must trust sagemaker.amazonaws.com. The endpoint adds the permissions
            that it needs, unless the role is imported as immutable. Default: a new role with only those permissions.
        tags: Tags of every resource of the endpoint, in addition to those of the stack. Default: none.

    Raises:
        ConfigurationError: The endpoint could not be deployed with these arguments. No resource has been created.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        model: Model,
        instance_type: InstanceType | CheapestFor | Sequence[InstanceType],
        image: TgiImage | None = None,
        options: TgiOptions | None = None,
        instance_count: int = 1,
        environment: Mapping[str, str] | None = None,
        startup_timeout: Duration | None = None,
        model_download_timeout: Duration | None = None,
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
        scale_to_zero: ScaleToZero | None = None,
        replace_on_instance_type_change: bool = False,
        rollout: Rollout | None = None,
        data_capture: DataCapture | None = None,
        detailed_observability: bool | None = None,
        variant_name: str = "AllTraffic",
        variant_weight: float = 1,
        endpoint_name: str | None = None,
        role: iam.IRole | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        arguments = EndpointArguments(
            model=model,
            instance_type=instance_type,
            image=TgiImage.version(TGI.images.newest) if image is None else image,
            options=TgiOptions() if options is None else options,
            instance_count=instance_count,
            environment=environment,
            startup_timeout=startup_timeout,
            model_download_timeout=model_download_timeout,
            volume_size=volume_size,
            volume_key=volume_key,
            network=Network(vpc, vpc_subnets, security_groups),
            network_isolation=network_isolation,
            inference_ami_version=inference_ami_version,
            routing=Routing() if routing is None else routing,
            capacity_reservation=capacity_reservation,
            instance_provision_timeout=instance_provision_timeout,
            scale_to_zero=scale_to_zero,
            replace_on_instance_type_change=replace_on_instance_type_change,
            rollout=rollout,
            data_capture=data_capture,
            detailed_observability=detailed_observability,
            variant_name=variant_name,
            variant_weight=variant_weight,
            endpoint_name=endpoint_name,
            role=role,
            tags=tags,
        )
        super().__init__(scope, id, engine=TGI, arguments=arguments)

    @property
    def engine(self) -> str:
        """The engine that the container runs, which decides its protocol: `tgi`."""
        return TGI.name

    @staticmethod
    def from_endpoint_name(
        scope: Construct,
        id: str,
        endpoint_name: str,
        *,
        variant_name: str = "AllTraffic",
        model_id: str | None = None,
        max_body_bytes: int = MAX_BODY_BYTES,
        inference_component_name: str | None = None,
        wake_seconds: int | None = None,
        **serving: Unpack[ServingOptions],
    ) -> ImportedEndpoint:
        """Import a TGI endpoint of the stack's own account and Region.

        Args:
            scope: Parent construct.
            id: Identifier within the parent.
            endpoint_name: Its name, in the case that the SageMaker console shows.
            variant_name: Name of its production variant, for metrics. Default: AllTraffic.
            model_id: The model's repository on the hub. Default: unknown.
            max_body_bytes: Size limit of one request, in bytes. Default: 6291456, SageMaker's own limit.
            inference_component_name: Name of the inference component that serves the model. Default: the endpoint has
                no components.
            wake_seconds: How long the model takes from the first request that finds no copy to the first answer, which
                a front door tells clients. Requires `inference_component_name`. Default: unknown.
            serving: How the model is served: the members of `ServingFacts`, such as `max_total_tokens=4096`. A front
                door shows them to clients and validates requests against them. Default: unknown.

        Raises:
            ConfigurationError: The arguments cannot be those of an endpoint.
        """
        return ImportedEndpoint.from_endpoint_attributes(
            scope,
            id,
            engine=TGI,
            endpoint_name=endpoint_name,
            variant_name=variant_name,
            model_id=model_id,
            max_body_bytes=max_body_bytes,
            inference_component_name=inference_component_name,
            wake_seconds=wake_seconds,
            **serving,
        )

    @staticmethod
    def from_endpoint_arn(
        scope: Construct,
        id: str,
        endpoint_arn: str,
        *,
        endpoint_name: str | None = None,
        variant_name: str = "AllTraffic",
        model_id: str | None = None,
        max_body_bytes: int = MAX_BODY_BYTES,
        inference_component_name: str | None = None,
        wake_seconds: int | None = None,
        **serving: Unpack[ServingOptions],
    ) -> ImportedEndpoint:
        """Import a TGI endpoint of any account and Region.

        Args:
            scope: Parent construct.
            id: Identifier within the parent.
            endpoint_arn: Its ARN.
            endpoint_name: Its name, if it has capitals: ARNs have names in lower case, and calls must match the case.
                Default: the name in the ARN.
            variant_name: Name of its production variant, for metrics. Default: AllTraffic.
            model_id: The model's repository on the hub. Default: unknown.
            max_body_bytes: Size limit of one request, in bytes. Default: 6291456, SageMaker's own limit.
            inference_component_name: Name of the inference component that serves the model. Default: the endpoint has
                no components.
            wake_seconds: How long the model takes from the first request that finds no copy to the first answer, which
                a front door tells clients. Requires `inference_component_name`. Default: unknown.
            serving: How the model is served: the members of `ServingFacts`, such as `max_total_tokens=4096`. A front
                door shows them to clients and validates requests against them. Default: unknown.

        Raises:
            ConfigurationError: The arguments cannot be those of an endpoint.
        """
        return ImportedEndpoint.from_endpoint_attributes(
            scope,
            id,
            engine=TGI,
            endpoint_arn=endpoint_arn or "",  # None would derive it from the name
            endpoint_name=endpoint_name,
            variant_name=variant_name,
            model_id=model_id,
            max_body_bytes=max_body_bytes,
            inference_component_name=inference_component_name,
            wake_seconds=wake_seconds,
            **serving,
        )
