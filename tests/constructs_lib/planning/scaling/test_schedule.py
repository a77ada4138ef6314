from __future__ import annotations

from collections.abc import Sequence

import pytest

from constructs_lib.planning.scaling.schedule import (
    Limits,
    Schedule,
    limit_changes,
    read_schedule,
    schedule_problems,
)
from constructs_lib.planning.scaling.schedule_expressions import expression_problem, is_expression

OUTSIDE = Limits(minimum=1, maximum=2)
BUSY = Limits(minimum=3, maximum=8)


def schedule(*when: str, time_zone: str = "Europe/Berlin", limits: Limits = BUSY) -> Schedule:
    return read_schedule(when, time_zone, limits)


def problems(*when: object, time_zone: object = "Europe/Berlin", given: Sequence[Schedule] = ()) -> list[str]:
    return [str(each) for each in schedule_problems(when, time_zone, given)]


def changes(*schedules: Schedule) -> list[tuple[str, str, int, int]]:
    return [
        (change.name, change.schedule, change.limits.minimum, change.limits.maximum)
        for change in limit_changes(schedules, OUTSIDE)
    ]


def test_hours_set_their_limits_at_the_start_and_the_others_at_the_end() -> None:
    assert changes(schedule("mon-fri 08:00-19:00")) == [
        ("schedule-1-start-1", "cron(0 8 ? * MON,TUE,WED,THU,FRI *)", 3, 8),
        ("schedule-1-end-1", "cron(0 19 ? * MON,TUE,WED,THU,FRI *)", 1, 2),
    ]


def test_a_moment_sets_its_limits_until_others_are_set() -> None:
    assert changes(schedule("cron(0 8 ? * MON-FRI *)", "at(2026-12-24T18:00:00)")) == [
        ("schedule-1-at-1", "cron(0 8 ? * MON-FRI *)", 3, 8),
        ("schedule-1-at-2", "at(2026-12-24T18:00:00)", 3, 8),
    ]


def test_where_hours_begin_as_others_end_only_the_beginning_is_an_action() -> None:
    noon = Limits(minimum=5, maximum=8)
    assert changes(schedule("mon 08:00-12:00"), schedule("mon 12:00-18:00", limits=noon)) == [
        ("schedule-1-start-1", "cron(0 8 ? * MON *)", 3, 8),
        ("schedule-2-start-1", "cron(0 12 ? * MON *)", 5, 8),
        ("schedule-2-end-1", "cron(0 18 ? * MON *)", 1, 2),
    ]


def test_hours_that_share_the_week_hand_over_without_an_end() -> None:
    assert changes(schedule("mon-fri 00:00-24:00"), schedule("sat-sun 00:00-24:00", limits=OUTSIDE)) == [
        ("schedule-1-start-1", "cron(0 0 ? * MON *)", 3, 8),
        ("schedule-2-start-1", "cron(0 0 ? * SAT *)", 1, 2),
    ]


def test_the_time_zone_is_the_canonical_one_and_none_for_utc() -> None:
    zones = [next(limit_changes([schedule("mon 08:00-12:00", time_zone=name)], OUTSIDE)) for name in ("UTC", "Japan")]
    assert [change.time_zone for change in zones] == [None, "Asia/Tokyo"]


def test_all_that_is_wrong_is_reported_together() -> None:
    expression, zone, hours = problems("monday 8-19", "cron(0 8 * * MON *)", time_zone="Berlin/Europe")
    assert expression == (
        "on_schedule='cron(0 8 * * MON *)': must have ? for either the day of month or the day of week. Write cron(0 8"
        " ? * MON-FRI *)."
    )
    assert zone == (
        "time_zone='Berlin/Europe': must be the name of a time zone in the IANA database. Write a name such as"
        " Europe/Berlin, or UTC."
    )
    assert hours == (
        "on_schedule='monday 8-19': must be days and a time of day, like 'mon-fri 08:00-19:00'. Write 'mon-fri"
        " 08:00-19:00'."
    )


def test_no_time_at_all_is_a_problem() -> None:
    (found,) = problems()
    assert found.startswith("on_schedule=[]: must have at least one window")


