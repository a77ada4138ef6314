"""The hours in which at least one copy of a model runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from constructs_lib.planning.scaling.time_zones import posix_rule, time_zone_problems
from constructs_lib.planning.scaling.weekly_windows import (
    Window,
    cover_the_week,
    end_expressions,
    read_windows,
    start_expressions,
)
from constructs_lib.planning.validation.problem import Problem

IDLE, CLOSED = "idle", "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningHours:
    """Weekly hours.

    Args:
        windows: Day (0 is Monday), first minute of the day, and minute after the last one, at most 1440.
        time_zone: IANA name.
        tz: The same as POSIX writes it in TZ, with the rules of daylight saving time.
        outside: `idle`: requests wake the model; `closed`: they do not.
    """

    windows: tuple[Window, ...]
    time_zone: str
    tz: str
    outside: str

    def starts(self) -> tuple[str, ...]:
        """When the hours start, as cron expressions in local time."""
        return start_expressions(self.windows)

    def ends(self) -> tuple[str, ...]:
        """When the hours end, as cron expressions in local time."""
        return end_expressions(self.windows)

    def to_json(self) -> dict[str, Any]:
        """The hours as the front door's function reads them."""
        return {
            "windows": [list(window) for window in self.windows],
            "tz": self.tz,
            "time_zone": self.time_zone,
            "outside": self.outside,
        }


def hours_problems(texts: Sequence[object], time_zone: object, outside: object) -> Iterator[Problem]:
    """What is wrong with the arguments of `ScaleToZero.hours`.

    Args:
        texts: The windows.
        time_zone: IANA name.
        outside: `idle` or `closed`.
    """
    windows, problems = read_windows("hours", texts)
    yield from problems
    if not problems and cover_the_week(windows):
        yield Problem(
            "hours",
            texts[0] if len(texts) == 1 else texts,
            "cover the whole week, so that the endpoint never goes to zero",
            "Leave scale_to_zero out.",
        )
    yield from time_zone_problems("time_zone", time_zone)
    if outside not in (IDLE, CLOSED):
        yield Problem(
            "outside",
            outside,
            "must be idle or closed",
            "Write outside='idle' if requests may wake the model, or outside='closed'.",
        )


def read_hours(texts: Sequence[str], time_zone: str, outside: str) -> OpeningHours:
    """The hours of arguments without `hours_problems`."""
    windows, _ = read_windows("hours", texts)
    return OpeningHours(windows=windows, time_zone=time_zone, tz=posix_rule(time_zone), outside=outside)
