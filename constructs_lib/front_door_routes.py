"""The routes of the front door's API and what the gateway checks before a request reaches the function.

Pure data: no aws_cdk here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_DRAFT_04 = "http://json-schema.org/draft-04/schema#"

# Only what every TGI version refuses by itself, and nothing that the function may want to be kinder about
# (such as `stop` as a string, or an explicit `"stream": null`).
SCHEMAS: dict[str, dict[str, Any]] = {
    "GenerateRequest": {
        "$schema": _DRAFT_04,
        "title": "GenerateRequest",
        "type": "object",
        "required": ["inputs"],
        "properties": {"inputs": {"type": "string"}},
    },
    "ChatRequest": {
        "$schema": _DRAFT_04,
        "title": "ChatRequest",
        "type": "object",
        "required": ["messages"],
        "properties": {"messages": {"type": "array"}},
    },
}


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path.

    Args:
        method: The HTTP method, or ``ANY`` for all that have no route of their own.
        path: The path under the stage.
        schema: The name in `SCHEMAS` that a JSON body must match. None: the gateway passes every body on.
    """

    method: str
    path: str
    schema: str | None = None


# What the function serves.
_SERVED = (
    Route("POST", "/", "GenerateRequest"),
    Route("POST", "/generate", "GenerateRequest"),
    Route("POST", "/generate_stream", "GenerateRequest"),
    Route("POST", "/v1/chat/completions", "ChatRequest"),
    Route("GET", "/v1/models"),
    Route("GET", "/health"),
)


def routes() -> tuple[Route, ...]:
    """Every route of the API: the served ones, and ANY on each resource so that the function alone answers 404 and 405.

    A resource without a method of its own would be answered by the gateway (with 403, as "Missing Authentication
    Token"), so the resources on the way, such as `/v1`, get their ANY too.
    """
    resources = dict.fromkeys(prefix for route in _SERVED for prefix in prefixes(route.path))
    return _SERVED + tuple(Route("ANY", path) for path in (*resources, "/{proxy+}"))


def prefixes(path: str) -> tuple[str, ...]:
    """The path and all above it, root first: `/v1/models` gives `/`, `/v1`, `/v1/models`."""
    parts = [part for part in path.split("/") if part]
    return ("/", *("/" + "/".join(parts[: end + 1]) for end in range(len(parts))))
