"""What the caller of `monitor` says of alarms: which ones there are, and what is wrong with a threshold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from constructs_lib.planning.monitoring.alarm import HOUR, LONGEST_RANGE_OF_HOURS
from constructs_lib.planning.monitoring.objectives import MIN_OBJECTIVE
from constructs_lib.planning.validation.problem import Problem
from constructs_lib.planning.validation.rules import Integer, Number, Rule, String, problem
from constructs_lib.planning.validation.unknown import Unknown

_PERCENT = Number("above 0 and at most 100, in percent", above=0, inclusive_maximum=100)
_COUNT = Number("above 0", above=0)

_MOST_HOURS = LONGEST_RANGE_OF_HOURS // HOUR


class _WholeHours:
    """A duration, in hours."""

    def validate(self, value: object) -> tuple[str, str] | None:
        """See `Rule.validate`."""
        if isinstance(value, int) and 1 <= value <= _MOST_HOURS:
            return None
        return (f"must be whole hours, from 1 to {_MOST_HOURS}", "Write Duration.hours(24), or leave it out.")

    def to_env(self, value: object) -> str:
        """See `Rule.to_env`."""
        return str(value)


MODEL_RULES: Mapping[str, Rule] = {
    "model_errors": _PERCENT,
    "no_capacity": Integer(1, unit="requests in five minutes"),
    "overload": _COUNT,
    "idle": _WholeHours(),
}
"""The alarms of a model, with what their thresholds may be."""

INSTANCE_RULES: Mapping[str, Rule] = {"disk": _PERCENT, "host_memory": _PERCENT}
"""The alarms of instances."""

FRONT_DOOR_RULES: Mapping[str, Rule] = {
    "server_errors": _PERCENT,
    "time_to_first_token": Number("above 0 seconds", above=0),
    "overload": _PERCENT,
    "fallbacks": _PERCENT,
    "function_errors": Integer(1, unit="invocations in five minutes"),
    "throttles": Integer(1, unit="invocations in five minutes"),
    "concurrency": Integer(1, unit="executions"),
    "gateway_errors": _PERCENT,
    "store_failures": Integer(1, unit="requests in five minutes"),
    "availability_objective": Number(
        f"above {MIN_OBJECTIVE:.2f} and below 100, in percent", above=MIN_OBJECTIVE, below=100
    ),
    "first_token_objective": Number(
        f"a pair whose first number is above {MIN_OBJECTIVE:.2f} and below 100, in percent",
        above=MIN_OBJECTIVE,
        below=100,
    ),
}
"""The alarms and objectives of a front door."""

_RUNBOOK = String("an address or a path without spaces and without #", r"[^\s#]+", longest=400)


def threshold_problems(given: Mapping[str, object], rules: Mapping[str, Rule]) -> Iterator[Problem]:
    """What is wrong with thresholds.

    Args:
        given: By the keyword of the alarm; None leaves it out.
        rules: The alarms that there are.
    """
    for keyword, value in given.items():
        if keyword not in rules:
            close = get_close_matches(keyword, rules, 1)
            fix = f"Did you mean {close[0]}?" if close else "Leave it out."
            yield Problem(keyword, value, f"is none of the alarms here: {', '.join(rules)}", fix)
        elif isinstance(value, Unknown):
            message = "must be known at synth, as the alarm's description says it"
            yield Problem(keyword, value, message, "Write it as a number, or leave it out.")
        elif value is not None and (found := problem(keyword, value, rules[keyword])):
            yield found


def runbook_problems(runbook: object) -> Iterator[Problem]:
    """What is wrong with where the runbook is.

    Args:
        runbook: What the caller says.
    """
    if found := problem("runbook", runbook, _RUNBOOK):
        yield found
