"""Opening hours: what people write, when schedules run, and which mistakes are named."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from constructs_lib.planning.data_files import read
from constructs_lib.planning.scaling.hours import WeeklyHours, hours_problems, read_hours
from constructs_lib.planning.scaling.time_zones import posix_rule, schedule_time_zone
from constructs_lib.planning.scaling.weekly_windows import end_expressions, read_windows, start_expressions


def windows(*texts: str):
    found, problems = read_windows("hours", texts)
    assert not problems
    return found


def told(*texts: object, time_zone: object = "Europe/Berlin", outside: object = "idle") -> list[str]:
    return [str(problem) for problem in hours_problems("scale_to_zero", WeeklyHours(texts, time_zone, outside))]


def test_office_hours_are_a_window_on_each_working_day():
    assert windows("mon-fri 08:00-19:00") == tuple((day, 480, 1140) for day in range(5))


@pytest.mark.parametrize("text", ["MON-FRI 8:00-19:00", " mon-fri  08:00 - 19:00 ", "mon,tue-thu,fri 08:00-19:00"])
def test_the_same_hours_can_be_written_in_several_ways(text):
    assert windows(text) == windows("mon-fri 08:00-19:00")


def test_a_second_window_has_days_of_its_own():
    found = windows("mon-fri 08:00-19:00", "sat 10:00-14:00")
    assert found[-2:] == ((4, 480, 1140), (5, 600, 840))


def test_days_may_go_over_the_end_of_the_week():
    assert [day for day, _, _ in windows("sat-mon 08:00-19:00")] == [0, 5, 6]


def test_a_window_that_ends_before_it_starts_goes_on_after_midnight():
    assert windows("fri 22:00-06:00") == ((4, 1320, 1440), (5, 0, 360))


def test_a_night_at_the_end_of_the_week_goes_on_at_its_beginning():
    assert windows("sun 22:00-06:00") == ((0, 0, 360), (6, 1320, 1440))


def test_windows_that_touch_or_overlap_are_one():
    assert windows("mon 08:00-12:00", "mon 11:00-14:00", "mon 14:00-19:00") == ((0, 480, 1140),)


def test_a_schedule_runs_where_hours_start_and_where_they_end():
    hours = windows("mon-fri 08:00-19:00", "sat 10:00-14:30")
    assert start_expressions(hours) == ("cron(0 8 ? * MON,TUE,WED,THU,FRI *)", "cron(0 10 ? * SAT *)")
    assert end_expressions(hours) == ("cron(30 14 ? * SAT *)", "cron(0 19 ? * MON,TUE,WED,THU,FRI *)")


def test_midnight_within_a_window_neither_starts_nor_ends_it():
    nights = windows("mon-sun 22:00-06:00")
    assert start_expressions(nights) == ("cron(0 22 ? * MON,TUE,WED,THU,FRI,SAT,SUN *)",)
    assert end_expressions(nights) == ("cron(0 6 ? * MON,TUE,WED,THU,FRI,SAT,SUN *)",)


def test_hours_until_midnight_end_on_the_next_day():
    assert end_expressions(windows("fri 08:00-24:00", "sun 08:00-24:00")) == ("cron(0 0 ? * MON,SAT *)",)


def test_a_whole_weekend_starts_on_saturday_and_ends_on_monday():
    weekend = windows("sat-sun 00:00-24:00")
    assert start_expressions(weekend) == ("cron(0 0 ? * SAT *)",)
    assert end_expressions(weekend) == ("cron(0 0 ? * MON *)",)


def test_the_function_gets_days_minutes_and_the_zone_as_posix_writes_it():
    assert read_hours(WeeklyHours(("sat 10:00-14:00",), "Europe/Berlin", "closed")).to_json() == {
        "windows": [[5, 600, 840]],
        "tz": "CET-1CEST,M3.5.0,M10.5.0/3",
        "time_zone": "Europe/Berlin",
        "outside": "closed",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("08:00-19:00", "must be days and a time of day, like 'mon-fri 08:00-19:00'. Write 'mon-sun 08:00-19:00'"),
        ("mon-fri 8-19", "must be days and a time of day, like 'mon-fri 08:00-19:00'. Write 'mon-fri 08:00-19:00'."),
        (
            "monday 08:00-19:00",
            "has days that are none: monday. Write mon, tue, wed, thu, fri, sat, sun, with a hyphen",
        ),
        ("mon- 08:00-19:00", "has days that are none: mon-. Write mon,"),
        ("mon 08:00-24:30", "must start from 00:00 to 23:59 and end at another time, up to 24:00. Write 00:00-24:00"),
        ("mon 08:60-19:00", "must start from 00:00 to 23:59"),
        ("mon 24:00-06:00", "must start from 00:00 to 23:59"),
        ("mon 08:00-08:00", "must start from 00:00 to 23:59 and end at another time"),
        (8, "must be a string, not int. Write 'mon-fri 08:00-19:00'."),
    ],
)
def test_a_text_that_is_no_window_is_reported_with_what_to_write(text, message):
    (problem,) = told(text)
    assert problem.startswith(f"scale_to_zero.hours={text!r}: {message}")


def test_all_problems_are_reported_at_once():
    example = "must be days and a time of day, like 'mon-fri 08:00-19:00'. Write 'mon-fri 08:00-19:00'."
    zone = "must be the name of a time zone in the IANA database. Write a name such as Europe/Berlin, or UTC."
    outside = "Write outside='idle' if requests may wake the model, or outside='closed'."
    assert told("mon", "tue", time_zone=1, outside="off") == [
        f"scale_to_zero.hours='mon': {example}",
        f"scale_to_zero.hours='tue': {example}",
        f"scale_to_zero.time_zone=1: {zone}",
        f"scale_to_zero.outside='off': must be idle or closed. {outside}",
    ]


def test_hours_without_a_window_are_refused():
    assert told() == ["scale_to_zero.hours=(): must have at least one window. Write 'mon-fri 08:00-19:00'."]


def test_hours_that_never_end_are_refused():
    assert told("mon-thu 00:00-24:00", "fri 00:00-00:01", "fri-sun 00:01-24:00") == []
    (problem,) = told("mon-sun 00:00-24:00")
    assert problem == (
        "scale_to_zero.hours='mon-sun 00:00-24:00': cover the whole week, so that the endpoint never goes to zero."
        " Leave scale_to_zero out."
    )


@pytest.mark.parametrize(("name", "meant"), [("Berlin", "Europe/Berlin"), ("America/NewYork", "America/New_York")])
def test_a_misspelt_time_zone_is_reported_with_the_nearest(name, meant):
    (problem,) = told("mon 08:00-19:00", time_zone=name)
    assert problem.endswith(f"Did you mean {meant}?")


def test_application_auto_scaling_gets_the_zone_by_its_own_name_and_none_for_utc():
    assert schedule_time_zone("Europe/Berlin") == "Europe/Berlin"
    assert schedule_time_zone("US/Eastern") == "America/New_York"
    assert schedule_time_zone("UTC") is None
    assert schedule_time_zone("Europe/London") == "Europe/London"


def test_every_other_name_is_of_a_zone():
    catalogue = read("scaling/time_zones")
    assert set(catalogue["links"].values()) <= set(catalogue["zones"])


@pytest.mark.skipif(not Path("/usr/share/zoneinfo/Europe/Berlin").exists(), reason="the system has no time zones")
@pytest.mark.parametrize(
    "name", ["Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Asia/Kolkata", "Australia/Adelaide", "UTC"]
)
def test_the_rule_gives_the_clock_of_the_zone_in_winter_and_in_summer(name, monkeypatch):
    monkeypatch.setenv("TZ", posix_rule(name))
    time.tzset()
    try:
        for month in (1, 4, 7, 10):
            moment = datetime(2027, month, 20, 12, tzinfo=UTC)
            assert time.localtime(moment.timestamp())[:5] == moment.astimezone(ZoneInfo(name)).timetuple()[:5]
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_catalogue_is_what_the_generator_writes_today():
    pytest.importorskip("tzdata")
    from scripts import generate_time_zones

    assert json.loads(json.dumps(generate_time_zones.generate())) == read("scaling/time_zones")
