"""EndpointScaling: the number of instances or copies follows the load, the clock or any metric."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, Unpack

from aws_cdk import Annotations, Duration
from aws_cdk import aws_applicationautoscaling as autoscaling
from constructs import Construct

from constructs_lib._arguments import quantity_problems, seconds
from constructs_lib._tokens import hide_token
from constructs_lib.endpoint.scaled_resource import variant_instances
from constructs_lib.errors import raise_if_any
from constructs_lib.planning.scaling.limits import (
    default_target,
    limit_problems,
    request_tokens_problems,
    target_warnings,
)
from constructs_lib.planning.scaling.policies import SCALE_IN_COOLDOWN, SCALE_OUT_COOLDOWN
from constructs_lib.planning.validation.problem import Problem
from constructs_lib.planning.validation.rules import Integer, Number, problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from constructs_lib.endpoint.interface import EndpointBase
    from constructs_lib.endpoint.scaled_resource import ScaledResource
    from constructs_lib.planning.request import EndpointPlan

SCALING = "Scaling"
"""Id of the scaling below what is scaled."""

_TARGET = Number("above 0", above=0)
_COOLDOWN = Integer(0, unit="seconds")


class Cooldowns(TypedDict, total=False):
    """How long a policy waits after it has changed the number, before it changes it again.

    Defaults: 5 minutes before it adds more, about what a new instance takes until it serves, and 10 minutes before it
    removes more.
    """

    scale_out_cooldown: Duration
    scale_in_cooldown: Duration


class EndpointScaling(Construct):
    """What Application Auto Scaling does with the instances of an endpoint, or the copies of a model.

    `auto_scale` returns it. Until one of its methods is called, the number only stays between the limits. With several
    policies the one that wants most decides.

    Args:
        scope: The endpoint, or the member of a fleet.
        id: Identifier within the parent.
        resource: What is scaled.
        minimum: The smallest number; valid.
        maximum: The largest number; valid.
        plan: The plan of the container, from which the default target is worked out. Default: none.
        request_tokens: Prompt and answer of one request together. Default: the longest request.
        scales_in: Whether the policies that track a target also reduce the number. Default: True.
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
    ) -> None:
        super().__init__(scope, id)
        self._scaled = resource
        self._plan, self._request_tokens = plan, request_tokens
        self._scales_in = scales_in
        self._policies: set[str] = set()
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

    @property
    def scalable_target(self) -> autoscaling.CfnScalableTarget:
        """The scalable target, for policies of your own."""
        return self._target

    def on_concurrency(self, *, target: float | None = None, **cooldowns: Unpack[Cooldowns]) -> None:
        """Keep the requests in progress on each instance or copy at a target, by a metric of every 10 seconds.

        A request counts from its arrival to its last token, also while it is queued; so this follows what a model that
        generates text is loaded with, whatever the lengths of its requests.

        Args:
            target: Requests in progress at once on one instance or copy. Default: 0.7 times what one holds: the tokens
                that the plan expects in its cache divided by `request_tokens` of `auto_scale`, at most
                `max_concurrent_requests`; rounded down, at least 1.
            cooldowns: `scale_out_cooldown` and `scale_in_cooldown`. Default: 5 and 10 minutes.

        Raises:
            ConfigurationError: An argument is wrong, the plan does not know what the GPUs hold and no target is given,
                or the endpoint has this policy already.
        """
        wanted = default_target(self._plan, self._request_tokens) if target is None else target
        problems = [] if wanted is None else _target_problems("target", wanted)
        if wanted is None:
            message = f"is required: the plan does not know how many requests fit the {self._scaled.noun}"
            fix = "Set target to the requests in progress at once that one of them should have."
            problems = [Problem("target", None, message, fix)]
        metric = autoscaling.CfnScalingPolicy.PredefinedMetricSpecificationProperty(
            predefined_metric_type=self._scaled.concurrency_metric
        )
        self._track("Concurrency", "on_concurrency", problems, wanted, cooldowns, predefined=metric)
        if target is None and wanted is not None:
            for warning in target_warnings(wanted, self._plan, self._request_tokens):
                Annotations.of(self).add_warning_v2(warning.id, warning.message)

    def on_invocations(self, *, per_minute: float, **cooldowns: Unpack[Cooldowns]) -> None:
        """Keep the requests a minute on each instance or copy at a target.

        Requests of different lengths load a model differently, which this does not see; `on_concurrency` does.

        Args:
            per_minute: Requests a minute on one instance or copy.
            cooldowns: `scale_out_cooldown` and `scale_in_cooldown`. Default: 5 and 10 minutes.

        Raises:
            ConfigurationError: An argument is wrong, or the endpoint has this policy already.
        """
        metric = autoscaling.CfnScalingPolicy.PredefinedMetricSpecificationProperty(
            predefined_metric_type=self._scaled.invocations_metric
        )
        problems = _target_problems("per_minute", per_minute)
        self._track("Invocations", "on_invocations", problems, per_minute, cooldowns, predefined=metric)

    def _track(
        self,
        id: str,
        method: str,
        problems: list[Problem],
        target: float | None,
        cooldowns: Cooldowns,
        *,
        predefined: autoscaling.CfnScalingPolicy.PredefinedMetricSpecificationProperty | None = None,
        customized: autoscaling.CfnScalingPolicy.CustomizedMetricSpecificationProperty | None = None,
    ) -> None:
        """Add a policy that tracks a target, or raise what is wrong."""
        raise_if_any(self, "", [*self._repetition(id, method), *problems, *_cooldown_problems(cooldowns)])
        if target is None:
            raise AssertionError("a missing target is a problem")
        self._policies.add(id)
        policy = autoscaling.CfnScalingPolicy
        policy(
            self,
            id,
            policy_name=id,
            policy_type="TargetTrackingScaling",
            scaling_target_id=self._target.ref,
            target_tracking_scaling_policy_configuration=policy.TargetTrackingScalingPolicyConfigurationProperty(
                target_value=target,
                predefined_metric_specification=predefined,
                customized_metric_specification=customized,
                scale_out_cooldown=seconds(cooldowns.get("scale_out_cooldown", Duration.seconds(SCALE_OUT_COOLDOWN))),
                scale_in_cooldown=seconds(cooldowns.get("scale_in_cooldown", Duration.seconds(SCALE_IN_COOLDOWN))),
                disable_scale_in=None if self._scales_in else True,
            ),
        )

    def _repetition(self, id: str, method: str) -> Iterator[Problem]:
        if id in self._policies:
            yield Problem(method, id, "is a policy that this scaling has already", f"Call {method} once.")


