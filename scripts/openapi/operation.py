"""One operation of the API, independent of the paths that serve it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scripts.openapi.schema import Schema

_EVENTS = (
    "Streamed as server-sent events, one such object after each `data:`; lines that begin with a colon keep the"
    " connection alive. An error after the stream has started is its last event."
)
RETRY_AFTER: Schema = {"schema": {"type": "integer"}, "description": "Seconds to wait before a retry."}
"""The header of that name."""
_DIFFERENCE: Schema = {
    "schema": {"type": "string"},
    "description": "What may not be as TGI or OpenAI would answer.",
}
_DONE = f"{_EVENTS} `data: [DONE]` ends the stream."


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation.

    Args:
        id: Its operationId; `OfModel` is appended for the path with a model, if there is one without.
        tag: The API that it belongs to.
        summary: Its purpose.
        description: What else a caller must know.
        response: Schema of its JSON response. None: it always streams.
        response_example: An example of that response.
        events: Schema of the objects in its events. None: it never streams.
        event_example: An example of such an object.
        ends_with_done: Whether its streams end with `data: [DONE]`.
        may_be_page: Whether a browser may get a page instead.
        accepted: Schema of its response with status 202. None: it has none.
        accepted_example: An example of that response.
        may_differ: Whether its response may have the header `x-tgi-difference`.
        failures: The statuses of its errors besides those of every route, and of every route with a request body.
    """

    id: str
    tag: str
    summary: str
    description: str = ""
    response: Schema | None = None
    response_example: Any = None
    events: Schema | None = None
    event_example: Any = None
    ends_with_done: bool = False
    may_be_page: bool = False
    accepted: Schema | None = None
    accepted_example: Any = None
    may_differ: bool = False
    failures: tuple[str, ...] = ()

    def success(self) -> dict[str, Any]:
        """The response with status 200."""
        content: dict[str, Any] = {}
        if self.response is not None:
            content["application/json"] = {"schema": self.response, "example": self.response_example}
        if self.events is not None:
            content["text/event-stream"] = {"schema": self.events, "example": self.event_example}
        if self.may_be_page:
            content["text/html"] = {"schema": {"type": "string"}}
        description = "" if self.events is None else _DONE if self.ends_with_done else _EVENTS
        headers = {"headers": {"x-tgi-difference": _DIFFERENCE}} if self.may_differ else {}
        return {"description": description or "Success.", **headers, "content": content}

    def acceptance(self) -> dict[str, Any]:
        """The response with status 202 by its status; empty if there is none."""
        if self.accepted is None:
            return {}
        content = {"application/json": {"schema": self.accepted, "example": self.accepted_example}}
        return {"202": {"description": "It has begun.", "headers": {"Retry-After": RETRY_AFTER}, "content": content}}
