"""Validates what a front door does with models that have zero copies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from aws_cdk import Duration

from constructs_lib.front_door.routed_models import waiting_endpoints
from constructs_lib.planning.scaling.wake import WakeFacts
from constructs_lib.planning.validation.problem import Problem
from constructs_lib.planning.validation.rules import Boolean, problem

if TYPE_CHECKING:
    from constructs_lib.front_door.arguments import FrontDoorArguments

_ALONE = "or leave it out: clients then get 503 with the time that the wake takes."


def waking_problems(arguments: FrontDoorArguments) -> Iterator[Problem]:
    """The problems of `on_wake` and `wake`.

    Args:
        arguments: The front door's arguments, whatever their types are.
    """
    if found := problem("wake", arguments.wake, Boolean()):
        yield found
    on_wake: object = arguments.on_wake
    if on_wake is None:
        return
    if on_wake != "hold":
        yield Problem("on_wake", on_wake, 'must be "hold"', f'Write "hold", {_ALONE}')
    elif arguments.streaming is False:
        message = f"requires streaming=True: without it a request has {arguments.max_timeout_seconds} seconds in all"
        yield Problem("on_wake", on_wake, message, f"Use streaming=True, {_ALONE}")


def estimate_problems(arguments: FrontDoorArguments) -> Iterator[Problem]:
    """Models that cannot answer before the timeout: all who wait for one would wait in vain.

    Args:
        arguments: The front door's arguments, whose models have no problem.
    """
    if arguments.on_wake != "hold" or arguments.streaming is False:
        return
    timeout = arguments.timeout_or_default()
    if not isinstance(timeout, Duration) or timeout.is_unresolved():
        return
    seconds = timeout.to_milliseconds() / 1000
    waiting = [(name, one) for name, model in arguments.models.items() for one in waiting_endpoints(model)]
    for name, endpoint in waiting:
        wake: object = getattr(endpoint, "wake", None)
        if not isinstance(wake, WakeFacts) or wake.seconds <= seconds:
            continue
        longest = arguments.max_timeout_seconds
        raised = f"Raise the timeout up to {longest} s, " if wake.seconds <= longest else "Use faster hardware, "
        yield Problem(
            "on_wake",
            "hold",
            f"models[{name!r}] takes about {wake.seconds} s to wake, but a request has {seconds:g} s in all",
            f"{raised}{_ALONE}",
        )
