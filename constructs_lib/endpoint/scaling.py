"""EndpointScaling: the number of instances or copies follows the load, any metric, or the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from aws_cdk import Annotations
from aws_cdk import aws_applicationautoscaling as autoscaling
from constructs import Construct

from constructs_lib._stack_env import environment_of
from constructs_lib._tokens import hide_token, is_token
from constructs_lib.endpoint.cooldowns import Cooldowns, cooldown_problems, cooldown_seconds
from constructs_lib.endpoint.customized_metric import customized_metric, metric_id, metric_problems
from constructs_lib.endpoint.low_concurrency import remove_while_low
from constructs_lib.endpoint.scheduled_actions import scheduled_actions
from constructs_lib.errors import raise_if_any
from constructs_lib.planning.scaling.limits import default_target, limit_problems, target_warnings
from constructs_lib.planning.scaling.schedule import Limits, limit_changes, read_schedule, schedule_problems
from constructs_lib.planning.validation.problem import Problem
from constructs_lib.planning.validation.rules import Number, String, problem
from constructs_lib.planning.validation.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from aws_cdk import CfnResource
    from aws_cdk import aws_cloudwatch as cloudwatch

    from constructs_lib.endpoint.scaled_resource import ScaledResource
    from constructs_lib.planning.request import EndpointPlan
    from constructs_lib.planning.scaling.schedule import Schedule

SCALING = "Scaling"
"""Id of the scaling below what is scaled."""

_TARGET = Number("above 0", above=0)
_ID = String("letters, digits, hyphens and underscores", r"[A-Za-z0-9_-]+", longest=64)
_OWN_IDS = ("Resource", "Concurrency", "LowConcurrency", "LowConcurrencyAlarm", "Invocations")
_POLICY = autoscaling.CfnScalingPolicy


class EndpointScaling(Construct):
    """What Application Auto Scaling does with the instances of an endpoint, or the copies of a model.

    `auto_scale` returns it. Until one of its methods is called, the number only stays between the limits. Of several
    policies the one that adds most decides; `on_concurrency` removes by its own metric, also what another policy then
    adds again.

    Args:
        scope: The endpoint, or the member of a fleet.
        id: Identifier within the parent.
        resource: What is scaled.
        minimum: The smallest number; valid.
        maximum: The largest number; valid.
        plan: The plan of the container, from which the default target is worked out. Default: none.
        request_tokens: Prompt and answer of one request together. Default: the longest request.
        scales_in: Whether the policies that track a target also reduce the number. Default: True.
        after: What has to exist first, as a component of which the resource id has only the name. Default: what the
            resource id refers to.
        tell_range: Is called with the smallest and the largest number at any time. Default: nobody is told.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        resource: ScaledResource,
        minimum: int,
        maximum: int,
        plan: EndpointPlan | None = None,
        request_tokens: int | None = None,
        scales_in: bool = True,
        after: CfnResource | None = None,
        tell_range: Callable[[int, int], None] | None = None,
    ) -> None:
        super().__init__(scope, id)
        self._scaled = resource
        self._limits = Limits(minimum=minimum, maximum=maximum)
        self._plan, self._request_tokens = plan, request_tokens
        self._scales_in = scales_in
        self._tell = tell_range
        self._schedules: list[Schedule] = []
        # Without RoleARN: Application Auto Scaling has a service-linked role for SageMaker.
        self._target = autoscaling.CfnScalableTarget(
            self,
            "Resource",
            service_namespace="sagemaker",
            resource_id=resource.resource_id,
            scalable_dimension=resource.dimension,
            min_capacity=minimum,
            max_capacity=maximum,
        )
        if after is not None:
            self._target.add_resource_dependency(after)
        self._tell_range()

    @property
    def scalable_target(self) -> autoscaling.CfnScalableTarget:
        """The scalable target, for policies of your own."""
        return self._target

    def on_concurrency(self, *, target: float | None = None, **cooldowns: Unpack[Cooldowns]) -> None:
        """Keep the requests in progress on each instance or copy at a target, by a metric of every 10 seconds.

        A request counts from its arrival to its last token, also while it is queued; so this follows what a model that
        generates text is loaded with, whatever the lengths of its requests. Above the target more are added. One is
        removed when the busiest has been below half of the target, plus one, for 15 minutes: concurrent requests grow
        faster than the load, so that removing more readily means adding again.

        Args:
            target: Requests in progress at once on one instance or copy. Default: 0.8 times what one holds: the tokens
                that the plan expects in its cache divided by `request_tokens` of `auto_scale`, at most
                `max_concurrent_requests`; rounded down, at least 1.
            cooldowns: `scale_out_cooldown` and `scale_in_cooldown`. Default: 10 and 5 minutes.

        Raises:
            ConfigurationError: An argument is wrong, the plan does not know what the GPUs hold and no target is given,
                or the endpoint has this policy already.
        """
        wanted: Any = default_target(self._plan, self._request_tokens) if target is None else target
        problems = _target_problems("target", wanted)
        if is_token(wanted):
            message = "must be known at synth, as the number below which one is removed is worked out from it"
            problems = [Problem("target", UNKNOWN, message, "Write it as a number.")]
        elif wanted is None:
            message = f"is required: the plan does not know how many requests fit the {self._scaled.noun}"
            fix = "Set target to the requests in progress at once that one of them should have."
            problems = [Problem("target", None, message, fix)]
        self._check("on_concurrency", "Concurrency", problems, cooldowns)
        metric = _POLICY.PredefinedMetricSpecificationProperty(predefined_metric_type=self._scaled.concurrency_metric)
        self._track("Concurrency", wanted, cooldowns, scales_in=False, predefined=metric)
        if self._scales_in:
            cooldown = cooldown_seconds(cooldowns, "scale_in_cooldown")
            remove_while_low(self, self._target, self._scaled, target=wanted, cooldown=cooldown)
        for warning in target_warnings(wanted, self._plan, self._request_tokens) if target is None else ():
            Annotations.of(self).add_warning_v2(warning.id, warning.message)

    def on_invocations(self, *, per_minute: float, **cooldowns: Unpack[Cooldowns]) -> None:
        """Keep the requests a minute on each instance or copy at a target.

        Requests of different lengths load a model differently, which this does not see; `on_concurrency` does.

        Args:
            per_minute: Requests a minute on one instance or copy.
            cooldowns: `scale_out_cooldown` and `scale_in_cooldown`. Default: 10 and 5 minutes.

        Raises:
            ConfigurationError: An argument is wrong, or the endpoint has this policy already.
        """
        self._check("on_invocations", "Invocations", _target_problems("per_minute", per_minute), cooldowns)
        metric = _POLICY.PredefinedMetricSpecificationProperty(predefined_metric_type=self._scaled.invocations_metric)
        self._track("Invocations", per_minute, cooldowns, predefined=metric)

    def on_metric(
        self, metric: cloudwatch.IMetric, *, target: float, id: str | None = None, **cooldowns: Unpack[Cooldowns]
    ) -> None:
        """Keep any CloudWatch metric at a target.

        The metric must be one that more instances or copies bring down in proportion, such as a utilization or a number
        for each of them. It is read once a minute. `endpoint.metric_gpu_utilization()` has 100 for each GPU.

        Args:
            metric: A metric, or a math expression of metrics, of the stack's own account and Region. Its statistic
                applies; its period and unit do not.
            target: The value of the metric.
            id: Id of the policy, also its name. Default: the name of the metric.
            cooldowns: `scale_out_cooldown` and `scale_in_cooldown`. Default: 10 and 5 minutes.

        Raises:
            ConfigurationError: An argument is wrong, or a policy has that id already.
        """
        name: Any = metric_id(metric) if id is None else id
        problems = [*metric_problems(metric, environment_of(self)), *_target_problems("target", target)]
        if not problems and name is None:
            fix = "Set id to a name such as QueueLength."
            problems.append(Problem("id", None, "is required for a metric without a name, such as an expression", fix))
        elif name is not None and (found := problem("id", name, _ID)):
            problems.append(found)
        self._check("on_metric", name, problems, cooldowns)
        self._track(name, target, cooldowns, customized=customized_metric(metric))

    def on_schedule(self, *when: str, time_zone: str, minimum: int | None = None, maximum: int | None = None) -> None:
        """Change the limits by the clock.

        In weekly hours such as `mon-fri 08:00-19:00` these limits hold, outside of them those of `auto_scale`. From a
        moment such as `cron(0 8 ? * MON-FRI *)` or `at(2026-12-24T18:00:00)` on they hold until others are set. A
        deployment that changes limits or schedules sets the limits from outside of the hours, until the next start.

        Args:
            when: Weekly hours, and moments as Application Auto Scaling writes them. Hours of several calls may touch,
                but not overlap.
            time_zone: IANA name of the time zone, such as Europe/Berlin. Its daylight saving time counts.
            minimum: The smallest number then. Default: that of `auto_scale`.
            maximum: The largest number then. Default: that of `auto_scale`.

        Raises:
            ConfigurationError: An argument is wrong, or the hours overlap with those of another call.
        """
        limits = Limits(
            minimum=self._limits.minimum if minimum is None else minimum,
            maximum=self._limits.maximum if maximum is None else maximum,
        )
        problems = [*schedule_problems([hide_token(each) for each in when], hide_token(time_zone), self._schedules)]
        if minimum is None and maximum is None:
            fix = "Set minimum, maximum or both to what holds in that time."
            problems.append(Problem("minimum", None, "or maximum is required, as nothing changes without", fix))
        raise_if_any(self, "", [*problems, *self._limit_problems(limits)])
        self._schedules.append(read_schedule(when, time_zone, limits))
        self._target.scheduled_actions = scheduled_actions(limit_changes(self._schedules, self._limits))
        self._tell_range()

    def _limit_problems(self, limits: Limits) -> Iterator[Problem]:
        allows_zero = not is_token(self._limits.minimum) and self._limits.minimum == 0
        yield from limit_problems(
            hide_token(limits.minimum),
            hide_token(limits.maximum),
            keywords=("minimum", "maximum"),
            unit=self._scaled.noun,
            lowest=0 if allows_zero else 1,
        )

    def _tell_range(self) -> None:
        if self._tell is not None:
            all_limits = [self._limits, *(schedule.limits for schedule in self._schedules)]
            least = _known(min, [limits.minimum for limits in all_limits])
            self._tell(least, _known(max, [limits.maximum for limits in all_limits]))

    def _check(self, method: str, id: str, problems: Iterable[Problem], cooldowns: Cooldowns) -> None:
        """Raise what is wrong with a policy that tracks a target."""
        raise_if_any(self, "", [*self._id_problems(method, id), *problems, *cooldown_problems(cooldowns)])

    def _id_problems(self, method: str, id: object) -> Iterator[Problem]:
        if method == "on_metric" and id in _OWN_IDS:
            yield Problem("id", id, "is a name that the scaling itself uses", "Set id to another one.")
        elif isinstance(id, str) and self.node.try_find_child(id) is not None:
            fix = "Leave one of the two calls out" + (", or give one an id." if method == "on_metric" else ".")
            yield Problem(method, id, "is a policy that this scaling has already", fix)

    def _track(
        self,
        id: str,
        target: float,
        cooldowns: Cooldowns,
        *,
        scales_in: bool = True,
        predefined: _POLICY.PredefinedMetricSpecificationProperty | None = None,
        customized: _POLICY.CustomizedMetricSpecificationProperty | None = None,
    ) -> None:
        """Add a policy that tracks a target."""
        _POLICY(
            self,
            id,
            policy_name=id,
            policy_type="TargetTrackingScaling",
            scaling_target_id=self._target.ref,
            target_tracking_scaling_policy_configuration=_POLICY.TargetTrackingScalingPolicyConfigurationProperty(
                target_value=target,
                predefined_metric_specification=predefined,
                customized_metric_specification=customized,
                scale_out_cooldown=cooldown_seconds(cooldowns, "scale_out_cooldown"),
                scale_in_cooldown=cooldown_seconds(cooldowns, "scale_in_cooldown"),
                disable_scale_in=None if scales_in and self._scales_in else True,
            ),
        )


def _known(choose: Callable[[list[int]], int], numbers: list[int]) -> int:
    """The smallest or the largest number; a token if one of them is."""
    return next((number for number in numbers if is_token(number)), choose(numbers))


def _target_problems(keyword: str, value: object) -> list[Problem]:
    found = problem(keyword, hide_token(value), _TARGET)
    return [found] if found else []
