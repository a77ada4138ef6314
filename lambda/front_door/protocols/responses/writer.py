"""The events of a streamed response."""

from collections.abc import Iterable
from typing import Any, Protocol, cast

from front_door.errors import ApiError
from front_door.generation.events import Delta
from front_door.http.json import compact
from front_door.http.response import Response
from front_door.http.sse import KEEP_ALIVE_EVENT
from front_door.protocols.openai.errors import OPENAI, openai_error_body
from front_door.protocols.responses.answer import Answer, incomplete_reason, response_error
from front_door.protocols.responses.output import Call, Event, Item, Message, Reasoning


class Ended(Protocol):
    """What is known of an answer at its end; see `Conversation`."""

    @property
    def usage(self) -> dict[str, Any]: ...  # noqa: D102
    @property
    def finish_reason(self) -> str | None: ...  # noqa: D102


class ResponseWriter:
    """Writes the events of one response, and the response that is not streamed; an `AnswerWriter`.

    Args:
        answer: The response.
        ended: Its end.
    """

    keep_alive = KEEP_ALIVE_EVENT

    def __init__(self, answer: Answer, ended: Ended) -> None:
        self._answer = answer
        self._ended = ended
        self._number = 0
        self._has_begun = False
        self._done: list[bytes] = []
        self._item: Item | None = None
        self._frame = b""

    def begin(self) -> bytes:
        """See `AnswerWriter`."""
        self._has_begun = True
        response = self._answer.as_json("in_progress")
        return self._lifecycle("created", response) + self._lifecycle("in_progress", response)

    def write(self, delta: Delta) -> bytes:
        """See `AnswerWriter`."""
        out = b""
        if delta.reasoning:
            out += self._open_text(Reasoning) + self._deltas([_json_text(delta.reasoning)])
        if delta.logprobs:
            out += self._write_logprobs(delta)
        elif delta.text:
            out += self.write_texts([_json_text(delta.text)])
        if delta.tool_name is not None:
            out += self._open(Call(self._answer.id, self._next_index, delta.tool_name, delta.call_id))
        if delta.arguments:
            out += self._write_arguments(delta.arguments)
        return out

    def write_texts(self, texts: list[bytes]) -> bytes:
        """See `AnswerWriter`."""
        texts = [text for text in texts if text]
        return self._open_text(Message) + self._deltas(texts) if texts else b""

    def end(self) -> bytes:
        """See `AnswerWriter`."""
        events, response = self.finish()
        return events + self._lifecycle(self._status, response)

    def finish(self) -> tuple[bytes, bytes]:
        """The events that end the last item, and the response; an answer without anything is an empty message."""
        events = b"" if self._next_index else self._open(Message(self._answer.id, 0))
        events += self._close(self._status)
        reason = incomplete_reason(self._ended.finish_reason)
        return events, self._answer.as_json(self._status, self._done, reason=reason, usage=self._ended.usage)

    def error_event(self, error: ApiError) -> bytes:
        """See `AnswerWriter`; before `begin` an event that clients raise, whichever of OpenAI's two forms they read."""
        if not self._has_begun:
            details = openai_error_body(error)["error"]
            members = {**{name: details.get(name) for name in ("code", "message", "param")}, "error": details}
            return self._events([Event("error", b"," + compact(members)[1:-1])])
        last = [] if self._item is None else [self._item.as_json("incomplete")]
        output = [*self._done, *last]
        return self._lifecycle(
            "failed",
            self._answer.as_json("failed", output, usage=self._ended.usage, error=response_error(error)),
        )

    def error_response(self, error: ApiError) -> Response:
        """See `AnswerWriter`."""
        return OPENAI.error_response(error)

    @property
    def _next_index(self) -> int:
        return len(self._done) + (self._item is not None)

    @property
    def _status(self) -> str:
        return "completed" if incomplete_reason(self._ended.finish_reason) is None else "incomplete"

    def _open_text(self, kind: type[Message] | type[Reasoning]) -> bytes:
        """Go on with the item if it is of this kind; otherwise end it and begin one."""
        return b"" if isinstance(self._item, kind) else self._open(kind(self._answer.id, self._next_index))

    def _open(self, item: Item) -> bytes:
        events = self._close("completed")
        self._item = item
        # The events of a text differ in the sequence number and the text.
        before = item.before.replace(b"%", b"%%")
        self._frame = _head(item.delta_type) + b"%d" + before + b"%b" + item.after + b"}\n\n"
        return events + self._events(item.begin())

    def _close(self, status: str) -> bytes:
        item, events = self._item, b""
        if item is None:
            return events
        if item.is_empty and item.if_empty and status == "completed":
            events = self._deltas([item.if_empty])
        done = item.as_json(status)
        self._done.append(done)
        self._item = None
        return events + self._events(item.end(done))

    def _deltas(self, texts: list[bytes]) -> bytes:
        cast("Item", self._item).add(texts)
        first = self._number
        self._number += len(texts)
        return b"".join([self._frame % (number, text) for number, text in enumerate(texts, first)])

    def _write_logprobs(self, delta: Delta) -> bytes:
        events = self._open_text(Message)
        message = cast("Message", self._item)
        return events + self._events([message.add_with_logprobs(_json_text(delta.text), delta.logprobs)])

    def _write_arguments(self, arguments: str) -> bytes:
        if not isinstance(self._item, Call):
            raise ApiError("upstream", "The model sent arguments of no call.", log_detail="arguments of no call")
        return self._deltas([_json_text(arguments)])

    def _lifecycle(self, status: str, response: bytes) -> bytes:
        return self._events([Event(f"response.{status}", b',"response":' + response)])

    def _events(self, events: Iterable[Event]) -> bytes:
        out = []
        for number, event in enumerate(events, self._number):
            out.append(b"%b%d%b}\n\n" % (_head(event.type), number, event.members))
        self._number += len(out)
        return b"".join(out)


def _head(event_type: str) -> bytes:
    """An event up to its sequence number."""
    return f'event: {event_type}\ndata: {{"type":"{event_type}","sequence_number":'.encode()


def _json_text(text: str) -> bytes:
    return compact(text)[1:-1]
