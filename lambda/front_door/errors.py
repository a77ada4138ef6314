"""The errors that a request can end with, whatever the client's protocol and the model's engine."""

from typing import Any, NamedTuple


class ErrorKind(NamedTuple):
    """The HTTP status of one kind of error, and the seconds after which a retry makes sense."""

    status: int
    retry_after: int | None = None


# The first ten are TGI 3.3's own (`error_type` in router/src/infer/mod.rs and router/src/server.rs).
KINDS: dict[str, ErrorKind] = {
    "generation": ErrorKind(424),
    "healthcheck": ErrorKind(503, 10),
    "incomplete_generation": ErrorKind(500),
    "incomplete_generation_stream": ErrorKind(500),
    "missing_template_variable": ErrorKind(422),
    "overloaded": ErrorKind(429, 1),
    "stream_serialization_error": ErrorKind(500),
    "template_error": ErrorKind(422),
    "tool_error": ErrorKind(422),
    "validation": ErrorKind(422),
    # The caller.
    "access_denied": ErrorKind(403),
    "insufficient_quota": ErrorKind(429),
    "limits_unavailable": ErrorKind(503, 5),
    "rate_limit_exceeded": ErrorKind(429),
    # The request itself.
    "bad_request": ErrorKind(400),
    "engine_cannot": ErrorKind(400),
    "invalid_api_key": ErrorKind(401),
    "method_not_allowed": ErrorKind(405),
    "model_not_found": ErrorKind(404),
    "not_found": ErrorKind(404),
    "too_large": ErrorKind(413),
    "unsupported_media_type": ErrorKind(415),
    # SageMaker and the connection to it.
    "closed": ErrorKind(503),
    "endpoint_not_found": ErrorKind(503, 30),
    "no_capacity": ErrorKind(503, 30),
    "not_ready": ErrorKind(503, 10),
    "permission": ErrorKind(502),
    "timeout": ErrorKind(504),
    "unavailable": ErrorKind(503, 2),
    "upstream": ErrorKind(502),
    "upstream_event_too_large": ErrorKind(502),
    # This function.
    "internal": ErrorKind(500),
}

IN_BAND = "in-band"
"""The `log_detail` of an error that a container reported inside its stream."""


class ApiError(Exception):
    """An error that is reported to the client.

    Args:
        kind: A key of `KINDS`.
        message: What happened, for the client; no prompt, no account, no endpoint name.
        status: The HTTP status. Default: the kind's.
        param: The request field at fault, by OpenAI's name; reported to OpenAI clients.
        code: OpenAI's error code. Default: the kind's.
        headers: Added to the response, such as Allow.
        container_body: The container's JSON error, given to the client unchanged if it is in the client's protocol.
        log_detail: What the log line says beyond the kind, such as SageMaker's error code; never a client's text.
        may_retry: Whether nothing was generated, so that the same request may be sent again.
        retry_after: Seconds until the same request may succeed; None if a retry would not help. Default: the kind's,
            for the statuses 429 and 503.

    Attributes:
        request_id: The request's, for protocols whose errors name it; set when the error is written.
    """

    def __init__(
        self,
        kind: str,
        message: str,
        *,
        status: int | None = None,
        param: str | None = None,
        code: str | None = None,
        headers: dict[str, str] | None = None,
        container_body: dict[str, Any] | None = None,
        log_detail: str | None = None,
        may_retry: bool = False,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.status = status or KINDS[kind].status
        self.param = param
        self.code = code
        self.headers = headers or {}
        self.container_body = container_body
        self.log_detail = log_detail
        self.may_retry = may_retry
        if retry_after is None and self.status in (429, 503):
            is_own = self.status == 503 or KINDS[kind].status == 429
            retry_after = KINDS[kind if is_own else "overloaded"].retry_after
        self.retry_after = retry_after
        self.request_id: str | None = None
