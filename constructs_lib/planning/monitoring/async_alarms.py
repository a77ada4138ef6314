"""The alarms of an asynchronous endpoint: of its queue, and of what becomes of requests."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from constructs_lib.planning.monitoring.alarm import FIVE_MINUTES, HOUR, MIN_FAILURES, Alarm, Metric, five_minutes_in
from constructs_lib.planning.monitoring.endpoint_alarms import REQUESTS
from constructs_lib.planning.monitoring.thresholds import INSTANCE_RULES
from constructs_lib.planning.scaling.startup import wake_seconds
from constructs_lib.planning.validation.rules import Integer, Rule

OLDEST_REQUEST = 3 * HOUR
"""Half of the time after which a request expires in the queue, unless its caller says otherwise (botocore 1.44.5,
sagemaker-runtime, RequestTTLSeconds)."""

QUEUE, FAILED, CAPACITY = "requests-wait-in-the-queue", "asynchronous-requests-fail", "insufficientinstancecapacity"
"""Sections of the runbook."""

_IN_FIVE_MINUTES = Integer(1, unit="requests in five minutes")

ASYNC_RULES: Mapping[str, Rule] = {
    "oldest_request": Integer(1, 6 * HOUR, unit="seconds"),
    "failures": _IN_FIVE_MINUTES,
    "expired": _IN_FIVE_MINUTES,
    "delivery_failures": _IN_FIVE_MINUTES,
    **INSTANCE_RULES,
}
"""The alarms of an asynchronous endpoint, with what their thresholds may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AsyncThresholds:
    """The thresholds of the alarms; None leaves an alarm out.

    Args:
        oldest_request: Seconds that a request has been in the queue.
        failures: Requests in five minutes that failed, without those that the container refused as wrong.
        expired: Requests in five minutes that were in the queue for too long.
        delivery_failures: Requests, answers and notifications in five minutes that S3 or SNS did not take or give.
    """

    oldest_request: int | None
    failures: int | None
    expired: int | None
    delivery_failures: int | None


def async_alarms(
    endpoint: str, variant: str, load_seconds: int, thresholds: AsyncThresholds, *, from_zero: bool
) -> Iterator[Alarm]:
    """The alarms of an asynchronous endpoint.

    Args:
        endpoint: Name of the endpoint.
        variant: Name of its variant.
        load_seconds: What image and weights take on a new instance.
        thresholds: Their thresholds.
        from_zero: Whether there may be no instance.
    """
    queue = {"EndpointName": endpoint}
    requests = {**queue, "VariantName": variant}
    if from_zero:
        yield _no_capacity(queue, wake_seconds(load_seconds))
    if thresholds.oldest_request is not None:
        yield _oldest_request(queue, thresholds.oldest_request)
    if thresholds.failures is not None:
        yield _failures(requests, thresholds.failures)
    if thresholds.expired is not None:
        yield _expired(requests, thresholds.expired)
    if thresholds.delivery_failures is not None:
        yield _delivery_failures(requests, thresholds.delivery_failures)


def _no_capacity(dimensions: Mapping[str, str], wake: int) -> Alarm:
    """For twice as long as it takes to start an instance, a queue without one is no failure."""
    periods = five_minutes_in(2 * wake)
    return Alarm(
        id="NoCapacity",
        metrics={"waiting": _metric("HasBacklogWithoutCapacity", "Minimum", dimensions)},
        period=FIVE_MINUTES,
        periods=periods,
        comparison="at least",
        threshold=1,
        says=f"Requests have been in the queue for {periods * 5} minutes without any instance, and it takes"
        f" {math.ceil(wake / 60)} to start one. Look whether SageMaker lacks instances of this type"
        " (InsufficientInstanceCapacity), the account's quota is used up, or the container does not start.",
        section=CAPACITY,
    )


def _oldest_request(dimensions: Mapping[str, str], seconds: int) -> Alarm:
    return Alarm(
        id="OldestRequest",
        metrics={"age": _metric("ApproximateAgeOfOldestRequest", "Maximum", dimensions)},
        period=FIVE_MINUTES,
        threshold=seconds,
        says=f"A request has been in the queue for more than {seconds / 60:g} minutes; after its RequestTTLSeconds, by"
        " default 6 hours, it expires. Raise max_instances, or max_concurrent_invocations if the GPUs are not busy.",
        section=QUEUE,
    )


def _failures(dimensions: Mapping[str, str], number: int) -> Alarm:
    """Without what the container answered with 4xx: those are mistakes of clients."""
    return Alarm(
        id="Failures",
        metrics={
            "failed": _metric("InvocationFailures", "Sum", dimensions),
            "client": _metric("Invocation4XXErrors", "Sum", dimensions),
        },
        expression="failed - FILL(client, 0)",
        period=FIVE_MINUTES,
        periods=3,
        breaching=2,
        comparison="at least",
        threshold=number,
        says=f"At least {number} requests failed in each of two of three periods of five minutes, for another reason"
        " than a wrong request. Read the objects below the failure path and the container's log: it may be out of"
        " memory, hang or restart, or take longer than InvocationTimeoutSeconds.",
        section=FAILED,
    )


def _expired(dimensions: Mapping[str, str], number: int) -> Alarm:
    return Alarm(
        id="Expired",
        metrics={"expired": _metric("ExpiredRequests", "Sum", dimensions)},
        period=FIVE_MINUTES,
        comparison="at least",
        threshold=number,
        says="Requests expired in the queue and are lost: they waited for longer than their RequestTTLSeconds. Send"
        " them again, and raise max_instances or that time.",
        section=QUEUE,
    )


def _delivery_failures(dimensions: Mapping[str, str], number: int) -> Alarm:
    names = {
        "requests": "RequestDownloadFailures",
        "answers": "ResponseUploadFailures",
        "notifications": "NotificationFailures",
    }
    return Alarm(
        id="DeliveryFailures",
        metrics={query: _metric(name, "Sum", dimensions) for query, name in names.items()},
        expression=f"SUM([{', '.join(names)}])",
        period=FIVE_MINUTES,
        comparison="at least",
        threshold=number,
        says="SageMaker could not read a request from S3, write an answer there, or publish a notification. Look"
        " whether the object is below the input path, and whether policies of buckets, keys and topics deny the"
        " endpoint's role.",
        section=FAILED,
    )


def _metric(name: str, statistic: str, dimensions: Mapping[str, str]) -> Metric:
    return Metric(namespace=REQUESTS, name=name, statistic=statistic, dimensions=dimensions)


DEFAULTS = AsyncThresholds(oldest_request=OLDEST_REQUEST, failures=MIN_FAILURES, expired=1, delivery_failures=1)
