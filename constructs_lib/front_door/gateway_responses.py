"""Gateway responses: what API Gateway answers without the function, as JSON for OpenAI and TGI clients alike.

The gateway does not know which protocol the client speaks, so each body has both OpenAI's `error` object and TGI's
`error_type`. The texts are fixed: API Gateway inserts its own validation message unescaped, and a quotation mark in it
would break the JSON. Pure data: no aws_cdk here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class GatewayResponse:
    """One gateway response.

    Args:
        response_type: API Gateway's response type, such as `THROTTLED`.
        status: The HTTP status. None: API Gateway's own.
        error_type: The machine-readable type of the error.
        message: What is wrong and what to do about it. Default: API Gateway's own message.
        headers: Response headers: literals, or parts of the request such as `method.request.header.Origin`. Default:
            none.
    """

    response_type: str
    status: int | None
    error_type: str
    message: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def to_openapi(self) -> dict[str, Any]:
        """The entry in `x-amazon-apigateway-gateway-responses`."""
        status = {"statusCode": str(self.status)} if self.status else {}
        parameters = {f"gatewayresponse.header.{name}": _parameter(value) for name, value in self.headers.items()}
        return {
            **status,
            **({"responseParameters": parameters} if parameters else {}),
            "responseTemplates": {"application/json": self.body_template()},
        }

    def body_template(self) -> str:
        """The body, as a mapping template of API Gateway."""
        # messageString is the one variable that API Gateway renders with quotation marks around it.
        message = json.dumps(self.message) if self.message else "$context.error.messageString"
        code = json.dumps(self.error_type)
        return f'{{"error":{{"message":{message},"type":{code},"param":null,"code":{code}}},"error_type":{code}}}'


def gateway_responses(
    *overrides: GatewayResponse, body_message: str, headers: Mapping[str, str]
) -> tuple[GatewayResponse, ...]:
    """All gateway responses of an API.

    Args:
        overrides: Responses that replace the defaults of their type, such as those of the access method.
        body_message: What a request body must have.
        headers: Headers of every response.
    """
    responses = {response.response_type: response for response in (*_defaults(body_message), *overrides)}
    return tuple(replace(response, headers={**response.headers, **headers}) for response in responses.values())


def _parameter(value: str) -> str:
    return value if value.startswith("method.request.") else f"'{value}'"


def _defaults(body_message: str) -> tuple[GatewayResponse, ...]:
    return (
        GatewayResponse("MISSING_AUTHENTICATION_TOKEN", 404, "not_found", "There is no such route."),
        GatewayResponse("ACCESS_DENIED", 403, "access_denied", "Access to this route is denied."),
        GatewayResponse("BAD_REQUEST_BODY", 400, "invalid_request_body", body_message),
        GatewayResponse(
            "REQUEST_TOO_LARGE",
            413,
            "request_too_large",
            "The request is larger than the API takes. Shorten the prompt.",
        ),
        GatewayResponse(
            "UNSUPPORTED_MEDIA_TYPE",
            415,
            "unsupported_media_type",
            "Expected a request with the header 'Content-Type: application/json'.",
        ),
        GatewayResponse(
            "THROTTLED",
            429,
            "rate_limit_exceeded",
            "Too many requests per second. Try again in a second.",
            {"Retry-After": "1"},
        ),
        GatewayResponse(
            "INTEGRATION_FAILURE",
            502,
            "bad_gateway",
            "The function behind the API failed before it answered. Try again; if it lasts, see its log.",
        ),
        GatewayResponse(
            "INTEGRATION_TIMEOUT",
            504,
            "timeout",
            "The model did not answer in the time that the API allows. Ask for fewer tokens, or stream the answer.",
        ),
        GatewayResponse("DEFAULT_4XX", None, "invalid_request_error"),
        GatewayResponse("DEFAULT_5XX", None, "api_error"),
    )
