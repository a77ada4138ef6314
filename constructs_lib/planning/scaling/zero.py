"""An endpoint that goes to zero copies: how many instances its copies need, when it goes, and what is wrong."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from constructs_lib.planning.request import EndpointPlan, EndpointRequest
from constructs_lib.planning.scaling.hours import WeeklyHours, hours_problems, read_hours
from constructs_lib.planning.scaling.limits import default_target, request_tokens_problems
from constructs_lib.planning.scaling.policies import IDLE, SHORTEST_IDLE
from constructs_lib.planning.scaling.startup import wake_seconds
from constructs_lib.planning.scaling.wake import WakeFacts
from constructs_lib.planning.validation.problem import PlanWarning, Problem
from constructs_lib.planning.validation.rules import Integer, Number, problem
from constructs_lib.planning.validation.unknown import Unknown

LONGEST_IDLE = 86_400
"""Seconds that an alarm with periods of one minute may look back (botocore 1.44.5, cloudwatch 2010-08-01,
PutMetricAlarm)."""

_REFUSING_REGIONS = {"eu-west-3"}
"""Regions that were seen to refuse a minimum of 0 instances (stdapi-ai/stdapi.ai issue 43, August 2026)."""

_ARGUMENT = "scale_to_zero"
_TARGET = Number("above 0", above=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ZeroRequest:
    """How an endpoint is to go to zero copies, and come back.

    Args:
        idle_seconds: Without a request before the last copy is removed. None: 30 minutes.
        max_copies: Most copies.
        request_tokens: Prompt and answer of one request together. None: the longest request.
        target: Concurrent requests of one copy at which another one is added. None: as the plan knows it.
        hours: When at least one copy runs. None: no such hours.
    """

    idle_seconds: int | None
    max_copies: int
    request_tokens: int | None
    target: float | None
    hours: WeeklyHours | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ZeroPlan:
    """What a construct renders.

    Args:
        idle_minutes: Without a request before the last copy is removed.
        max_copies: Most copies.
        max_instances: The instances that they need.
        update_instances: The instances that they need while an update starts as many new copies beside the old ones.
        request_tokens: Prompt and answer of one request together; None if that is not known.
        target: Concurrent requests of one copy at which another one is added; None for one copy.
        low_load: Concurrent requests of each copy below which one copy could carry the load of all; None for one copy,
            and if nothing tells.
        wake: How it comes back.
    """

    idle_minutes: int
    max_copies: int
    max_instances: int
    update_instances: int
    request_tokens: int | None
    target: float | None
    low_load: float | None
    wake: WakeFacts


def plan_zero(request: ZeroRequest | None, plan: EndpointPlan) -> ZeroPlan | None:
    """The plan of a request without problems; None without one.

    Args:
        request: How it goes to zero.
        plan: The plan of the endpoint.
    """
    if request is None:
        return None
    idle = IDLE if request.idle_seconds is None else request.idle_seconds
    hours = None if request.hours is None else read_hours(request.hours)
    copies_each = copies_per_instance(plan)
    return ZeroPlan(
        idle_minutes=idle // 60,
        max_copies=request.max_copies,
        max_instances=math.ceil(request.max_copies / copies_each),
        update_instances=math.ceil(2 * request.max_copies / copies_each),
        request_tokens=request.request_tokens if isinstance(request.request_tokens, int) else None,
        target=_target(request, plan),
        low_load=_low_load(request, plan),
        wake=WakeFacts(seconds=wake_seconds(plan.load_seconds), hours=hours),
    )


def copies_per_instance(plan: EndpointPlan) -> int:
    """The copies that one instance of any type has GPUs for; 1 if its GPUs are not known."""
    return min(max(1, (one.instance.accelerator_count or 1) // one.accelerators) for one in plan.pools or [plan])


def zero_problems(request: ZeroRequest | None, endpoint: EndpointRequest, plan: EndpointPlan) -> Iterator[Problem]:
    """What is wrong with a request.

    Args:
        request: How it goes to zero. None: not at all.
        endpoint: What the caller asks of the endpoint.
        plan: Its plan.
    """
    if request is None:
        return
    yield from _idle_problems(request.idle_seconds)
    yield from _copies_problems(request, plan)
    if request.hours is not None:
        yield from hours_problems(_ARGUMENT, request.hours)
    if endpoint.instance_count != 1:
        yield Problem(
            "instance_count",
            endpoint.instance_count,
            "is for an endpoint without scale_to_zero, whose instances follow its copies",
            "Leave it out, and set max_copies of ScaleToZero.",
        )


def zero_warnings(request: ZeroRequest | None, endpoint: EndpointRequest, plan: EndpointPlan) -> Iterator[PlanWarning]:
    """What is legal but risky about a request without problems.

    Args:
        request: How it goes to zero. None: not at all.
        endpoint: What the caller asks of the endpoint.
        plan: Its plan.
    """
    if request is None:
        return
    if endpoint.region in _REFUSING_REGIONS:
        yield PlanWarning(
            "tgi-endpoint:zeroInstancesRefused",
            f"SageMaker was seen to refuse a minimum of 0 instances in {endpoint.region} (August 2026). If the"
            ' deployment fails with "Min instance count needs to be greater than 0", leave out scale_to_zero, or deploy'
            " to another Region.",
        )
    target = _target(request, plan)
    if target is not None and _low_load(request, plan) is None:
        yield PlanWarning(
            "tgi-endpoint:copiesStayUntilIdle",
            f"A copy has {target:g} concurrent requests before another one is added, no more than max_copies="
            f"{request.max_copies}; so nothing tells when one copy could carry the load of all, and all stay until"
            " nobody asks the model. Lower max_copies, or set request_tokens to what your clients send.",
        )


def _target(request: ZeroRequest, plan: EndpointPlan) -> float | None:
    if request.max_copies == 1:
        return None
    return request.target or default_target(plan, request.request_tokens)


def _low_load(request: ZeroRequest, plan: EndpointPlan) -> float | None:
    """The target divided by the most copies, as no metric says how many there are; None if no load is below that."""
    target = _target(request, plan)
    return None if target is None or target <= request.max_copies else target / request.max_copies


def _idle_problems(idle: object) -> Iterator[Problem]:
    keyword = f"{_ARGUMENT}.idle"
    if isinstance(idle, Unknown):
        yield Problem(keyword, idle, "must be known at synth, as an alarm counts its minutes", "Write it as a number.")
    elif isinstance(idle, int | float) and (idle % 60 or not SHORTEST_IDLE <= idle <= LONGEST_IDLE):
        allowed = f"must be whole minutes, from {SHORTEST_IDLE} to {LONGEST_IDLE} seconds"
        yield Problem(keyword, idle, allowed, "Write Duration.minutes(30), or leave it out.")


def _copies_problems(request: ZeroRequest, plan: EndpointPlan) -> Iterator[Problem]:
    keyword = f"{_ARGUMENT}.max_copies"
    copies: object = request.max_copies
    if isinstance(copies, Unknown):
        message = "must be known at synth, as the number of instances is worked out from it"
        yield Problem(keyword, copies, message, "Write it as a number.")
    elif found := problem(keyword, copies, Integer(1, unit="copies")):
        yield found
    elif copies != 1:
        yield from _target_problems(request, plan)
    else:
        given = {"target": request.target, "request_tokens": request.request_tokens}
        for name, value in given.items():
            if value is not None:
                message = "decides when a second copy is added, and there is at most one"
                yield Problem(f"{_ARGUMENT}.{name}", value, message, "Leave it out, or raise max_copies.")


def _target_problems(request: ZeroRequest, plan: EndpointPlan) -> Iterator[Problem]:
    """What is wrong with what decides when another copy is added."""
    tokens = list(request_tokens_problems(request.request_tokens, plan))
    yield from (replace(each, keyword=f"{_ARGUMENT}.{each.keyword}") for each in tokens)
    keyword = f"{_ARGUMENT}.target"
    target: object = request.target
    if target is None and not tokens and default_target(plan, request.request_tokens) is None:
        message = "is required for several copies: the plan does not know how many requests fit one"
        yield Problem(keyword, None, message, "Set it to the concurrent requests that a copy is to have.")
    if isinstance(target, Unknown):
        yield Problem(keyword, target, "must be known at synth, as an alarm divides it", "Write it as a number.")
    elif target is not None and (found := problem(keyword, target, _TARGET)):
        yield found
