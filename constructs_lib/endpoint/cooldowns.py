"""How long a policy waits after it has changed the number of instances or copies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypedDict

from aws_cdk import Duration

from constructs_lib._arguments import quantity_problems, seconds
from constructs_lib._tokens import hide_token
from constructs_lib.planning.scaling.policies import SCALE_IN_COOLDOWN, SCALE_OUT_COOLDOWN
from constructs_lib.planning.validation.problem import Problem
from constructs_lib.planning.validation.rules import Integer, problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_DEFAULTS = {"scale_out_cooldown": SCALE_OUT_COOLDOWN, "scale_in_cooldown": SCALE_IN_COOLDOWN}
_RULE = Integer(0, unit="seconds")


class Cooldowns(TypedDict, total=False):
    """How long a policy waits after it has changed the number, before it changes it again.

    Args:
        scale_out_cooldown: The time before it adds more, in whole seconds; an addition that is larger than the last one
            does not wait. Default: 10 minutes, longer than a new instance takes until it serves.
        scale_in_cooldown: The time before it removes more, in whole seconds. Default: 5 minutes.
    """

    scale_out_cooldown: Duration
    scale_in_cooldown: Duration


def cooldown_problems(cooldowns: Mapping[str, object]) -> Iterator[Problem]:
    """What is wrong with cooldowns, also that there is no such one."""
    for keyword, value in cooldowns.items():
        if keyword not in _DEFAULTS:
            fix = f"Write {' or '.join(_DEFAULTS)}, or leave it out."
            yield Problem(keyword, value, "is no argument of a policy", fix)
        elif isinstance(value, Duration):
            if found := problem(keyword, hide_token(seconds(value)), _RULE):
                yield found
        else:
            yield from quantity_problems(**{keyword: value})


def cooldown_seconds(cooldowns: Cooldowns, keyword: Literal["scale_out_cooldown", "scale_in_cooldown"]) -> int:
    """One of the cooldowns without `cooldown_problems`, in seconds, with its default."""
    given = seconds(cooldowns.get(keyword))
    return _DEFAULTS[keyword] if given is None else given
