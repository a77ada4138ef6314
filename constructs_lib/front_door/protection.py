"""The arguments of a front door that protect its functions and what they keep, and what they become."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from aws_cdk import Annotations, Duration

from constructs_lib._arguments import KEY, is_number, is_whole_number
from constructs_lib._key_policy import allow_services, key_problems
from constructs_lib._stack_env import environment_of
from constructs_lib._tokens import hide_token, is_token
from constructs_lib.planning.validation.problem import PlanWarning, Problem
from constructs_lib.planning.validation.rules import Boolean, Integer, problem
from constructs_lib.planning.validation.unknown import Unknown

if TYPE_CHECKING:
    from constructs import Construct

    from constructs_lib._protection import FunctionProtection
    from constructs_lib.front_door.arguments import FrontDoorArguments


def protection_problems(arguments: FrontDoorArguments) -> Iterator[Problem]:
    """The problems of encryption_key, the network, reserved_concurrency and execution_logging, each by itself.

    Args:
        arguments: The arguments of the front door, whatever their types are.
    """
    key = arguments.encryption_key
    yield from KEY.problems("encryption_key", key)
    if KEY.matches(key):
        yield from key_problems("encryption_key", key)
    yield from arguments.network.validate()
    concurrency = hide_token(arguments.reserved_concurrency)
    # The CDK's numbers are floats.
    concurrency = int(concurrency) if is_whole_number(concurrency) else concurrency
    if (
        concurrency is not None
        and not isinstance(concurrency, Unknown)
        and (found := problem("reserved_concurrency", concurrency, Integer(1, unit="invocations")))
    ):
        yield found
    if found := problem("execution_logging", arguments.execution_logging, Boolean()):
        yield found


def protect(front_door: Construct, arguments: FrontDoorArguments) -> FunctionProtection:
    """What the makers of functions, log groups, tables and queues take; warns about what may not work.

    Args:
        front_door: The front door.
        arguments: Its arguments, without problems.
    """
    warnings = list(concurrency_warnings(arguments))
    here = environment_of(front_door)
    if arguments.network.vpc is not None:
        warnings += arguments.network.reach_warnings(arguments, here)
    network = arguments.network.bind(front_door, arguments)
    if arguments.encryption_key is not None:
        warnings += allow_services(front_door, arguments.encryption_key)
    for warning in warnings:
        Annotations.of(front_door).add_warning_v2(warning.id, warning.message)
    return replace(
        network, encryption_key=arguments.encryption_key, reserved_concurrency=arguments.reserved_concurrency
    )


def concurrency_warnings(arguments: FrontDoorArguments) -> Iterator[PlanWarning]:
    """The warning about a reserved concurrency that does not fit the rate and the length of answers.

    Requests that are open at the same time are the rate times the seconds that one is open (Little's law).

    Args:
        arguments: The arguments of the front door, without problems.
    """
    reserved, rate, burst = arguments.reserved_concurrency, arguments.rate_limit, arguments.burst_limit
    timeout = arguments.timeout_or_default()
    known = [one for one in (reserved, rate, burst) if is_number(one) and not is_token(one)]
    if reserved is None or len(known) < 3 or not isinstance(timeout, Duration) or timeout.is_unresolved():
        return
    most = rate * (timeout.to_milliseconds() / 1000) + burst
    if reserved < rate:
        yield PlanWarning(
            "tgi-endpoint:lowReservedConcurrency",
            f"reserved_concurrency={reserved:g} is less than rate_limit={rate:g}: even if every answer took only a"
            f" second, {rate:g} would be open at once, and Lambda refuses what exceeds {reserved:g}. An answer takes"
            " one invocation until its last token. Raise reserved_concurrency, or lower rate_limit.",
        )
    elif reserved > most:
        yield PlanWarning(
            "tgi-endpoint:highReservedConcurrency",
            f"reserved_concurrency={reserved:g} can never be used: rate_limit={rate:g}, burst_limit={burst:g} and the"
            f" timeout allow {most:g} open requests, and no other function of the account gets what is reserved.",
        )
