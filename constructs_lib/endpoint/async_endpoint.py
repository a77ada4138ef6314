"""An asynchronous endpoint of this app: SageMaker takes requests from S3 and a queue, and writes answers to S3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from aws_cdk import Annotations
from aws_cdk import aws_iam as iam

from constructs_lib._nag import acknowledge
from constructs_lib.acknowledgements import ASYNC_FOLDERS
from constructs_lib.endpoint.async_metrics import AsyncMetrics
from constructs_lib.endpoint.backlog_scaling import scale_with_backlog
from constructs_lib.endpoint.hosted import HostedEndpoint
from constructs_lib.endpoint.updates import keep_instance_count
from constructs_lib.endpoint.watched import InstanceAlarms
from constructs_lib.planning.monitoring.alarm import RUNBOOK
from constructs_lib.planning.scaling.updates import async_type_change_warning

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import Duration
    from aws_cdk import aws_sns as sns
    from constructs import Construct

    from constructs_lib.endpoint.arguments import EndpointArguments
    from constructs_lib.endpoint.async_inference import AsyncInference
    from constructs_lib.planning.engine import Engine


class AsyncAlarms(InstanceAlarms, total=False):
    """The alarms of an asynchronous endpoint with their thresholds. None leaves an alarm out."""

    oldest_request: Duration | None
    """How long a request may be in the queue, up to 6 hours. Default: 3 hours, half of the time after which it expires
    unless its caller says otherwise."""
    failures: int | None
    """Failed requests in five minutes, in two of three such periods; those that the container refuses as wrong do not
    count. Default: 3."""
    expired: int | None
    """Requests in five minutes that expired in the queue. Default: 1."""
    delivery_failures: int | None
    """Requests in five minutes that could not be read, or whose answer or notification could not be delivered. Default:
    1."""


class AsyncEndpoint(HostedEndpoint, AsyncMetrics):
    """A SageMaker endpoint for asynchronous inference, rendered from a plan without problems.

    Args:
        scope: Parent construct.
        id: Identifier within the parent.
        engine: What runs in the container.
        arguments: The caller's arguments.
        async_inference: Those of them that are about asynchronous inference.

    Raises:
        ConfigurationError: The endpoint could not be deployed with these arguments. No resource has been created.
    """

    # SageMaker makes no real-time endpoint an asynchronous one, and none the other way: it has to be another resource.
    _RESOURCE = "Async"

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        engine: Engine,
        arguments: EndpointArguments,
        async_inference: AsyncInference,
    ) -> None:
        super().__init__(scope, id, engine=engine, arguments=arguments)
        self._async = async_inference
        planned = async_inference.planned(self._plan)
        self._max_concurrent_invocations = planned.max_concurrent_invocations
        scale_with_backlog(self, planned, minimum=async_inference.min_instances, maximum=async_inference.max_instances)
        keep_instance_count(self._endpoint)
        warning = async_type_change_warning()
        Annotations.of(self).add_warning_v2(warning.id, warning.message)

    @property
    def max_concurrent_invocations(self) -> int:
        """Requests that one instance has in progress at once; more wait in the queue."""
        return self._max_concurrent_invocations

    @property
    def input_url(self) -> str:
        """The folder into which a client uploads its requests: s3://<bucket>/<prefix>/."""
        return f"s3://{self._async.source.bucket_name}/{self._async.input_folder()}"

    @property
    def output_url(self) -> str:
        """The folder of the answers, such as s3://<bucket>/<prefix>/."""
        return f"s3://{self._async.bucket.bucket_name}/{self._async.output_folders()[0]}"

    @property
    def failure_url(self) -> str:
        """The folder of what is known about requests that failed, such as s3://<bucket>/<prefix>/."""
        return f"s3://{self._async.bucket.bucket_name}/{self._async.output_folders()[1]}"

    def monitor(
        self, *, topic: sns.ITopic | None = None, runbook: str = RUNBOOK, **alarms: Unpack[AsyncAlarms]
    ) -> None:
        """Add alarms, and a rule that reports when the endpoint fails or is rolled back.

        Each alarm's description says what to do, and where the runbook says more. Without data the alarms are OK. One
        of them has no threshold: requests are queued, and no instance comes for twice the time that one takes to start.

        Args:
            topic: What is notified when an alarm begins and when it ends, and when the endpoint's state changes. Its
                policy and its key's are extended so that alarms and rules may publish; those of imported ones must
                allow it already. Default: nobody, and no rule.
            runbook: Where your people find the runbook, to which `#` and a section are appended. Default:
                `docs/operations.md`, of this project.
            alarms: Other thresholds, and None for the alarms that you do not want: the members of `AsyncAlarms`.

        Raises:
            ConfigurationError: An argument is wrong, or it has been called already.
        """
        # Imported here, as it costs time and not every endpoint is monitored.
        from constructs_lib.endpoint.async_monitoring import monitor_async

        monitor_async(
            self,
            load_seconds=self._plan.load_seconds,
            from_zero=self._async.min_instances == 0,
            topic=topic,
            runbook=runbook,
            alarms=alarms,
        )

    def grant_invoke_async(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow a grantee to upload requests, to invoke the endpoint, and to read answers and failures.

        It may list answers and failures, by which a client sees whether one is there yet. It may neither read the
        requests of others nor write answers.

        Args:
            grantee: The principal that may invoke it.
        """
        settings = self._async
        bucket, source = settings.bucket, settings.source
        requests = source.arn_for_objects(f"{settings.input_folder()}*")
        answers = [bucket.arn_for_objects(f"{folder}*") for folder in settings.output_folders()]
        prefixes = [f"{folder}*" for folder in settings.output_folders()]
        grants = [
            _allow(grantee, "sagemaker:InvokeEndpointAsync", [self.endpoint_arn]),
            _allow(grantee, "s3:PutObject", [requests]),
            _allow(grantee, "s3:GetObject", answers),
            _allow(grantee, "s3:ListBucket", [bucket.bucket_arn], {"StringLike": {"s3:prefix": prefixes}}),
        ]
        if source.encryption_key is not None:
            grants.append(source.encryption_key.grant(grantee, "kms:Decrypt", "kms:GenerateDataKey"))
        if settings.key is not None and settings.key is not source.encryption_key:
            grants.append(settings.key.grant(grantee, "kms:Decrypt"))
        self._acknowledge_folders(grantee.grant_principal, [requests, *answers])
        combined, *others = grants
        for grant in others:
            combined = combined.combine(grant)
        return combined

    def _acknowledge_folders(self, principal: iam.IPrincipal, resources: Sequence[str]) -> None:
        """cdk-nag's findings about a grantee of this app, whatever else it may do."""
        if isinstance(principal, iam.Role | iam.User | iam.Group):
            acknowledge(principal, ASYNC_FOLDERS.at(self, *resources))


def _allow(
    grantee: iam.IGrantable,
    action: str,
    resources: Sequence[str],
    conditions: Mapping[str, Mapping[str, Sequence[str]]] | None = None,
) -> iam.Grant:
    return iam.Grant.add_to_principal(grantee=grantee, actions=[action], resource_arns=resources, conditions=conditions)
