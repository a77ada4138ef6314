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
    """Values with the dimensions FrontDoor and Model."""
    names = (
        "Requests",
        "PromptTokens",
        "GeneratedTokens",
        "TimeToFirstToken",
        "TokensPerSecond",
        "UpstreamTime",
        "Duration",
    )
    return _arrived(site, "TgiEndpoint/FrontDoor", names, _front_door(site))


@probe(
    "D46",
    title="Embedded metrics keep each value, so that percentiles and PR(…) have values",
    minutes=3,
    emulation=_NO_METRICS,
)
def statistics(site: Site) -> Verdict:
    """Three statistics of the time to the first token over the last hours."""
    wanted = ("p95", "PR(0:10000)", "SampleCount")
    metric = {
        "Namespace": "TgiEndpoint/FrontDoor",
        "MetricName": "TimeToFirstToken",
        "Dimensions": _as_list(_front_door(site)),
    }
    now = datetime.now(UTC)
    answer = site.cloud.client("cloudwatch").get_metric_data(
        MetricDataQueries=[
            {"Id": f"m{number}", "MetricStat": {"Metric": metric, "Period": 3600, "Stat": stat}}
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
    """Values in AWS/SageMaker."""
    names = (
        "Invocations",
        "ModelLatency",
        "OverheadLatency",
        "Invocation4XXErrors",
        "Invocation5XXErrors",
        "InvocationModelErrors",
    )
    return _arrived(site, "AWS/SageMaker", names, _endpoint(site))


@probe("D43", title="ConcurrentRequestsPerModel is there, and 0 while nobody asks", minutes=5, emulation=_NO_METRICS)
def concurrent_requests(site: Site) -> Verdict:
    """Its smallest value of the last half an hour."""
    dimensions = _endpoint(site)
    arrived = _arrived(site, "AWS/SageMaker", ("ConcurrentRequestsPerModel",), dimensions)
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
    return decide(least == 0, f"{arrived.evidence}; {len(points)} minutes with values, the smallest {least}")


@probe(
    "D45",
    "D58",
    title="Utilization of GPU, memory and disk is there by endpoint and variant",
    minutes=5,
    emulation=_NO_METRICS,
)
def utilization(site: Site) -> Verdict:
    """Values in /aws/sagemaker/Endpoints."""
    names = ("GPUUtilization", "GPUMemoryUtilization", "CPUUtilization", "MemoryUtilization", "DiskUtilization")
    return _arrived(site, "/aws/sagemaker/Endpoints", names, _endpoint(site))


@probe("D48", "D60", title="API Gateway counts streamed responses by API and stage", minutes=3, emulation=_NO_METRICS)
def gateway_metrics(site: Site) -> Verdict:
    """Values in AWS/ApiGateway."""
    apis = site.resources("AWS::ApiGateway::RestApi").values()
    name = site.cloud.client("apigateway").get_rest_api(restApiId=next(iter(apis)))["name"]
    return _arrived(site, "AWS/ApiGateway", ("Count", "4XXError", "5XXError"), {"ApiName": name, "Stage": "prod"})


@probe("D47", title="Lambda's metrics are there by function", minutes=3, emulation=_NO_METRICS)
def function_metrics(site: Site) -> Verdict:
    """Values in AWS/Lambda."""
    _, function = site.function("FrontDoorFunction")
    return _arrived(site, "AWS/Lambda", ("Errors", "Throttles", "ConcurrentExecutions"), {"FunctionName": function})


def _arrived(site: Site, namespace: str, names: tuple[str, ...], dimensions: Mapping[str, str]) -> Verdict:
    """Whether each metric gets values of this run, with exactly these dimensions as alarms have them, in some minutes.

    That CloudWatch lists a metric is not enough: it lists those of a former run for two weeks.
    """
    missing = set(names)

    def look() -> bool:
        missing.difference_update(name for name in tuple(missing) if _has_values(site, namespace, name, dimensions))
        return not missing

    try:
        site.wait(look, _SECONDS, "metrics")
    except StillWaitingError:
        return decide(False, f"not in {namespace} after {_SECONDS} s: {', '.join(sorted(missing))}")
    return decide(True, f"{namespace}: values of {', '.join(names)}, by {', '.join(dimensions)}")


def _has_values(site: Site, namespace: str, name: str, dimensions: Mapping[str, str]) -> bool:
    answer = site.cloud.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=_as_list(dimensions),
        StartTime=datetime.fromtimestamp(site.started, UTC),
        EndTime=datetime.now(UTC),
        Period=300,
        Statistics=["SampleCount"],
    )
    return bool(answer["Datapoints"])


def _endpoint(site: Site) -> dict[str, str]:
    endpoint = site.cloud.client("sagemaker").describe_endpoint(EndpointName=site.endpoint_name)
    return {"EndpointName": site.endpoint_name, "VariantName": str(endpoint["ProductionVariants"][0]["VariantName"])}


def _front_door(site: Site) -> dict[str, str]:
    """The dimensions of the function's metrics, by what the function is told."""
    _, function = site.function("FrontDoorFunction")
    configuration = site.cloud.client("lambda").get_function_configuration(FunctionName=function)
    return {"FrontDoor": str(configuration["Environment"]["Variables"]["FRONT_DOOR"]), "Model": MODEL_NAME}


def _as_list(dimensions: Mapping[str, str]) -> list[Any]:
    return [{"Name": name, "Value": value} for name, value in dimensions.items()]
