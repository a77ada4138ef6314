"""The figures of a rollout: its defaults, and what SageMaker allows.

Limits: botocore 1.44.5, sagemaker 2017-07-24, DeploymentConfig and InferenceComponentDeploymentConfig; shares of a
canary, a step and a batch from the documentation of CanarySize, LinearStepSize and MaximumBatchSize there.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NotRequired, TypedDict, TypeVar, Unpack

from constructs_lib.planning.rollout.request import BatchSize, Replaced, RolloutPlan, RolloutRequest, Strategy
from constructs_lib.planning.scaling.startup import start_seconds
from constructs_lib.planning.timeouts import LONGEST
from constructs_lib.planning.validation.unknown import Unknown

if TYPE_CHECKING:
    from constructs_lib.planning.request import EndpointPlan, EndpointRequest
    from constructs_lib.planning.rollout.request import Unit

Value = TypeVar("Value")

PERCENT = {Strategy.CANARY: (1, 50), Strategy.LINEAR: (10, 50), Strategy.ROLLING: (5, 50)}
"""The smallest and the largest share of all that a canary, a linear step or a batch may be."""

SHORTEST_LIMIT, LONGEST_LIMIT = 600, 28800
"""Seconds that a rollout may take."""

WAIT = 300
"""Seconds between steps. An alarm that needs two bad minutes, which arrive a minute late, is certain to be heard."""

LINEAR_PERCENT = 25
ROLLING_PERCENT = 50

SEARCH = 600
"""Seconds that SageMaker may look for instances without `instance_provision_timeout`. An assumption."""

# p4 and newer: rented by the block or reserved more often than found. A digit of its own, as in p4d, p5en, p6-b200.
_SCARCE = re.compile(r"ml\.p([4-9]|\d\d)")


class Range(TypedDict):
    """How many of what a rollout replaces: arguments of `replaced`."""

    unit: Unit
    least: int | None
    most: int | None
    is_reserved: bool
    goes_to_zero: NotRequired[bool]
    variants: NotRequired[int]


def replaced(request: EndpointRequest, plan: EndpointPlan, **range_of: Unpack[Range]) -> Replaced:
    """What a rollout of an endpoint replaces.

    Args:
        request: What the caller asks of the endpoint, with tokens hidden.
        plan: Its plan, without problems.
        range_of: Instances, or copies of the model; the smallest and the largest number of them, None if it is not
            known; whether the instances are reserved ones; whether there may be none, by default not; how many
            production variants the endpoint has, by default one.
    """
    limits = (
        _known(request.instance_provision_timeout_seconds, SEARCH),
        _known(request.model_download_timeout_seconds, plan.model_download_timeout_seconds or 0),
        _known(request.startup_timeout_seconds, plan.startup_timeout_seconds),
    )
    names = [one.instance.name for one in plan.pools or [plan]]
    return Replaced(
        unit=range_of["unit"],
        least=range_of["least"],
        most=range_of["most"],
        start_seconds=start_seconds(plan.load_seconds),
        start_limit_seconds=sum(limits),
        is_scarce=range_of["is_reserved"] or any(_SCARCE.match(name) for name in names),
        goes_to_zero=range_of.get("goes_to_zero", False),
        variants=range_of.get("variants", 1),
    )


def plan_rollout(request: RolloutRequest | None, what: Replaced) -> RolloutPlan:
    """The rollout of a request without problems, or the default.

    The default is all at once where there may be one instance or copy only, and with several variants, as SageMaker
    rolls neither; else rolling by half, and by the smallest batch where further instances are scarce.

    Args:
        request: What the caller asks for; None for the default.
        what: What is replaced.
    """
    if request is None:
        request = RolloutRequest(strategy=_default_strategy(what))
    size = _size(request, what)
    wait = 0 if request.strategy is Strategy.ALL_AT_ONCE else _or(request.wait_seconds, WAIT)
    termination_wait = _or(request.termination_wait_seconds, WAIT if request.strategy is Strategy.ALL_AT_ONCE else 0)
    return RolloutPlan(
        strategy=request.strategy,
        size=size,
        wait_seconds=wait,
        termination_wait_seconds=termination_wait,
        time_limit_seconds=_or(request.time_limit_seconds, _time_limit(request, what)),
        rollback_size=size if _or(request.rolls_back_in_batches, _rolls_back_slowly(request, what)) else None,
    )


def batch_of(request: RolloutRequest | None, what: Replaced) -> int | None:
    """How many new instances or copies an update starts beside the smallest number of old ones; None: as many.

    Args:
        request: What the caller asks for; None for the default.
        what: What is replaced; their smallest number is known.
    """
    size = plan_rollout(request, what).size
    if size is None or plan_rollout(request, what).strategy is not Strategy.ROLLING:
        return None
    return size.value if size.kind == "count" else math.ceil((what.least or 0) * size.value / 100)


def waits(request: RolloutRequest, what: Replaced) -> int:
    """Seconds that a rollout waits in all."""
    wait = 0 if request.strategy is Strategy.ALL_AT_ONCE else _or(request.wait_seconds, WAIT)
    last = _or(request.termination_wait_seconds, WAIT if request.strategy is Strategy.ALL_AT_ONCE else 0)
    return _steps(request, what) * wait + last


def expected_seconds(request: RolloutRequest, what: Replaced) -> int:
    """Seconds that a rollout takes, as an estimate."""
    return _starts(request, what) * what.start_seconds + waits(request, what)


def _time_limit(request: RolloutRequest, what: Replaced) -> int:
    """As long as SageMaker allows each start, and the waits: a shorter one would end what those limits permit."""
    longest = _starts(request, what) * what.start_limit_seconds + waits(request, what)
    return min(LONGEST_LIMIT, max(SHORTEST_LIMIT, longest))


def _default_strategy(what: Replaced) -> Strategy:
    return Strategy.ROLLING if what.has_several and what.variants == 1 else Strategy.ALL_AT_ONCE


def _size(request: RolloutRequest, what: Replaced) -> BatchSize | None:
    if request.strategy is Strategy.ALL_AT_ONCE:
        return None
    if request.count is not None:
        return BatchSize("count", request.count)
    if request.percent is not None:
        return BatchSize("percent", request.percent)
    if request.strategy is Strategy.CANARY or what.goes_to_zero:
        return BatchSize("count", 1)
    if request.strategy is Strategy.LINEAR:
        return BatchSize("percent", _at_least_one(LINEAR_PERCENT, what))
    return _smallest_batch(what) if what.is_scarce else BatchSize("percent", ROLLING_PERCENT)


def _smallest_batch(what: Replaced) -> BatchSize:
    """One instance or copy, unless that could be less than SageMaker's smallest share."""
    lowest, _ = PERCENT[Strategy.ROLLING]
    if what.most is not None and what.most * lowest <= 100:
        return BatchSize("count", 1)
    return BatchSize("percent", _at_least_one(lowest, what))


