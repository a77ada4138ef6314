"""The DeploymentConfig of an endpoint or an inference component, rendered at synthesis with what is known then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsii
from aws_cdk import Annotations
from aws_cdk import aws_iam as iam
from constructs import IValidation

from constructs_lib._lazy import late_value
from constructs_lib._stack_env import environment_of
from constructs_lib.endpoint.circular import depends_on
from constructs_lib.endpoint.rollout import rollout_request
from constructs_lib.planning.rollout.plan import plan_rollout
from constructs_lib.planning.rollout.problems import (
    MAX_ALARMS,
    alarm_count_problems,
    alarms_need_rights,
    circular_alarm,
    nothing_rolls_back,
    rollout_problems,
    rollout_warnings,
)
from constructs_lib.planning.rollout.request import Strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aws_cdk import aws_cloudwatch as cloudwatch
    from aws_cdk import aws_sagemaker as sagemaker
    from constructs import Construct, IConstruct

    from constructs_lib.endpoint.rollout import Rollout
    from constructs_lib.planning.rollout.request import BatchSize, Replaced, RolloutPlan
    from constructs_lib.planning.validation.problem import Problem

_COUNTS = {"instances": "INSTANCE_COUNT", "copies": "COPY_COUNT"}


class DeploymentConfig:
    """What an update does, and what undoes it.

    Rendered late: scaling, variants and front doors may come after the endpoint. What is wrong by then is an error of
    the synthesis.

    Args:
        scope: The endpoint, or the member of a fleet.
        resource: The endpoint's or the component's resource.
        rollout: The caller's; None for the default.
        replaced: Says what an update replaces.
        role: The role with which SageMaker reads the alarms.
    """

    def __init__(
        self,
        scope: Construct,
        resource: sagemaker.CfnEndpoint | sagemaker.CfnInferenceComponent,
        *,
        rollout: Rollout | None,
        replaced: Callable[[], Replaced],
        role: iam.IRole,
    ) -> None:
        self.wants_alarms = rollout is None or rollout.alarms is None
        """Whether front doors and the endpoint itself bring alarms along."""
        self._scope, self._resource, self._role, self._replaced = scope, resource, role, replaced
        self._request = rollout_request(rollout)
        self._alarm_names: list[str] = []
        self._own: list[IConstruct] = []
        self._reads: iam.PolicyStatement | None = None
        resource.deployment_config = late_value(self._render)
        scope.node.add_validation(_Validation(self.validate))
        for alarm in (rollout.alarms if rollout else None) or ():
            self.add_alarm(alarm)

    @property
    def has_room(self) -> bool:
        """Whether SageMaker takes another alarm."""
        return len(self._alarm_names) < MAX_ALARMS

    def add_alarm(self, alarm: cloudwatch.IAlarm) -> None:
        """Let an alarm of the caller undo updates."""
        if alarm in self._own:
            return
        self._own.append(alarm)
        self._add(alarm.alarm_name, alarm.alarm_arn)

    def take_alarm(self, alarm: cloudwatch.CfnAlarm) -> None:
        """Let an alarm of a front door, or of the endpoint itself, undo updates."""
        self._add(alarm.ref, alarm.attr_arn)

    def _add(self, name: str, arn: str) -> None:
        self._alarm_names.append(name)
        if self._reads is None:
            # A policy of its own: the Models wait for the other one, and it has cdk-nag's acknowledgements.
            self._reads = iam.PolicyStatement(actions=["cloudwatch:DescribeAlarms"], resources=[arn])
            policy = iam.Policy(self._scope, "RollbackPolicy", statements=[self._reads])
            self._role.attach_inline_policy(policy)
            self._resource.node.add_dependency(policy)
            self._warn_of_immutable_role(policy)
        else:
            self._reads.add_resources(arn)

    def _warn_of_immutable_role(self, policy: iam.Policy) -> None:
        rendered = policy.node.default_child
        attached = isinstance(rendered, iam.CfnPolicy) and environment_of(self._scope).stack.resolve(rendered.roles)
        if not attached:
            warning = alarms_need_rights()
            Annotations.of(self._scope).add_warning_v2(warning.id, warning.message)

    def _render(self) -> dict[str, Any] | None:
        what = self._replaced()
        plan = plan_rollout(self._request, what)
        if plan.strategy is Strategy.ALL_AT_ONCE and (
            what.unit == "copies" or (self._request is None and not self._alarm_names)
        ):
            return None  # SageMaker's own
        return render_plan(plan, what.unit, self._alarm_names)

    def validate(self) -> list[str]:
        """The errors of the synthesis; warnings become annotations."""
        what = self._replaced()
        for warning in rollout_warnings(self._request, what):
            Annotations.of(self._scope).add_warning_v2(warning.id, warning.message)
        if not self._alarm_names and self.wants_alarms and self._render() is not None:
            warning = nothing_rolls_back(plan_rollout(self._request, what).strategy)
            Annotations.of(self._scope).add_warning_v2(warning.id, warning.message)
        return [str(problem) for problem in self._problems(what)]

    def _problems(self, what: Replaced) -> Iterator[Problem]:
        yield from rollout_problems(self._request, what)
        yield from alarm_count_problems(len(self._alarm_names))
        for alarm in self._own:
            if depends_on(alarm, self._resource):
                yield circular_alarm(alarm.node.path)


def render_plan(plan: RolloutPlan, unit: str, alarm_names: list[str]) -> dict[str, Any]:
    """A DeploymentConfig, with the names of the CDK, which renames what it resolves.

    Args:
        plan: The rollout.
        unit: What is replaced: `instances` or `copies`.
        alarm_names: The alarms that undo it.
    """
    rollback = {"autoRollbackConfiguration": {"alarms": [{"alarmName": name} for name in alarm_names]}}
    return {
        **(_rolling(plan, unit) if plan.strategy is Strategy.ROLLING else _blue_green(plan, unit)),
        **(rollback if alarm_names else {}),
    }


def _rolling(plan: RolloutPlan, unit: str) -> dict[str, Any]:
    policy = {
        "maximumBatchSize": _size(plan.size, unit),
        "waitIntervalInSeconds": plan.wait_seconds,
        "maximumExecutionTimeoutInSeconds": plan.time_limit_seconds,
    }
    if plan.rollback_size is not None:
        policy["rollbackMaximumBatchSize"] = _size(plan.rollback_size, unit)
    return {"rollingUpdatePolicy": policy}


def _blue_green(plan: RolloutPlan, unit: str) -> dict[str, Any]:
    # The API requires the interval of every type, although only steps have one.
    routing: dict[str, Any] = {"type": plan.strategy.value, "waitIntervalInSeconds": plan.wait_seconds}
    if plan.size is not None:
        routing["canarySize" if plan.strategy is Strategy.CANARY else "linearStepSize"] = _size(plan.size, unit)
    return {
        "blueGreenUpdatePolicy": {
            "trafficRoutingConfiguration": routing,
            "terminationWaitInSeconds": plan.termination_wait_seconds,
            "maximumExecutionTimeoutInSeconds": plan.time_limit_seconds,
        }
    }


def _size(size: BatchSize | None, unit: str) -> dict[str, Any]:
    if size is None:
        raise AssertionError("every rollout but all at once has a size")
    return {"type": _COUNTS[unit] if size.kind == "count" else "CAPACITY_PERCENT", "value": size.value}


@jsii.implements(IValidation)
class _Validation:
    def __init__(self, validate: Callable[[], list[str]]) -> None:
        self._validate = validate

    def validate(self) -> list[str]:
        """The errors, if there are any."""
        return self._validate()
