"""Server-sent events, read from slices that may be cut anywhere."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from front_door.errors import ApiError
from front_door.http.json import parse_object

# A stream's events end with an empty line; TGI's end with LF, others may send CRLF.
_ENDS = (b"\n\n", b"\r\n\r\n")


class SseReader:
    """Yields a stream in complete events, so that a stream that breaks never leaves half an event behind.

    Args:
        parts: Slices of the stream; an empty slice (a keep-alive) is passed on.
        is_event_stream: Whether the slices are an event stream at all, called with the first slice; if not, they are
            passed on unchanged. Default: they are.
    """

    def __init__(self, parts: Iterable[bytes], *, is_event_stream: Callable[[], bool] = lambda: True) -> None:
        self._parts = parts
        self._is_event_stream = is_event_stream
        self._previous = self._latest = b""

    @property
    def last_event(self) -> bytes:
        """The bytes that were yielded last: the last event of a stream, and possibly some before it."""
        return self._previous + self._latest

    def __iter__(self) -> Iterator[bytes]:
        """One or more complete events at a time, each as soon as it is complete.

        Raises:
            ApiError: As `parts`, and if the stream ends inside an event.
        """
        pending = bytearray()
        is_known = False
        parts = iter(self._parts)
        for part in parts:
            if not part:
                yield part
                continue
            if not is_known and not self._is_event_stream():
                yield part
                yield from parts
                return
            is_known = True
            if not pending and part.endswith(_ENDS):
                complete = part
            else:
                searched = max(len(pending) - 3, 0)
                pending += part
                end = _last_end(pending, searched)
                if not end:
                    continue
                complete = bytes(pending[:end])
                del pending[:end]
            self._previous, self._latest = self._latest, complete
            yield complete
        if pending:
            raise ApiError(
                "incomplete_generation_stream", "Incomplete generation stream", log_detail="cut inside an event"
            )


def _last_end(data: bytearray, start: int) -> int:
    """Where the last complete event in `data` ends, searching from `start`; 0 if none does."""
    found = ((data.rfind(end, start), len(end)) for end in _ENDS)
    return max((at + length for at, length in found if at >= 0), default=0)


def event_data(events: bytes) -> list[bytes]:
    """The data of each event in complete events; comments and empty events have none."""
    found = []
    for event in events.replace(b"\r\n", b"\n").split(b"\n\n"):
        lines = [line[5:].removeprefix(b" ") for line in event.split(b"\n") if line.startswith(b"data:")]
        if lines:
            found.append(b"\n".join(lines))
    return found


def event_objects(events: bytes) -> list[dict[str, Any]]:
    """The JSON object in each of some complete events; `[DONE]` has none.

    Raises:
        ApiError: An event carries no JSON object.
    """
    found = []
    for data in event_data(events):
        if data == b"[DONE]":
            continue
        value = parse_object(data)
        if value is None:
            raise ApiError("upstream", "The model sent an event that is not JSON.", log_detail="not JSON")
        found.append(value)
    return found
