"""Removes an instance or a copy after a time of few concurrent requests, which target tracking does too early."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_applicationautoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch

from constructs_lib.endpoint.alarm_queries import expression_queries
from constructs_lib.planning.scaling.concurrency import low_concurrency
from constructs_lib.planning.scaling.policies import LOW_LOAD

if TYPE_CHECKING:
    from constructs import Construct

    from constructs_lib.endpoint.scaled_resource import ScaledResource

_MINUTE = 60


def remove_while_low(
    scope: Construct,
    scalable_target: autoscaling.CfnScalableTarget,
    scaled: ScaledResource,
    *,
    target: float,
    cooldown: int,
) -> None:
    """Add a policy that removes one at a time, with the alarm that invokes it.

    Args:
        scope: The scaling.
        scalable_target: Its scalable target.
        scaled: What is scaled.
        target: The concurrent requests above which more are added.
        cooldown: Seconds after one is removed, before another one is.
    """
    policy = autoscaling.CfnScalingPolicy
    remove_one = policy(
        scope,
        "LowConcurrency",
        policy_name="LowConcurrency",
        policy_type="StepScaling",
        scaling_target_id=scalable_target.ref,
        step_scaling_policy_configuration=policy.StepScalingPolicyConfigurationProperty(
            adjustment_type="ChangeInCapacity",
            metric_aggregation_type="Maximum",
            cooldown=cooldown,
            step_adjustments=[policy.StepAdjustmentProperty(scaling_adjustment=-1, metric_interval_upper_bound=0)],
        ),
    )
    cloudwatch.CfnAlarm(
        scope,
        "LowConcurrencyAlarm",
        alarm_description=f"The {scaled.noun} have had few concurrent requests for {LOW_LOAD // _MINUTE} minutes.",
        alarm_actions=[remove_one.ref],
        # Without any request there may be no data, and a step policy needs a value to find its step by.
        metrics=expression_queries(
            "FILL(busiest, 0)",
            {"busiest": (scaled.concurrency, "Maximum")},
            dimensions=scaled.metric_dimensions,
            period=_MINUTE,
        ),
        evaluation_periods=LOW_LOAD // _MINUTE,
        datapoints_to_alarm=LOW_LOAD // _MINUTE,
        comparison_operator="LessThanThreshold",
        threshold=low_concurrency(target),
        treat_missing_data="breaching",
    )
