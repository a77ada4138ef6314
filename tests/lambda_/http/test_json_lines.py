"""Lines of JSON as events."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from front_door.errors import ApiError
from front_door.http.json_lines import DONE, read_events
from front_door.http.sse import MAX_EVENT_BYTES

GOES_ON = b'{"choices":[{"finish_reason":null}]}'
LAST = b'{"choices":[{"finish_reason":"stop"}]}'


def events(*lines: bytes) -> bytes:
    return b"".join(b"data: " + line + b"\n\n" for line in lines)


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\n\n", b""])
def test_each_line_is_an_event_however_it_is_cut(size: int, end: bytes) -> None:
    whole = GOES_ON + b"\n" + LAST + end
    parts = [whole[at : at + size] for at in range(0, len(whole), size)]
    assert b"".join(read_events(parts)) == events(GOES_ON, LAST) + DONE


def test_a_line_is_passed_on_as_soon_as_it_is_complete_and_so_is_a_keep_alive() -> None:
    read = read_events([GOES_ON + b"\n" + LAST[:5], b"", LAST[5:]])
    assert list(read) == [events(GOES_ON), b"", events(LAST) + DONE]


def test_what_says_that_it_goes_on_has_no_end() -> None:
    assert b"".join(read_events([GOES_ON + b"\n"])) == events(GOES_ON)
    assert b"".join(read_events([LAST + b"\n" + GOES_ON])) == events(LAST, GOES_ON)


def test_a_line_that_never_ends_is_not_kept() -> None:
    with pytest.raises(ApiError, match="an event of more than"):
        list(read_events([b"x" * MAX_EVENT_BYTES, b"x"]))


@pytest.mark.parametrize("last", [GOES_ON, LAST])
def test_lines_that_break_off_behind_the_last_one_have_an_end(last: bytes) -> None:
    broken = ApiError("upstream", "broken")

    def parts() -> Iterator[bytes]:
        yield last + b"\n"
        raise broken

    read: list[bytes] = []
    with pytest.raises(ApiError, match="broken"):
        read += read_events(parts())
    assert read == [events(last)] + ([DONE] if last == LAST else [])


def test_a_last_line_that_is_cut_off_is_not_passed_on() -> None:
    read: list[bytes] = []
    with pytest.raises(ApiError, match="Incomplete generation stream"):
        read += read_events([GOES_ON + b"\n" + GOES_ON[:-3]])
    assert read == [events(GOES_ON)]
