"""From every failure to an HTTP status, and to the words of the protocol that the client speaks."""

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from front_door.http.response import Response


class Kind(NamedTuple):
    """How one kind of failure is told: HTTP status, OpenAI's type and code, seconds until a retry makes sense."""

    status: int
    openai_type: str
    openai_code: str | None
    retry_after: int | None = None


# The keys are TGI's `error_type`: these are TGI 3.3's own (router/src/infer/mod.rs, router/src/server.rs), all that
# a container may say of itself.
KINDS: dict[str, Kind] = {
    "generation": Kind(424, "server_error", "generation"),
    "healthcheck": Kind(503, "server_error", "healthcheck", 10),
    "incomplete_generation": Kind(500, "server_error", "incomplete_generation"),
    "incomplete_generation_stream": Kind(500, "server_error", "incomplete_generation"),
    "missing_template_variable": Kind(422, "invalid_request_error", "missing_template_variable"),
    "overloaded": Kind(429, "rate_limit_error", "rate_limit_exceeded", 1),
    "stream_serialization_error": Kind(500, "server_error", None),
    "template_error": Kind(422, "invalid_request_error", "template_error"),
    "tool_error": Kind(422, "invalid_request_error", "tool_error"),
    "validation": Kind(422, "invalid_request_error", None),
}
TGI_KINDS = frozenset(KINDS)
KINDS |= {
    # The request itself.
    "bad_request": Kind(400, "invalid_request_error", None),
    "invalid_api_key": Kind(401, "invalid_request_error", "invalid_api_key"),
    "method_not_allowed": Kind(405, "invalid_request_error", "method_not_allowed"),
    "model_not_found": Kind(404, "invalid_request_error", "model_not_found"),
    "not_found": Kind(404, "invalid_request_error", "unknown_url"),
    "too_large": Kind(413, "invalid_request_error", "request_too_large"),
    "unsupported_media_type": Kind(415, "invalid_request_error", "unsupported_media_type"),
    # SageMaker, and the way to it.
    "endpoint_not_found": Kind(503, "server_error", "endpoint_not_found", 30),
    "no_capacity": Kind(503, "server_error", "no_capacity", 30),
    "not_ready": Kind(503, "server_error", "not_ready", 10),
    "permission": Kind(502, "server_error", "upstream_permission"),
    "timeout": Kind(504, "server_error", "timeout"),
    "unavailable": Kind(503, "server_error", "unavailable", 2),
    "upstream": Kind(502, "server_error", "upstream_error"),
    # This function.
    "internal": Kind(500, "server_error", "internal_error"),
}

