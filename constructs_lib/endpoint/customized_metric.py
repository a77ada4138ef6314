"""A CloudWatch metric as Application Auto Scaling tracks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import aws_applicationautoscaling as autoscaling

from constructs_lib._arguments import ConstructType
from constructs_lib._tokens import is_token
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aws_cdk import aws_cloudwatch as cloudwatch

    from constructs_lib._stack_env import StackEnvironment

_POLICY = autoscaling.CfnScalingPolicy
_METRIC = ConstructType(
    "to_metric_config", "a metric of aws_cloudwatch", "Give endpoint.metric_gpu_utilization(), or any other metric."
)
_PLAIN_STATISTICS = {"Average", "Minimum", "Maximum", "SampleCount", "Sum"}
_RESULT = "tracked"
"""Id of the query whose result is tracked."""


def metric_problems(metric: Any, here: StackEnvironment) -> Iterator[Problem]:
    """What is wrong with a metric.

    Args:
        metric: The metric.
        here: The environment of the stack that scales by it.
    """
    found = [*_METRIC.problems("metric", metric, required=True)]
    yield from found
    for each in () if found else _metrics(metric):
        config = each.to_metric_config()
        if config.metric_stat is None and config.math_expression is None:
            yield Problem("metric", each, "must be a metric or a math expression", "Name the metrics one by one.")
        for attribute in ("region", "account"):
            given = None if config.metric_stat is None else getattr(config.metric_stat, attribute)
            wanted = getattr(here, attribute)
            if given is not None and not is_token(given) and not is_token(wanted) and given != wanted:
                message = (
                    f"is of the {attribute} {given}, but Application Auto Scaling reads those of its own: {wanted}"
                )
                yield Problem("metric", each, message, f"Publish a metric in {wanted}.")


def customized_metric(metric: cloudwatch.IMetric) -> autoscaling.CfnScalingPolicy.CustomizedMetricSpecificationProperty:
    """A metric without `metric_problems`: with its statistic over one minute, whatever its period.

    No unit filters, as a metric that is published with another one would then have no data.

    Args:
        metric: A metric, or a math expression of metrics.
    """
    stat = metric.to_metric_config().metric_stat
    if stat is None or stat.statistic not in _PLAIN_STATISTICS:
        # By id, as several expressions may use the same metric.
        queries = {query.id: query for query in _queries(metric, _RESULT)}
        return _POLICY.CustomizedMetricSpecificationProperty(metrics=list(queries.values()))
    return _POLICY.CustomizedMetricSpecificationProperty(
        namespace=stat.namespace,
        metric_name=stat.metric_name,
        statistic=stat.statistic,
        dimensions=[
            _POLICY.MetricDimensionProperty(name=each.name, value=each.value) for each in stat.dimensions or ()
        ],
    )


def metric_id(metric: object) -> str | None:
    """The name of a metric, from which a policy can have its id; None for a math expression."""
    name = getattr(metric, "metric_name", None)
    return name if isinstance(name, str) and not is_token(name) else None


def _metrics(metric: cloudwatch.IMetric) -> Iterator[cloudwatch.IMetric]:
    yield metric
    math = metric.to_metric_config().math_expression
    for part in {} if math is None else math.using_metrics.values():
        yield from _metrics(part)


def _queries(metric: cloudwatch.IMetric, id: str) -> Iterator[_POLICY.TargetTrackingMetricDataQueryProperty]:
    query, returns = _POLICY.TargetTrackingMetricDataQueryProperty, id == _RESULT
    config = metric.to_metric_config()
    if config.metric_stat is not None:
        stat = config.metric_stat
        measured = _POLICY.TargetTrackingMetricProperty(
            namespace=stat.namespace,
            metric_name=stat.metric_name,
            dimensions=[
                _POLICY.TargetTrackingMetricDimensionProperty(name=each.name, value=each.value)
                for each in stat.dimensions or ()
            ],
        )
        statistic = _POLICY.TargetTrackingMetricStatProperty(metric=measured, stat=stat.statistic)
        yield query(id=id, metric_stat=statistic, return_data=returns)
    elif config.math_expression is not None:
        for name, part in config.math_expression.using_metrics.items():
            yield from _queries(part, name)
        yield query(id=id, expression=config.math_expression.expression, return_data=returns)
