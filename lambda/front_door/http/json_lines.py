"""Streams of one JSON object in a line, as DJL writes them, turned into server-sent events."""

from collections.abc import Iterable, Iterator

from front_door.http.sse import MAX_EVENT_BYTES, event_too_large

DONE = b"data: [DONE]\n\n"
"""What ends OpenAI's streams; lines end with their response."""


def read_events(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The lines as events, each as soon as it is complete, and OpenAI's end; empty slices (keep-alives) are passed on.

    Raises:
        ApiError: As `parts`, or a line is too long.
    """
    pending = b""
    for part in parts:
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
            yield events
    # The last line may lack its end.
    yield _events(pending) + DONE


def _events(lines: bytes) -> bytes:
    stripped = (line.strip() for line in lines.split(b"\n"))
    return b"".join([b"data: " + line + b"\n\n" for line in stripped if line])
