"""The events that a Lambda proxy integration and an authorizer of the type REQUEST send to their functions."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from local.apigateway.api import RestApi
    from local.apigateway.context import Context
    from local.apigateway.routing import Route

# Headers that API Gateway drops, see "Amazon API Gateway important notes" (REST APIs).
DROPPED_HEADERS = frozenset(
    {
        "connection",
        "content-length",
        "content-md5",
        "expect",
        "max-forwards",
        "proxy-authenticate",
        "server",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "www-authenticate",
    }
)


# Always present in the request context, null without a value. Those of an API key are present only if the method
# requires one. Source: LocalStack's recording of AWS in
# tests/aws/services/apigateway/test_apigateway_lambda.snapshot.json.
IDENTITY = (
    "accessKey",
    "accountId",
    "caller",
    "cognitoAuthenticationProvider",
    "cognitoAuthenticationType",
    "cognitoIdentityId",
    "cognitoIdentityPoolId",
    "principalOrgId",
    "sourceIp",
    "user",
    "userAgent",
    "userArn",
)
KEY_IDENTITY = ("apiKey", "apiKeyId")
# API Gateway capitalizes these header names.
CAPITALIZED = frozenset({"authorization", "user-agent"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request to the gateway.

    Args:
        verb: The HTTP method.
        raw_path: The path as sent, including the stage.
        path: The path without the stage, percent-encoded as sent, with one leading slash.
        headers: The headers, spelled as sent.
        query_string: The query string as sent.
        query: The decoded query parameters.
        body: The body.
        source_ip: The IP address of the client.
    """

    verb: str
    raw_path: str
    path: str
    query_string: str
    headers: list[tuple[str, str]]
    query: list[tuple[str, str]]
    body: bytes
    source_ip: str

    def header_map(self) -> dict[str, str]:
        """The headers by lower-case name; the last value of a repeated header."""
        return {name.lower(): value for name, value in self.headers}


def proxy_event(
    request: Request, route: Route, api: RestApi, context: Context, authorizer: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The REST proxy event.

    Args:
        request: The request.
        route: The resource and path parameters.
        api: The API.
        context: The `$context` of the request.
        authorizer: The context of the authorizer, if any.
    """
    body, encoded = _body(request, api)
    return {
        **_parameters(request, route, api, context, authorizer),
        "body": body,
        "isBase64Encoded": encoded,
    }


def authorizer_event(request: Request, route: Route, api: RestApi, context: Context, method_arn: str) -> dict[str, Any]:
    """The event of an authorizer of the type REQUEST, which has no body.

    Source: API Gateway Developer Guide, "Input to an API Gateway Lambda authorizer".

    Args:
        request: The request.
        route: The resource and path parameters.
        api: The API.
        context: The `$context` of the request.
        method_arn: The ARN of the request's method.
    """
    return {"type": "REQUEST", "methodArn": method_arn, **_parameters(request, route, api, context, None)}


def _parameters(
    request: Request, route: Route, api: RestApi, context: Context, authorizer: Mapping[str, Any] | None
) -> dict[str, Any]:
    """What both events have: everything but the body."""
    headers = [
        (name.title() if name.lower() in CAPITALIZED else name, value)
        for name, value in request.headers
        if name.lower() not in DROPPED_HEADERS
    ]
    headers += [
        ("X-Amzn-Trace-Id", context.trace_id),
        ("X-Forwarded-For", request.source_ip),
        ("X-Forwarded-Port", "443"),
        ("X-Forwarded-Proto", "https"),
    ]
    return {
        "resource": route.resource.path,
        "path": request.path,
        "httpMethod": request.verb,
        "headers": dict(headers),
        "multiValueHeaders": _multi(headers),
        "queryStringParameters": dict(request.query) or None,
        "multiValueQueryStringParameters": _multi(request.query) or None,
        "pathParameters": route.parameters or None,
        "stageVariables": dict(api.stage_variables) or None,
        "requestContext": _request_context(request, route, api, context, authorizer),
    }


def _body(request: Request, api: RestApi) -> tuple[str | None, bool]:
    if not request.body:
        return None, False
    media_type = request.header_map().get("content-type", "application/json").split(";")[0].strip()
    if {media_type, "*/*"} & set(api.binary_media_types):
        return base64.b64encode(request.body).decode(), True
    return request.body.decode(errors="replace"), False


def _request_context(
    request: Request, route: Route, api: RestApi, context: Context, authorizer: Mapping[str, Any] | None
) -> dict[str, Any]:
    known = context.variables
    names = ("accountId", "apiId", "domainName", "domainPrefix", "extendedRequestId", "requestId", "requestTime")
    identity = {name: known.get(f"identity.{name}") for name in IDENTITY}
    identity |= {name: known[f"identity.{name}"] for name in KEY_IDENTITY if f"identity.{name}" in known}
    request_context = {name: known[name] for name in (*names, "requestTimeEpoch", "protocol", "stage")}
    request_context |= {
        "httpMethod": request.verb,
        "identity": identity,
        "path": request.raw_path,
        "resourceId": route.resource.id,
        "resourcePath": route.resource.path,
    }
    return request_context if authorizer is None else {**request_context, "authorizer": dict(authorizer)}


def _multi(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found
