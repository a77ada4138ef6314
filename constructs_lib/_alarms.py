"""Renders alarms that are planned as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import aws_cloudwatch as cloudwatch

from constructs_lib._nag import acknowledge
from constructs_lib.acknowledgements import COMBINED_ALARM_PART
from constructs_lib.planning.monitoring.alarm import Alarm, CombinedAlarm, describe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from constructs import Construct

    from constructs_lib.planning.monitoring.alarm import Metric

_ALARM = cloudwatch.CfnAlarm
_COMPARISONS = {
    "above": "GreaterThanThreshold",
    "at least": "GreaterThanOrEqualToThreshold",
    "below": "LessThanThreshold",
}
_RESULT = "result"
_STATISTICS = frozenset({"Average", "Maximum", "Minimum", "SampleCount", "Sum"})


def render_alarms(
    scope: Construct, alarms: Iterable[Alarm | CombinedAlarm], *, actions: Sequence[str], runbook: str
) -> None:
    """Render alarms below a construct. CloudFormation names them, so that none collides with another.

    Args:
        scope: Their scope.
        alarms: The alarms.
        actions: The ARNs that each notifies when it begins and when it ends.
        runbook: Where the runbook is, without an anchor.
    """
    for alarm in alarms:
        if isinstance(alarm, CombinedAlarm):
            _render_combined(scope, alarm, actions, runbook)
        else:
            _render(scope, alarm, actions if alarm.notifies else (), runbook)


def _render(scope: Construct, alarm: Alarm, actions: Sequence[str], runbook: str) -> cloudwatch.CfnAlarm:
    rendered = _ALARM(
        scope,
        alarm.id,
        alarm_description=describe(alarm, runbook),
        alarm_actions=list(actions) or None,
        ok_actions=list(actions) or None,
        evaluation_periods=alarm.periods,
        datapoints_to_alarm=alarm.periods if alarm.breaching is None else alarm.breaching,
        comparison_operator=_COMPARISONS[alarm.comparison],
        threshold=alarm.threshold,
        treat_missing_data="notBreaching",
        **_watched(alarm),
    )
    if not alarm.notifies:
        acknowledge(rendered, COMBINED_ALARM_PART)
    return rendered


def _render_combined(scope: Construct, alarm: CombinedAlarm, actions: Sequence[str], runbook: str) -> None:
    parts = [_render(scope, part, (), runbook) for part in alarm.parts]
    cloudwatch.CfnCompositeAlarm(
        scope,
        alarm.id,
        alarm_description=describe(alarm, runbook),
        alarm_actions=list(actions) or None,
        ok_actions=list(actions) or None,
        alarm_rule=" AND ".join(f'ALARM("{part.attr_arn}")' for part in parts),
    )


def _watched(alarm: Alarm) -> dict[str, Any]:
    """The properties that say what the alarm is on: one metric, or the expression of several."""
    if alarm.expression is None:
        (metric,) = alarm.metrics.values()
        statistic = "statistic" if metric.statistic in _STATISTICS else "extended_statistic"
        return {
            "namespace": metric.namespace,
            "metric_name": metric.name,
            "dimensions": _dimensions(metric),
            "period": alarm.period,
            statistic: metric.statistic,
        }
    query = _ALARM.MetricDataQueryProperty
    expressions = {**alarm.terms, _RESULT: alarm.expression}
    return {
        "metrics": [
            *(
                query(id=query_id, return_data=False, metric_stat=_metric_stat(metric, alarm.period))
                for query_id, metric in alarm.metrics.items()
            ),
            *(
                query(id=query_id, return_data=query_id == _RESULT, expression=expression)
                for query_id, expression in expressions.items()
            ),
        ]
    }


def _metric_stat(metric: Metric, period: int) -> cloudwatch.CfnAlarm.MetricStatProperty:
    return _ALARM.MetricStatProperty(
        metric=_ALARM.MetricProperty(
            namespace=metric.namespace, metric_name=metric.name, dimensions=_dimensions(metric)
        ),
        stat=metric.statistic,
        period=period,
    )


def _dimensions(metric: Metric) -> list[cloudwatch.CfnAlarm.DimensionProperty]:
    return [_ALARM.DimensionProperty(name=name, value=value) for name, value in metric.dimensions.items()]
