"""What is wrong with a rollout, and what is legal but risky."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from constructs_lib.planning.rollout.plan import (
    LONGEST_LIMIT,
    PERCENT,
    SHORTEST_LIMIT,
    expected_seconds,
    plan_rollout,
    waits,
)
from constructs_lib.planning.rollout.request import Replaced, RolloutRequest, Strategy
from constructs_lib.planning.validation.problem import PlanWarning, Problem
from constructs_lib.planning.validation.rules import Boolean, Integer, Rule, problem
from constructs_lib.planning.validation.unknown import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

KEYWORD = "rollout"
MAX_ALARMS = 10
"""Source: botocore 1.44.5, sagemaker 2017-07-24, AlarmList."""

_FIGURES: dict[str, Rule] = {
    "count": Integer(1),
    "percent": Integer(1, 100, unit="percent"),
    "wait": Integer(0, 3600, unit="seconds"),
    "termination_wait": Integer(0, 3600, unit="seconds"),
    "time_limit": Integer(SHORTEST_LIMIT, LONGEST_LIMIT, unit="seconds"),
    "rollback_in_batches": Boolean(),
}
"""Source of the seconds: botocore 1.44.5, sagemaker 2017-07-24, BlueGreenUpdatePolicy and RollingUpdatePolicy."""


class _Written(str):
    """Code, which a message shows without quotation marks."""

    def __repr__(self) -> str:
        return str(self)


_NAMES = {
    Strategy.ALL_AT_ONCE: _Written("Rollout.all_at_once(…)"),
    Strategy.CANARY: _Written("Rollout.canary(…)"),
    Strategy.LINEAR: _Written("Rollout.linear(…)"),
    Strategy.ROLLING: _Written("Rollout.rolling(…)"),
}


def figure_problems(request: RolloutRequest) -> Iterator[Problem]:
    """What is wrong with the figures, whatever they are for.

    Args:
        request: What the caller asks for.
    """
    figures: dict[str, object] = {
        "count": request.count,
        "percent": request.percent,
        "wait": request.wait_seconds,
        "termination_wait": request.termination_wait_seconds,
        "time_limit": request.time_limit_seconds,
        "rollback_in_batches": request.rolls_back_in_batches,
    }
    for name, value in figures.items():
        keyword = f"{KEYWORD}.{name}"
        if isinstance(value, Unknown):
            message = "must be known at synth, as it is checked against the number of instances and the time limit"
            yield Problem(keyword, value, message, "Write it as a number.")
        elif value is not None and (found := problem(keyword, value, _FIGURES[name])):
            yield found
    if request.count is not None and request.percent is not None:
        fix = "Leave one of them out."
        yield Problem(f"{KEYWORD}.count", request.count, f"says the same as percent={request.percent}", fix)


def rollout_problems(request: RolloutRequest | None, what: Replaced) -> Iterator[Problem]:
    """What is wrong with a rollout of what it replaces. For figures without `figure_problems`.

    Args:
        request: What the caller asks for; None, the default, has no problem.
        what: What is replaced.
    """
    if request is None:
        return
    found = [*_strategy_problems(request, what)]
    yield from found
    if not found:
        yield from _size_problems(request, what)
        yield from _time_problems(request, what)


def rollout_warnings(request: RolloutRequest | None, what: Replaced) -> Iterator[PlanWarning]:
    """What is legal but risky about a rollout without problems.

    Args:
        request: What the caller asks for; None, the default, is not risky.
        what: What is replaced.
    """
    if request is None:
        return
    name, limit = _NAMES[request.strategy], request.time_limit_seconds
    if request.strategy is not Strategy.ROLLING and what.is_scarce and what.has_several and what.unit == "instances":
        yield PlanWarning(
            "tgi-endpoint:rolloutNeedsAllInstances",
            f"rollout={name} starts as many new instances as the endpoint has before it stops the old ones, and these"
            " are scarce or reserved: if it gets fewer, the update fails. Rollout.rolling() needs a batch of them.",
        )
    if limit is not None and limit < (expected := expected_seconds(request, what)):
        yield PlanWarning(
            "tgi-endpoint:rolloutTimeLimit",
            f"rollout.time_limit={limit} seconds is less than the {expected} that the rollout is expected to take:"
            f" {what.start_seconds} for each start, and the waits. SageMaker would roll it back. Leave it out, or make"
            " the batches larger or the waits shorter.",
        )
    if request.strategy is Strategy.ROLLING and what.goes_to_zero:
        yield PlanWarning(
            "tgi-endpoint:rollingOneCopy",
            f"While the model has no more than one copy, a batch of {name} is more than the half of its copies that"
            " SageMaker documents as the most, and SageMaker may refuse the update. Leave rollout out, with which the"
            " new copies start beside all old ones.",
        )


def alarm_count_problems(count: int) -> Iterator[Problem]:
    """That there are more alarms than SageMaker takes.

    Args:
        count: How many there are.
    """
    if count > MAX_ALARMS:
        message = f"are more than the {MAX_ALARMS} that SageMaker takes"
        yield Problem(f"{KEYWORD}.alarms", count, message, "Name the most telling ones, or alarm on an expression.")


def too_many_names(names: Sequence[str]) -> PlanWarning:
    """Says that a front door has no alarm for some of the names of a model.

    Args:
        names: Those without one.
    """
    return PlanWarning(
        "tgi-endpoint:rollbackAlarmsLimit",
        f"SageMaker takes {MAX_ALARMS} alarms for the updates of an endpoint, and this front door serves it under more"
        f" names: errors of requests for {', '.join(names)} do not undo an update. Give alarms of your own:"
        " rollout=Rollout.rolling(alarms=[…]).",
    )


def circular_alarm(path: str) -> Problem:
    """Says that an alarm cannot undo updates of an endpoint that it depends on.

    Args:
        path: Path of the alarm.
    """
    return Problem(
        f"{KEYWORD}.alarms",
        _Written(path),
        "depends on the endpoint, mostly by a dimension with its name, and the endpoint depends on the alarms that undo"
        " its updates: CloudFormation refuses circular dependencies",
        "Alarm on front_door.metric_server_errors(model=…) or another metric of the front door, whose dimensions synth"
        " knows; or give the endpoint an endpoint_name, which its metrics then name literally.",
    )


def nothing_rolls_back(strategy: Strategy) -> PlanWarning:
    """Says that no alarm undoes a rollout."""
    return PlanWarning(
        "tgi-endpoint:nothingRollsBack",
        f"No alarm undoes a bad update: {_NAMES[strategy]} waits after each step, but nothing is watched. For a"
        " real-time endpoint a FrontDoor of the same stack brings an alarm along, and so does an endpoint_name. Or give"
        " alarms: alarms=[…] of the rollout, endpoint.roll_back_on(…).",
    )


def alarms_need_rights() -> PlanWarning:
    """Says that the endpoint's role, which this app cannot change, has to read the alarms."""
    return PlanWarning(
        "tgi-endpoint:alarmsNeedRights",
        "The given role cannot be changed by this app and needs cloudwatch:DescribeAlarms for the alarms that undo"
        " updates: SageMaker reads them with that role.",
    )


