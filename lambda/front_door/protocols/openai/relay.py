"""A stream of OpenAI's chunks on its way from a container to a client."""

import re
from typing import Any

from front_door.delivery import UntilEnd
from front_door.errors import ApiError
from front_door.generation.openai_server import OpenAiServer
from front_door.generation.request import FinalAnswer
from front_door.http.json import compact, is_utf8, parse_object
from front_door.http.sse import event_data
from front_door.request_log import RequestLog

_END = b"\n\n"
_DONE = b"[DONE]"
_DONE_EVENT = re.compile(rb"(?:\A|(?<=\n))data: ?\[DONE\]\r?\n\r?\n")
_MODEL = re.compile(rb'"model"\s*:\s*"(?:[^"\\]|\\.)*"')
# An event with it is no end, no error and not the token counts: it is not parsed. In a text the quotation marks are
# escaped.
_GOES_ON = b'"finish_reason":null'
UNKNOWN = "form of an event"
"""The `log_detail` of an event that is neither a chunk nor an error."""

_NO_ADAPTER = (
    "The model answered without the adapter: its container does not read the route that names one. Adapters of its own"
    " need an image with SageMakerRouteMiddleware."
)


def unknown_form() -> ApiError:
    """The error of an event that is neither a chunk nor an error."""
    return ApiError("upstream", "The model sent an event of an unknown form.", log_detail=UNKNOWN)


class Progress:
    """What the events of one answer have said so far.

    Args:
        server: The engine.
        answered_by: The name that the answer must have; None if any is right.
        final_answer: The tool whose call is the answer, if there is one.

    Attributes:
        error: The error that the container has reported instead of the rest.
        has_choices: Whether there was any choice.
        usage: The token counts; empty as long as there are none.
        finish_reason: Why the answer has ended; None before it has.
        stop_sequence: The stop sequence that has ended it, as far as `ChatDeltas` has read it.
        is_done: Whether OpenAI's end of a stream was there.
    """

    def __init__(self, server: OpenAiServer, answered_by: str | None, final_answer: FinalAnswer | None) -> None:
        self._server = server
        self._answered_by = answered_by
        self._final_answer = None
        if final_answer is not None:
            from front_door.protocols.openai.final_chunks import FinalChunks

            self._final_answer = FinalChunks(final_answer)
        self.usage: dict[str, Any] = {}
        self.finish_reason: str | None = None
        self.stop_sequence: str | None = None
        self.is_done = False
        self.error: ApiError | None = None
        self.has_choices = False

    @property
    def rewrites(self) -> bool:
        """Whether `read` changes chunks that have nothing but text."""
        return self._final_answer is not None

    def read(self, event: dict[str, Any]) -> bool:
        """Read a chunk, or a response that is not streamed, or set `error`; returns whether it was changed."""
        self.error = self._server.event_error(event) or self._wrong_model(event)
        choices = event.get("choices")
        if self.error is None and not _are_choices(choices):
            self.error = unknown_form()
        if self.error is not None or not isinstance(choices, list):
            return False
        self.has_choices = self.has_choices or choices != []
        if isinstance(event.get("usage"), dict):
            self.usage = event["usage"]
        is_changed = self._final_answer is not None and self._final_answer.rewrite(choices)
        for choice in choices:
            if choice.get("finish_reason") is not None:
                self.finish_reason = choice["finish_reason"]
        return is_changed

    def check_first(self, events: bytes) -> None:
        """Check the first events.

        Raises:
            ApiError: They begin with an error, with something else than a chunk, or with that of another model.
        """
        if (error := self._server.first_error(events)) is not None:
            raise error
        for data in event_data(events)[:1]:
            chunk = parse_object(data) or {}
            if data != _DONE and not _are_choices(chunk.get("choices")):
                raise unknown_form()
            if (error := self._wrong_model(chunk)) is not None:
                raise error

    def see_end(self, events: bytes) -> None:
        """Note whether some events end the stream."""
        if _DONE in events and _DONE in event_data(events):
            self.is_done = True

    def raise_unless_complete(self) -> None:
        """Raise the error of the container, or of an answer without an end."""
        if self.error is not None:
            raise self.error
        # Some servers close the connection where OpenAI's has one more event.
        if not self.has_choices or (not self.is_done and self.finish_reason is None):
            raise ApiError("incomplete_generation", "Incomplete generation", log_detail="no end")

    def log(self, log: RequestLog) -> None:
        """Log token counts, and why the answer ended."""
        usage = self.usage
        log.add_tokens(prompt=usage.get("prompt_tokens"), generated=usage.get("completion_tokens"))
        log.add_cached_tokens(usage)
        log.add(finish_reason=self.finish_reason)

    def _wrong_model(self, event: dict[str, Any]) -> ApiError | None:
        if self._answered_by is None or event.get("model") in (None, self._answered_by):
            return None
        return ApiError("upstream", _NO_ADAPTER, log_detail="another model answered")


