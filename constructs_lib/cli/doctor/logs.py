"""The newest lines of logs, at most so many, and not older than asked for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from constructs_lib.cli.doctor.reader import Missing, Reader
from constructs_lib.planning.diagnosis.signals import Line, Source

MAX_LINES = 3000
"""Lines of one log group."""

_FIRST_WINDOW = timedelta(minutes=1)
_PAGES = 4


def read_log(
    reader: Reader, what: str, group: str, source: Source, since: datetime, until: datetime
) -> list[Line] | None:
    """The newest lines of a log group, the oldest of them first.

    CloudWatch Logs gives the oldest first, so the end is read in windows, each twice as long as the one after it.

    Args:
        reader: Calls AWS.
        what: What it is, such as `the container's log`.
        group: Name of the log group.
        source: What its lines are.
        since: Lines from then on.
        until: Lines until then.

    Returns:
        The lines; None if there is no such log group, or it could not be read.
    """
    lines: list[Line] = []
    end, width = until, _FIRST_WINDOW
    while end > since and len(lines) < MAX_LINES:
        begin = max(since, end - width)
        try:
            window = list(_window(reader, what, group, begin, end))
        except Missing:
            return None
        except _UnreadError:
            return lines or None
        lines = [*(Line(source, one["message"], _time(one, until)) for one in window), *lines]
        end, width = begin, width * 2
    return lines[-MAX_LINES:]


class _UnreadError(Exception):
    """A window could not be read, which is noted."""


def _window(reader: Reader, what: str, group: str, begin: datetime, end: datetime) -> Iterator[dict[str, Any]]:
    token: dict[str, str] = {}
    for _ in range(_PAGES):
        answer = reader.call(
            what,
            "logs",
            "filter_log_events",
            logGroupName=group,
            startTime=_milliseconds(begin),
            endTime=_milliseconds(end) - 1,
            limit=MAX_LINES,
            **token,
        )
        if answer is None:
            raise _UnreadError
        yield from answer.get("events", ())
        if not answer.get("nextToken"):
            return
        token = {"nextToken": answer["nextToken"]}


def _milliseconds(time: datetime) -> int:
    return int(time.timestamp() * 1000)


def _time(event: dict[str, Any], like: datetime) -> datetime:
    return datetime.fromtimestamp(event["timestamp"] / 1000, like.tzinfo)
