"""What CloudWatch knows of a front door."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Unpack

from constructs_lib._stack_env import environment_of
from constructs_lib._tokens import is_token
from constructs_lib.endpoint.metrics import MetricOptions
from constructs_lib.errors import ConfigurationError
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_cloudwatch as cloudwatch
    from aws_cdk import aws_lambda as lambda_
    from constructs import Node

NAMESPACE = "TgiEndpoint/FrontDoor"


class DoorMetrics:
    """Metrics of one front door, or of one of its models, which its function writes into its log.

    They are those of requests that reached the function: what the gateway refuses by itself is in the metrics of API
    Gateway and in the access log. Format: CloudWatch's embedded metric format.
    """

    function: lambda_.Function
    _models: Sequence[str]

    @property
    @abstractmethod
    def node(self) -> Node:
        """Its place in the tree."""

    def metric(
        self, metric_name: str, *, model: str | None = None, **options: Unpack[MetricOptions]
    ) -> cloudwatch.Metric:
        """Any metric of this front door. Default statistic: average over 5 minutes.

        Args:
            metric_name: Its name, such as `PromptTokens`.
            model: One of the front door's models. Default: all of them together, and requests that name none.
            options: How it is read.

        Raises:
            ConfigurationError: The front door has no model of that name.
        """
        # A stack without metrics does not wait for this module.
        from aws_cdk import aws_cloudwatch as cloudwatch

        if model is not None and model not in self._models:
            fix = f"Give one of {', '.join(self._models)}."
            raise ConfigurationError(self.node.path, [Problem("model", model, "is no model of this front door", fix)])
        place = environment_of(self.function)
        dimensions = {"Door": self.function.function_name}
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=metric_name,
            dimensions_map=dimensions if model is None else {**dimensions, "Model": model},
            account=None if is_token(place.account) else place.account,
            region=None if is_token(place.region) else place.region,
            **options,
        )

    def metric_requests(self, *, model: str | None = None, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Requests that the function answered. Sum over 5 minutes; a count."""
        return self._door_metric("Requests", "Sum", model, options)

    def metric_client_errors(self, *, model: str | None = None, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Requests that were wrong, answered with 4xx. Sum over 5 minutes; a count. Average: their share."""
        return self._door_metric("ClientErrors", "Sum", model, options)

    def metric_server_errors(self, *, model: str | None = None, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Requests that the function or the model failed, answered with 5xx or with an error in the stream.

        Sum over 5 minutes; a count. Average: their share.
        """
        return self._door_metric("ServerErrors", "Sum", model, options)

    def metric_prompt_tokens(self, *, model: str | None = None, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Tokens of prompts, of the answers that told them. Sum over 5 minutes; a count."""
        return self._door_metric("PromptTokens", "Sum", model, options)

    def metric_generated_tokens(
        self, *, model: str | None = None, **options: Unpack[MetricOptions]
    ) -> cloudwatch.Metric:
        """Tokens of answers. Sum over 5 minutes; a count."""
        return self._door_metric("GeneratedTokens", "Sum", model, options)

    def metric_time_to_first_token(
        self, *, model: str | None = None, **options: Unpack[MetricOptions]
    ) -> cloudwatch.Metric:
        """Time from a request's arrival at the function to the first token. Average over 5 minutes; milliseconds."""
        return self._door_metric("TimeToFirstToken", "Average", model, options)

    def metric_tokens_per_second(
        self, *, model: str | None = None, **options: Unpack[MetricOptions]
    ) -> cloudwatch.Metric:
        """Speed of one answer after its first token. Average over 5 minutes; tokens per second."""
        return self._door_metric("TokensPerSecond", "Average", model, options)

    def metric_upstream_time(self, *, model: str | None = None, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Time that SageMaker and the model took of a request. Average over 5 minutes; milliseconds."""
        return self._door_metric("UpstreamTime", "Average", model, options)

    def metric_duration(self, *, model: str | None = None, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Time from a request's arrival at the function to its answer's end. Average over 5 minutes; milliseconds."""
        return self._door_metric("Duration", "Average", model, options)

    def metric_retries(self, *, model: str | None = None, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Calls of SageMaker that were repeated, as none had reached the model. Sum over 5 minutes; a count."""
        return self._door_metric("Retries", "Sum", model, options)

    def _door_metric(self, name: str, statistic: str, model: str | None, options: MetricOptions) -> cloudwatch.Metric:
        return self.metric(name, model=model, **({"statistic": statistic} | options))
