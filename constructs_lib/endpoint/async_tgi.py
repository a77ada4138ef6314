"""AsyncTgiEndpoint: a Hugging Face text model for requests that take longer than any client waits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, Unpack

from constructs_lib.endpoint.async_endpoint import AsyncEndpoint
from constructs_lib.endpoint.async_inference import AsyncInference
from constructs_lib.endpoint.endpoint_options import HostedOptions, endpoint_arguments
from constructs_lib.endpoint.tgi_image import TgiImage
from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.engines.tgi.options import TgiOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_s3 as s3
    from aws_cdk import aws_sns as sns
    from constructs import Construct

    from constructs_lib.endpoint.model import Model
    from constructs_lib.planning.hardware.instance_types import CheapestFor, InstanceType


class AsyncTgiEndpoint(AsyncEndpoint):
    """A SageMaker endpoint for asynchronous inference that serves one model with TGI.

    A client uploads a request to S3, calls `InvokeEndpointAsync` with its location, and is told at once where the
    answer will be. SageMaker queues the request for up to 6 hours, gives it to an instance that has room, lets it take
    up to an hour, and writes the answer, or what went wrong, to S3. While nothing is queued or in progress there is no
    instance to pay for; the first request then starts one, and waits for it. A request is what `POST /invocations` of
    TGI takes, without `stream`, whose answers SageMaker does not take here. Limits and a client are in
    docs/how-to/asynchronous_inference.md.

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
        arguments: Further arguments, the same for every engine: the members of `HostedOptions`.

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
        **arguments: Unpack[HostedOptions],
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
        hosted = endpoint_arguments(
            type(self),
            arguments,
            model=model,
            instance_type=instance_type,
            image=TgiImage.version(TGI.images.newest) if image is None else image,
            options=TgiOptions() if options is None else options,
            takes=HostedOptions,
        )
        hosted = replace(hosted, instance_count=async_inference.initial_instances, async_inference=async_inference)
        super().__init__(scope, id, engine=TGI, arguments=hosted, async_inference=async_inference)

    @property
    def engine(self) -> str:
        """The engine that the container runs, which decides its protocol: `tgi`."""
        return TGI.name
