"""Rollout: how SageMaker replaces what an endpoint runs, and what undoes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from constructs_lib._arguments import ConstructType, quantity_problems, seconds, type_name
from constructs_lib._references import Referred
from constructs_lib._stack_env import environment_of
from constructs_lib._tokens import hide_tokens
from constructs_lib.planning.rollout.problems import (
    KEYWORD,
    alarm_count_problems,
    figure_problems,
)
from constructs_lib.planning.rollout.request import RolloutRequest, Strategy
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aws_cdk import Duration
    from aws_cdk import aws_cloudwatch as cloudwatch
    from constructs import Construct

_ALARM = ConstructType(
    "alarm_arn",
    "an alarm of aws_cloudwatch",
    'Give aws_cloudwatch.Alarm.from_alarm_name(self, "Errors", "<its name>"), or a new one.',
)

_THERE = Referred(
    noun="alarm",
    rule="SageMaker reads alarms in the endpoint's Region",
    fix="Create the alarm there.",
    name="alarm_name",
)


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """How an update of an endpoint replaces its instances, and which alarms undo it.

    `Rollout.all_at_once()`, `.canary(…)`, `.linear(…)` or `.rolling(…)`. Without one, an endpoint with one instance, or
    with several variants, is replaced all at once; with two or more instances in two batches; with instances that are
    hard to get (p4, p5, p6, reserved ones) in the smallest batches. Where something scales the smallest number counts,
    as an update may find it. New instances serve before old ones stop, whatever the rollout.

    Alarms are watched during updates only; a new endpoint has nothing to go back to. An alarm that is on already, also
    for what the old instances do, rolls the update back as well: to deploy what repairs it, pass `alarms=[]`.

    Alarms: those that are given here or to `endpoint.roll_back_on(…)`. If none is given here, each `FrontDoor` of the
    endpoint's stack brings an alarm on the server errors of the model, and an endpoint with a literal `endpoint_name`
    one on its own server errors. `alarms=[]`: none, so that nothing rolls back. SageMaker reads alarms with the
    endpoint's role, which gets the permission.

    Args:
        strategy: How traffic moves.
        count: See `canary`.
        percent: See `canary`.
        wait: See `canary`.
        termination_wait: See `all_at_once`.
        time_limit: See `all_at_once`.
        rollback_in_batches: See `rolling`.
        alarms: See `all_at_once`.
    """

    strategy: Strategy
    count: int | None = None
    percent: int | None = None
    wait: Duration | None = None
    termination_wait: Duration | None = None
    time_limit: Duration | None = None
    rollback_in_batches: bool | None = None
    alarms: Sequence[cloudwatch.IAlarm] | None = None

    @classmethod
    def all_at_once(
        cls,
        *,
        termination_wait: Duration | None = None,
        time_limit: Duration | None = None,
        alarms: Sequence[cloudwatch.IAlarm] | None = None,
    ) -> Rollout:
        """All new instances start beside the old ones; then all traffic moves at once.

        The only one for one instance, and the default there, as the others move half of the instances at most. It takes
        as long as one start, and twice the instances meanwhile.

        Args:
            termination_wait: How long the old instances stay once the traffic has moved, up to an hour, in which an
                alarm moves it back within seconds. Default: 5 minutes, in which an alarm that needs two bad minutes is
                certain to be heard; the old instances are billed for so long.
            time_limit: After which SageMaker gives the update up and rolls back, 10 minutes to 8 hours. Default: as
                long as each start may take (`instance_provision_timeout` or 10 minutes, `model_download_timeout`,
                `startup_timeout`) and the waits, at most 8 hours.
            alarms: Metric alarms of the endpoint's account and Region, at most 10; one is enough to roll back. Default:
                those of front doors in the endpoint's stack, and the endpoint's own if its name is known at synth.
        """
        return cls(
            strategy=Strategy.ALL_AT_ONCE, termination_wait=termination_wait, time_limit=time_limit, alarms=alarms
        )

    @classmethod
    def canary(
        cls,
        *,
        count: int | None = None,
        percent: int | None = None,
        wait: Duration | None = None,
        termination_wait: Duration | None = None,
        time_limit: Duration | None = None,
        alarms: Sequence[cloudwatch.IAlarm] | None = None,
    ) -> Rollout:
        """All new instances start; a few of them get traffic first, then all.

        What is wrong with the new model shows in a small part of the requests. It takes twice the instances. Requires
        two instances.

        Args:
            count: Instances of the canary, at most half. Default: one, the smallest.
            percent: The canary as a share of all instances instead, 1 to 50, at least one instance.
            wait: How long alarms are watched with the canary, and again with all new instances, up to an hour.
                Default: 5 minutes, in which an alarm that needs two bad minutes is certain to be heard.
            termination_wait: How long the old instances stay after that. Default: they stop at once, as the last wait
                has watched all new instances.
            time_limit: As for `all_at_once`.
            alarms: As for `all_at_once`.
        """
        return cls(
            strategy=Strategy.CANARY,
            count=count,
            percent=percent,
            wait=wait,
            termination_wait=termination_wait,
            time_limit=time_limit,
            alarms=alarms,
        )

    @classmethod
    def linear(
        cls,
        *,
        count: int | None = None,
        percent: int | None = None,
        wait: Duration | None = None,
        termination_wait: Duration | None = None,
        time_limit: Duration | None = None,
        alarms: Sequence[cloudwatch.IAlarm] | None = None,
    ) -> Rollout:
        """All new instances start; traffic moves to them in steps of equal size.

        For what shows only under load: each step is watched with more of it. It takes twice the instances. Requires two
        instances.

        Args:
            count: Instances of a step, at most half and at least a tenth.
            percent: A step as a share of all instances instead, 10 to 50, at least one instance. Default: 25, or the
                share of one instance if that is more: four steps, each of which is watched.
            wait: How long alarms are watched after each step, up to an hour. Default: 5 minutes, as for `canary`.
            termination_wait: How long the old instances stay after that. Default: they stop at once.
            time_limit: As for `all_at_once`.
            alarms: As for `all_at_once`.
        """
        return cls(
            strategy=Strategy.LINEAR,
            count=count,
            percent=percent,
            wait=wait,
            termination_wait=termination_wait,
            time_limit=time_limit,
            alarms=alarms,
        )

    @classmethod
    def rolling(
        cls,
        *,
        count: int | None = None,
        percent: int | None = None,
        wait: Duration | None = None,
        rollback_in_batches: bool | None = None,
        time_limit: Duration | None = None,
        alarms: Sequence[cloudwatch.IAlarm] | None = None,
    ) -> Rollout:
        """A batch of new instances starts and gets traffic, a batch of old ones stops; then the next.

        The default for two or more instances: it needs only a batch of further instances, and what is wrong shows in a
        part of the requests. It takes as long as the starts of all batches. Requires two instances or, for a model on
        inference components (`ScaleToZero`, `FleetModel`), two copies; nothing else rolls copies back.

        Args:
            count: Instances, or copies, of a batch, at most half and at least a twentieth.
            percent: A batch as a share of all instead, 5 to 50, at least one of them. Default: 50, two batches, as more
                take longer; where further instances are scarce (p4, p5, p6 and newer, reserved ones) the smallest batch
                that SageMaker takes; with `ScaleToZero` one copy.
            wait: How long alarms are watched after each batch, up to an hour. Default: 5 minutes, as for `canary`.
            rollback_in_batches: Whether a rollback starts the old ones again in such batches as well. Default: only
                where further instances are scarce; else all at once, which is quicker.
            time_limit: As for `all_at_once`, for the starts of all batches.
            alarms: As for `all_at_once`.
        """
        return cls(
            strategy=Strategy.ROLLING,
            count=count,
            percent=percent,
            wait=wait,
            rollback_in_batches=rollback_in_batches,
            time_limit=time_limit,
            alarms=alarms,
        )


def rollout_request(given: Rollout | None) -> RolloutRequest | None:
    """What the plan needs to know of the argument `rollout`; None without one, or a right one."""
    if not isinstance(given, Rollout):
        return None
    return hide_tokens(
        RolloutRequest(
            strategy=given.strategy,
            count=given.count,
            percent=given.percent,
            wait_seconds=seconds(given.wait),
            termination_wait_seconds=seconds(given.termination_wait),
            time_limit_seconds=seconds(given.time_limit),
            rolls_back_in_batches=given.rollback_in_batches,
            has_alarms=bool(given.alarms),
        )
    )


def rollout_type_problems(given: object, scope: Construct) -> Iterator[Problem]:
    """What is wrong with the argument `rollout` itself, whatever it is for.

    Args:
        given: What the caller gives.
        scope: The scope of the endpoint.
    """
    if given is None:
        return
    request = rollout_request(given) if isinstance(given, Rollout) else None
    if not isinstance(given, Rollout) or request is None or request.strategy not in list(Strategy):
        message = f"must be a Rollout, not {type_name(given)}"
        fix = "Write Rollout.all_at_once(), .canary(…), .linear(…) or .rolling(…)."
        yield Problem(KEYWORD, given, message, fix)
        return
    durations = {"wait": given.wait, "termination_wait": given.termination_wait, "time_limit": given.time_limit}
    yield from quantity_problems(**{f"{KEYWORD}.{name}": value for name, value in durations.items()})
    yield from figure_problems(request)
    yield from alarm_problems(f"{KEYWORD}.alarms", given.alarms, scope)


def alarm_problems(keyword: str, alarms: Sequence[cloudwatch.IAlarm] | None, scope: Construct) -> Iterator[Problem]:
    """What is wrong with the alarms of a caller.

    Args:
        keyword: The argument.
        alarms: What the caller gives.
        scope: A construct of the endpoint's stack.
    """
    found = list(_ALARM.list_problems(keyword, alarms))
    yield from found
    if alarms is None or found:
        return
    yield from alarm_count_problems(len(set(alarms)))
    for number, alarm in enumerate(alarms):
        yield from _composite_problems(f"{keyword}[{number}]", alarm)
        yield from _THERE.problems(f"{keyword}[{number}]", alarm, environment_of(scope))


def _composite_problems(keyword: str, alarm: cloudwatch.IAlarm) -> Iterator[Problem]:
    """Source: botocore 1.44.5, cloudwatch, DescribeAlarms."""
    # Imported here, as it costs time; whoever gives an alarm has done so already.
    from aws_cdk import aws_cloudwatch as cloudwatch

    if isinstance(alarm, cloudwatch.CompositeAlarm):
        message = (
            "must be a metric alarm: CloudWatch shows composite ones only to a role that may describe all alarms, and"
            " that of the endpoint may describe those that are named"
        )
        yield Problem(keyword, alarm, message, "Give the alarms that it is composed of, or one on an expression.")
