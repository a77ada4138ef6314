"""CloudWatch metrics of an endpoint."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, TypedDict, Unpack

from aws_cdk import Token

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import Duration
    from aws_cdk import aws_cloudwatch as cloudwatch
    from aws_cdk.interfaces import ResourceEnvironment

INVOCATIONS_NAMESPACE = "AWS/SageMaker"
INSTANCES_NAMESPACE = "/aws/sagemaker/Endpoints"
COMPONENTS_NAMESPACE = "/aws/sagemaker/InferenceComponents"


class MetricOptions(TypedDict, total=False):
    """How a metric is read.

    Args:
        label: Its name in graphs, with CloudWatch's dynamic labels such as `${MAX}`. Default: the metric's name.
        period: What one data point stands for. Default: 5 minutes.
        statistic: CloudWatch's statistic, such as `Sum` or `p95`. Default: the one in the docstring of the method.
        color: Its colour in graphs, as six hexadecimal digits. Default: CloudWatch's.
    """

    label: str
    period: Duration
    statistic: str
    color: str


class VariantMetrics:
    """Metrics of one production variant, or of its inference component, that every kind of endpoint has.

    No metric filters by unit, as an alarm on a metric that is published with another unit stays in INSUFFICIENT_DATA.
    Source: Amazon SageMaker AI Developer Guide, "Amazon SageMaker AI metrics in Amazon CloudWatch".
    """

    @property
    @abstractmethod
    def endpoint_name(self) -> str:
        """Name of the endpoint."""

    @property
    @abstractmethod
    def variant_name(self) -> str:
        """Name of its production variant."""

    @property
    @abstractmethod
    def inference_component_name(self) -> str | None:
        """The inference component that serves the model; None if the endpoint has no components."""

    @property
    @abstractmethod
    def env(self) -> ResourceEnvironment:
        """Account and Region of the endpoint."""

    @property
    def _name_as_dimension(self) -> str:
        """The endpoint's name in metrics. If it depends on the endpoint, no alarm on them can undo its updates."""
        return self.endpoint_name

    def metric(
        self, metric_name: str, *, namespace: str = INVOCATIONS_NAMESPACE, **options: Unpack[MetricOptions]
    ) -> cloudwatch.Metric:
        """Any metric of this endpoint's variant or component. Default statistic: average over 5 minutes.

        Args:
            metric_name: Its name, such as `ModelSetupTime`.
            namespace: `AWS/SageMaker` for requests, `/aws/sagemaker/Endpoints` for the utilization of the instances,
                `/aws/sagemaker/InferenceComponents` for that of a component's copies. Default: `AWS/SageMaker`.
            options: Label, period, statistic and color.
        """
        dimensions = {"EndpointName": self._name_as_dimension, "VariantName": self.variant_name}
        if self.inference_component_name is not None and namespace != INSTANCES_NAMESPACE:
            dimensions = {"InferenceComponentName": self.inference_component_name}
        return self._metric(namespace, metric_name, dimensions, options)

    def metric_invocation_4xx_errors(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Requests that the container answered with 4xx. Sum over 5 minutes; a count."""
        return self._request_metric("Invocation4XXErrors", "Sum", options)

    def metric_invocation_5xx_errors(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Requests that the container answered with 5xx. Sum over 5 minutes; a count."""
        return self._request_metric("Invocation5XXErrors", "Sum", options)

    def metric_model_latency(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Time that the container took, including the network. Average over 5 minutes; microseconds."""
        return self._request_metric("ModelLatency", "Average", options)

    def metric_cpu_utilization(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """CPU in use. Average over 5 minutes; percent, 100 for each core, at most 100 of an inference component."""
        return self._utilization_metric("CPUUtilization", options)

    def metric_memory_utilization(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Memory of the host in use. Average over 5 minutes; percent, at most 100.

        That of an inference component is relative to the memory that is reserved for a copy.
        """
        return self._utilization_metric("MemoryUtilization", options)

    def metric_gpu_utilization(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """GPU in use. Average over 5 minutes; percent, 100 for each GPU, at most 100 of an inference component."""
        return self._utilization_metric("GPUUtilization", options)

    def metric_gpu_memory_utilization(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """GPU memory in use, which engines fill when they start.

        Average over 5 minutes; percent, 100 for each GPU, at most 100 of an inference component.
        """
        return self._utilization_metric("GPUMemoryUtilization", options)

    def metric_disk_utilization(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Disk of the instances in use. Average over 5 minutes; percent, at most 100."""
        return self.metric("DiskUtilization", namespace=INSTANCES_NAMESPACE, **({"statistic": "Average"} | options))

    def _metric(
        self, namespace: str, name: str, dimensions: Mapping[str, str], options: MetricOptions
    ) -> cloudwatch.Metric:
        # Imported here, as importing this module slows down synthesis.
        from aws_cdk import aws_cloudwatch as cloudwatch

        env = self.env
        return cloudwatch.Metric(
            namespace=namespace,
            metric_name=name,
            dimensions_map=dimensions,
            account=None if Token.is_unresolved(env.account) else env.account,
            region=None if Token.is_unresolved(env.region) else env.region,
            **options,
        )

    def _request_metric(self, name: str, statistic: str, options: MetricOptions) -> cloudwatch.Metric:
        return self.metric(name, **({"statistic": statistic} | options))

    def _utilization_metric(self, name: str, options: MetricOptions) -> cloudwatch.Metric:
        namespace = INSTANCES_NAMESPACE
        if self.inference_component_name is not None:
            namespace, name = COMPONENTS_NAMESPACE, f"{name}Normalized"
        return self.metric(name, namespace=namespace, **({"statistic": "Average"} | options))


class EndpointMetrics(VariantMetrics):
    """Metrics of one production variant of a real-time endpoint, or of its inference component if there is one.

    Names, dimensions and statistics are those of real-time endpoints and of inference components.
    Source: as for `VariantMetrics`.
    """

    def metric_invocations(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Requests sent to the endpoint. Sum over 5 minutes; a count."""
        return self._request_metric("Invocations", "Sum", options)

    def metric_invocations_per_instance(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Requests sent to the endpoint, per instance, or per copy of an inference component.

        Sum over 5 minutes, the only statistic; a count.
        """
        name = "InvocationsPerInstance" if self.inference_component_name is None else "InvocationsPerCopy"
        return self._request_metric(name, "Sum", options)

    def metric_invocation_model_errors(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Requests without a 2xx answer: 4xx, 5xx, low-level socket errors, time-outs. Sum over 5 minutes; a count."""
        return self._request_metric("InvocationModelErrors", "Sum", options)

    def metric_overhead_latency(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Time that SageMaker added to the model latency. Average over 5 minutes; microseconds."""
        return self._request_metric("OverheadLatency", "Average", options)

    def metric_first_chunk_latency(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Time from a streamed request's arrival to its first chunk. Average over 5 minutes; microseconds.

        AWS documents it for bidirectional streaming, so it may not include other streamed answers.
        """
        return self._request_metric("FirstChunkLatency", "Average", options)

    def metric_first_chunk_model_latency(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """The container's part of `metric_first_chunk_latency`. Average over 5 minutes; microseconds."""
        return self._request_metric("FirstChunkModelLatency", "Average", options)

    def metric_mid_stream_errors(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Streamed answers that failed after their start. Sum over 5 minutes; a count.

        AWS documents it for bidirectional streaming, so it may not include other streamed answers.
        """
        return self._request_metric("MidStreamErrors", "Sum", options)

    def metric_concurrent_requests(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Requests in progress or queued on one instance, or on one copy of an inference component.

        A streamed request counts until its last token. Published every 10 seconds. Maximum over 5 minutes (the only
        other statistic is Minimum); a count.
        """
        name = "ConcurrentRequestsPerModel" if self.inference_component_name is None else "ConcurrentRequestsPerCopy"
        return self._request_metric(name, "Maximum", options)
