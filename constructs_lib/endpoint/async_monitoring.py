"""Adds the alarms of an asynchronous endpoint."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from constructs_lib._arguments import quantity_problems, seconds
from constructs_lib._monitoring import add_monitoring, check_monitoring
from constructs_lib.endpoint.monitoring import own_instance_alarms
from constructs_lib.planning.monitoring.async_alarms import ASYNC_RULES, DEFAULTS, async_alarms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import aws_sns as sns

    from constructs_lib.endpoint.async_endpoint import AsyncEndpoint

_OF_INSTANCES = ("disk", "host_memory")


def monitor_async(
    endpoint: AsyncEndpoint,
    *,
    load_seconds: int,
    from_zero: bool,
    topic: sns.ITopic | None,
    runbook: str,
    alarms: Mapping[str, Any],
) -> None:
    """Monitor an asynchronous endpoint. `AsyncEndpoint.monitor` describes the arguments.

    Args:
        endpoint: The endpoint.
        load_seconds: What image and weights take on a new instance.
        from_zero: Whether there may be no instance.
        topic: The topic.
        runbook: Where the runbook is.
        alarms: The thresholds.
    """
    oldest = alarms.get("oldest_request")
    units = quantity_problems(oldest_request=oldest)
    given = dict(alarms)
    if units:
        del given["oldest_request"]
    elif oldest is not None:
        given["oldest_request"] = seconds(oldest)
    check_monitoring(endpoint, topic=topic, runbook=runbook, thresholds=given, rules=ASYNC_RULES, problems=units)
    thresholds = replace(DEFAULTS, **{name: value for name, value in given.items() if name not in _OF_INSTANCES})
    name, variant = endpoint.endpoint_name, endpoint.variant_name
    planned = [
        *async_alarms(name, variant, load_seconds, thresholds, from_zero=from_zero),
        *own_instance_alarms(endpoint, variant, given),
    ]
    add_monitoring(endpoint, planned, topic=topic, runbook=runbook, endpoint_name=name)
