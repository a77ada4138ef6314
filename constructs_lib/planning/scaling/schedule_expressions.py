"""The expressions of Application Auto Scaling's schedules: `cron(…)` and `at(…)`.

Sources: Application Auto Scaling User Guide, "Schedule recurring scaling actions using cron expressions"; botocore
1.44.5, application-autoscaling 2016-02-06, PutScheduledAction.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from constructs_lib.planning.validation.problem import Problem

_EXPRESSION = re.compile(r"(?P<kind>[a-z]+)\s*\((?P<fields>.*)\)", re.IGNORECASE)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


@dataclass(frozen=True)
class _Field:
    """One of the six fields of a cron expression.

    Args:
        name: What it is.
        lowest: Its smallest number.
        highest: Its largest number.
        names: What may take the place of the numbers, from the smallest on.
        special: What it may be besides, as a regular expression.
    """

    name: str
    lowest: int
    highest: int
    names: tuple[str, ...] = ()
    special: str = r"(?!)"

    def accepts(self, text: str) -> bool:
        return all(re.fullmatch(self.special, part) or self._accepts(part) for part in text.upper().split(","))

    def _accepts(self, part: str) -> bool:
        span, slash, step = part.partition("/")
        if slash and not (step.isascii() and step.isdigit() and int(step) > 0):
            return False
        first, hyphen, last = span.partition("-")
        if span == "*":
            return True
        begin, end = self._number(first), self._number(last) if hyphen else self.highest
        return begin is not None and end is not None and self.lowest <= begin <= end <= self.highest

    def _number(self, text: str) -> int | None:
        if text in self.names:
            return self.names.index(text) + self.lowest
        return int(text) if text.isascii() and text.isdigit() else None


_FIELDS = (
    _Field("minutes", 0, 59),
    _Field("hours", 0, 23),
    _Field("day of month", 1, 31, special=r"\?|L|LW|([1-9]|[12]\d|3[01])W"),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 1, 7, _DAYS, special=r"\?|L|([1-7]|[A-Z]{3})(L|#[1-5])"),
    _Field("year", 1970, 2199),
)
_EXAMPLE = "cron(0 8 ? * MON-FRI *)"


def is_expression(text: object) -> bool:
    """Whether a text is meant as an expression, right or wrong."""
    return isinstance(text, str) and _EXPRESSION.fullmatch(text.strip()) is not None


def expression_problem(keyword: str, text: str) -> Problem | None:
    """What is wrong with an expression; None if it is right.

    Args:
        keyword: The argument as the caller wrote it.
        text: The expression, by `is_expression`.
    """
    form = _EXPRESSION.fullmatch(text.strip())
    kind, fields = (form["kind"], form["fields"]) if form else ("", "")
    if kind == "at":
        return _at_problem(keyword, text, fields)
    if kind == "cron":
        return _cron_problem(keyword, text, fields.split())
    return Problem(keyword, text, "must be a cron(…) or at(…) expression", f"Write {_EXAMPLE}.")


def _at_problem(keyword: str, text: str, moment: str) -> Problem | None:
    try:
        datetime.strptime(moment, "%Y-%m-%dT%H:%M:%S")  # noqa: DTZ007 - the time zone is an argument of its own
    except ValueError:
        return Problem(keyword, text, "must be at(yyyy-mm-ddThh:mm:ss)", "Write at(2026-12-24T18:00:00).")
    return None


def _cron_problem(keyword: str, text: str, fields: list[str]) -> Problem | None:
    if len(fields) != len(_FIELDS):
        names = ", ".join(field.name for field in _FIELDS)
        return Problem(keyword, text, f"must have six fields: {names}", f"Write {_EXAMPLE}.")
    for field, given in zip(_FIELDS, fields, strict=True):
        if not field.accepts(given):
            allowed = f"{field.lowest}-{field.highest}" + (
                f" or {field.names[0]}-{field.names[-1]}" if field.names else ""
            )
            return Problem(keyword, text, f"has {given!r} for the {field.name}", f"Write {allowed}, or *.")
    if (fields[2] == "?") == (fields[4] == "?"):
        return Problem(
            keyword, text, "must have ? for either the day of month or the day of week", f"Write {_EXAMPLE}."
        )
    return None
