"""What scales the copies of an inference component to zero, from zero, and between."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from aws_cdk import aws_applicationautoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch

from constructs_lib.endpoint.alarm_queries import expression_queries
from constructs_lib.endpoint.metrics import INVOCATIONS_NAMESPACE
from constructs_lib.endpoint.scaled_resource import component_copies
from constructs_lib.endpoint.scaling import SCALING, EndpointScaling
from constructs_lib.endpoint.scheduled_actions import scheduled_actions
from constructs_lib.planning.scaling.hours import CLOSED
from constructs_lib.planning.scaling.policies import LOW_LOAD, WAKE_COOLDOWN
from constructs_lib.planning.scaling.schedule import Limits, Schedule, limit_changes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs import Construct

    from constructs_lib.endpoint.inference_component import InferenceComponent
    from constructs_lib.planning.scaling.hours import OpeningHours
    from constructs_lib.planning.scaling.schedule import LimitChange
    from constructs_lib.planning.scaling.zero import ZeroPlan

_FAILURES = ("NoCapacityInvocationFailures", "Sum")
_INVOCATIONS = ("Invocations", "Sum")
_CONCURRENT = ("ConcurrentRequestsPerCopy", "Maximum")
"""Each metric with its statistic. A streamed request is concurrent until its last token."""


class ZeroScaling:
    """Renders the scalable target of a component with its policies, alarms and scheduled actions.

    Target tracking cannot leave zero, and with a minimum of 0 it goes there by itself after 15 minutes; so it only
    scales out, and the rest are step policies that set the number of copies:

    - `Wake`: a request found no copy: 1.
    - `Idle`: no request for as long as the plan says: 0. The alarm stays on and invokes its policy again each minute,
      so that the last copy goes when the hours end in which there must be one.
    - `LowLoad`, of several copies: one could have carried the load for 15 minutes: 1.

    Args:
        scope: The endpoint, or the member of a fleet.
        component: The component.
        plan: Its plan.
    """

    def __init__(self, scope: Construct, component: InferenceComponent, plan: ZeroPlan) -> None:
        self._copies = component_copies(component.name)
        self._scaling = EndpointScaling(
            scope,
            SCALING,
            resource=self._copies,
            minimum=0,
            maximum=plan.max_copies,
            scales_in=False,
            after=component.resource,
        )
        if plan.wake.hours is not None:
            target = self._scaling.scalable_target
            target.scheduled_actions = scheduled_actions(_changes(plan.wake.hours, plan.max_copies))
        self._wake()
        self._idle(plan.idle_minutes)
        if plan.target is not None:
            self._scaling.on_concurrency(target=plan.target)
        if plan.target is not None and plan.low_load is not None:
            self._low_load(plan.low_load, plan.target)

    def _wake(self) -> None:
        """One failure is enough: the alarm in AWS's guide waits for the second one."""
        metric, statistic = _FAILURES
        self._alarm(
            "Wake",
            "A request found no copy of the model.",
            self._set_copies("Wake", 1, scales_out=True),
            namespace=INVOCATIONS_NAMESPACE,
            metric_name=metric,
            dimensions=[{"name": name, "value": value} for name, value in self._copies.metric_dimensions.items()],
            statistic=statistic,
            period=60,
            comparison_operator="GreaterThanOrEqualToThreshold",
            threshold=1,
        )

    def _idle(self, minutes: int) -> None:
        """A copy that nobody asks reports 0; without a copy there is no data, and so time begins when one serves.

        Requests that take less than the 10 seconds between reports may be in the invocations only, and refused ones in
        the failures: a copy that is being removed still reports 0, and without them the alarm would undo a wake in that
        time. `SUM` adds what there is of each minute.
        """
        self._alarm(
            "Idle",
            f"Nobody has asked the model for {minutes} minutes.",
            self._set_copies("Idle", 0, scales_out=False),
            metrics=expression_queries(
                "SUM([concurrent, invocations, refused])",
                {"concurrent": _CONCURRENT, "invocations": _INVOCATIONS, "refused": _FAILURES},
                dimensions=self._copies.metric_dimensions,
                period=60,
            ),
            periods=minutes,
            comparison_operator="LessThanThreshold",
            threshold=1,
        )

    def _low_load(self, low_load: float, target: float) -> None:
        """Without any request `Idle` decides: setting 1 must never start a copy.

        So no request counts as much load: `target` is at least twice the threshold.
        """
        self._alarm(
            "LowLoad",
            f"One copy could have carried the load for {LOW_LOAD // 60} minutes.",
            self._set_copies("LowLoad", 1, scales_out=False),
            metrics=expression_queries(
                f"IF(peak > 0, peak, {math.ceil(target)})",
                {"peak": _CONCURRENT},
                dimensions=self._copies.metric_dimensions,
                period=LOW_LOAD,
            ),
            comparison_operator="LessThanThreshold",
            threshold=low_load,
        )

    def _set_copies(self, id: str, copies: int, *, scales_out: bool) -> str:
        """A step policy that sets the number of copies, within the limits; its ARN."""
        policy = autoscaling.CfnScalingPolicy
        step = policy.StepAdjustmentProperty(
            scaling_adjustment=copies,
            metric_interval_lower_bound=0 if scales_out else None,
            metric_interval_upper_bound=None if scales_out else 0,
        )
        return policy(
            self._scaling,
            id,
            policy_name=id,
            policy_type="StepScaling",
            scaling_target_id=self._scaling.scalable_target.ref,
            step_scaling_policy_configuration=policy.StepScalingPolicyConfigurationProperty(
                adjustment_type="ExactCapacity",
                metric_aggregation_type="Maximum",
                cooldown=WAKE_COOLDOWN,
                step_adjustments=[step],
            ),
        ).ref

    def _alarm(self, id: str, description: str, policy_arn: str, *, periods: int = 1, **watched: Any) -> None:
        """An alarm whose action is a policy."""
        cloudwatch.CfnAlarm(
            self._scaling,
            f"{id}Alarm",
            alarm_description=description,
            alarm_actions=[policy_arn],
            evaluation_periods=periods,
            datapoints_to_alarm=periods,
            treat_missing_data="notBreaching",
            **watched,
        )


def _changes(hours: OpeningHours, max_copies: int) -> Iterator[LimitChange]:
    """At least one copy in the hours; outside of them none, or as many as requests need."""
    outside = Limits(minimum=0, maximum=0 if hours.outside == CLOSED else max_copies)
    within = Limits(minimum=1, maximum=max_copies)
    schedule = Schedule(windows=hours.windows, expressions=(), time_zone=hours.time_zone, limits=within)
    return limit_changes([schedule], outside)
