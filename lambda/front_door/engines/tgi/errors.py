"""TGI's errors as `ApiError`s (router/src/infer/mod.rs, router/src/server.rs, router/src/validation.rs, 3.3.6)."""

import re
from typing import Any

from front_door.errors import IN_BAND, ApiError
from front_door.http.json import describe_content, parse_object
from front_door.http.sse import event_data, event_objects

# TGI's OpenAI routes give every in-band error status 422; only the message tells them apart.
KIND_BY_MESSAGE = {
    "Model is overloaded": "overloaded",
    "Input validation error": "validation",
    "Request failed during generation": "generation",
    "Incomplete generation stream": "incomplete_generation_stream",
    "Incomplete generation": "incomplete_generation",
    "Template error": "template_error",
    "Missing template vatiable": "missing_template_variable",
    "Tool error": "tool_error",
    "Stream event serialization error": "stream_serialization_error",
}
KINDS = frozenset((*KIND_BY_MESSAGE.values(), "healthcheck"))
"""The values of `error_type`, which are the front door's kinds as well."""
_KIND_BY_STATUS = {
    400: "bad_request",
    413: "too_large",
    415: "unsupported_media_type",
    422: "validation",
    424: "generation",
    429: "overloaded",
    503: "unavailable",
    504: "timeout",
}

# The prompt, or the prompt and what is to be generated, are longer than the context.
_TOO_LONG = re.compile(r"`inputs` (must have less than|tokens \+ `max_new_tokens` must be <=)")
_TOTAL_TOO_LONG = re.compile(r"must be <= (\d+)\. Given: (\d+) `inputs` tokens")
# The parameters that a message may begin with, and OpenAI's names for them.
_PARAMS = {
    **{name: name for name in ("temperature", "top_p", "frequency_penalty", "repetition_penalty", "stop")},
    "max_new_tokens": "max_tokens",
    "top_n_tokens": "top_logprobs",
    "grammar": "response_format",
}


def container_error(status: int, text: str) -> ApiError:
    """The error in an error response, `{"error": text, "error_type": kind}`.

    Anything else, such as a page of a proxy or a traceback, has nothing that a client may see: only its status counts.
    """
    content = text.encode(errors="replace")
    body = parse_object(content) or {}
    message, detail = _message(body), f"ModelError {status}"
    by_status = _KIND_BY_STATUS.get(status, "upstream")
    if message is None:
        detail = f"{detail}: {describe_content(content)}"
        return _api_error(by_status, f"The model responded with status {status}.", log_detail=detail)
    kind = body.get("error_type")
    kind = kind if isinstance(kind, str) and kind in KINDS else by_status
    return _api_error(kind, message, status=status, container_body=body, log_detail=detail)


def stream_error(event: dict[str, Any]) -> ApiError:
    """The error in an in-band error event.

    TGI's own routes send `{"error": text, "error_type": kind}`, its OpenAI routes
    `{"error": {"message": text, "http_status_code": 422}}`.
    """
    message, kind = _message(event), event.get("error_type")
    if message is None:
        return ApiError("upstream", "The model failed.", log_detail=IN_BAND)
    if isinstance(event["error"], dict):
        kind = next((kind for start, kind in KIND_BY_MESSAGE.items() if message.startswith(start)), None)
    return _api_error(kind if kind in KINDS else "upstream", message, log_detail=IN_BAND)


def _message(body: dict[str, Any]) -> str | None:
    """The message of a body or an event, if it is an error as TGI writes it; it has had both members since 0.4.0."""
    error = body.get("error")
    if isinstance(error, dict):
        error = error.get("message")
    elif not isinstance(body.get("error_type"), str):
        return None
    return error if isinstance(error, str) and error else None


def first_error(events: bytes) -> ApiError | None:
    """The error that some complete events begin with; None if they begin with anything else.

    Raises:
        ApiError: An event carries no JSON object.
    """
    data = event_data(events)
    if not data or b'"error"' not in data[0][:10]:
        return None
    return next((stream_error(event) for event in event_objects(events) if "error" in event), None)


def tokens_left(error: ApiError) -> int | None:
    """How many tokens fit behind the prompt, if TGI says so and if any do."""
    found = _TOTAL_TOO_LONG.search(error.message) if error.kind == "validation" else None
    left = int(found[1]) - int(found[2]) if found else 0
    return left if left > 0 else None


def _api_error(kind: str, message: str, **details: Any) -> ApiError:
    param = code = None
    if kind == "validation":
        param = _PARAMS.get(message.removeprefix("Input validation error: ").partition(" ")[0].strip("`"))
        code = "context_length_exceeded" if _TOO_LONG.search(message) else None
    # TGI reports an overload before it generates anything.
    return ApiError(kind, message, param=param, code=code, may_retry=kind == "overloaded", **details)
