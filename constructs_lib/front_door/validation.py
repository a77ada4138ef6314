"""What can be wrong with the arguments of FrontDoor, found before anything is created. Pure Python: no aws_cdk here."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeGuard

from constructs_lib.planning.validation.problem import Problem
from constructs_lib.planning.validation.rules import Boolean, problem

# API Gateway: a REST integration waits 50 ms to 29 s for a buffered answer and up to 15 min for a streamed one.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html
STREAMED_SECONDS = 900
BUFFERED_SECONDS = 29

_MEMORY_MIB = (128, 10240)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontDoorArguments:
    """The arguments that are plain values, durations in seconds."""

    streaming: bool
    cloud_watch_role: bool
    playground: bool
    signed: bool
    timeout_seconds: float | None
    timeout_is_token: bool
    memory_size: float
    rate_limit: float
    burst_limit: float


def check(arguments: FrontDoorArguments, is_token: Callable[[object], bool]) -> list[Problem]:
    """All problems of the arguments.

    Args:
        arguments: What the caller of FrontDoor gave.
        is_token: Whether a value is known only at deployment; such values are not checked.
    """
    return [
        *_check_flags(arguments),
        *_check_timeout(arguments),
        *_check_memory(arguments.memory_size, is_token),
        *limit_problems({"rate_limit": arguments.rate_limit, "burst_limit": arguments.burst_limit}, is_token),
    ]


def _check_flags(arguments: FrontDoorArguments) -> Iterator[Problem]:
    for keyword in ("streaming", "cloud_watch_role", "playground"):
        if found := problem(keyword, getattr(arguments, keyword), Boolean()):
            yield found
    if arguments.playground is True and arguments.signed:
        yield Problem(
            "playground",
            True,
            "has no meaning with Access.iam(): a page holds no AWS credentials to sign its requests with",
            "Leave playground out, or give another access.",
        )


def _check_timeout(arguments: FrontDoorArguments) -> Iterator[Problem]:
    if arguments.timeout_is_token:
        yield Problem(
            "timeout",
            "a value known only at deployment",
            "must be known at synth, since Lambda counts it in seconds and API Gateway in milliseconds",
            "Write it as a number.",
        )
    seconds = arguments.timeout_seconds
    if seconds is None:
        return
    longest = STREAMED_SECONDS if arguments.streaming else BUFFERED_SECONDS
    # Lambda counts its timeout in whole seconds.
    if not 1 <= seconds <= longest or seconds != int(seconds):
        how = "streams" if arguments.streaming else "does not stream"
        longer = "" if arguments.streaming else ", or let the front door stream (streaming=True) for up to 15 minutes"
        yield Problem(
            "timeout",
            f"{seconds:g} s",
            f"must be a whole number of seconds from 1 to {longest}, since the API {how}",
            f"Choose a timeout in that range{longer}.",
        )


def _check_memory(memory: object, is_token: Callable[[object], bool]) -> Iterator[Problem]:
    low, high = _MEMORY_MIB
    if not is_token(memory) and not (_is_whole(memory) and low <= memory <= high):
        yield Problem("memory_size", memory, f"must be {low} to {high} MiB", "Use 512 unless you measured otherwise.")


def limit_problems(limits: Mapping[str, object], is_token: Callable[[object], bool]) -> Iterator[Problem]:
    """What is wrong with a steady rate and a burst.

    Args:
        limits: The rate and then the burst, by the keywords under which they were given.
        is_token: Whether a value is known only at deployment; such values are not checked.
    """
    (rate_keyword, rate), (burst_keyword, burst) = limits.items()
    if not is_token(rate) and not (_is_number(rate) and rate > 0):
        message = "must be more than 0 requests per second"
        yield Problem(rate_keyword, rate, message, "Give the steady rate.")
    if not is_token(burst) and not (_is_whole(burst) and burst >= 1):
        message = "must be a whole number from 1 on"
        yield Problem(burst_keyword, burst, message, "Give how many requests may arrive at once.")


def consumer_problems(
    limits: Mapping[str, object],
    door_limits: Mapping[str, object],
    monthly_requests: object,
    is_token: Callable[[object], bool],
) -> Iterator[Problem]:
    """What is wrong with the limits of a consumer.

    Args:
        limits: Its rate and then its burst, by keyword.
        door_limits: Those of the whole front door.
        monthly_requests: Its quota. None: it has none.
        is_token: Whether a value is known only at deployment; such values are not checked.
    """
    wrong = list(limit_problems(limits, is_token))
    yield from wrong
    for (keyword, value), (door_keyword, most) in zip(limits.items(), door_limits.items(), strict=True):
        known = not is_token(value) and not is_token(most) and not any(found.keyword == keyword for found in wrong)
        if known and _is_number(value) and _is_number(most) and value > most:
            message = f"is more than the whole front door takes, {most:g}"
            yield Problem(keyword, value, message, f"Lower it, or raise {door_keyword} of the front door.")
    quota = monthly_requests
    if quota is not None and not is_token(quota) and not (_is_whole(quota) and quota >= 1):
        fix = "Raise it, or leave it out for no quota at all."
        yield Problem("monthly_requests", quota, "must be a whole number from 1 on", fix)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_whole(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and _is_number(value) and value == int(value)
