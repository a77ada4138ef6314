"""The arguments of a front door for its Mirrors, and what they may be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from aws_cdk import Duration

from constructs_lib._arguments import is_whole_number, quantity_problems
from constructs_lib._tokens import hide_token
from constructs_lib.front_door.routed_models import mirrors_of
from constructs_lib.planning.validation.problem import Described, Problem
from constructs_lib.planning.validation.rules import Integer, problem
from constructs_lib.planning.validation.unknown import UNKNOWN, Unknown

if TYPE_CHECKING:
    from constructs_lib.front_door.arguments import FrontDoorArguments

DEFAULT_CONCURRENCY = 10
DEFAULT_TIMEOUT_SECONDS = 300
_MAX_TIMEOUT_SECONDS = 900


def mirror_problems(arguments: FrontDoorArguments) -> Iterator[Problem]:
    """The problems of `mirror_concurrency` and `mirror_timeout`.

    Args:
        arguments: The front door's arguments, whatever their types are.
    """
    given = {"mirror_concurrency": arguments.mirror_concurrency, "mirror_timeout": arguments.mirror_timeout}
    if not (isinstance(arguments.models, Mapping) and mirrors_of(arguments.models)):
        for keyword, value in given.items():
            if value is not None:
                message = "is for the copies of a Mirror, and no model has one"
                shown = Described("a Duration") if isinstance(value, Duration) else hide_token(value)
                yield Problem(keyword, shown, message, "Leave it out, or give a model a Mirror.")
        return
    concurrency = hide_token(arguments.mirror_concurrency)
    # The CDK's numbers are floats.
    concurrency = int(concurrency) if is_whole_number(concurrency) else concurrency
    if (
        concurrency is not None
        and not isinstance(concurrency, Unknown)
        and (found := problem("mirror_concurrency", concurrency, Integer(1, unit="invocations")))
    ):
        yield found
    timeout = arguments.mirror_timeout
    yield from quantity_problems(mirror_timeout=timeout)
    if not isinstance(timeout, Duration):
        return
    if timeout.is_unresolved():
        if (unit := timeout.unit_label()) != "seconds":
            message = f"is a number of {unit} that only the deployment knows, which the CDK cannot convert"
            yield Problem("mirror_timeout", UNKNOWN, message, "Write Duration.seconds(…).")
        return
    seconds = timeout.to_milliseconds() / 1000
    if not 1 <= seconds <= _MAX_TIMEOUT_SECONDS or seconds != int(seconds):
        message = f"must be a whole number of seconds from 1 to {_MAX_TIMEOUT_SECONDS}, Lambda's longest timeout"
        yield Problem("mirror_timeout", f"{seconds:g} s", message, "Choose a timeout in that range.")