def _strategy_problems(request: RolloutRequest, what: Replaced) -> Iterator[Problem]:
    name = _NAMES[request.strategy]
    if what.unit == "copies" and request.strategy in (Strategy.CANARY, Strategy.LINEAR):
        message = "is for instances: SageMaker replaces the copies of an inference component in batches or all at once"
        yield Problem(KEYWORD, name, message, "Write Rollout.rolling(…), or leave it out.")
    elif what.unit == "copies" and request.strategy is Strategy.ALL_AT_ONCE and _has_figures(request):
        message = "has no figures and no alarms for copies: SageMaker watches alarms only between batches of them"
        yield Problem(KEYWORD, name, message, "Write Rollout.rolling(alarms=[…]), or leave the figures out.")
    elif request.strategy is Strategy.ROLLING and what.variants > 1:
        message = f"is for one variant: SageMaker cannot roll the {what.variants} variants of this endpoint in batches"
        yield Problem(KEYWORD, name, message, "Write Rollout.all_at_once(…), or remove the other variants.")
    elif request.strategy is not Strategy.ALL_AT_ONCE and _may_be_one(what):
        yield _too_few(name, what)


def _has_figures(request: RolloutRequest) -> bool:
    waits_or_limits = (request.termination_wait_seconds, request.time_limit_seconds)
    return request.has_alarms or any(each is not None for each in waits_or_limits)


