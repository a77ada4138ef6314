"""What SageMaker publishes of an endpoint beside its standard metrics: the MetricsConfig of an EndpointConfig."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_sagemaker as sagemaker

from constructs_lib._arguments import type_name
from constructs_lib._tokens import hide_token
from constructs_lib.planning.validation.problem import PlanWarning, Problem
from constructs_lib.planning.validation.unknown import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

DETAILS_OFF = "tgi-endpoint:detailedObservabilityOff"

_ARGUMENT = "detailed_observability"


def detail_problems(detailed: object) -> Iterator[Problem]:
    """What is wrong with the switch; None is allowed, and a value that only the deployment knows.

    Args:
        detailed: What the caller gives.
    """
    given = hide_token(detailed)
    if given is not None and not isinstance(given, bool | Unknown):
        message = f"must be True or False, not {type_name(given)}"
        yield Problem(_ARGUMENT, given, message, "Give a bool, or leave it out.")


def detail_warnings(detailed: bool | None) -> Iterator[PlanWarning]:
    """What is lost without a choice of the caller.

    Args:
        detailed: What the caller gives, without problems.
    """
    if detailed is None:
        yield PlanWarning(
            DETAILS_OFF,
            "SageMaker's detailed metrics are off, which it collects from new endpoints by itself and CloudWatch bills"
            " at 0.50 USD per GB: temperature and use of each GPU, CPU, memory and disk of each host, and the model"
            " server's own metrics at /metrics, such as its queue. The classic metrics of requests and instances stay."
            " Set detailed_observability=True for them, or False to say that you do without.",
        )


def metrics_config(detailed: bool | None) -> sagemaker.CfnEndpointConfig.MetricsConfigProperty:
    """The MetricsConfig.

    It always says whether the detailed metrics are collected, as SageMaker collects them where nothing is said; the
    others keep SageMaker's defaults: no metrics of single instances, and one value a minute.
    Source: botocore 1.44.5, sagemaker 2017-07-24, MetricsConfig, none of whose members requires another.

    Args:
        detailed: Whether to collect the detailed metrics. None: no.
    """
    return sagemaker.CfnEndpointConfig.MetricsConfigProperty(
        enable_detailed_observability=False if detailed is None else detailed
    )
