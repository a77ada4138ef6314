"""Limits that change with the clock: weekly hours with limits of their own, and moments from which others hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from constructs_lib.planning.scaling.schedule_expressions import expression_problem, is_expression
from constructs_lib.planning.scaling.time_zones import schedule_time_zone, time_zone_problems
from constructs_lib.planning.scaling.weekly_windows import (
    Window,
    cover_the_week,
    end_expressions,
    overlap,
    read_windows,
    start_expressions,
)
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_WHEN = "on_schedule"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Between which numbers something scales; either may be known at deployment only."""

    minimum: int
    maximum: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What one call of `on_schedule` says.

    Args:
        windows: The weekly hours in which the limits hold; outside of them those of the scalable target hold.
        expressions: Moments from which the limits hold, until others are set.
        time_zone: IANA name.
        limits: The limits.
    """

    windows: tuple[Window, ...]
    expressions: tuple[str, ...]
    time_zone: str
    limits: Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitChange:
    """One scheduled action.

    Args:
        name: Its name, unique for the scalable target.
        schedule: When, as Application Auto Scaling has it.
        time_zone: The canonical name of the zone; None for UTC.
        limits: The limits from then on.
    """

    name: str
    schedule: str
    time_zone: str | None
    limits: Limits


def schedule_problems(when: Sequence[object], time_zone: object, given: Sequence[Schedule]) -> Iterator[Problem]:
    """What is wrong with the times of a schedule.

    Args:
        when: Weekly hours and expressions.
        time_zone: IANA name.
        given: The schedules before.
    """
    hours = [text for text in when if not is_expression(text)]
    yield from (found for text in when if is_expression(text) and (found := expression_problem(_WHEN, str(text))))
    zone_problems = tuple(time_zone_problems("time_zone", time_zone))
    yield from zone_problems
    if not hours and when:
        return
    windows, problems = read_windows(_WHEN, hours)
    yield from problems
    if problems or zone_problems:
        return
    shown = hours[0] if len(hours) == 1 else hours
    if cover_the_week(windows):
        fix = "Give the limits to auto_scale instead, or leave hours out."
        yield Problem(_WHEN, shown, "covers the whole week, so that the limits never change", fix)
    for other in given:
        if other.windows and other.time_zone != time_zone:
            message = f"must be that of the other hours, {other.time_zone}: hours of two time zones may overlap"
            yield Problem("time_zone", time_zone, message, "Give all hours in one time zone.")
        elif overlap(windows, other.windows):
            yield Problem(
                _WHEN, shown, "overlaps with other hours of this scaling", "Give each hour one pair of limits."
            )


def read_schedule(when: Sequence[str], time_zone: str, limits: Limits) -> Schedule:
    """The schedule of arguments without `schedule_problems`."""
    hours = [text for text in when if not is_expression(text)]
    return Schedule(
        windows=read_windows(_WHEN, hours)[0] if hours else (),
        expressions=tuple(text.strip() for text in when if is_expression(text)),
        time_zone=time_zone,
        limits=limits,
    )


def limit_changes(schedules: Sequence[Schedule], outside: Limits) -> Iterator[LimitChange]:
    """The scheduled actions of all schedules.

    Where hours begin as others end, only the beginning is an action: Application Auto Scaling does not say in which
    order it runs two at the same time.

    Args:
        schedules: The schedules.
        outside: The limits outside of weekly hours.
    """
    for number, schedule in enumerate(schedules, 1):
        zone = schedule_time_zone(schedule.time_zone)
        others = [window for other in schedules if other is not schedule for window in other.windows]
        for kind, expressions, limits in (
            ("start", start_expressions(schedule.windows), schedule.limits),
            ("end", end_expressions(schedule.windows, others), outside),
            ("at", schedule.expressions, schedule.limits),
        ):
            for count, expression in enumerate(expressions, 1):
                yield LimitChange(
                    name=f"schedule-{number}-{kind}-{count}", schedule=expression, time_zone=zone, limits=limits
                )