def _at_least_one(percent: int, what: Replaced) -> int:
    """The share, or a larger one that is one whole instance or copy of the least; half if the least is not known."""
    highest = ROLLING_PERCENT
    return min(highest, max(percent, math.ceil(100 / what.least))) if what.least else highest


def _rolls_back_slowly(request: RolloutRequest, what: Replaced) -> bool:
    return request.strategy is Strategy.ROLLING and what.is_scarce


def _steps(request: RolloutRequest, what: Replaced) -> int:
    """How often a rollout waits: after a canary, and once more after the rest."""
    size = _size(request, what)
    if size is None:
        return 0
    if request.strategy is Strategy.CANARY:
        return 2
    lowest, _ = PERCENT[request.strategy]
    return size.batches(what.least, what.most, lowest)


def _starts(request: RolloutRequest, what: Replaced) -> int:
    """How often it waits for new instances or copies: blue/green starts all at the same time."""
    return _steps(request, what) if request.strategy is Strategy.ROLLING else 1


def _or(given: Value | None, default: Value) -> Value:
    return default if given is None else given


def _known(given: object, default: int) -> int:
    """The limit of the caller, or the default; the longest one for what only the deployment knows."""
    return given if isinstance(given, int) else LONGEST if isinstance(given, Unknown) else default
