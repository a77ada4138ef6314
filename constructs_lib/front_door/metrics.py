"""CloudWatch metrics of a front door."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Unpack

from constructs_lib._stack_env import environment_of, unique_path
from constructs_lib._tokens import is_token
from constructs_lib.endpoint.metrics import MetricOptions
from constructs_lib.errors import ConfigurationError
from constructs_lib.front_door.dimensions import FRONT_DOOR, MIRROR, MODEL, front_door_dimension
from constructs_lib.front_door.routed_models import mirrors_of
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import aws_cloudwatch as cloudwatch
    from constructs import Node

    from constructs_lib.front_door.routed_models import RoutedModel

NAMESPACE = "TgiEndpoint/FrontDoor"


class FrontDoorMetrics:
    """Metrics of one front door or of one of its models, which its function writes to its log.

    They cover the requests that reach the function: requests that API Gateway rejects are in API Gateway's own metrics
    and in the access log. Format: CloudWatch's embedded metric format. The dimension `FrontDoor` is the name of
    the stack with the construct's path in it, which synth knows.
    """

    _models: Mapping[str, RoutedModel]

    @property
    @abstractmethod
    def node(self) -> Node:
        """The construct's node."""

    def metric(
        self,
        metric_name: str,
        *,
        model: str | None = None,
        mirror: str | None = None,
        **options: Unpack[MetricOptions],
    ) -> cloudwatch.Metric:
        """Any metric of this front door. Default statistic: average over 5 minutes.

        Args:
            metric_name: Its name, such as `PromptTokens`.
            model: One of the front door's models. Default: all requests, including those that name no model.
            mirror: The same for the copies of a model's requests that its `Mirror` makes, which count in no other
                metric. Default: the requests of clients.
            options: Label, period, statistic and color.

        Raises:
            ConfigurationError: The front door has no model of that name, or the model no Mirror.
        """
        # Imported here, as importing this module slows down synthesis.
        from aws_cdk import aws_cloudwatch as cloudwatch

        if model is not None and model not in self._models:
            fix = f"Use one of {', '.join(self._models)}."
            raise ConfigurationError(
                self.node.path, [Problem("model", model, "is not a model of this front door", fix)]
            )
        if problems := self._mirror_problems(model, mirror):
            raise ConfigurationError(self.node.path, problems)
        environment = environment_of(self)  # type: ignore[arg-type]  # it is a construct
        dimensions = {FRONT_DOOR: front_door_dimension(unique_path(self))}  # type: ignore[arg-type]  # it is a construct
        dimensions |= {} if mirror is None else {MIRROR: mirror}
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=metric_name,
            dimensions_map=dimensions if model is None else {**dimensions, MODEL: model},
            account=None if is_token(environment.account) else environment.account,
            region=None if is_token(environment.region) else environment.region,
            **options,
        )

    def metric_requests(self, *, model: str | None = None, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Requests that the function answered. Sum over 5 minutes; a count.

        Args:
            model: Those of one model, by its name. Default: of all.
        """
        return self._metric("Requests", "Sum", model, options)

    def metric_client_errors(self, *, model: str | None = None, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Requests answered with 4xx. Sum over 5 minutes; a count. The average is their share.

        Args:
            model: Those of one model, by its name. Default: of all.
        """
        return self._metric("ClientErrors", "Sum", model, options)

    def metric_server_errors(self, *, model: str | None = None, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Requests answered with 5xx, or with an error in the stream.

        Sum over 5 minutes; a count. The average is their share.

        Args:
            model: Those of one model, by its name. Default: of all.
        """
        return self._metric("ServerErrors", "Sum", model, options)

    def metric_prompt_tokens(self, *, model: str | None = None, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Tokens of prompts, where the model reported them. Sum over 5 minutes; a count.

        Args:
            model: Those of one model, by its name. Default: of all.
        """
        return self._metric("PromptTokens", "Sum", model, options)

    def metric_generated_tokens(
        self, *, model: str | None = None, **options: Unpack[MetricOptions]
    ) -> cloudwatch.Metric:
        """Tokens of answers. Sum over 5 minutes; a count.

        Args:
            model: Those of one model, by its name. Default: of all.
        """
        return self._metric("GeneratedTokens", "Sum", model, options)

    def metric_time_to_first_token(
        self, *, model: str | None = None, **options: Unpack[MetricOptions]
    ) -> cloudwatch.Metric:
        """Time from a request's arrival at the function to the first token. Average over 5 minutes; milliseconds.

        Args:
            model: Those of one model, by its name. Default: of all.
        """
        return self._metric("TimeToFirstToken", "Average", model, options)

    def metric_tokens_per_second(
        self, *, model: str | None = None, **options: Unpack[MetricOptions]
    ) -> cloudwatch.Metric:
        """Generation speed of one answer after its first token. Average over 5 minutes; tokens per second.

        Args:
            model: Those of one model, by its name. Default: of all.
        """
        return self._metric("TokensPerSecond", "Average", model, options)

    def metric_upstream_time(self, *, model: str | None = None, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Time that a request spent in SageMaker and the model. Average over 5 minutes; milliseconds.

        Args:
            model: Those of one model, by its name. Default: of all.
        """
        return self._metric("UpstreamTime", "Average", model, options)

    def metric_duration(self, *, model: str | None = None, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Time from a request's arrival at the function to the answer's end. Average over 5 minutes; milliseconds.

        Args:
            model: Those of one model, by its name. Default: of all.
        """
        return self._metric("Duration", "Average", model, options)

    def metric_retries(self, *, model: str | None = None, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Retried calls of SageMaker, none of which had reached the model. Sum over 5 minutes; a count.

        Args:
            model: Those of one model, by its name. Default: of all.
        """
        return self._metric("Retries", "Sum", model, options)

    def metric_fallbacks(self, *, model: str | None = None, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Refusals by an endpoint of a `Fallback`, after which the next one was asked.

        Sum over 5 minutes; a count. Without a refusal there is no data.

        Args:
            model: Those of one model, by its name. Default: of all.
        """
        return self._metric("Fallbacks", "Sum", model, options)

    def metric_refused(self, *, model: str | None = None, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Requests that exceeded a limit of their consumer on tokens or streams.

        Sum over 5 minutes; a count. Without a refusal there is no data.

        Args:
            model: Those of one model, by its name. Default: of all.
        """
        return self._metric("Refused", "Sum", model, options)

    def metric_store_failures(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Requests of consumers with limits whose use the table could not count.

        Sum over 5 minutes; a count. Without a failure there is no data.
        """
        return self._metric("StoreFailures", "Sum", None, options)

    def _mirror_problems(self, model: str | None, mirror: str | None) -> list[Problem]:
        if mirror is None:
            return []
        mirrors = mirrors_of(self._models)
        if mirror not in mirrors:
            fix = f"Use one of {', '.join(mirrors)}." if mirrors else "Give a model as Mirror(…)."
            return [Problem("mirror", mirror, "is not a model of this front door with a Mirror", fix)]
        if model is not None:
            return [Problem("mirror", mirror, f"cannot be given with model={model!r}", "Leave one of them out.")]
        return []

    def _metric(self, name: str, statistic: str, model: str | None, options: MetricOptions) -> cloudwatch.Metric:
        return self.metric(name, model=model, **({"statistic": statistic} | options))
