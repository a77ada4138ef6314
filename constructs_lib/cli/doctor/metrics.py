"""The metrics of an endpoint and of its front door, in one call."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from constructs_lib.cli.doctor.reader import Reader
from constructs_lib.planning.diagnosis.signals import Deployed, Series

_REQUESTS, _INSTANCES, _COMPONENTS = "AWS/SageMaker", "/aws/sagemaker/Endpoints", "/aws/sagemaker/InferenceComponents"
_OF_REQUESTS = (
    ("Invocations", "Sum"),
    ("Invocation4XXErrors", "Sum"),
    ("Invocation5XXErrors", "Sum"),
    ("InvocationModelErrors", "Sum"),
    ("ModelLatency", "Average"),
    ("OverheadLatency", "Average"),
)
_OF_VARIANTS = (("ConcurrentRequestsPerModel", "Maximum"),)
_OF_COMPONENTS = (("NoCapacityInvocationFailures", "Sum"), ("ConcurrentRequestsPerCopy", "Maximum"))
_OF_INSTANCES = (
    ("MemoryUtilization", "Maximum"),
    ("DiskUtilization", "Maximum"),
    ("GPUUtilization", "Average"),
    ("GPUMemoryUtilization", "Maximum"),
)
_OF_FUNCTIONS = (("Errors", "Sum"), ("Throttles", "Sum"), ("Duration", "Maximum"))
_OF_APIS = (("5XXError", "Sum"), ("4XXError", "Sum"))
_SAME = {"ConcurrentRequestsPerCopy": "ConcurrentRequestsPerModel"}
_MOST_QUERIES, _MOST_POINTS = 100, 500


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Of what metrics are read.

    Args:
        endpoint: Name of the endpoint; None without one.
        deployed: Its variants and components.
        functions: Names of the front door's functions.
        apis: Names of its APIs.
    """

    endpoint: str | None
    deployed: tuple[Deployed, ...]
    functions: tuple[str, ...] = ()
    apis: tuple[str, ...] = ()


def read_metrics(reader: Reader, of: Measured, since: datetime, until: datetime) -> dict[str, Series]:
    """The metrics that have values, by name. Those of several variants or functions are one series.

    Args:
        reader: Calls AWS.
        of: Of what.
        since: Values from then on.
        until: Values until then.
    """
    queries = list(_queries(of, _period(since, until)))[:_MOST_QUERIES]
    if not queries:
        return {}
    answer = reader.find(
        "the metrics",
        "cloudwatch",
        "get_metric_data",
        MetricDataQueries=queries,
        StartTime=since,
        EndTime=until,
        ScanBy="TimestampAscending",
    )
    metrics = {query["Id"]: query["MetricStat"] for query in queries}
    points: dict[str, list[tuple[datetime, float]]] = defaultdict(list)
    statistics = {}
    for result in answer.get("MetricDataResults", ()):
        metric = metrics[result["Id"]]
        name = metric["Metric"]["MetricName"]
        name = _SAME.get(name, name)
        statistics[name] = metric["Stat"]
        points[name] += zip(result["Timestamps"], result["Values"], strict=False)
    return {name: Series(name, statistics[name], tuple(sorted(found))) for name, found in points.items() if found}


def _period(since: datetime, until: datetime) -> int:
    """A period with at most 500 values, in whole minutes."""
    minutes = (until - since).total_seconds() / 60 / _MOST_POINTS
    return max(1, -(-int(minutes * 100) // 100)) * 60


def _queries(of: Measured, period: int) -> Iterator[dict[str, Any]]:
    number = 0
    for namespace, names, dimensions in _wanted(of):
        for name, statistic in names:
            number += 1
            listed = [{"Name": key, "Value": value} for key, value in dimensions.items()]
            metric = {"Namespace": namespace, "MetricName": name, "Dimensions": listed}
            stat = {"Metric": metric, "Period": period, "Stat": statistic}
            yield {"Id": f"m{number}", "MetricStat": stat}


def _wanted(of: Measured) -> Iterator[tuple[str, Iterable[tuple[str, str]], dict[str, str]]]:
    for one in of.deployed if of.endpoint else ():
        if one.is_component:
            component = {"InferenceComponentName": one.name}
            yield _REQUESTS, (*_OF_REQUESTS, *_OF_COMPONENTS), component
            yield _COMPONENTS, _OF_INSTANCES[2:], component
        else:
            variant = {"EndpointName": of.endpoint or "", "VariantName": one.name}
            yield _REQUESTS, (*_OF_REQUESTS, *_OF_VARIANTS), variant
            yield _INSTANCES, _OF_INSTANCES, variant
    for function in of.functions:
        yield "AWS/Lambda", _OF_FUNCTIONS, {"FunctionName": function}
    for api in of.apis:
        yield "AWS/ApiGateway", _OF_APIS, {"ApiName": api}
