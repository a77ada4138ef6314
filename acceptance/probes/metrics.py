"""Probes of CloudWatch: the metrics that alarms and dashboards read arrive, by their names and dimensions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from acceptance.probe import Verdict, absent, decide, probe
from acceptance.site import StillWaitingError
from stacks.acceptance_settings import MODEL_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from acceptance.site import Site

_NO_METRICS = absent("functions, endpoints and APIs send no metrics to moto's CloudWatch")
_SECONDS = 900
"""Most of them come within five minutes; those of utilization once a minute, and metrics are listed later."""


@probe(
    "G21", "D59", title="The function's log lines become metrics of the front door", minutes=5, emulation=_NO_METRICS
)
def front_door_metrics(site: Site) -> Verdict:
    """The names with the dimensions FrontDoor and Model."""
    names = (
        "Requests",
        "PromptTokens",
        "GeneratedTokens",
        "TimeToFirstToken",
        "TokensPerSecond",
        "UpstreamTime",
        "Duration",
    )
    return _listed(site, "TgiEndpoint/FrontDoor", names, {"Model": MODEL_NAME})


@probe(
    "D46",
    title="Embedded metrics keep each value, so that percentiles and PR(…) have values",
    minutes=3,
    emulation=_NO_METRICS,
)
def statistics(site: Site) -> Verdict:
    """Three statistics of the time to the first token over the last hour."""
    wanted = ("p95", "PR(0:10000)", "SampleCount")
    cloudwatch = site.cloud.client("cloudwatch")
    names = cloudwatch.list_metrics(
        Namespace="TgiEndpoint/FrontDoor",
        MetricName="TimeToFirstToken",
        Dimensions=[{"Name": "Model", "Value": MODEL_NAME}],
    )["Metrics"]
    if not names:
        return decide(False, "TimeToFirstToken is not listed")
    now = datetime.now(UTC)
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=[
            {"Id": f"m{number}", "MetricStat": {"Metric": names[0], "Period": 3600, "Stat": stat}}
            for number, stat in enumerate(wanted)
        ],
        StartTime=now - timedelta(hours=2),
        EndTime=now,
    )
    values = {stat: each["Values"][:1] for stat, each in zip(wanted, answer["MetricDataResults"], strict=True)}
    return decide(all(values.values()), ", ".join(f"{stat}: {value}" for stat, value in values.items()))


@probe(
    "S12",
    "D42",
    title="SageMaker's metrics of invocations have their names and dimensions",
    minutes=5,
    emulation=_NO_METRICS,
)
def endpoint_metrics(site: Site) -> Verdict:
    """The names in AWS/SageMaker."""
    names = (
        "Invocations",
        "ModelLatency",
        "OverheadLatency",
        "Invocation4XXErrors",
        "Invocation5XXErrors",
        "InvocationModelErrors",
    )
    return _listed(site, "AWS/SageMaker", names, {"EndpointName": site.endpoint_name, "VariantName": _variant(site)})


@probe("D43", title="ConcurrentRequestsPerModel is there, and 0 while nobody asks", minutes=5, emulation=_NO_METRICS)
def concurrent_requests(site: Site) -> Verdict:
    """Its smallest value of the last ten minutes."""
    dimensions = {"EndpointName": site.endpoint_name, "VariantName": _variant(site)}
    listed = _listed(site, "AWS/SageMaker", ("ConcurrentRequestsPerModel",), dimensions)
    now = datetime.now(UTC)
    points = site.cloud.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName="ConcurrentRequestsPerModel",
        Dimensions=_as_list(dimensions),
        StartTime=now - timedelta(minutes=30),
        EndTime=now,
        Period=60,
        Statistics=["Minimum", "Maximum"],
    )["Datapoints"]
    least = min((point["Minimum"] for point in points), default=None)
    return decide(least == 0, f"{listed.evidence}; {len(points)} minutes with values, the smallest {least}")


@probe(
    "D45",
    "D58",
    title="Utilization of GPU, memory and disk is there by endpoint and variant",
    minutes=5,
    emulation=_NO_METRICS,
)
def utilization(site: Site) -> Verdict:
    """The names in /aws/sagemaker/Endpoints."""
    names = ("GPUUtilization", "GPUMemoryUtilization", "CPUUtilization", "MemoryUtilization", "DiskUtilization")
    dimensions = {"EndpointName": site.endpoint_name, "VariantName": _variant(site)}
    return _listed(site, "/aws/sagemaker/Endpoints", names, dimensions)


@probe("D48", "D60", title="API Gateway counts streamed responses by API and stage", minutes=3, emulation=_NO_METRICS)
def gateway_metrics(site: Site) -> Verdict:
    """The names in AWS/ApiGateway."""
    apis = site.resources("AWS::ApiGateway::RestApi").values()
    name = site.cloud.client("apigateway").get_rest_api(restApiId=next(iter(apis)))["name"]
    return _listed(site, "AWS/ApiGateway", ("Count", "4XXError", "5XXError"), {"ApiName": name, "Stage": "prod"})


@probe("D47", title="Lambda's metrics are there by function", minutes=3, emulation=_NO_METRICS)
def function_metrics(site: Site) -> Verdict:
    """The names in AWS/Lambda."""
    _, function = site.function("FrontDoorFunction")
    return _listed(site, "AWS/Lambda", ("Errors", "Throttles", "ConcurrentExecutions"), {"FunctionName": function})


def _listed(site: Site, namespace: str, names: tuple[str, ...], dimensions: Mapping[str, str]) -> Verdict:
    """Whether CloudWatch lists each name with these dimensions, among others, within some minutes."""
    missing = set(names)

    def look() -> bool:
        missing.difference_update(name for name in tuple(missing) if _is_listed(site, namespace, name, dimensions))
        return not missing

    try:
        site.wait(look, _SECONDS, "metrics")
    except StillWaitingError:
        return decide(False, f"not in {namespace} after {_SECONDS} s: {', '.join(sorted(missing))}")
    return decide(True, f"{namespace}: {', '.join(names)}, by {', '.join(dimensions)}")


def _is_listed(site: Site, namespace: str, name: str, dimensions: Mapping[str, str]) -> bool:
    answer = site.cloud.client("cloudwatch").list_metrics(
        Namespace=namespace, MetricName=name, Dimensions=_as_list(dimensions)
    )
    return bool(answer["Metrics"])


def _variant(site: Site) -> str:
    endpoint = site.cloud.client("sagemaker").describe_endpoint(EndpointName=site.endpoint_name)
    return str(endpoint["ProductionVariants"][0]["VariantName"])


def _as_list(dimensions: Mapping[str, str]) -> list[Any]:
    return [{"Name": name, "Value": value} for name, value in dimensions.items()]