def _may_be_one(what: Replaced) -> bool:
    if what.goes_to_zero:
        return what.most is not None and what.most < 2
    return what.least is not None and what.least < 2


def _too_few(name: str, what: Replaced) -> Problem:
    if what.goes_to_zero:
        message = "replaces copies in batches of at most half of them, and the model has at most one"
        return Problem(KEYWORD, name, message, "Leave it out, or raise max_copies of ScaleToZero to 2.")
    if what.unit == "copies":
        message = f"replaces copies in batches of at most half of them, and the model may have {what.least}"
        return Problem(KEYWORD, name, message, "Leave it out, or raise the least copies to 2.")
    which = "the endpoint" if what.variants == 1 else f"one of its {what.variants} variants"
    message = f"moves at most half of the instances at once, and {which} may have {what.least}"
    more = "instance_count, and min_instances of auto_scale" + (", of each variant" if what.variants > 1 else "")
    return Problem(KEYWORD, name, message, f"Write Rollout.all_at_once(…), or run at least 2: {more}.")


def _size_problems(request: RolloutRequest, what: Replaced) -> Iterator[Problem]:
    if request.strategy is Strategy.ALL_AT_ONCE:
        return
    smallest, largest = PERCENT[request.strategy]
    if request.percent is not None:
        yield from _percent_problems(request.percent, smallest, largest, what)
    if request.count is not None:
        yield from _count_problems(request.count, smallest, what)


def _percent_problems(percent: int, smallest: int, largest: int, what: Replaced) -> Iterator[Problem]:
    keyword = f"{KEYWORD}.percent"
    if found := problem(keyword, percent, Integer(smallest, largest, unit="percent")):
        yield found
    elif what.least is not None and not what.goes_to_zero and percent * what.least < 100:
        message = f"is less than one of {what.least} {what.unit}"
        yield Problem(keyword, percent, message, f"Write {math.ceil(100 / what.least)} or more, or count=1.")


def _count_problems(count: int, smallest: int, what: Replaced) -> Iterator[Problem]:
    keyword = f"{KEYWORD}.count"
    fewest = what.most if what.goes_to_zero else what.least
    if fewest is not None and count * 2 > fewest:
        message = f"is more than half of {fewest} {what.unit}, which is the most that SageMaker takes"
        yield Problem(keyword, count, message, f"Write {fewest // 2} or less.")
    elif what.most is not None and count * 100 < what.most * smallest:
        message = f"is less than {smallest} % of {what.most} {what.unit}, which is the least that SageMaker takes"
        yield Problem(keyword, count, message, f"Write {math.ceil(what.most * smallest / 100)} or more, or percent.")


def _time_problems(request: RolloutRequest, what: Replaced) -> Iterator[Problem]:
    """SageMaker's own documentation asks for a limit above the waits."""
    waiting, limit = waits(request, what), plan_rollout(request, what).time_limit_seconds
    if limit > waiting:
        return
    if request.time_limit_seconds is not None:
        message = f"must be more than the {waiting} seconds that the rollout waits in all"
        yield Problem(f"{KEYWORD}.time_limit", limit, message, "Raise it, or leave it out.")
    else:
        keyword = "termination_wait" if request.strategy is Strategy.ALL_AT_ONCE else "wait"
        value = getattr(request, f"{keyword}_seconds")
        message = f"makes the rollout wait {waiting} seconds in all, and SageMaker ends it after {LONGEST_LIMIT}"
        yield Problem(f"{KEYWORD}.{keyword}", value, message, "Shorten it, or make the batches larger.")