# TGI's OpenAI routes call every in-band error 422; only the words tell them apart (router/src/infer/mod.rs).
TGI_MESSAGES = {
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


IN_BAND = "in-band"
"""The cause of a failure that a container told inside its stream."""


class Failure(Exception):  # noqa: N818 - it is an answer, not a defect
    """A request that ends without what was asked for.

    Args:
        kind: A key of `KINDS`.
        message: What happened, for the client; no prompt, no account, no name of an endpoint.
        status: Default: the kind's.
        param: The request field that is at fault, told to OpenAI clients.
        headers: Added to the answer, such as Allow.
        answer: The container's own JSON answer, given to the client as it is where it speaks the client's protocol.
        cause: What the log line says beyond the kind, such as SageMaker's error code; no text of a client.
    """

    def __init__(
        self,
        kind: str,
        message: str,
        *,
        status: int | None = None,
        param: str | None = None,
        headers: dict[str, str] | None = None,
        answer: dict[str, Any] | None = None,
        cause: str | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.status = status or KINDS[kind].status
        self.param = param
        self.headers = headers or {}
        self.answer = answer
        self.cause = cause

    @property
    def retry_after(self) -> int | None:
        """Seconds until the same request may succeed; None where a retry would not help."""
        if self.status == 429:
            return KINDS["overloaded"].retry_after
        return KINDS[self.kind].retry_after if self.status == 503 else None


def compact(value: object) -> bytes:
    """JSON as TGI writes it: no spaces, UTF-8 unescaped.

    Raises:
        ValueError: A number is not finite, or a string has a lone surrogate (UnicodeEncodeError).
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def tgi_words(failure: Failure) -> dict[str, Any]:
    """The failure as TGI's routes tell it: `{"error": text, "error_type": kind}`."""
    told: dict[str, Any] = {"error": failure.message, "error_type": failure.kind}
    answer = failure.answer or {}
    if not isinstance(answer.get("error"), str):
        return told
    return answer if isinstance(answer.get("error_type"), str) else answer | {"error_type": failure.kind}


# TGI's words where the prompt, or it and what is to be generated, do not fit (router/src/validation.rs).
_TOO_LONG = re.compile(r"`inputs` (must have less than|tokens \+ `max_new_tokens` must be <=)")


# The parameters that TGI's words begin with, by OpenAI's names.
_PARAMS = {
    **{name: name for name in ("temperature", "top_p", "frequency_penalty", "repetition_penalty", "stop")},
    "max_new_tokens": "max_tokens",
    "top_n_tokens": "top_logprobs",
    "grammar": "response_format",
}


def _param(message: str) -> str | None:
    name = message.removeprefix("Input validation error: ").partition(" ")[0].strip("`")
    return _PARAMS.get(name)


def openai_words(failure: Failure) -> dict[str, Any]:
    """The failure as OpenAI's API tells it, with TGI's `error_type` beside it."""
    kind = KINDS[failure.kind]
    is_validation = failure.kind == "validation"
    is_too_long = is_validation and _TOO_LONG.search(failure.message)
    error = {
        "message": failure.message,
        "type": kind.openai_type,
        "param": _param(failure.message) if failure.param is None and is_validation else failure.param,
        "code": "context_length_exceeded" if is_too_long else kind.openai_code,
    }
    answer = failure.answer or {}
    told = answer.get("error")
    if not isinstance(told, dict):
        return {"error": error, "error_type": failure.kind}
    return answer | {"error": error | told | {"message": failure.message}}


class Protocol(NamedTuple):
    """How a client is told of failures: its JSON, what ends a stream after the event that carries it, its statuses."""

    words: Callable[[Failure], dict[str, Any]]
    end_of_stream: bytes
    statuses: dict[int, int]

    def response(self, failure: Failure) -> Response:
        """The failure as a whole answer."""
        headers = {"Content-Type": "application/json", **failure.headers}
        if failure.retry_after is not None:
            headers["Retry-After"] = str(failure.retry_after)
        return Response(self.statuses.get(failure.status, failure.status), headers, [self._told(failure)])

    def event(self, failure: Failure) -> bytes:
        """The failure as the last event of a stream that has begun."""
        return b"data: " + self._told(failure) + b"\n\n" + self.end_of_stream

    def _told(self, failure: Failure) -> bytes:
        # A name that a client chose may hold a lone surrogate; the answer must not fail on it.
        return json.dumps(self.words(failure), ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


TGI = Protocol(tgi_words, b"", {})
# What TGI calls unprocessable is a bad request to OpenAI's clients.
OPENAI = Protocol(openai_words, b"data: [DONE]\n\n", {422: 400})


def protocol_of(path: str) -> Protocol:
    """The protocol that a client of this path speaks, also where there is no such route."""
    return OPENAI if path.startswith("/v1/") else TGI


def tgi_failure(event: dict[str, Any]) -> Failure:
    """The failure that an in-band error event of TGI tells.

    Args:
        event: `{"error": text, "error_type": kind}` from TGI's own routes or
            `{"error": {"message": text, "http_status_code": 422}}` from its OpenAI routes.
    """
    error = event["error"]
    if isinstance(error, dict):
        message = str(error.get("message") or "")
        kind = next((kind for words, kind in TGI_MESSAGES.items() if message.startswith(words)), None)
    else:
        message, kind = str(error or ""), event.get("error_type")
    if not isinstance(kind, str) or kind not in TGI_KINDS:
        kind = "upstream"
    return Failure(kind, message or "The model failed.", cause=IN_BAND)
