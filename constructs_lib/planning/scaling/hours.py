"""The hours in which at least one copy of a model runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningHours:
    """Weekly hours.

    Args:
        windows: Day (0 is Monday), first minute of the day, and minute after the last one, at most 1440.
        time_zone: IANA name.
        tz: The same as POSIX writes it in TZ, with the rules of daylight saving time.
        outside: `idle`: requests wake the model; `closed`: they do not.
    """

    windows: tuple[tuple[int, int, int], ...]
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
