"""CloudWatch metrics of an asynchronous endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from constructs_lib.endpoint.metrics import INVOCATIONS_NAMESPACE, MetricOptions, VariantMetrics

if TYPE_CHECKING:
    from aws_cdk import aws_cloudwatch as cloudwatch


class AsyncMetrics(VariantMetrics):
    """Metrics of an asynchronous endpoint: of its queue, and of its variant.

    SageMaker publishes no others for it: in particular not Invocations, InvocationsPerInstance, OverheadLatency.
    Source: Amazon SageMaker AI Developer Guide, "Monitor Asynchronous Endpoint" and "Autoscale an Asynchronous
    Endpoint".
    """

    def metric_backlog(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Requests that are queued or in progress. Average over 5 minutes (or Maximum, Minimum); a count."""
        return self._queue_metric("ApproximateBacklogSize", "Average", options)

    def metric_backlog_per_instance(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Requests that are queued or in progress, divided by the instances.

        Average over 5 minutes (or Maximum, Minimum); a count.
        """
        return self._queue_metric("ApproximateBacklogSizePerInstance", "Average", options)

    def metric_age_of_oldest_request(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """How long the oldest request has been queued. Maximum over 5 minutes (or Average, Minimum); seconds."""
        return self._queue_metric("ApproximateAgeOfOldestRequest", "Maximum", options)

    def metric_backlog_without_capacity(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """1 while requests are queued and there is no instance. Maximum over 5 minutes."""
        return self._queue_metric("HasBacklogWithoutCapacity", "Maximum", options)

    def metric_invocations_processed(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Requests that were processed. Sum over 5 minutes; a count.

        `InvocationsProcesssed` in AWS's guide is a misspelling, as users of the metric report.
        """
        return self._request_metric("InvocationsProcessed", "Sum", options)

    def metric_invocation_failures(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Requests that failed for any reason. Sum over 5 minutes; a count."""
        return self._request_metric("InvocationFailures", "Sum", options)

    def metric_expired_requests(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Requests that were queued for longer than their RequestTTLSeconds. Sum over 5 minutes; a count."""
        return self._request_metric("ExpiredRequests", "Sum", options)

    def metric_request_download_failures(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Requests that could not be read from S3. Sum over 5 minutes; a count."""
        return self._request_metric("RequestDownloadFailures", "Sum", options)

    def metric_response_upload_failures(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Answers that could not be written to S3. Sum over 5 minutes; a count."""
        return self._request_metric("ResponseUploadFailures", "Sum", options)

    def metric_notification_failures(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Notifications that could not be published. Sum over 5 minutes; a count."""
        return self._request_metric("NotificationFailures", "Sum", options)

    def metric_request_download_latency(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Time to read a request from S3. Average over 5 minutes; microseconds."""
        return self._request_metric("RequestDownloadLatency", "Average", options)

    def metric_response_upload_latency(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Time to write an answer to S3. Average over 5 minutes; microseconds."""
        return self._request_metric("ResponseUploadLatency", "Average", options)

    def metric_time_in_backlog(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """How long a request was queued before it was processed. Average over 5 minutes; microseconds."""
        return self._request_metric("TimeInBacklog", "Average", options)

    def metric_total_processing_time(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Time from the call to the notification, with that in the queue. Average over 5 minutes; milliseconds."""
        return self._request_metric("TotalProcessingTime", "Average", options)

    def _queue_metric(self, name: str, statistic: str, options: MetricOptions) -> cloudwatch.Metric:
        dimensions = {"EndpointName": self._name_as_dimension}
        return self._metric(INVOCATIONS_NAMESPACE, name, dimensions, {"statistic": statistic} | options)