class Relay:
    """Passes chunks on with the front door's name of the model; most of them are not parsed for it.

    Args:
        progress: Reads the others.
        name: The name of the model.
        keeps_usage: Whether the client has asked for the chunk of token counts.
    """

    def __init__(self, progress: Progress, name: str, *, keeps_usage: bool) -> None:
        self._progress = progress
        self._ours = b'"model":' + compact(name)
        self._theirs: bytes | None = None
        self._keeps_usage = keeps_usage

    def translate(self, events: bytes) -> bytes:
        """What the client gets for some complete events.

        Raises:
            ApiError: The container has reported an error, or sent something else, and what came before is returned.
        """
        if self._progress.error is not None:
            raise self._progress.error
        if self._theirs is None or self._progress.rewrites or not _go_on(events):
            return self._read(events)
        return events.replace(self._theirs, self._ours)

    def _read(self, events: bytes) -> bytes:
        out = []
        for event in events.replace(b"\r\n", b"\n").split(_END):
            if self._progress.error is not None:
                break
            if event and (kept := self._read_one(event)) is not None:
                out.append(kept + _END)
        return b"".join(out)

    def _read_one(self, event: bytes) -> bytes | None:
        """The event as it is passed on; None if it is not."""
        found = event_data(event)
        if not found:
            return event  # a comment, by which servers keep a connection open
        for data in found:
            if data == _DONE:
                self._progress.see_end(event)
                # Without an answer an error follows, which clients do not read behind the end.
                return event if self._progress.has_choices else None
            chunk = parse_object(data)
            if chunk is None:
                self._progress.error = unknown_form()
                return None
            is_changed = self._progress.read(chunk)
            if self._progress.error is not None:
                return None
            if chunk.get("choices") == [] and chunk.get("usage") is not None and not self._keeps_usage:
                return None
            if is_changed:
                event = b"data: " + compact(chunk)
        return self._rename(event)

    def _rename(self, event: bytes) -> bytes:
        if self._theirs is None:
            found = _MODEL.search(event)
            if found is None:
                return event
            self._theirs = found[0]
        return event.replace(self._theirs, self._ours)


class UntilDone(UntilEnd):
    """The events of a stream up to OpenAI's end."""

    def read(self, events: bytes) -> tuple[bytes, ApiError | None]:
        """See `UntilEnd`."""
        found = _DONE_EVENT.search(events) if _DONE in events else None
        self.is_over = found is not None
        return events[: found.end()] if found else events, None


def _are_choices(choices: object) -> bool:
    """Whether they have the form that all readers of them rely on."""
    return isinstance(choices, list) and all(isinstance(each, dict) and _is_choice(each) for each in choices)


def _is_choice(choice: dict[str, Any]) -> bool:
    message = choice.get("delta", choice.get("message")) or {}
    calls = message.get("tool_calls") or [] if isinstance(message, dict) else None
    return (
        type(choice.get("index", 0)) is int
        and isinstance(calls, list)
        and all(isinstance(call, dict) and isinstance(call.get("function") or {}, dict) for call in calls)
    )


def _go_on(events: bytes) -> bool:
    """Whether each of some complete events goes on with the answer; an event whose lines end with CRLF is read."""
    goes_on = b"\r" not in events and all(_GOES_ON in event for event in events.removesuffix(_END).split(_END))
    return goes_on and is_utf8(events)
