"""What API Gateway answers by itself, as JSON that OpenAI's and TGI's clients both understand.

The gateway does not know which protocol the client speaks, so each body has OpenAI's `error` object and TGI's
`error_type` beside it. The texts are fixed: API Gateway puts its validation message into a template unescaped, so a
quotation mark in it would break the JSON. Pure data: no aws_cdk here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class GatewayAnswer:
    """One AWS::ApiGateway::GatewayResponse.

    Args:
        response_type: API Gateway's name of the case.
        status: The HTTP status. None: the one that API Gateway would send.
        error_type: The kind of error, for programs.
        message: What went wrong and what to do, for people. None: API Gateway's own text.
        headers: Further response headers.
    """

    response_type: str
    status: int | None
    error_type: str
    message: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def template(self) -> str:
        """The body, as a mapping template of API Gateway."""
        # messageString is the one variable that API Gateway renders with its quotation marks.
        message = json.dumps(self.message) if self.message else "$context.error.messageString"
        kind = json.dumps(self.error_type)
        return f'{{"error":{{"message":{message},"type":{kind},"param":null,"code":{kind}}},"error_type":{kind}}}'

    def parameters(self) -> dict[str, str]:
        """The headers, as response parameters of API Gateway (single-quoted literals)."""
        return {f"gatewayresponse.header.{name}": f"'{value}'" for name, value in self.headers.items()}


_KEY_HINT = "Send your API key in the header 'Authorization: Bearer <key>'."

GATEWAY_ANSWERS = (
    GatewayAnswer(
        "UNAUTHORIZED",
        401,
        "missing_api_key",
        f"The request carries no API key, or one of the wrong form. {_KEY_HINT}",
        {"WWW-Authenticate": "Bearer"},
    ),
    GatewayAnswer(
        "INVALID_API_KEY",
        401,
        "invalid_api_key",
        f"The API key is unknown, disabled, or not in a usage plan of this API. {_KEY_HINT}",
        {"WWW-Authenticate": "Bearer"},
    ),
    GatewayAnswer("ACCESS_DENIED", 403, "access_denied", "The API key has no access to this route."),
    GatewayAnswer("MISSING_AUTHENTICATION_TOKEN", 404, "not_found", "There is no such route."),
    GatewayAnswer(
        "BAD_REQUEST_BODY",
        400,
        "invalid_request_body",
        "The request body must be a JSON object: with a string 'inputs' for /, /generate and /generate_stream, "
        "with an array 'messages' for /v1/chat/completions.",
    ),
    GatewayAnswer(
        "REQUEST_TOO_LARGE",
        413,
        "request_too_large",
        "The request is larger than the API takes. Shorten the prompt.",
    ),
    GatewayAnswer(
        "UNSUPPORTED_MEDIA_TYPE",
        415,
        "unsupported_media_type",
        "Expected a request with the header 'Content-Type: application/json'.",
    ),
    GatewayAnswer(
        "THROTTLED",
        429,
        "rate_limit_exceeded",
        "Too many requests per second for this API key. Try again in a second.",
        {"Retry-After": "1"},
    ),
    GatewayAnswer(
        "QUOTA_EXCEEDED",
        429,
        "insufficient_quota",
        "The API key has used up its quota of requests for this period.",
        # OpenAI's clients retry every 429 unless they are told not to.
        {"x-should-retry": "false"},
    ),
    GatewayAnswer(
        "INTEGRATION_FAILURE",
        502,
        "bad_gateway",
        "The function behind the API failed before it answered. Try again; if it lasts, see its log.",
    ),
    GatewayAnswer(
        "INTEGRATION_TIMEOUT",
        504,
        "timeout",
        "The model did not answer in the time that the API allows. Ask for fewer tokens, or stream the answer.",
    ),
    GatewayAnswer("DEFAULT_4XX", None, "invalid_request_error"),
    GatewayAnswer("DEFAULT_5XX", None, "api_error"),
)
