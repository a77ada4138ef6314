"""When a model is open, by the hours that the deployment wrote for it."""

import os
import threading
import time
from typing import Any, NamedTuple

# Each window begins within a week, or in the week after it if clocks skip it.
_LONGEST_SECONDS = 14 * 86400
_ONE_ZONE = threading.Lock()


class Opening(NamedTuple):
    """The next time at which a model opens: seconds since the epoch, and the local time in words."""

    at: int
    text: str


def next_opening(hours: dict[str, Any], now: float) -> Opening | None:
    """When a model opens that is closed at this time; None if it is not closed.

    The time zone comes with its rules, as Lambda need not have a database of them.

    Args:
        hours: `windows`: day (0 is Monday), first minute of the day and minute after the last one; `tz`: the time zone
            as POSIX writes it in TZ; `time_zone`: its name; `outside`: `closed`, or `idle` if requests wake the model.
        now: Seconds since the epoch.
    """
    if hours["outside"] != "closed":
        return None
    # The zone is the process's: one thread at a time.
    with _ONE_ZONE:
        before = os.environ.get("TZ")
        try:
            _set_zone(hours["tz"])
            return _next_opening(hours["windows"], hours["time_zone"], now)
        finally:
            _set_zone(before)


def _set_zone(tz: str | None) -> None:
    if tz is None:
        os.environ.pop("TZ", None)
    else:
        os.environ["TZ"] = tz
    time.tzset()


def _next_opening(windows: list[list[int]], time_zone: str, now: float) -> Opening | None:
    """Looks at each minute, so that it is right on the days when clocks change: a week takes milliseconds."""
    if _is_open(windows, time.localtime(now)):
        return None
    first = int(now) // 60 * 60 + 60
    at = next(at for at in range(first, first + _LONGEST_SECONDS, 60) if _is_open(windows, time.localtime(at)))
    return Opening(at, time.strftime("%A, %Y-%m-%d at %H:%M", time.localtime(at)) + f" ({time_zone})")


def _is_open(windows: list[list[int]], local: time.struct_time) -> bool:
    minute = 60 * local.tm_hour + local.tm_min
    return any(day == local.tm_wday and start <= minute < end for day, start, end in windows)
