"""The answer of a container whose requests and responses are translated."""

from collections.abc import Generator
from typing import Any

from front_door.config import Model
from front_door.context import RequestContext
from front_door.delivery import EventSource
from front_door.generation.choice import Choice
from front_door.generation.events import Delta
from front_door.generation.frames import TextFrames
from front_door.generation.request import Problems
from front_door.protocols.generation import Generation
from front_door.protocols.openai.chat import parse_chat
from front_door.protocols.openai.responses import with_adapter
from front_door.request_log import RequestLog


class TranslatedAnswer:
    """See `conversation.Answer`; raises ApiError if there is a problem, or if the caller may not use as many tokens."""

    def __init__(self, ctx: RequestContext, model: Model, chat: dict[str, Any], problems: Problems) -> None:
        request = parse_chat(chat, problems, strict=True)
        self._generation = Generation(ctx, with_adapter(ctx, model, request), request, problems)
        self.frames = TextFrames(None if request.stop_sequences else self.state.text_frame)

    @property
    def state(self) -> Choice:
        """See `Answer`."""
        return self._generation.choices[0]

    def complete(self) -> Generator[bytes, None, list[Delta]]:
        """See `Answer`."""
        return (yield from self._generation.complete())[0]

    def open(self) -> EventSource:
        """See `Answer`."""
        return self._generation.open()

    def read(self, event: bytes) -> list[Delta]:
        """See `Answer`."""
        return self.state.read(event)

    def check_first(self, events: bytes) -> None:
        """See `Answer`."""
        self._generation.raise_first_error(events)

    def check_last(self, events: bytes, log: RequestLog) -> None:
        """See `Answer`."""
        self._generation.check_last(events, log)
