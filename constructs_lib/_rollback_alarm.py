"""The alarm that undoes an update of an endpoint: a share of requests that fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import aws_cloudwatch as cloudwatch
    from constructs import Construct

ALARMS = "RollbackAlarms"
"""Id of the construct that has them."""

SHARE = 0.05
"""Of the requests of a minute. A canary or batch that fails has at least that share of them, if it has any."""

DATAPOINTS, PERIODS = 2, 5
"""Minutes that are bad, of the last minutes. One failed request alone, however few there are, undoes nothing; and a
model that gets a request every other minute is still heard within the wait of a step."""

_PERIOD = 60


def rollback_alarm(
    scope: Construct,
    id: str,
    *,
    requests: str,
    namespace: str,
    metric_name: str,
    dimensions: Mapping[str, str],
) -> cloudwatch.CfnAlarm:
    """Render the alarm.

    Args:
        scope: Scope of the construct `RollbackAlarms`.
        id: The alarm's id below it.
        requests: Which requests, in words for the description.
        namespace: Namespace of the metric.
        metric_name: A metric that is 0 or 1 for each request, so that its average is a share.
        dimensions: Its dimensions; nothing in them may refer to the endpoint, which refers to the alarm.
    """
    # Imported here, as importing these slows down synthesis.
    from aws_cdk import aws_cloudwatch as cloudwatch
    from constructs import Construct

    alarms = scope.node.try_find_child(ALARMS) or Construct(scope, ALARMS)
    return cloudwatch.CfnAlarm(
        alarms,  # type: ignore[arg-type]  # any construct can be a scope
        id,
        alarm_description=f"{SHARE:.0%} or more of {requests} failed (5xx) in {DATAPOINTS} of {PERIODS} minutes. If the"
        " endpoint is being updated, SageMaker rolls the update back.",
        namespace=namespace,
        metric_name=metric_name,
        dimensions=[{"name": name, "value": value} for name, value in dimensions.items()],
        statistic="Average",
        period=_PERIOD,
        evaluation_periods=PERIODS,
        datapoints_to_alarm=DATAPOINTS,
        threshold=SHARE,
        comparison_operator="GreaterThanOrEqualToThreshold",
        treat_missing_data="notBreaching",
    )
