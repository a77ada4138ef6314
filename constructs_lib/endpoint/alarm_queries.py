"""What an alarm on several metrics, or on an expression of them, evaluates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_cloudwatch as cloudwatch

from constructs_lib.endpoint.metrics import INVOCATIONS_NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Mapping

_ALARM = cloudwatch.CfnAlarm


def expression_queries(
    expression: str, metrics: Mapping[str, tuple[str, str]], *, dimensions: Mapping[str, str], period: int
) -> list[_ALARM.MetricDataQueryProperty]:
    """The queries of an alarm on an expression of metrics of requests.

    Args:
        expression: The expression.
        metrics: Name and statistic of each metric by the id that it has in the expression.
        dimensions: The dimensions of all metrics.
        period: Seconds.
    """
    queries = [
        _ALARM.MetricDataQueryProperty(
            id=query_id,
            return_data=False,
            metric_stat=_ALARM.MetricStatProperty(
                metric=_ALARM.MetricProperty(
                    namespace=INVOCATIONS_NAMESPACE,
                    metric_name=metric,
                    dimensions=[_ALARM.DimensionProperty(name=name, value=value) for name, value in dimensions.items()],
                ),
                stat=statistic,
                period=period,
            ),
        )
        for query_id, (metric, statistic) in metrics.items()
    ]
    return [*queries, _ALARM.MetricDataQueryProperty(id="result", expression=expression, return_data=True)]
