"""The hours in which at least one copy of a model runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from constructs_lib.planning.scaling.time_zones import posix_rule, time_zone_problems
from constructs_lib.planning.scaling.weekly_windows import (
    Window,
    cover_the_week,
    read_windows,
)
from constructs_lib.planning.validation.problem import Problem

IDLE: Final = "idle"
CLOSED: Final = "closed"


@dataclass(frozen=True, slots=True)
class WeeklyHours:
    """Hours as a caller writes them.

    Args:
        texts: The windows, such as `mon-fri 08:00-19:00`.
        time_zone: IANA name.
        outside: `idle` or `closed`.
    """

    texts: tuple[str, ...]
    time_zone: str
    outside: str


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

    def to_json(self) -> dict[str, Any]:
        """The hours as the front door's function reads them."""
        return {
            "windows": [list(window) for window in self.windows],
            "tz": self.tz,
            "time_zone": self.time_zone,
            "outside": self.outside,
        }


def hours_problems(keyword: str, hours: WeeklyHours) -> Iterator[Problem]:
    """What is wrong with hours.

    Args:
        keyword: The argument that has them.
        hours: The hours.
    """
    texts = hours.texts
    windows, problems = read_windows(f"{keyword}.hours", texts)
    yield from problems
    if not problems and cover_the_week(windows):
        yield Problem(
            f"{keyword}.hours",
            texts[0] if len(texts) == 1 else texts,
            "cover the whole week, so that the endpoint never goes to zero",
            f"Leave {keyword} out.",
        )
    yield from time_zone_problems(f"{keyword}.time_zone", hours.time_zone)
    if hours.outside not in (IDLE, CLOSED):
        yield Problem(
            f"{keyword}.outside",
            hours.outside,
            "must be idle or closed",
            "Write outside='idle' if requests may wake the model, or outside='closed'.",
        )


def read_hours(hours: WeeklyHours) -> OpeningHours:
    """The windows and the rule of the time zone of hours without `hours_problems`."""
    windows, _ = read_windows("hours", hours.texts)
    zone = hours.time_zone
    return OpeningHours(windows=windows, time_zone=zone, tz=posix_rule(zone), outside=hours.outside)
