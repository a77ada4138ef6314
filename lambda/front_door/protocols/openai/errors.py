"""Errors as OpenAI's API reports them."""

from typing import Any

from front_door.errors import KINDS, ApiError
from front_door.protocols.base import Protocol

# The codes that differ from the kind; None is OpenAI's for a request that fails validation.
_CODES = {
    "incomplete_generation_stream": "incomplete_generation",
    "overloaded": "rate_limit_exceeded",
    "stream_serialization_error": None,
    "validation": None,
    "bad_request": None,
    "not_found": "unknown_url",
    "too_large": "request_too_large",
    "permission": "upstream_permission",
    "upstream": "upstream_error",
    "internal": "internal_error",
}


def openai_error_body(error: ApiError) -> dict[str, Any]:
    """`{"error": {message, type, param, code}}` with TGI's `error_type` beside it, or the container's own `error`."""
    details = {
        "message": error.message,
        "type": _type_of(error.kind),
        "param": error.param,
        "code": error.code or _CODES.get(error.kind, error.kind),
    }
    body = error.container_body or {}
    reported = body.get("error")
    if not isinstance(reported, dict):
        return {"error": details, "error_type": error.kind}
    return body | {"error": details | reported | {"message": error.message}}


def _type_of(kind: str) -> str:
    status = KINDS[kind].status
    if status == 429:
        return "rate_limit_error"
    return "server_error" if status >= 500 or kind == "generation" else "invalid_request_error"


# TGI's status for an invalid request is 422, OpenAI's is 400.
OPENAI = Protocol(openai_error_body, b"data: [DONE]\n\n", {422: 400})