def test_hours_that_overlap_with_others_are_a_problem_and_hours_that_touch_are_none() -> None:
    given = [schedule("mon-fri 08:00-19:00"), schedule("cron(0 3 ? * * *)")]
    assert problems("fri 18:59-20:00", given=given) == [
        "on_schedule='fri 18:59-20:00': overlaps with other hours of this scaling. Give each hour one pair of limits."
    ]
    assert not problems("fri 19:00-20:00", given=given)
    assert not problems("mon 00:00-08:00", given=given)


def test_hours_that_go_on_after_sunday_overlap_with_monday() -> None:
    (found,) = problems("sun 22:00-06:00", given=[schedule("mon 05:00-06:00")])
    assert "overlaps" in found


def test_hours_of_another_time_zone_are_a_problem() -> None:
    (found,) = problems("sat 10:00-12:00", time_zone="UTC", given=[schedule("mon-fri 08:00-19:00")])
    assert found == (
        "time_zone='UTC': must be that of the other hours, Europe/Berlin: hours of two time zones may overlap. Give all"
        " hours in one time zone."
    )


def test_hours_that_cover_the_week_are_a_problem() -> None:
    (found,) = problems("mon-sun 00:00-24:00")
    assert found == (
        "on_schedule='mon-sun 00:00-24:00': covers the whole week, so that the limits never change. Give the limits to"
        " auto_scale instead, or leave hours out."
    )


@pytest.mark.parametrize(
    "expression",
    [
        "cron(0 8 ? * MON-FRI *)",
        "cron(0,30 8-18/2 ? * 2-6 2026-2030)",
        "cron(*/15 * 1,15 JAN-MAR ? *)",
        "cron(5/10 0 L * ? *)",
        "cron(0 0 15W * ? *)",
        "cron(0 0 ? * 6L *)",
        "cron(0 0 ? * fri#3 *)",
        "at(2026-12-24T18:00:00)",
    ],
)
def test_an_expression_that_application_auto_scaling_takes_is_right(expression: str) -> None:
    assert is_expression(expression)
    assert expression_problem("on_schedule", expression) is None


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("cron(0 8 ? * MON-FRI)", "must have six fields: minutes, hours, day of month, month, day of week, year"),
        ("cron(60 8 ? * MON *)", "has '60' for the minutes. Write 0-59, or *."),
        ("cron(0 24 ? * MON *)", "has '24' for the hours. Write 0-23, or *."),
        ("cron(0 18-8 ? * MON *)", "has '18-8' for the hours. Write 0-23, or *."),
        ("cron(0 8/0 ? * MON *)", "has '8/0' for the hours. Write 0-23, or *."),
        ("cron(0 8 32 * ? *)", "has '32' for the day of month. Write 1-31, or *."),
        ("cron(0 8 ? JANUARY MON *)", "has 'JANUARY' for the month. Write 1-12 or JAN-DEC, or *."),
        ("cron(0 8 ? * 0 *)", "has '0' for the day of week. Write 1-7 or SUN-SAT, or *."),
        ("cron(0 8 ? * MON 99)", "has '99' for the year. Write 1970-2199, or *."),
        ("cron(0 8 * * * *)", "must have ? for either the day of month or the day of week."),
        ("cron(0 8 ? * ? *)", "must have ? for either the day of month or the day of week."),
        ("at(2026-12-24 18:00)", "must be at(yyyy-mm-ddThh:mm:ss). Write at(2026-12-24T18:00:00)."),
        ("at(2026-02-30T18:00:00)", "must be at(yyyy-mm-ddThh:mm:ss). Write at(2026-12-24T18:00:00)."),
        ("rate(1 hour)", "must be a cron(…) or at(…) expression. Write cron(0 8 ? * MON-FRI *)."),
        ("Cron(0 8 ? * MON *)", "must be a cron(…) or at(…) expression. Write cron(0 8 ? * MON-FRI *)."),
    ],
)
def test_an_expression_that_it_refuses_is_a_problem(expression: str, message: str) -> None:
    assert is_expression(expression)
    assert message in str(expression_problem("on_schedule", expression))
