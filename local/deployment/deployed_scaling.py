"""Reads scalable targets, scaling policies and their alarms from the control plane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.autoscaling.alarms import Alarm
from local.autoscaling.expressions import Expression, Query
from local.autoscaling.metrics import STATISTICS, metric_key
from local.autoscaling.policies import Step, StepPolicy, Target, TrackingPolicy
from local.deployment.scalable_targets import POLICY, TARGET, target_key
from local.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.deployment.control_plane import ControlPlane
    from local.deployment.recorded_resources import RecordedResource

ALARM = "AWS::CloudWatch::Alarm"
DEFAULT_COOLDOWN = 300
# The metric and its period in seconds: Application Auto Scaling guide, predefined metrics of SageMaker.
_PREDEFINED = {
    "SageMakerVariantInvocationsPerInstance": ("InvocationsPerInstance", 60),
    "SageMakerVariantConcurrentRequestsPerModelHighResolution": ("ConcurrentRequestsPerModel", 10),
    "SageMakerInferenceComponentInvocationsPerCopy": ("InvocationsPerCopy", 60),
    "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution": ("ConcurrentRequestsPerCopy", 10),
}


def read_targets(plane: ControlPlane) -> list[Target]:
    """The scalable targets of the account, with their policies."""
    policies = plane.recorded(POLICY)
    return [_target(target, policies) for target in plane.recorded(TARGET)]


def _target(target: RecordedResource, policies: list[RecordedResource]) -> Target:
    own = [policy for policy in policies if target_key(policy.properties) == target.physical_resource_id]
    steps, tracking = "StepScalingPolicyConfiguration", "TargetTrackingScalingPolicyConfiguration"
    return Target(
        resource_id=target.properties["ResourceId"],
        minimum=int(target.properties["MinCapacity"]),
        maximum=int(target.properties["MaxCapacity"]),
        steps=[_step_policy(policy, policy.properties[steps]) for policy in own if steps in policy.properties],
        tracking=[
            _tracking_policy(policy, policy.properties[tracking]) for policy in own if tracking in policy.properties
        ],
    )


def _step_policy(policy: RecordedResource, configuration: Mapping[str, Any]) -> StepPolicy:
    def bound(step: Mapping[str, Any], name: str) -> float | None:
        return float(step[name]) if name in step else None

    return StepPolicy(
        name=policy.properties["PolicyName"],
        arn=policy.physical_resource_id,
        adjustment_type=configuration["AdjustmentType"],
        steps=[
            Step(
                bound(step, "MetricIntervalLowerBound"),
                bound(step, "MetricIntervalUpperBound"),
                float(step["ScalingAdjustment"]),
            )
            for step in configuration["StepAdjustments"]
        ],
        cooldown=float(configuration.get("Cooldown", DEFAULT_COOLDOWN)),
        min_magnitude=int(configuration.get("MinAdjustmentMagnitude", 1)),
    )


def _tracking_policy(policy: RecordedResource, configuration: Mapping[str, Any]) -> TrackingPolicy:
    name = policy.properties["PolicyName"]
    predefined = configuration.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType")
    if predefined not in _PREDEFINED:
        raise UserError(
            f"The scaling policy {name} tracks {predefined or 'a metric of its own'}, which nothing records here.",
            f"Deploy without it: the emulated cloud scales by {', '.join(_PREDEFINED)}.",
        )
    metric, period = _PREDEFINED[predefined]
    return TrackingPolicy(
        name=name,
        metric=metric,
        target=float(configuration["TargetValue"]),
        period=period,
        scale_out_cooldown=float(configuration.get("ScaleOutCooldown", DEFAULT_COOLDOWN)),
        scale_in_cooldown=float(configuration.get("ScaleInCooldown", DEFAULT_COOLDOWN)),
        scales_in=not configuration.get("DisableScaleIn", False),
    )


def read_alarms(plane: ControlPlane, targets: list[Target]) -> list[Alarm]:
    """The alarms that invoke step policies of the targets; other alarms do nothing here."""
    arns = {policy.arn for target in targets for policy in target.steps}
    return [_alarm(entry) for entry in plane.recorded(ALARM) if arns & set(entry.properties.get("AlarmActions", []))]


def _alarm(alarm: RecordedResource) -> Alarm:
    properties = alarm.properties
    watched, period = _watched(alarm, properties)
    periods = int(properties["EvaluationPeriods"])
    return Alarm(
        name=alarm.name,
        watched=watched,
        period=period,
        evaluation_periods=periods,
        datapoints_to_alarm=int(properties.get("DatapointsToAlarm", periods)),
        comparison=properties["ComparisonOperator"],
        threshold=float(properties["Threshold"]),
        treat_missing=properties.get("TreatMissingData", "missing"),
        actions=properties["AlarmActions"],
    )


def _watched(alarm: RecordedResource, properties: Mapping[str, Any]) -> tuple[Expression, float]:
    """What an alarm evaluates, and its period."""
    if "MetricName" in properties:
        query = _query(alarm, properties, properties.get("Statistic", ""))
        return Expression("metric", {"metric": query}), float(properties["Period"])
    statistics = {entry["Id"]: entry["MetricStat"] for entry in properties["Metrics"] if "MetricStat" in entry}
    queries = {name: _query(alarm, entry["Metric"], entry["Stat"]) for name, entry in statistics.items()}
    returned = next(entry for entry in properties["Metrics"] if entry.get("ReturnData", True))
    period = max(float(entry["Period"]) for entry in statistics.values())
    try:
        return Expression(returned.get("Expression", returned["Id"]), queries), period
    except ValueError as error:
        raise UserError(
            f"The alarm {alarm.name} invokes a scaling policy by an expression.\n{error}",
            "Write it with arithmetic, comparisons, IF, FILL, SUM, AVG, MAX and MIN.",
        ) from error


def _query(alarm: RecordedResource, metric: Mapping[str, Any], statistic: str) -> Query:
    if statistic not in STATISTICS:
        raise UserError(
            f"The alarm {alarm.name} invokes a scaling policy by a percentile or without a statistic.",
            f"Choose a statistic that the emulated CloudWatch has: {', '.join(STATISTICS)}.",
        )
    dimensions = {entry["Name"]: entry["Value"] for entry in metric.get("Dimensions", [])}
    return Query(metric_key(metric["MetricName"], dimensions), statistic)
