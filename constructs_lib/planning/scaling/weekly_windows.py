"""Windows of a week, such as `mon-fri 08:00-19:00`: read from text, and as the expressions of a schedule."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from constructs_lib.planning.validation.problem import Problem
from constructs_lib.planning.validation.unknown import Unknown

Window = tuple[int, int, int]
"""Day (0 is Monday), first minute of the day, and the minute after the last one, at most 1440."""

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = 24 * 60
_WEEK = 7 * _DAY
_EXAMPLE = "'mon-fri 08:00-19:00'"
_FORM = re.compile(
    r"(?P<days>[a-z,-]+)\s+(?P<start>\d{1,2}:\d\d)\s*-\s*(?P<end>\d{1,2}:\d\d)", re.IGNORECASE | re.ASCII
)
_TIMES_ONLY = re.compile(r"\d{1,2}:\d\d\s*-\s*\d{1,2}:\d\d", re.ASCII)


def read_windows(keyword: str, texts: Sequence[object]) -> tuple[tuple[Window, ...], tuple[Problem, ...]]:
    """The windows of a week, sorted and merged, and what is wrong with the texts.

    A text has days (`mon`, `mon-fri`, `mon,wed,fri`) and a time of day; one that ends before it starts goes on after
    midnight (`fri 22:00-06:00`).

    Args:
        keyword: The argument as the caller wrote it.
        texts: One text per window.
    """
    spans: list[tuple[int, int]] = []
    problems: list[Problem] = []
    for text in texts:
        found = _read(keyword, text)
        if isinstance(found, Problem):
            problems.append(found)
        else:
            spans += found
    if not texts:
        problems.append(Problem(keyword, texts, "must have at least one window", f"Write {_EXAMPLE}."))
    return tuple(_windows(_merged(spans))), tuple(problems)


def start_expressions(windows: Iterable[Window]) -> tuple[str, ...]:
    """The cron expressions of the times at which a window starts, in local time, as Application Auto Scaling has them.

    A window that begins where another one ends does not start. Source: Application Auto Scaling User Guide, "Schedule
    recurring scaling actions using cron expressions".
    """
    spans = _spans(windows)
    ends = {end % _WEEK for _, end in spans}
    return _expressions(start for start, _ in spans if start not in ends)


def end_expressions(windows: Iterable[Window], others: Iterable[Window] = ()) -> tuple[str, ...]:
    """The cron expressions of the times at which a window ends, like `start_expressions`.

    Args:
        windows: The windows.
        others: Windows of something else that takes over where one of them begins, so that no end is needed.
    """
    spans = _spans(windows)
    starts = {start for start, _ in [*spans, *_spans(others)]}
    return _expressions(end % _WEEK for _, end in spans if end % _WEEK not in starts)


def cover_the_week(windows: Iterable[Window]) -> bool:
    """Whether no window ever ends."""
    return _spans(windows) == [(0, _WEEK)]


def overlap(windows: Iterable[Window], others: Iterable[Window]) -> bool:
    """Whether two lists of windows share a minute."""
    spans = _spans(others)
    return any(start < end and begin < finish for begin, end in _spans(windows) for start, finish in spans)


def _read(keyword: str, text: object) -> list[tuple[int, int]] | Problem:
    if isinstance(text, Unknown):
        message = "must be known at synth, as schedules are worked out from it"
        return Problem(keyword, text, message, f"Write {_EXAMPLE}.")
    if not isinstance(text, str):
        return Problem(keyword, text, f"must be a string, not {type(text).__name__}", f"Write {_EXAMPLE}.")
    form = _FORM.fullmatch(text.strip())
    if form is None:
        fix = f"Write 'mon-sun {text.strip()}' for every day." if _TIMES_ONLY.fullmatch(text.strip()) else ""
        return Problem(keyword, text, f"must be days and a time of day, like {_EXAMPLE}", fix or f"Write {_EXAMPLE}.")
    days = _days(form["days"].lower())
    if days is None:
        message = f"has days that are none: {form['days']}"
        return Problem(keyword, text, message, f"Write {', '.join(DAYS)}, with a hyphen or a comma between them.")
    start, end = _minute(form["start"]), _minute(form["end"])
    if start is None or end is None or start in (_DAY, end):
        message = "must start from 00:00 to 23:59 and end at another time, up to 24:00"
        return Problem(keyword, text, message, "Write 00:00-24:00 for a whole day.")
    length = (end - start) % _DAY or _DAY
    return [(day * _DAY + start, day * _DAY + start + length) for day in days]


def _days(text: str) -> list[int] | None:
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        if first not in DAYS or (last or first) not in DAYS or part.endswith("-"):
            return None
        begin, end = DAYS.index(first), DAYS.index(last or first)
        found += [day % 7 for day in range(begin, end + 1 if end >= begin else end + 8)]
    return found


def _minute(text: str) -> int | None:
    hour, minute = map(int, text.split(":"))
    total = hour * 60 + minute
    return total if minute < 60 and total <= _DAY else None


def _merged(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans of minutes within one week, without those that touch or overlap."""
    within = [(start, min(end, _WEEK)) for start, end in spans]
    within += [(0, end - _WEEK) for _, end in spans if end > _WEEK]
    merged: list[tuple[int, int]] = []
    for start, end in sorted(within):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _windows(spans: Iterable[tuple[int, int]]) -> Iterator[Window]:
    for start, end in spans:
        for day in range(start // _DAY, -(-end // _DAY)):
            yield day, max(start - day * _DAY, 0), min(end - day * _DAY, _DAY)


def _spans(windows: Iterable[Window]) -> list[tuple[int, int]]:
    return _merged([(day * _DAY + start, day * _DAY + end) for day, start, end in windows])


def _expressions(minutes: Iterable[int]) -> tuple[str, ...]:
    by_time: dict[int, list[int]] = {}
    for minute in minutes:
        by_time.setdefault(minute % _DAY, []).append(minute // _DAY)
    return tuple(
        f"cron({time % 60} {time // 60} ? * {','.join(DAYS[day].upper() for day in sorted(days))} *)"
        for time, days in sorted(by_time.items())
    )
