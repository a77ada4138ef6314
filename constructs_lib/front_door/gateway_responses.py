"""Gateway responses: what API Gateway answers without the function, as JSON for all clients alike.

There is one response per kind of error and not per route, so the gateway cannot speak the client's protocol: each body
has OpenAI's `error` object, TGI's `error_type` beside it, and the `type` by which Anthropic's clients know an error.
The function answers everything that depends on the request's body, in the protocol of its route. Pure data: no aws_cdk
here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

# The request's id in API Gateway, under the names that the function's responses have it; Anthropic's is the second.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-parameter-mapping-sources.html
_REQUEST_ID = {"x-request-id": "context.requestId", "request-id": "context.requestId"}
_SOURCES = ("method.request.", "context.")

# OpenAI's clients repeat every 429, 408 and 5xx unless this header says otherwise.
DO_NOT_RETRY = {"x-should-retry": "false"}


@dataclass(frozen=True, slots=True)
class GatewayResponse:
    """One gateway response.

    Args:
        response_type: API Gateway's response type, such as `THROTTLED`.
        status: The HTTP status. None: API Gateway's own.
        code: OpenAI's `code`: what is wrong, for programs.
        message: What is wrong and what to do about it. Default: API Gateway's own message.
        headers: Response headers: literals, or parts of the request such as `method.request.header.Origin`. Default:
            none.
        type: OpenAI's `type`, the class of the error. Default: `invalid_request_error`.
        error_type: The error's name for TGI's clients, which is TGI's own if TGI has one. Default: `code`.
    """

    response_type: str
    status: int | None
    code: str
    message: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    type: str = "invalid_request_error"
    error_type: str | None = None

    def to_openapi(self) -> dict[str, Any]:
        """The entry in `x-amazon-apigateway-gateway-responses`."""
        status = {"statusCode": str(self.status)} if self.status else {}
        return {
            **status,
            "responseParameters": {
                f"gatewayresponse.header.{name}": _parameter(value)
                for name, value in {**_REQUEST_ID, **self.headers}.items()
            },
            "responseTemplates": {"application/json": self.body_template()},
        }

    def body_template(self) -> str:
        """The body, as a mapping template of API Gateway."""
        # messageString is the one variable that API Gateway renders with quotation marks around it.
        message = json.dumps(self.message) if self.message else "$context.error.messageString"
        code, error_type = json.dumps(self.code), json.dumps(self.error_type or self.code)
        error = f'{{"message":{message},"type":{json.dumps(self.type)},"param":null,"code":{code}}}'
        return f'{{"type":"error","error":{error},"error_type":{error_type}}}'


def gateway_responses(*overrides: GatewayResponse, headers: Mapping[str, str]) -> tuple[GatewayResponse, ...]:
    """All gateway responses of an API.

    Args:
        overrides: Responses that replace the defaults of their type, such as those of the access method.
        headers: Headers of every response.
    """
    responses = {response.response_type: response for response in (*_DEFAULTS, *overrides)}
    return tuple(replace(response, headers={**response.headers, **headers}) for response in responses.values())


def throttled(message: str) -> GatewayResponse:
    """The response to more requests than a limit allows, which the next second may have room for."""
    return GatewayResponse(
        "THROTTLED",
        429,
        "rate_limit_exceeded",
        message,
        {"Retry-After": "1"},
        type="rate_limit_error",
        error_type="overloaded",
    )


def _parameter(value: str) -> str:
    return value if value.startswith(_SOURCES) else f"'{value}'"


_DEFAULTS = (
    GatewayResponse(
        "MISSING_AUTHENTICATION_TOKEN", 404, "unknown_url", "There is no such route.", error_type="not_found"
    ),
    GatewayResponse("ACCESS_DENIED", 403, "access_denied", "Access to this route is denied."),
    GatewayResponse(
        "REQUEST_TOO_LARGE",
        413,
        "request_too_large",
        "The request is larger than the API takes. Shorten the prompt.",
        error_type="too_large",
    ),
    GatewayResponse(
        "UNSUPPORTED_MEDIA_TYPE",
        415,
        "unsupported_media_type",
        "The request body must be JSON, with the header 'Content-Type: application/json'; its Content-Encoding may be"
        " gzip or deflate.",
    ),
    throttled("Too many requests per second. Try again in a second."),
    GatewayResponse(
        "INTEGRATION_FAILURE",
        502,
        "bad_gateway",
        "The function behind the API failed before it answered. Try again; if it lasts, see its log.",
        type="server_error",
    ),
    GatewayResponse(
        "INTEGRATION_TIMEOUT",
        504,
        "timeout",
        "The model did not answer in the time that the API allows. Ask for fewer tokens, or stream the answer.",
        DO_NOT_RETRY,
        type="server_error",
    ),
    GatewayResponse("DEFAULT_4XX", None, "invalid_request_error"),
    GatewayResponse("DEFAULT_5XX", None, "api_error", type="server_error"),
)