def _target_problems(keyword: str, value: object) -> list[Problem]:
    found = problem(keyword, hide_token(value), _TARGET)
    return [found] if found else []


def _cooldown_problems(cooldowns: Mapping[str, object]) -> Iterator[Problem]:
    yield from quantity_problems(**cooldowns)
    for keyword, value in cooldowns.items():
        if isinstance(value, Duration) and (found := problem(keyword, hide_token(seconds(value)), _COOLDOWN)):
            yield found


def scale_instances(
    endpoint: EndpointBase,
    *,
    min_instances: int,
    max_instances: int,
    request_tokens: int | None,
    plan: EndpointPlan | None = None,
    problems: Iterable[Problem] = (),
) -> EndpointScaling:
    """Scale the instances of an endpoint's variant, or raise all that is wrong with the arguments.

    Args:
        endpoint: The endpoint.
        min_instances: The smallest number, at least 1.
        max_instances: The largest number.
        request_tokens: Prompt and answer of one request together. None: the longest request.
        plan: The plan of the endpoint. Default: none.
        problems: What else is wrong.

    Raises:
        ConfigurationError: An argument is wrong, or the endpoint scales already. Nothing has been created.
    """
    minimum, maximum, tokens = (hide_token(value) for value in (min_instances, max_instances, request_tokens))
    keywords = ("min_instances", "max_instances")
    found = [
        *_second_call_problems(endpoint),
        *problems,
        *limit_problems(minimum, maximum, keywords=keywords, unit="instances"),
        *request_tokens_problems(tokens, plan),
    ]
    raise_if_any(endpoint, "", found)
    return EndpointScaling(
        endpoint,
        SCALING,
        resource=variant_instances(endpoint.endpoint_name, endpoint.variant_name),
        minimum=min_instances,
        maximum=max_instances,
        plan=plan,
        request_tokens=request_tokens,
    )


def _second_call_problems(endpoint: EndpointBase) -> Iterator[Problem]:
    if endpoint.node.try_find_child(SCALING) is not None:
        fix = "Call it once, and add policies and schedules to what it returns."
        yield Problem("auto_scale", endpoint, "is called twice for one endpoint", fix)
