"""Server-sent events, read from slices that may be cut anywhere."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from front_door.errors import ApiError
from front_door.http.json import describe_content, parse_object

KEEP_ALIVE_EVENT = b":\n\n"
"""A comment, which every reader of server-sent events skips; TGI sends the same."""

MAX_EVENT_BYTES = 8 * 1024 * 1024
"""How long one event of a model may be; nearly all are shorter than 1 KiB. A body without events counts as one."""

MAX_KEPT_BYTES = 25 * 1024 * 1024
"""How long all events of one response may be together that are kept until its end: as InvokeEndpoint's responses."""

# A stream's events end with an empty line; TGI's end with LF, others may send CRLF.
_ENDS = (b"\n\n", b"\r\n\r\n")
_END = re.compile(rb"\r?\n\r?\n")
# What the containers' events begin with: they carry an object, or announce the end.
_DATA = tuple(b"data:" + value for value in (b"{", b" {", b"[DONE]", b" [DONE]"))
_FIELDS = (b"data", b"", b"event", b"id", b"retry")


class SseReader:
    """Yields a stream in complete events, so that a stream that breaks never leaves half an event behind.

    What is no event, such as a page of a proxy or a traceback, is never yielded.

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
            ApiError: As `parts`; the stream ends inside an event, an event is too large, or it is no event.
        """
        pending = bytearray()
        is_known = False
        parts = iter(self._parts)
        for part in parts:
            if not part:
                yield part
                continue
            if not is_known and not self._is_event_stream():
                yield from _limited(part, parts)
                return
            is_known = True
            if not pending and part.endswith(_ENDS):
                complete = part
            else:
                searched = max(len(pending) - 3, 0)
                pending += part
                end = _last_end(pending, searched)
                if not end:
                    if len(pending) > MAX_EVENT_BYTES:
                        raise event_too_large()
                    continue
                complete = bytes(pending[:end])
                del pending[:end]
            valid, error = _check(complete)
            if valid:
                self._previous, self._latest = self._latest, valid
                yield valid
            if error is not None:
                raise error
        if pending:
            _check_fields(bytes(pending), is_cut=True)
            raise ApiError(
                "incomplete_generation_stream", "Incomplete generation stream", log_detail="cut inside an event"
            )


def _last_end(data: bytearray, start: int) -> int:
    """Where the last complete event in `data` ends, searching from `start`; 0 if none does."""
    found = ((data.rfind(end, start), len(end)) for end in _ENDS)
    return max((at + length for at, length in found if at >= 0), default=0)


class KeptEvents:
    """Counts the events of a response that is not streamed, so that an endless one does not fill the memory."""

    def __init__(self) -> None:
        self._size = 0

    def add(self, events: bytes) -> None:
        """Count some events; raises ApiError if they are too many."""
        self._size += len(events)
        if self._size > MAX_KEPT_BYTES:
            detail = f"over {MAX_KEPT_BYTES} bytes"
            raise ApiError("upstream", "The model's response is too large without streaming.", log_detail=detail)


def event_too_large() -> ApiError:
    """The error for an event that is not read to its end."""
    message = f"The model sent an event of more than {MAX_EVENT_BYTES} bytes."
    return ApiError("upstream_event_too_large", message, log_detail=f"over {MAX_EVENT_BYTES} bytes")


def _limited(first: bytes, parts: Iterator[bytes]) -> Iterator[bytes]:
    """The slices of a body that is no event stream."""
    size = len(first)
    yield first
    for part in parts:
        size += len(part)
        if size > MAX_EVENT_BYTES:
            raise event_too_large()
        yield part


def _check(events: bytes) -> tuple[bytes, ApiError | None]:
    """The events up to one that no container sends, and what is wrong with that; only beginnings are looked at."""
    begin = b"data: {" if events.startswith(b"data: {") else b"data:{"
    if (
        events.startswith(begin)
        and 2 * (events.count(b"\n\n" + begin) + 1) == events.count(b"\n")
        and len(events) <= MAX_EVENT_BYTES
    ):
        return events, None
    start = 0
    for end in _END.finditer(events):
        event = events[start : end.start()]
        try:
            if len(event) > MAX_EVENT_BYTES:
                raise event_too_large()
            if not event.startswith(_DATA) or b"\n" in event:
                _check_fields(event)
        except ApiError as error:
            return events[:start], error
        start = end.end()
    return events, None


def _check_fields(event: bytes, *, is_cut: bool = False) -> None:
    """Raise ApiError if a line is neither a field nor a comment, or data is neither an object nor the end."""
    lines = event.splitlines()
    for at, line in enumerate(lines):
        name, colon, _ = line.partition(b":")
        if line and not (name in _FIELDS if colon else is_cut and at == len(lines) - 1 and _begins_field(name)):
            message = "The model's response is not an event stream."
            raise ApiError("upstream", message, log_detail=f"no events: {describe_content(event)}")
    for data in () if is_cut else event_data(event):
        if not (b"data:" + data).startswith(_DATA):
            raise _not_json(data)


def _begins_field(name: bytes) -> bool:
    return any(field.startswith(name) for field in _FIELDS)


def _not_json(data: bytes) -> ApiError:
    detail = f"an event: {describe_content(data)}"
    return ApiError("upstream", "The model sent an event that is not JSON.", log_detail=detail)


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
            raise _not_json(data)
        found.append(value)
    return found
