"""Which lines of a log are read."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from constructs_lib.cli.doctor.logs import MAX_LINES, read_log
from constructs_lib.planning.diagnosis.signals import Source

NOW = datetime(2026, 11, 30, 7, tzinfo=UTC)


class Log:
    """A reader of a log with a line every `every`, in pages of `size` lines; each call is counted."""

    def __init__(self, every: timedelta, size: int = 1000, lines: int = 100_000) -> None:
        self.calls = 0
        self._times = [int((NOW - every * number).timestamp() * 1000) for number in range(lines, 0, -1)]
        self._size = size

    def call(self, what, service, operation, *, startTime, endTime, nextToken="0", **_):  # noqa: N803 - AWS's names
        self.calls += 1
        window = [time for time in self._times if startTime <= time <= endTime]
        begin = int(nextToken)
        page = [{"timestamp": time, "message": str(time)} for time in window[begin : begin + self._size]]
        more = {"nextToken": str(begin + self._size)} if begin + self._size < len(window) else {}
        return {"events": page, **more}


def read(log: Log, since: timedelta):
    return read_log(log, "the log", "/a", Source.LOG, NOW - since, NOW)


@pytest.mark.parametrize("every", [timedelta(seconds=1), timedelta(milliseconds=30), timedelta(minutes=5)])
def test_the_newest_lines_are_read_in_their_order(every):
    lines = read(Log(every, lines=20_000), timedelta(hours=12))
    times = [line.at for line in lines]
    assert times == sorted(times)
    assert times[-1] == NOW - every
    assert len(lines) <= MAX_LINES
    assert all(later - earlier == every for earlier, later in pairwise(times))


def test_no_line_is_older_than_asked_for():
    lines = read(Log(timedelta(seconds=10)), timedelta(minutes=10))
    assert len(lines) == 60
    assert lines[0].at == NOW - timedelta(minutes=10)


def test_a_quiet_log_takes_few_calls():
    log = Log(timedelta(days=1), lines=3)
    assert len(read(log, timedelta(days=14))) == 3
    assert log.calls < 20
