"""When a closed model opens, compared with zoneinfo, which has a database of time zones."""

from __future__ import annotations

import os
import time
import zoneinfo
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from front_door.hours import Opening, next_opening

OFFICE = [[day, 480, 1140] for day in range(5)]
NIGHTS = [[day, 1320, 1440] for day in range(5)] + [[day, 0, 360] for day in range(1, 6)]
EARLY = [[6, 90, 165]]  # Sunday 01:30 to 02:45, when most clocks change
BERLIN = "CET-1CEST,M3.5.0,M10.5.0/3"


def hours(windows: list[list[int]], tz: str = BERLIN, time_zone: str = "Europe/Berlin") -> dict[str, Any]:
    return {"windows": windows, "tz": tz, "time_zone": time_zone, "outside": "closed"}


def at(text: str, zone: str = "Europe/Berlin") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zoneinfo.ZoneInfo(zone)).timestamp()


def opening(windows: list[list[int]], now: str) -> Opening | None:
    return next_opening(hours(windows), at(now))


@pytest.mark.parametrize(
    ("windows", "now", "then", "text"),
    [
        (OFFICE, "2026-11-30T07:59:59", "2026-11-30T08:00", "Monday, 2026-11-30 at 08:00 (Europe/Berlin)"),
        (OFFICE, "2026-11-30T19:00", "2026-12-01T08:00", "Tuesday, 2026-12-01 at 08:00 (Europe/Berlin)"),
        (OFFICE, "2026-12-04T19:00", "2026-12-07T08:00", "Monday, 2026-12-07 at 08:00 (Europe/Berlin)"),
        ([[2, 600, 660]], "2026-12-02T11:00", "2026-12-09T10:00", "Wednesday, 2026-12-09 at 10:00 (Europe/Berlin)"),
        (NIGHTS, "2026-12-05T06:00", "2026-12-07T22:00", "Monday, 2026-12-07 at 22:00 (Europe/Berlin)"),
        (OFFICE, "2027-03-27T12:00", "2027-03-29T08:00", "Monday, 2027-03-29 at 08:00 (Europe/Berlin)"),
        # 02:30 does not exist on this day: clocks go from 02:00 to 03:00.
        ([[6, 150, 240]], "2027-03-28T01:00", "2027-03-28T03:00", "Sunday, 2027-03-28 at 03:00 (Europe/Berlin)"),
        # All of it is skipped on this day.
        ([[6, 130, 170]], "2027-03-28T01:00", "2027-04-04T02:10", "Sunday, 2027-04-04 at 02:10 (Europe/Berlin)"),
    ],
)
def test_a_closed_model_opens_at_the_next_beginning(windows: list[list[int]], now: str, then: str, text: str) -> None:
    assert opening(windows, now) == Opening(int(at(then)), text)


@pytest.mark.parametrize(
    ("windows", "now"),
    [
        (OFFICE, "2026-11-30T08:00"),
        (OFFICE, "2026-11-30T18:59:59"),
        (NIGHTS, "2026-11-30T23:59:59"),
        (NIGHTS, "2026-12-01T00:00"),
        (NIGHTS, "2026-12-05T05:59"),
        ([[day, 0, 1440] for day in range(7)], "2027-03-28T03:00"),
    ],
)
def test_an_open_model_opens_at_no_time(windows: list[list[int]], now: str) -> None:
    assert opening(windows, now) is None


def test_a_model_that_requests_wake_outside_of_its_hours_is_never_closed() -> None:
    assert next_opening(hours(OFFICE) | {"outside": "idle"}, at("2026-11-29T12:00")) is None


@pytest.mark.parametrize("before", [None, ":UTC", "America/New_York"])
def test_the_time_zone_of_the_process_stays(monkeypatch: pytest.MonkeyPatch, before: str | None) -> None:
    monkeypatch.delenv("TZ", raising=False)
    if before is not None:
        monkeypatch.setenv("TZ", before)
    time.tzset()
    local = time.localtime(0)
    opening(OFFICE, "2026-11-29T12:00")
    assert (os.environ.get("TZ"), time.localtime(0)) == (before, local)


def rules() -> dict[str, str]:
    """A time zone for each of the rules of daylight saving time that are in use, by the rules as POSIX writes them."""
    found = {}
    for zone in sorted(zoneinfo.available_timezones()):
        file = next(path for path in (Path(folder, zone) for folder in zoneinfo.TZPATH) if path.is_file())
        found.setdefault(file.read_bytes().rstrip(b"\n").rpartition(b"\n")[2].decode(), zone)
    return {
        tz: zone
        for tz, zone in found.items()
        # Morocco's Ramadan is no rule of POSIX: its database has a list instead.
        if zone not in ("Africa/Casablanca", "Africa/El_Aaiun") and "/" in zone
    }


RULES = rules()


def test_there_are_rules_of_many_kinds() -> None:
    assert len(RULES) > 60
    assert RULES[BERLIN].startswith("A")  # Africa/Ceuta
    assert any(tz.startswith("<") for tz in RULES)
    assert any("/-1" in tz for tz in RULES)


@pytest.mark.parametrize("tz", RULES)
def test_every_zone_opens_when_zoneinfo_says(tz: str) -> None:
    """Around the changes of clocks of a year and in between."""
    zone = zoneinfo.ZoneInfo(RULES[tz])
    moments = [datetime(2027, 1, 1, 11, 7, tzinfo=UTC) + timedelta(days=67.3 * step) for step in range(6)]
    moments += [change - timedelta(hours=ahead) for change in changes(zone) for ahead in (0, 1, 30)]
    for windows in (OFFICE, NIGHTS, EARLY):
        for moment in moments:
            found = next_opening(hours(windows, tz, RULES[tz]), moment.timestamp())
            expected = first_open(windows, zone, moment)
            assert (None if found is None else found.at) == expected, moment
            if found is not None:
                local = datetime.fromtimestamp(found.at, zone)
                assert found.text == f"{local:%A, %Y-%m-%d at %H:%M} ({RULES[tz]})"


def changes(zone: zoneinfo.ZoneInfo) -> list[datetime]:
    """When the clocks of a zone change in a year, to the hour."""
    hourly = [datetime(2027, 1, 1, tzinfo=UTC) + timedelta(hours=hour) for hour in range(8760)]
    offsets = [each.astimezone(zone).utcoffset() for each in hourly]
    return [hourly[index] for index in range(1, len(hourly)) if offsets[index] != offsets[index - 1]]


def first_open(windows: list[list[int]], zone: zoneinfo.ZoneInfo, moment: datetime) -> int | None:
    """When a model opens, in steps of 15 minutes, of which all windows and offsets are multiples; None: it is open."""

    def is_open(local: datetime) -> bool:
        minute = 60 * local.hour + local.minute
        return any(day == local.weekday() and start <= minute < end for day, start, end in windows)

    if is_open(moment.astimezone(zone)):
        return None
    step = int(moment.timestamp()) // 900 * 900
    while True:
        step += 900
        if is_open(datetime.fromtimestamp(step, zone)):
            return step
