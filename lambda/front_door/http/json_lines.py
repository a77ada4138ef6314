"""Streams of one JSON object in a line, as DJL writes them, turned into server-sent events."""

import re
from collections.abc import Iterable, Iterator

from front_door.errors import ApiError
from front_door.http.json import parse_object
from front_door.http.sse import MAX_EVENT_BYTES, event_too_large

DONE = b"data: [DONE]\n\n"
"""What ends OpenAI's streams; lines end with their response."""

_GOES_ON = re.compile(rb'"finish_reason"\s*:\s*null')


def read_events(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The lines as events, each as soon as it is complete, and OpenAI's end; empty slices (keep-alives) are passed on.

    There is no end behind a line that says that the answer goes on: the response broke off. One that breaks off behind
    its last line has an end.

    Raises:
        ApiError: As `parts`, a line is too long, or the last one is cut off.
    """
    pending = last = b""
    slices = iter(parts)
    while True:
        try:
            part = next(slices, None)
        except ApiError:
            if last and not pending and not _GOES_ON.search(last):
                yield DONE
            raise
        if part is None:
            break
        if not part:
            yield part
            continue
        complete, newline, rest = part.rpartition(b"\n")
        if not newline:
            pending += part
            if len(pending) > MAX_EVENT_BYTES:
                raise event_too_large()
            continue
        lines, pending = pending + complete, rest
        if events := _events(lines):
            last = events[-1]
            yield b"".join(events)
    # The last line may lack its end, and no more than that.
    if pending.strip() and parse_object(pending) is None:
        message = "Incomplete generation stream"
        raise ApiError("incomplete_generation_stream", message, log_detail="cut inside a line")
    events = _events(pending)
    last = events[-1] if events else last
    yield b"".join(events) + (b"" if _GOES_ON.search(last) else DONE)


def _events(lines: bytes) -> list[bytes]:
    stripped = (line.strip() for line in lines.split(b"\n"))
    return [b"data: " + line + b"\n\n" for line in stripped if line]
