"""Errors as Anthropic's API reports them (https://platform.claude.com/docs/en/api/errors)."""

from typing import Any

from front_door.errors import ApiError
from front_door.http.response import Response
from front_door.protocols.base import Protocol

_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    424: "api_error",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}

# For this one, the tool runners of Anthropic's SDKs send the whole conversation again, and go on so.
_UNTHREADED = {"error_code": "thread_unsupported_request", "unsupported": ["thread"]}

_PING = b'event: ping\ndata: {"type":"ping"}\n\n'


# Claude Code shortens a conversation after these words of Anthropic's.
_TOO_LONG = "prompt is too long: "


def anthropic_error_body(error: ApiError) -> dict[str, Any]:
    """`{"type": "error", "error": {type, message}, "request_id"}`."""
    is_too_long = error.code == "context_length_exceeded"
    message = _TOO_LONG + error.message if is_too_long else error.message
    details: dict[str, Any] = {"type": _type_of(error), "message": message}
    if error.param == "thread":
        details["details"] = _UNTHREADED
    return {"type": "error", "error": details, "request_id": error.request_id}


def _type_of(error: ApiError) -> str:
    if error.kind == "overloaded":
        return "overloaded_error"
    return _TYPES.get(error.status) or ("api_error" if error.status >= 500 else "invalid_request_error")


class _Anthropic(Protocol):
    """Errors with the request's id, and in streams with the event's name, without which SDKs skip an event."""

    def error_response(self, error: ApiError) -> Response:
        response = super().error_response(error)
        return name_request(response, error.request_id)

    def error_event(self, error: ApiError) -> bytes:
        return b"event: error\n" + super().error_event(error)


def name_request(response: Response, request_id: str | None) -> Response:
    """The response with the header in which Anthropic's SDKs look for the request's id."""
    if request_id is not None:
        response.headers["request-id"] = request_id
    return response


# Anthropic's status for an overloaded model is 529; its SDKs repeat a request for that as they do for 429 and 503.
ANTHROPIC = _Anthropic(anthropic_error_body, b"", {422: 400}, _PING)


class RequestErrors:
    """Writes the errors of one request; see `ErrorWriter`."""

    keep_alive = _PING

    def __init__(self, request_id: str) -> None:
        self._request_id = request_id

    def error_response(self, error: ApiError) -> Response:
        """See `ErrorWriter`."""
        error.request_id = self._request_id
        return ANTHROPIC.error_response(error)

    def error_event(self, error: ApiError) -> bytes:
        """See `ErrorWriter`."""
        error.request_id = self._request_id
        return ANTHROPIC.error_event(error)
