"""What `FrontDoor(hardened=True)` requires, and how much concurrency it reserves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs_lib._arguments import is_whole_number
from constructs_lib._tokens import is_token
from constructs_lib.front_door.consumers import DEFAULT_RATE
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.front_door.arguments import FrontDoorArguments


def hardened_problems(arguments: FrontDoorArguments) -> Iterator[Problem]:
    """What a hardened front door lacks, all of it in one problem.

    Args:
        arguments: The arguments, whatever their types are.
    """
    if arguments.hardened is not True:
        return
    given = {"encryption_key": arguments.encryption_key, "vpc": arguments.network.vpc}
    if missing := " and ".join(keyword for keyword, value in given.items() if value is None):
        fix = f"Set {missing} as well, or remove hardened and set what you need of it."
        yield Problem("hardened", True, f"requires {missing}", fix)
    if arguments.execution_logging is False:
        fix = "Remove execution_logging, or hardened."
        yield Problem("execution_logging", False, "contradicts hardened=True, which logs executions", fix)


def hardened_concurrency(rate_limit: object) -> float:
    """The reserved concurrency of a hardened front door: as many requests as it accepts a second.

    Args:
        rate_limit: The argument, whatever its type is.
    """
    return rate_limit if is_whole_number(rate_limit) and not is_token(rate_limit) and rate_limit >= 1 else DEFAULT_RATE
