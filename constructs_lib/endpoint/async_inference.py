"""AsyncInference: where the requests of an asynchronous endpoint come from, and where its answers go to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_cdk import aws_sagemaker as sagemaker

from constructs_lib._arguments import BUCKET, KEY, TOPIC
from constructs_lib._references import name_problems
from constructs_lib._stack_env import environment_of
from constructs_lib._tokens import hide_token
from constructs_lib.planning.scaling.async_inference import (
    TOPICS,
    AsyncPlan,
    AsyncRequest,
    async_problems,
    async_warnings,
    plan_async,
)
from constructs_lib.planning.scaling.pools import is_list
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_s3 as s3
    from aws_cdk import aws_sns as sns
    from constructs import Construct

    from constructs_lib.endpoint.execution_role import ExecutionRole
    from constructs_lib.planning.request import EndpointPlan
    from constructs_lib.planning.validation.problem import PlanWarning

_CONFIG = sagemaker.CfnEndpointConfig


@dataclass(frozen=True, kw_only=True)
class AsyncInference:
    """The arguments of asynchronous inference with their defaults; `AsyncTgiEndpoint` describes them."""

    bucket: s3.IBucket
    input_prefix: str
    output_prefix: str
    failure_prefix: str
    input_bucket: s3.IBucket | None
    output_key: kms.IKey | None
    success_topic: sns.ITopic | None
    error_topic: sns.ITopic | None
    include_response_in: Sequence[str]
    max_concurrent_invocations: int | None
    request_tokens: int | None
    min_instances: int
    max_instances: int
    backlog_per_instance: float | None

    @property
    def initial_instances(self) -> int:
        """Instances of a new endpoint, at least 1, as SageMaker creates none without; 1 if the minimum is wrong."""
        minimum: object = self.min_instances
        return max(1, minimum) if isinstance(minimum, int) else 1

    @property
    def source(self) -> s3.IBucket:
        """The bucket with the requests."""
        return self.bucket if self.input_bucket is None else self.input_bucket

    @property
    def key(self) -> kms.IKey | None:
        """The key that encrypts the answers; None if it is S3's, or the bucket's own which nothing is known of."""
        return self.bucket.encryption_key if self.output_key is None else self.output_key

    @property
    def topics(self) -> dict[str, sns.ITopic]:
        """The topics by the outcome that they are told, in the words of `include_response_in`."""
        given = {"success": self.success_topic, "error": self.error_topic}
        return {outcome: topic for outcome, topic in given.items() if topic is not None}

    def input_folder(self) -> str:
        """The folder of the requests, with a slash at its end; empty for the entire bucket."""
        return _folder(self.input_prefix)

    def output_folders(self) -> list[str]:
        """The folders of answers and failures, each with a slash at its end."""
        return [_folder(self.output_prefix), _folder(self.failure_prefix)]

    def problems(self, scope: Construct) -> Iterator[Problem]:
        """What is wrong with buckets, keys and topics.

        Args:
            scope: The scope of the endpoint.
        """
        here = environment_of(scope)
        yield from BUCKET.problems("bucket", self.bucket, required=True)
        yield from BUCKET.problems("input_bucket", self.input_bucket)
        yield from KEY.problems("output_key", self.output_key)
        for keyword in ("bucket", "input_bucket"):
            if BUCKET.matches(bucket := getattr(self, keyword)):
                yield from name_problems(keyword, bucket, here, noun="bucket", name="bucket_name")
        for keyword in ("success_topic", "error_topic"):
            topic = getattr(self, keyword)
            yield from TOPIC.problems(keyword, topic)
            if TOPIC.matches(topic):
                if topic.fifo:
                    # A FIFO topic requires a message group; of the inference router SageMaker's API says the same.
                    message = "must be a standard topic: SageMaker sends no message group, which a FIFO topic requires"
                    yield Problem(keyword, topic, message, "Give a topic without fifo.")
                yield from name_problems(keyword, topic, here, noun="topic", name="topic_name")

    def planned_problems(self, plan: EndpointPlan) -> Iterator[Problem]:
        """What is wrong with names and figures.

        Args:
            plan: The plan of the endpoint, with or without problems.
        """
        yield from async_problems(self._request(), plan)

    def warnings(self, plan: EndpointPlan, reaches_s3: bool | None) -> Iterator[PlanWarning]:
        """What is legal but slow or risky.

        Args:
            plan: The plan of the endpoint, without problems.
            reaches_s3: Whether the endpoint's subnets reach S3; None if that is not known, or without a VPC.
        """
        yield from async_warnings(self._request(), plan, reaches_s3)

    def planned(self, plan: EndpointPlan) -> AsyncPlan:
        """The figures with their defaults.

        Args:
            plan: The plan of the endpoint, without problems.
        """
        return plan_async(self._request(), plan)

    def allow(self, role: ExecutionRole) -> None:
        """Allow the role to read requests, to write answers, and to publish notifications."""
        role.allow_requests(self.source, self.input_folder())
        role.allow_answers(self.bucket, self.output_folders(), self.key)
        for topic in dict.fromkeys(self.topics.values()):
            role.allow_notifications(topic)

    def render(self, plan: EndpointPlan) -> sagemaker.CfnEndpointConfig.AsyncInferenceConfigProperty:
        """The part of the EndpointConfig.

        Args:
            plan: The plan of the endpoint, without problems.
        """
        output, failure = (f"s3://{self.bucket.bucket_name}/{folder.rstrip('/')}" for folder in self.output_folders())
        return _CONFIG.AsyncInferenceConfigProperty(
            client_config=_CONFIG.AsyncInferenceClientConfigProperty(
                max_concurrent_invocations_per_instance=self.planned(plan).max_concurrent_invocations
            ),
            output_config=_CONFIG.AsyncInferenceOutputConfigProperty(
                s3_output_path=output,
                s3_failure_path=failure,
                kms_key_id=self.key.key_arn if self.key else None,
                notification_config=self._notifications(),
            ),
        )

    def _notifications(self) -> sagemaker.CfnEndpointConfig.AsyncInferenceNotificationConfigProperty | None:
        arns = {outcome: topic.topic_arn for outcome, topic in self.topics.items()}
        if not arns:
            return None
        return _CONFIG.AsyncInferenceNotificationConfigProperty(
            success_topic=arns.get("success"),
            error_topic=arns.get("error"),
            include_inference_response_in=[TOPICS[outcome] for outcome in self.include_response_in] or None,
        )

    def _request(self) -> AsyncRequest:
        def hidden(name: str) -> Any:
            return hide_token(getattr(self, name))

        response: object = self.include_response_in
        return AsyncRequest(
            prefixes={name: hidden(name) for name in ("input_prefix", "output_prefix", "failure_prefix")},
            max_concurrent_invocations=hidden("max_concurrent_invocations"),
            request_tokens=hidden("request_tokens"),
            min_instances=hidden("min_instances"),
            max_instances=hidden("max_instances"),
            backlog_per_instance=hidden("backlog_per_instance"),
            topics=frozenset(self.topics),
            include_response_in=tuple(response) if is_list(response) else response,  # type: ignore[arg-type]
            has_own_input_bucket=self.input_bucket is not None and self.input_bucket is not self.bucket,
        )


def _folder(prefix: str) -> str:
    folder = prefix.rstrip("/")
    return f"{folder}/" if folder else ""
