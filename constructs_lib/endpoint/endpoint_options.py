"""The arguments that constructs of endpoints share, whatever the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from constructs_lib.endpoint.arguments import EndpointArguments
from constructs_lib.endpoint.network import Network

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import Duration, Size
    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kms as kms

    from constructs_lib.endpoint.container_image import ContainerImage
    from constructs_lib.endpoint.data_capture import DataCapture
    from constructs_lib.endpoint.model import Model
    from constructs_lib.endpoint.rollout import Rollout
    from constructs_lib.endpoint.scale_to_zero import ScaleToZero
    from constructs_lib.planning.hardware.instance_types import CheapestFor, InstanceType
    from constructs_lib.planning.scaling.capacity_reservation import CapacityReservation
    from constructs_lib.planning.scaling.routing import Routing


class HostedOptions(TypedDict, total=False):
    """The arguments of every endpoint besides model, instance type, image and options of the engine.

    Args:
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
        instance_provision_timeout: How long SageMaker may look for instances, of all types of a list together, before
            it gives up, 5 minutes to 1 hour; starting them does not count. Default: SageMaker's.
        rollout: How an update replaces the instances, and which alarms undo it. Default: all at once with one instance,
            else in batches; see `Rollout`.
        detailed_observability: Whether SageMaker collects detailed metrics of GPUs and container into CloudWatch's
            OpenTelemetry store, which is billed by volume. Default: False, with a warning that names what is lost.
        variant_name: Name of the production variant. Default: AllTraffic.
        endpoint_name: Name of the endpoint. Changing it replaces the endpoint. Default: CloudFormation chooses one.
        role: Role that SageMaker assumes; it must trust sagemaker.amazonaws.com. The endpoint adds the permissions
            that it needs, unless the role is imported as immutable. Default: a new role with only those permissions.
        tags: Tags of every resource of the endpoint, in addition to those of the stack. Default: none.
    """

    environment: Mapping[str, str] | None
    startup_timeout: Duration | None
    model_download_timeout: Duration | None
    volume_size: Size | None
    volume_key: kms.IKey | None
    vpc: ec2.IVpc | None
    vpc_subnets: ec2.SubnetSelection | None
    security_groups: Sequence[ec2.ISecurityGroup] | None
    network_isolation: bool
    inference_ami_version: str | None
    instance_provision_timeout: Duration | None
    rollout: Rollout | None
    detailed_observability: bool | None
    variant_name: str
    endpoint_name: str | None
    role: iam.IRole | None
    tags: Mapping[str, str] | None


class EndpointOptions(HostedOptions, total=False):
    """The same of an endpoint whose callers wait for their answer.

    Args:
        instance_count: Instances. A changed number is applied to a running endpoint, unless `auto_scale` is on: then an
            update keeps the number that scaling has set, and this is the number of a new endpoint. Default: 1.
        routing: How SageMaker chooses the instance of a request. Default: the one with the fewest requests in progress.
        capacity_reservation: Reserved instances, the only ones that the endpoint then uses. Not for a list of instance
            types. Default: none.
        scale_to_zero: How the endpoint goes to zero copies while nobody asks it. For a new endpoint: one that exists
            cannot be switched in place. Default: it never does.
        replace_on_instance_type_change: Whether another instance type makes a new endpoint beside the old one, which
            goes once the front door of the same stack has moved. Set it from the first deployment on. Default: False,
            the endpoint moves in place.
        data_capture: Which requests and answers SageMaker stores in S3. Default: none.
        variant_weight: Its weight beside those of `add_variant`; 0 requires one of them above 0. Default: 1.
    """

    instance_count: int
    routing: Routing | None
    capacity_reservation: CapacityReservation | None
    scale_to_zero: ScaleToZero | None
    replace_on_instance_type_change: bool
    data_capture: DataCapture | None
    variant_weight: float


def endpoint_arguments(
    construct: type,
    given: HostedOptions,
    *,
    model: Model,
    instance_type: InstanceType | CheapestFor | Sequence[InstanceType],
    image: ContainerImage,
    options: Any,
    takes: type[HostedOptions] = EndpointOptions,
) -> EndpointArguments:
    """The arguments of an endpoint, with their defaults.

    Args:
        construct: The class of the endpoint, for the message.
        given: The shared arguments that the caller gives.
        model: The weights.
        instance_type: The instance type, a load, or a list of types.
        image: The container image.
        options: The options of the engine.
        takes: The shared arguments that there are.

    Raises:
        TypeError: There is no such argument.
    """
    for name in given.keys() - takes.__annotations__.keys():
        raise TypeError(f"{construct.__name__}() got an unexpected keyword argument {name!r}")
    shared: dict[str, Any] = dict(given)
    network = Network(*(shared.pop(name, None) for name in ("vpc", "vpc_subnets", "security_groups")))
    if shared.get("routing") is None:
        shared.pop("routing", None)
    return EndpointArguments(
        model=model, instance_type=instance_type, image=image, options=options, network=network, **shared
    )
