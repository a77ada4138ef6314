"""The answer of a container that speaks OpenAI's chat completions itself."""

from collections.abc import Generator, Iterator
from typing import Any

from front_door.config import Model
from front_door.context import RequestContext
from front_door.delivery import EventSource
from front_door.errors import ApiError
from front_door.generation.events import Delta, TextFrame
from front_door.generation.frames import TextFrames
from front_door.generation.openai_server import OpenAiServer
from front_door.generation.request import Problems
from front_door.http.json import parse_object
from front_door.http.sse import KeptEvents, event_data
from front_door.protocols.openai.deltas import ChatDeltas
from front_door.protocols.openai.native_exchange import NativeExchange
from front_door.protocols.openai.native_request import read_request
from front_door.protocols.openai.relay import unknown_form
from front_door.request_log import RequestLog

_DONE = b"data: [DONE]\n\n"
_FRAME = TextFrame(b'"content":"', b'"')


class NativeAnswer:
    """See `conversation.Answer`; raises ApiError if there is a problem, or if the caller may not use as many tokens."""

    def __init__(
        self, ctx: RequestContext, server: OpenAiServer, model: Model, chat: dict[str, Any], problems: Problems
    ) -> None:
        request = read_request(chat, server, model, "chat", problems, strict=True)
        problems.raise_if_any()
        self._exchange = NativeExchange(ctx, server, model, request, "chat")
        self.state = self._exchange.progress
        self._deltas = ChatDeltas(ctx.log.request_id, self.state)
        self.frames = TextFrames(None if self.state.rewrites else _FRAME)

    def complete(self) -> Generator[bytes, None, list[Delta]]:
        """See `Answer`."""
        if not self._exchange.can_stream:
            return self._deltas.read((yield from self._exchange.invoke()))
        deltas: list[Delta] = []
        kept = KeptEvents()
        for part in self.open():
            yield b""
            kept.add(part)
            deltas += self.read(part)
            if self.state.error is not None:
                raise self.state.error
        self.check_last(b"", self._exchange.log)
        return deltas

    def open(self) -> EventSource:
        """See `Answer`."""
        return _WithEnd(self._exchange.open(), self._exchange)

    def read(self, events: bytes) -> list[Delta]:
        """See `Answer`."""
        deltas: list[Delta] = []
        for data in event_data(events):
            if self.state.error is not None or self.state.is_done:
                break
            if data == b"[DONE]":
                self.state.is_done = self.state.has_choices  # without an answer an error follows
                self._correct_reason()
            elif (chunk := parse_object(data)) is None:
                self.state.error = unknown_form()
            else:
                deltas += self._read_chunk(chunk)
        return deltas

    def _read_chunk(self, chunk: dict[str, Any]) -> list[Delta]:
        self.state.read(chunk)
        if self.state.error is not None:
            return []
        try:
            return self._deltas.read(chunk)
        except ApiError as error:
            self.state.error = error
            return []

    def _correct_reason(self) -> None:
        """In streams vLLM gives a call that the limit cuts off the reason of a whole one, sometimes with `{}`."""
        if self.state.finish_reason == "tool_calls":
            may_be_cut = self._deltas.lacks_arguments
        else:
            may_be_cut = self.state.finish_reason == "stop" and self._exchange.has_final_answer
        if may_be_cut and self._exchange.is_at_limit:
            self.state.finish_reason = "length"

    def check_first(self, events: bytes) -> None:
        """See `Answer`."""
        self.state.check_first(events)

    def check_last(self, events: bytes, log: RequestLog) -> None:
        """See `Answer`."""
        self._exchange.check_last(events, log)


class _WithEnd:
    """A stream with OpenAI's end, also if the container has closed the connection in its place, or has not streamed."""

    is_event_stream = True

    def __init__(self, source: EventSource, exchange: NativeExchange) -> None:
        self._source = source
        self._exchange = exchange

    @property
    def last_event(self) -> bytes:
        """The bytes of the source that were yielded last."""
        return self._source.last_event

    def __iter__(self) -> Iterator[bytes]:
        """Complete events; an empty slice is a keep-alive."""
        parts = iter(self._source)
        for part in parts:
            if part and not self._source.is_event_stream:
                yield b"data: " + self._exchange.read_json(part + b"".join(parts)) + b"\n\n"
                break
            yield part
        if self._exchange.progress.finish_reason is not None and not self._exchange.progress.is_done:
            yield _DONE
