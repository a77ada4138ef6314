"""One operation of the API, before it is known at which paths it is served."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scripts.openapi.schema import Schema

_EVENTS = (
    "As a stream: server-sent events, one such object after each `data:`; lines that begin with a colon keep the"
    " connection alive. A failure after the beginning is the last event."
)
_DONE = f"{_EVENTS} `data: [DONE]` ends the stream."


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation.

    Args:
        id: Its operationId; where it is also served without a model in the path, that one has `OfModel` added.
        tag: Whose API it belongs to.
        summary: What it is for.
        description: What else the caller must know.
        answer: Schema of its JSON answer. None: it only streams.
        answer_example: Such an answer.
        events: Schema of the objects in its events. None: it does not stream.
        event_example: Such an object.
        ends_with_done: Whether its streams end with `data: [DONE]`.
        may_be_page: Whether a browser may get a page instead.
        may_be_unhealthy: Whether it answers for the state of the endpoints.
    """

    id: str
    tag: str
    summary: str
    description: str = ""
    answer: Schema | None = None
    answer_example: Any = None
    events: Schema | None = None
    event_example: Any = None
    ends_with_done: bool = False
    may_be_page: bool = False
    may_be_unhealthy: bool = False

    def success(self) -> dict[str, Any]:
        """The answer with status 200."""
        content: dict[str, Any] = {}
        if self.answer is not None:
            content["application/json"] = {"schema": self.answer, "example": self.answer_example}
        if self.events is not None:
            content["text/event-stream"] = {"schema": self.events, "example": self.event_example}
        if self.may_be_page:
            content["text/html"] = {"schema": {"type": "string"}}
        description = "" if self.events is None else _DONE if self.ends_with_done else _EVENTS
        return {"description": description or "The answer.", "content": content}
