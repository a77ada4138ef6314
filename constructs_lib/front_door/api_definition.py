"""The document from which API Gateway makes the API: OpenAPI 3.0.1 with its extensions, inline in the template.

It has the paths and operations of the description that the function serves at `GET /openapi.json`, so that both come
from one table of routes. Pure data: no aws_cdk here.
Source: API Gateway Developer Guide, "OpenAPI extensions for API Gateway".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from constructs_lib.front_door.gateway_responses import GatewayAnswer
from constructs_lib.front_door.request_schemas import request_schemas, schema_name

ANY = "x-amazon-apigateway-any-method"
_EVERYTHING_ELSE = "/{proxy+}"
_VALIDATOR = "body"
_VARIABLE = re.compile(r"\{(\w+)\+?\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """What API Gateway needs beside the description of the routes.

    Args:
        title: The API's name.
        integration: Where every request goes, as `x-amazon-apigateway-integration` says it.
        schemes: The security schemes by name; a request has to satisfy all of them. None of them: anybody may call.
        key_source: Where API keys come from, where they are asked for.
        answers: What the gateway answers by itself.
        open_operations: Method and path of operations that anybody may call.
        preflight: Whether anybody may call OPTIONS on every path, as browsers do before a request across origins.
    """

    title: str
    integration: Mapping[str, Any]
    schemes: Mapping[str, Mapping[str, Any]]
    key_source: str | None
    answers: tuple[GatewayAnswer, ...]
    open_operations: frozenset[tuple[str, str]] = frozenset()
    preflight: bool = False


def gateway_body(document: Mapping[str, Any], settings: GatewaySettings) -> dict[str, Any]:
    """The Body of an AWS::ApiGateway::RestApi.

    Args:
        document: The description of the routes, OpenAPI 3.1.
        settings: What API Gateway needs beside it.
    """
    key_source = {"x-amazon-apigateway-api-key-source": settings.key_source} if settings.key_source else {}
    return {
        "openapi": "3.0.1",
        "info": {"title": settings.title, "version": document["info"]["version"]},
        **key_source,
        "x-amazon-apigateway-request-validators": {
            _VALIDATOR: {"validateRequestBody": True, "validateRequestParameters": False}
        },
        "x-amazon-apigateway-gateway-responses": {
            answer.response_type: answer.extension() for answer in settings.answers
        },
        "components": {"schemas": request_schemas(document), "securitySchemes": dict(settings.schemes)},
        "paths": {path: _item(document, settings, path) for path in _paths(document)},
    }


def _paths(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Every path of the API.

    A resource without a method of its own would be answered by the gateway (with 403, as "Missing Authentication
    Token"), so the resources on the way, such as `/v1`, are listed too: the function alone answers 404 and 405.
    """
    served = dict.fromkeys(prefix for path in document["paths"] for prefix in _prefixes(path))
    return (*served, _EVERYTHING_ELSE)


def _prefixes(path: str) -> Iterator[str]:
    """The path and all above it, root first: `/v1/models` gives `/`, `/v1`, `/v1/models`."""
    parts = [part for part in path.split("/") if part]
    yield "/"
    for end in range(len(parts)):
        yield "/" + "/".join(parts[: end + 1])


def _item(document: Mapping[str, Any], settings: GatewaySettings, path: str) -> dict[str, Any]:
    served = document["paths"].get(path, {})
    item = {
        method: _operation(settings, path, is_open=(method.upper(), path) in settings.open_operations)
        | (_validated(operation) if "requestBody" in operation else {})
        for method, operation in served.items()
    }
    if settings.preflight:
        item["options"] = _operation(settings, path, is_open=True)
    return item | {ANY: _operation(settings, path, is_open=False)}


def _operation(settings: GatewaySettings, path: str, *, is_open: bool) -> dict[str, Any]:
    # One scheme each: in one object together API Gateway is not known to see them both. So do AWS SAM, and AWS's
    # security workshop, which shows that then both the authorizer and the key are asked for.
    security: list[dict[str, list[str]]] = [] if is_open else [{name: []} for name in settings.schemes]
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in _VARIABLE.findall(path)
    ]
    return {
        **({"parameters": parameters} if parameters else {}),
        **({"security": security} if security else {}),
        "responses": {"200": {"description": "The function's answer"}},
        "x-amazon-apigateway-integration": dict(settings.integration),
    }


def _validated(operation: Mapping[str, Any]) -> dict[str, Any]:
    # Only application/json is validated here. The gateway validates no other content type (a JSON body sent as
    # text/plain would pass), so the function refuses those itself, with 415 as TGI does.
    reference = {"$ref": f"#/components/schemas/{schema_name(operation)}"}
    return {
        "x-amazon-apigateway-request-validator": _VALIDATOR,
        "requestBody": {"required": True, "content": {"application/json": {"schema": reference}}},
    }
