"""What scales the instances of an asynchronous endpoint with its backlog: to zero, from zero, and between."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_applicationautoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch

from constructs_lib.endpoint.metrics import INVOCATIONS_NAMESPACE
from constructs_lib.endpoint.scaled_resource import variant_instances
from constructs_lib.endpoint.scaling import SCALING, EndpointScaling
from constructs_lib.planning.scaling.policies import SCALE_IN_COOLDOWN

if TYPE_CHECKING:
    from constructs_lib.endpoint.async_endpoint import AsyncEndpoint
    from constructs_lib.planning.scaling.async_inference import AsyncPlan

_MINUTE = 60


def scale_with_backlog(endpoint: AsyncEndpoint, plan: AsyncPlan, *, minimum: int, maximum: int) -> None:
    """Render the scalable target with its policies.

    Target tracking adds instances while the backlog is long, and removes them, also the last one, when it has been
    short for 15 minutes. A request in progress is part of the backlog, so that its instance stays. From zero it would
    only come back for more requests than its target; so a step policy starts an instance for the first one.

    Args:
        endpoint: The endpoint.
        plan: Its figures.
        minimum: The smallest number of instances.
        maximum: The largest number of instances.
    """
    scaling = EndpointScaling(
        endpoint,
        SCALING,
        resource=variant_instances(endpoint.endpoint_name, endpoint.variant_name),
        minimum=minimum,
        maximum=maximum,
        tell_range=endpoint.set_capacity_range,
    )
    scaling.on_metric(
        endpoint.metric_backlog_per_instance(),
        id="Backlog",
        target=plan.backlog_per_instance,
        scale_out_cooldown=Duration.seconds(plan.scale_out_cooldown),
        scale_in_cooldown=Duration.seconds(SCALE_IN_COOLDOWN),
    )
    if minimum == 0:
        _wake(scaling, endpoint, plan.scale_out_cooldown)


def _wake(scaling: EndpointScaling, endpoint: AsyncEndpoint, cooldown: int) -> None:
    """One instance more, once for each time in which there was none.

    The alarm stays on until the instance serves, and invokes the policy again each minute: the cooldown is longer than
    that. It never sets a number, as target tracking may have asked for more in the meantime.
    """
    policy = autoscaling.CfnScalingPolicy
    add_one = policy(
        scaling,
        "Wake",
        policy_name="Wake",
        policy_type="StepScaling",
        scaling_target_id=scaling.scalable_target.ref,
        step_scaling_policy_configuration=policy.StepScalingPolicyConfigurationProperty(
            adjustment_type="ChangeInCapacity",
            metric_aggregation_type="Maximum",
            cooldown=cooldown,
            step_adjustments=[policy.StepAdjustmentProperty(scaling_adjustment=1, metric_interval_lower_bound=0)],
        ),
    )
    cloudwatch.CfnAlarm(
        scaling,
        "WakeAlarm",
        alarm_description="Requests are queued, and there is no instance.",
        alarm_actions=[add_one.ref],
        namespace=INVOCATIONS_NAMESPACE,
        metric_name="HasBacklogWithoutCapacity",
        dimensions=[{"name": "EndpointName", "value": endpoint.endpoint_name}],
        statistic="Maximum",
        period=_MINUTE,
        evaluation_periods=1,
        datapoints_to_alarm=1,
        comparison_operator="GreaterThanOrEqualToThreshold",
        threshold=1,
        treat_missing_data="notBreaching",
    )
