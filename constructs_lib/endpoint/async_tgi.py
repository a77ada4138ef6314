"""AsyncTgiEndpoint: a Hugging Face text model for requests that take longer than any client waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from constructs_lib.endpoint.arguments import EndpointArguments
from constructs_lib.endpoint.async_endpoint import AsyncEndpoint
from constructs_lib.endpoint.async_inference import AsyncInference
from constructs_lib.endpoint.network import Network
from constructs_lib.endpoint.tgi_image import TgiImage
from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.engines.tgi.options import TgiOptions
from constructs_lib.planning.scaling.routing import Routing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import Duration, Size
    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_s3 as s3
    from aws_cdk import aws_sns as sns
    from constructs import Construct

    from constructs_lib.endpoint.model import Model
    from constructs_lib.endpoint.rollout import Rollout
    from constructs_lib.planning.hardware.instance_types import CheapestFor, InstanceType


class AsyncTgiEndpoint(AsyncEndpoint):
    """A SageMaker endpoint for asynchronous inference that serves one model with TGI.

    A client uploads a request to S3, calls `InvokeEndpointAsync` with its location, and is told at once where the
    answer will be. SageMaker queues the request for up to 6 hours, gives it to an instance that has room, lets it take
    up to an hour, and writes the answer, or what went wrong, to S3. While nothing is queued or in progress there is no
    instance to pay for; the first request then starts one, and waits for it. A request is what `POST /invocations` of
    TGI takes, without `stream`, whose answers SageMaker does not take here. See docs/operations.md, "Asynchronous
    inference", for limits and for a client.

    It is no endpoint for a `FrontDoor`, and has none of what only the instances of a real-time endpoint have: several
    variants, routing, data capture (requests and answers are in S3 anyway), capacity reservations, and inference
    components. A `TgiEndpoint` cannot become one in place: give it another id, and another `endpoint_name` if it has
    one.

    Args:
        scope: Parent construct.
        id: Identifier within the parent.
        model: The weights: `Model.from_hub`, `Model.from_s3` or `Model.from_s3_archive`.
        instance_type: The instance type, billed by the hour while there is an instance.
            `InstanceType.cheapest_for(tokens=…, concurrency=…)` selects the cheapest instance type that serves that
            load by the plan's estimate; a new version of this library may then select another one. A list of up to 5
            types by priority, for when the first ones are scarce: SageMaker starts instances of the first type that it
            has, and the model is planned for each.
        bucket: Bucket for answers and failures, and for requests unless `input_bucket` is given. How long it keeps them
            and who may read them is the bucket's to say: it is yours, not the endpoint's.
        input_prefix: Folder in which the endpoint may read requests; empty for all of `input_bucket`. Default:
            async/input.
        output_prefix: Folder into which the endpoint writes answers. Default: async/output.
        failure_prefix: Folder into which the endpoint writes what it knows about requests that failed. Default:
            async/failures.
        input_bucket: Bucket with the requests. Default: `bucket`.
        output_key: KMS key that encrypts answers and failures. Default: the key of `bucket`, if this app knows it; else
            the bucket's own setting.
        success_topic: Topic that is told of each answer. Default: none.
        error_topic: Topic that is told of each failure. Default: none.
        include_response_in: Which notifications contain the answer itself, if it has at most 128 kB: `success`,
            `error`, both. Anybody who subscribes to the topic can then read it. Default: none.
        max_concurrent_invocations: Requests in progress at once on one instance, 1 to 1000; more wait in the queue.
            Default: as many of `request_tokens` as the plan expects the GPUs to hold, at most
            `max_concurrent_requests`; 4 if the plan does not know the memory.
        request_tokens: Prompt and answer of one request together as your clients send them, in tokens, from which the
            default of `max_concurrent_invocations` is worked out. Default: the longest request.
        min_instances: The smallest number of instances. Default: 0.
        max_instances: The largest number of instances, which bounds the bill. Default: 1.
        backlog_per_instance: Requests queued or in progress for each instance, above which another one is added. They
            are removed when so few have been there for 15 minutes that fewer instances have no more each. Default: 4
            times `max_concurrent_invocations`.
        image: The container image of TGI. Default: AWS's image of the newest version that this library knows.
        options: Launcher options of TGI. Default: every GPU of the instance, and TGI's own defaults for the rest.
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
        bucket: s3.IBucket,
        input_prefix: str = "async/input",
        output_prefix: str = "async/output",
        failure_prefix: str = "async/failures",
        input_bucket: s3.IBucket | None = None,
        output_key: kms.IKey | None = None,
        success_topic: sns.ITopic | None = None,
        error_topic: sns.ITopic | None = None,
        include_response_in: Sequence[Literal["success", "error"]] = (),
        max_concurrent_invocations: int | None = None,
        request_tokens: int | None = None,
        min_instances: int = 0,
        max_instances: int = 1,
        backlog_per_instance: float | None = None,
        image: TgiImage | None = None,
        options: TgiOptions | None = None,
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
        instance_provision_timeout: Duration | None = None,
        rollout: Rollout | None = None,
        detailed_observability: bool | None = None,
        variant_name: str = "AllTraffic",
        endpoint_name: str | None = None,
        role: iam.IRole | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        async_inference = AsyncInference(
            bucket=bucket,
            input_prefix=input_prefix,
            output_prefix=output_prefix,
            failure_prefix=failure_prefix,
            input_bucket=input_bucket,
            output_key=output_key,
            success_topic=success_topic,
            error_topic=error_topic,
            include_response_in=include_response_in,
            max_concurrent_invocations=max_concurrent_invocations,
            request_tokens=request_tokens,
            min_instances=min_instances,
            max_instances=max_instances,
            backlog_per_instance=backlog_per_instance,
        )
        arguments = EndpointArguments(
            model=model,
            instance_type=instance_type,
            image=TgiImage.version(TGI.images.newest) if image is None else image,
            options=TgiOptions() if options is None else options,
            instance_count=async_inference.initial_instances,
            environment=environment,
            startup_timeout=startup_timeout,
            model_download_timeout=model_download_timeout,
            volume_size=volume_size,
            volume_key=volume_key,
            network=Network(vpc, vpc_subnets, security_groups),
            network_isolation=network_isolation,
            inference_ami_version=inference_ami_version,
            routing=Routing(),
            capacity_reservation=None,
            instance_provision_timeout=instance_provision_timeout,
            scale_to_zero=None,
            replace_on_instance_type_change=False,
            rollout=rollout,
            data_capture=None,
            detailed_observability=detailed_observability,
            variant_name=variant_name,
            endpoint_name=endpoint_name,
            role=role,
            tags=tags,
            async_inference=async_inference,
        )
        super().__init__(scope, id, engine=TGI, arguments=arguments, async_inference=async_inference)

    @property
    def engine(self) -> str:
        """The engine that the container runs, which decides its protocol: `tgi`."""
        return TGI.name
