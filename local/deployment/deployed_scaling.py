"""Reads scalable targets, scaling policies and their alarms from the control plane."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from local.autoscaling.alarms import Alarm
from local.autoscaling.expressions import Expression, Query
from local.autoscaling.metrics import metric_key
from local.autoscaling.policies import Step, StepPolicy, Target, TrackingPolicy
from local.deployment.scalable_targets import POLICY, TARGET, dimensions_of, target_key
from local.deployment.watched_metrics import read_watched

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.deployment.control_plane import ControlPlane
    from local.deployment.recorded_resources import RecordedResource

ALARM = "AWS::CloudWatch::Alarm"
DEFAULT_COOLDOWN = 300
# The metric with its statistic and its period in seconds: the predefined metrics of SageMaker in Application Auto
# Scaling's guide.
_PREDEFINED = {
    "SageMakerVariantInvocationsPerInstance": ("InvocationsPerInstance", "Sum", 60.0),
    "SageMakerVariantConcurrentRequestsPerModelHighResolution": ("ConcurrentRequestsPerModel", "Average", 10.0),
    "SageMakerInferenceComponentInvocationsPerCopy": ("InvocationsPerCopy", "Sum", 60.0),
    "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution": (
        "ConcurrentRequestsPerCopy",
        "Average",
        10.0,
    ),
}


@dataclass(slots=True)
class DeployedScaling:
    """What scales in an account.

    Args:
        targets: The scalable targets with the policies that work here.
        alarms: The alarms that invoke those policies; other alarms do nothing here.
        notes: What does not work here, and why, one a line.
    """

    targets: list[Target] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_scaling(plane: ControlPlane) -> DeployedScaling:
    """The scaling of the account."""
    found = DeployedScaling()
    policies = plane.recorded(POLICY)
    for target in plane.recorded(TARGET):
        own = [policy for policy in policies if target_key(policy.properties) == target.physical_resource_id]
        found.targets.append(_target(target, own, found.notes))
        if target.properties.get("ScheduledActions"):
            found.notes.append(f"{target.properties['ResourceId']}: its scheduled actions do nothing here")
    arns = {policy.arn for target in found.targets for policy in target.steps}
    for alarm in plane.recorded(ALARM):
        if arns & set(alarm.properties.get("AlarmActions", [])):
            try:
                found.alarms.append(_alarm(alarm))
            except ValueError as error:
                found.notes.append(f"the alarm {alarm.name} does nothing: {error}")
    return found


def _target(target: RecordedResource, policies: list[RecordedResource], notes: list[str]) -> Target:
    steps: list[StepPolicy] = []
    tracking: list[TrackingPolicy] = []
    for policy in policies:
        properties = policy.properties
        if "StepScalingPolicyConfiguration" in properties:
            steps.append(_step_policy(policy, properties["StepScalingPolicyConfiguration"]))
            continue
        try:
            configuration = properties["TargetTrackingScalingPolicyConfiguration"]
            tracking.append(_tracking_policy(properties["PolicyName"], target, configuration))
        except ValueError as error:
            notes.append(f"the policy {properties['PolicyName']} does nothing: {error}")
    return Target(
        resource_id=target.properties["ResourceId"],
        minimum=int(target.properties["MinCapacity"]),
        maximum=int(target.properties["MaxCapacity"]),
        steps=steps,
        tracking=tracking,
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


def _tracking_policy(name: str, target: RecordedResource, configuration: Mapping[str, Any]) -> TrackingPolicy:
    if "PredefinedMetricSpecification" in configuration:
        predefined = configuration["PredefinedMetricSpecification"]["PredefinedMetricType"]
        if predefined not in _PREDEFINED:
            raise ValueError(f"nothing publishes {predefined} here")
        metric, statistic, period = _PREDEFINED[predefined]
        key = metric_key(metric, dimensions_of(target.properties))
        watched = Expression("metric", {"metric": Query(key, statistic)})
    else:
        watched, period = read_watched(configuration["CustomizedMetricSpecification"])
    return TrackingPolicy(
        name=name,
        watched=watched,
        target=float(configuration["TargetValue"]),
        period=period,
        scale_out_cooldown=float(configuration.get("ScaleOutCooldown", DEFAULT_COOLDOWN)),
        scale_in_cooldown=float(configuration.get("ScaleInCooldown", DEFAULT_COOLDOWN)),
        scales_in=not configuration.get("DisableScaleIn", False),
    )


def _alarm(alarm: RecordedResource) -> Alarm:
    properties = alarm.properties
    watched, period = read_watched(properties)
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
