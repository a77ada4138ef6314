"""Server-sent events out of slices that are cut anywhere."""

import json
from collections.abc import Callable, Iterable, Iterator
from math import isfinite
from typing import Any

from front_door.errors import Failure, compact

# A stream's events end with an empty line; TGI's end with LF, others may send CRLF.
_ENDS = (b"\n\n", b"\r\n\r\n")


class Events:
    """Passes a stream on in whole events, so that whatever ends it never leaves half an event behind.

    Args:
        parts: Slices of the stream; an empty one, which says that nothing came for a while, is passed on.
        are_events: Whether it is a stream of events at all, asked with the first slice; where it is not, the slices
            are passed on as they are. Default: it is.
    """

    def __init__(self, parts: Iterable[bytes], *, are_events: Callable[[], bool] = lambda: True) -> None:
        self._parts = parts
        self._are_events = are_events
        self._before = self._last = b""

    @property
    def tail(self) -> bytes:
        """The last bytes that were passed on: at least the last event of a stream that sent any."""
        return self._before + self._last

    def __iter__(self) -> Iterator[bytes]:
        """One or more whole events at a time, each as soon as it is whole.

        Raises:
            Failure: As `parts`, and where the stream ends inside an event.
        """
        pending = bytearray()
        is_known = False
        parts = iter(self._parts)
        for part in parts:
            if not part:
                yield part
                continue
            if not is_known and not self._are_events():
                yield part
                yield from parts
                return
            is_known = True
            if not pending and part.endswith(_ENDS):
                whole = part
            else:
                seen = max(len(pending) - 3, 0)
                pending += part
                cut = _last_end(pending, seen)
                if not cut:
                    continue
                whole = bytes(pending[:cut])
                del pending[:cut]
            self._before, self._last = self._last, whole
            yield whole
        if pending:
            raise Failure("incomplete_generation_stream", "Incomplete generation stream", cause="cut inside an event")


def _last_end(data: bytearray, start: int) -> int:
    """Where the last whole event in `data` ends, looking at what follows `start`; 0 if none does."""
    found = ((data.rfind(end, start), len(end)) for end in _ENDS)
    return max((at + length for at, length in found if at >= 0), default=0)


def data_of(events: bytes) -> list[bytes]:
    """The data of each event in whole events; comments and empty events give none."""
    found = []
    for event in events.replace(b"\r\n", b"\n").split(b"\n\n"):
        lines = [line[5:].removeprefix(b" ") for line in event.split(b"\n") if line.startswith(b"data:")]
        if lines:
            found.append(b"\n".join(lines))
    return found


def objects(events: bytes) -> list[dict[str, Any]]:
    """The JSON object in each event of whole events; `[DONE]` gives none.

    Raises:
        Failure: An event carries no JSON object.
    """
    found = []
    for data in data_of(events):
        if data == b"[DONE]":
            continue
        value = object_of(data)
        if value is None:
            raise Failure("upstream", "The model sent an event that is not JSON.", cause="not JSON")
        found.append(value)
    return found


def object_of(data: bytes) -> dict[str, Any] | None:
    """As `value_of`; None also where it is no object."""
    value = value_of(data)
    return value if isinstance(value, dict) else None


def value_of(data: bytes) -> Any:
    """The value of some JSON; None where it is none, or holds what could not be written as JSON again.

    Python would read numbers that are not finite, and halves of surrogate pairs.
    """
    try:
        text = data.decode()
        value = json.loads(text, parse_constant=_finite, parse_float=_finite)
        if "\\u" in text:
            compact(value)
    except (ValueError, RecursionError):
        return None
    return value


def _finite(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise ValueError(text)
    return value
