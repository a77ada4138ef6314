"""The gateway's own responses, customized by the gateway responses of the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.apigateway.api import RestApi
    from local.apigateway.context import Context

# Response type → status and the value of x-amzn-ErrorType.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
TYPES = {
    "ACCESS_DENIED": (403, "AccessDeniedException"),
    "API_CONFIGURATION_ERROR": (500, "InternalServerErrorException"),
    "AUTHORIZER_CONFIGURATION_ERROR": (500, "AuthorizerConfigurationException"),
    "AUTHORIZER_FAILURE": (500, "AuthorizerFailureException"),
    "BAD_REQUEST_BODY": (400, "BadRequestException"),
    "BAD_REQUEST_PARAMETERS": (400, "BadRequestException"),
    "DEFAULT_4XX": (400, "BadRequestException"),
    "DEFAULT_5XX": (502, "InternalServerErrorException"),
    "EXPIRED_TOKEN": (403, "ExpiredTokenException"),
    "INTEGRATION_FAILURE": (504, "InternalServerErrorException"),
    "INTEGRATION_TIMEOUT": (504, "InternalServerErrorException"),
    "INVALID_API_KEY": (403, "ForbiddenException"),
    "INVALID_SIGNATURE": (403, "InvalidSignatureException"),
    "MISSING_AUTHENTICATION_TOKEN": (403, "MissingAuthenticationTokenException"),
    "QUOTA_EXCEEDED": (429, "LimitExceededException"),
    "REQUEST_TOO_LARGE": (413, "RequestTooLongException"),
    "RESOURCE_NOT_FOUND": (404, "NotFoundException"),
    "THROTTLED": (429, "TooManyRequestsException"),
    "UNAUTHORIZED": (401, "UnauthorizedException"),
    "UNSUPPORTED_MEDIA_TYPE": (415, "UnsupportedMediaTypeException"),
    "WAF_FILTERED": (403, "ForbiddenException"),
}
DEFAULT_TEMPLATE = '{"message":$context.error.messageString}'
# AWS capitalizes this one, as recorded by LocalStack (gateway_exception.py).
TEMPLATES = {"ACCESS_DENIED": '{"Message":$context.error.messageString}'}


class GatewayError(Exception):
    """A request that the gateway answers without calling the function.

    Args:
        kind: The gateway response type, for example `THROTTLED`.
        message: API Gateway's message.
        reason: The cause, for the log; never sent to the client.
        status: The status. Default: that of the response type.
        error_type: The value of x-amzn-ErrorType. Default: that of the response type.
    """

    def __init__(
        self,
        kind: str,
        message: str,
        *,
        reason: str | None = None,
        status: int | None = None,
        error_type: str | None = None,
    ) -> None:
        self.kind = kind
        self.message = message
        self.reason = reason
        self.status = status or TYPES[kind][0]
        self.error_type = error_type or TYPES[kind][1]
        super().__init__(f"{kind}: {message}")


@dataclass(frozen=True, slots=True)
class RenderedResponse:
    """A complete response of the gateway."""

    status: int
    headers: dict[str, str]
    body: bytes


def render(error: GatewayError, api: RestApi, context: Context, request_headers: Mapping[str, str]) -> RenderedResponse:
    """Renders an error with the gateway responses of the API, including DEFAULT_4XX and DEFAULT_5XX."""
    context.fail(error.kind, error.message)
    status = error.status
    fallback = "DEFAULT_4XX" if status < 500 else "DEFAULT_5XX"
    custom = api.gateway_responses.get(error.kind) or api.gateway_responses.get(fallback)
    default = {"application/json": TEMPLATES.get(error.kind, DEFAULT_TEMPLATE)}
    templates = dict(custom.templates) if custom and custom.templates else default
    media_type = _choose(templates, request_headers.get("accept", ""))
    headers = {"Content-Type": media_type, "x-amzn-ErrorType": error.error_type}
    if custom:
        headers |= _headers(custom.headers, context, request_headers)
        status = custom.status or status
    context.variables["status"] = status
    return RenderedResponse(status, headers, context.render(templates[media_type]).encode())


def _choose(templates: Mapping[str, str], accept: str) -> str:
    accepted = [part.split(";")[0].strip() for part in accept.split(",")]
    return next((media_type for media_type in accepted if media_type in templates), next(iter(templates)))


def _headers(mapping: Mapping[str, str], context: Context, request_headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of a gateway response, without those whose source is missing in the request."""
    found = {name: _value(source, context, request_headers) for name, source in mapping.items()}
    return {name: value for name, value in found.items() if value}


def _value(source: str, context: Context, request_headers: Mapping[str, str]) -> str:
    if source.startswith("'"):
        return source.strip("'")
    if source.startswith("context."):
        return context.render(f"${source}")
    return request_headers.get(source.removeprefix("method.request.header.").lower(), "")
