"""A chat with a model for protocols that are no engine's own: both ways go through OpenAI's chat completions.

A protocol writes its request as a chat, and gets the model's answer as deltas, whatever engine the container has.
"""

import re
from collections.abc import Generator, Iterator, Mapping
from typing import Any, Protocol

from front_door.config import Model
from front_door.context import RequestContext
from front_door.delivery import ErrorWriter, EventSource, stream_response
from front_door.errors import ApiError
from front_door.generation.events import Delta
from front_door.generation.frames import TextFrames
from front_door.generation.request import Problems
from front_door.http.json import not_json
from front_door.http.response import Response
from front_door.request_log import RequestLog

_END = b"\n\n"


class AnswerWriter(ErrorWriter, Protocol):
    """Writes the events of one answer, each method complete ones."""

    def begin(self) -> bytes:
        """What comes before the answer."""

    def write(self, delta: Delta) -> bytes:
        """A part of the answer."""

    def write_texts(self, texts: list[bytes]) -> bytes:
        """Some texts, each as JSON without its quotation marks: the same as `write` for a delta of each."""

    def end(self) -> bytes:
        """What comes behind the answer; the conversation knows why it has ended."""


class State(Protocol):
    """What is known of an answer.

    Attributes:
        is_done: Whether it has ended.
        error: The error that it has ended with instead.
        usage: The token counts in the words of a chat completion; empty or None as long as they are unknown.
        finish_reason: Why it has ended: `stop`, `length`, `tool_calls`, `content_filter`; None before it has.
        stop_sequence: The stop sequence that has ended it, if the engine says so.
    """

    is_done: bool
    error: ApiError | None
    finish_reason: str | None
    stop_sequence: str | None

    @property
    def usage(self) -> dict[str, Any] | None: ...  # noqa: D102


class Answer(Protocol):
    """An answer of one container.

    Attributes:
        frames: Reads texts without parsing their events.
        state: What is known of it.
    """

    frames: TextFrames

    @property
    def state(self) -> State: ...  # noqa: D102

    def complete(self) -> Generator[bytes, None, list[Delta]]:
        """All of it; yields keep-alives."""

    def open(self) -> EventSource:
        """The events of a stream."""

    def read(self, event: bytes) -> list[Delta]:
        """What one event adds, or set the state's `error`."""

    def check_first(self, events: bytes) -> None:
        """Raise the error that some events begin with."""

    def check_last(self, events: bytes, log: RequestLog) -> None:
        """Log what the container has reported; raises ApiError if the answer has no end."""


class Conversation:
    """One answer of a model to a chat.

    Args:
        ctx: The client's request.
        model: The model.
        chat: A body of `/v1/chat/completions`, without `model` and `stream`.
        problems: What the protocol has found in the client's request.
        names: Where members of the chat are in the client's request, such as `{"max_tokens": "max_output_tokens"}`; the
            longest that a member begins with counts.

    Raises:
        ApiError: There is a problem, or the caller may not use as many tokens.
    """

    def __init__(
        self,
        ctx: RequestContext,
        model: Model,
        chat: dict[str, Any],
        problems: Problems,
        names: Mapping[str, str],
    ) -> None:
        if "chat" not in ctx.openai_routes(model):
            raise ctx.engine_cannot(model, ctx.request.path[:200])
        self._ctx = ctx
        renamed = _RenamedProblems(problems, names)
        try:
            self._answer = _create_answer(ctx, model, chat, renamed)
        except RecursionError:
            raise not_json("recursion limit exceeded") from None

    @property
    def usage(self) -> dict[str, Any]:
        """See `State`; empty as long as it is unknown."""
        return self._answer.state.usage or {}

    @property
    def finish_reason(self) -> str | None:
        """See `State`."""
        return self._answer.state.finish_reason

    @property
    def stop_sequence(self) -> str | None:
        """See `State`."""
        return self._answer.state.stop_sequence

    def answer(self) -> Generator[bytes, None, list[Delta]]:
        """The whole answer, for a `ResponseBuilder`."""
        return (yield from self._answer.complete())

    def stream(self, writer: AnswerWriter) -> Response:
        """The answer as it comes.

        Raises:
            ApiError: The response is an error before the status is sent.
        """
        translation = _Translation(self._answer, writer)
        return stream_response(
            self._ctx,
            self._answer.open(),
            writer,
            translate=translation.translate,
            check_first=self._answer.check_first,
            check_last=self._answer.check_last,
        )


def _create_answer(ctx: RequestContext, model: Model, chat: dict[str, Any], problems: Problems) -> Answer:
    server = ctx.openai_server_of(model)
    if server is None:
        from front_door.protocols.translated_answer import TranslatedAnswer

        return TranslatedAnswer(ctx, model, chat, problems)
    from front_door.protocols.native_answer import NativeAnswer

    return NativeAnswer(ctx, server, model, chat, problems)


class _Translation:
    """A container's events as those of a client's protocol."""

    def __init__(self, answer: Answer, writer: AnswerWriter) -> None:
        self._answer = answer
        self._writer = writer
        self._has_begun = False

    def translate(self, events: bytes) -> bytes:
        """What the client gets for some complete events.

        Raises:
            ApiError: The container has reported an error, and what came before is returned.
        """
        if self._answer.state.error is not None:
            raise self._answer.state.error
        return self._begin() + self._translate(events)

    def _begin(self) -> bytes:
        if self._has_begun:
            return b""
        self._has_begun = True
        return self._writer.begin()

    def _translate(self, events: bytes) -> bytes:
        if (texts := self._answer.frames.texts(events)) is not None:
            return self._writer.write_texts(texts)
        if events.count(_END) > 1:
            return b"".join(self._parts(events))
        return self._parse(events)

    def _parts(self, events: bytes) -> Iterator[bytes]:
        for event in events.split(_END):
            if event:
                yield self._translate(event + _END)

    def _parse(self, event: bytes) -> bytes:
        self._answer.frames.forget()
        if self._answer.state.is_done or self._answer.state.error is not None:
            return b""
        deltas = self._answer.read(event)
        if len(deltas) == 1 and deltas[0] == Delta(deltas[0].text):
            self._answer.frames.learn(event)
        return b"".join([self._writer.write(delta) for delta in deltas]) + self._end()

    def _end(self) -> bytes:
        return self._writer.end() if self._answer.state.is_done else b""


class _RenamedProblems(Problems):
    """Problems of a chat, as problems of the client's request."""

    def __init__(self, found: Problems, names: Mapping[str, str]) -> None:
        super().__init__()
        self._client = found
        self._names = names

    def add(self, param: str, sentence: str) -> None:
        """See `Problems`."""
        super().add(param, sentence)
        renamed = self._rename(param)
        if renamed != param:
            sentence = re.sub(rf"(?<![\w.\[]){re.escape(param)}(?!\w)", lambda _: renamed, sentence)
        self._client.add(renamed, sentence)

    def raise_if_any(self) -> None:
        """See `Problems`."""
        self._client.raise_if_any()

    def _rename(self, param: str) -> str:
        found = [chat for chat in self._names if param == chat or param.startswith((f"{chat}.", f"{chat}["))]
        if not found:
            return param
        chat = max(found, key=len)
        return self._names[chat] + param.removeprefix(chat)
