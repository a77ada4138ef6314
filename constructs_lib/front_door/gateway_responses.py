"""What API Gateway answers by itself, as JSON that OpenAI's and TGI's clients both understand.

The gateway does not know which protocol the client speaks, so each body has OpenAI's `error` object and TGI's
`error_type` beside it. The texts are fixed: API Gateway puts its validation message into a template unescaped, so a
quotation mark in it would break the JSON. Pure data: no aws_cdk here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class GatewayAnswer:
    """One gateway response.

    Args:
        response_type: API Gateway's name of the case.
        status: The HTTP status. None: the one that API Gateway would send.
        error_type: The kind of error, for programs.
        message: What went wrong and what to do, for people. None: API Gateway's own text.
        headers: Further response headers: literals, or parts of the request such as `method.request.header.Origin`.
    """

    response_type: str
    status: int | None
    error_type: str
    message: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def template(self) -> str:
        """The body, as a mapping template of API Gateway."""
        # messageString is the one variable that API Gateway renders with its quotation marks.
        message = json.dumps(self.message) if self.message else "$context.error.messageString"
        kind = json.dumps(self.error_type)
        return f'{{"error":{{"message":{message},"type":{kind},"param":null,"code":{kind}}},"error_type":{kind}}}'

    def extension(self) -> dict[str, Any]:
        """The answer as an entry of `x-amazon-apigateway-gateway-responses`."""
        status = {"statusCode": str(self.status)} if self.status else {}
        parameters = {f"gatewayresponse.header.{name}": _source(value) for name, value in self.headers.items()}
        return {
            **status,
            **({"responseParameters": parameters} if parameters else {}),
            "responseTemplates": {"application/json": self.template()},
        }


def _source(value: str) -> str:
    return value if value.startswith("method.request.") else f"'{value}'"


def gateway_answers(*own: GatewayAnswer, body_message: str, headers: Mapping[str, str]) -> tuple[GatewayAnswer, ...]:
    """Everything that the gateway answers by itself.

    Args:
        own: What it answers where this API differs, above all to those who may not call.
        body_message: What it asks of a request body.
        headers: Headers of every answer.
    """
    known = {answer.response_type: answer for answer in (*_answers(body_message), *own)}
    return tuple(replace(answer, headers={**answer.headers, **headers}) for answer in known.values())


def _answers(body_message: str) -> tuple[GatewayAnswer, ...]:
    return (
        GatewayAnswer("MISSING_AUTHENTICATION_TOKEN", 404, "not_found", "There is no such route."),
        GatewayAnswer("ACCESS_DENIED", 403, "access_denied", "Access to this route is denied."),
        GatewayAnswer("BAD_REQUEST_BODY", 400, "invalid_request_body", body_message),
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
            "Too many requests per second. Try again in a second.",
            {"Retry-After": "1"},
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
