"""The API definition that API Gateway imports: OpenAPI 3.0.1 with its extensions, inline in the template.

It has the paths of the OpenAPI document that the function serves at `GET /openapi.json`, so that both come from one
table of routes. It has no request validators and no models: API Gateway has one response for all routes to a body that
does not match, and the function answers each in the protocol of its client. Pure data: no aws_cdk here.
Source: API Gateway Developer Guide, "OpenAPI extensions for API Gateway".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from constructs_lib.front_door.gateway_responses import GatewayResponse

_ANY_METHOD = "x-amazon-apigateway-any-method"
_WAKE = "/models/{model}/wake"
_PROXY_PATH = "/{proxy+}"
_PATH_PARAMETER = re.compile(r"\{(\w+)\+?\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """What API Gateway needs in addition to the document of the routes.

    Args:
        title: The API's name.
        integration: The `x-amazon-apigateway-integration` of every operation, or a token of it.
        schemes: The security schemes by name; a request must satisfy all of them. Empty: anybody may call.
        key_source: API Gateway's source of API keys. None: the API uses none.
        responses: The gateway responses.
        anthropic_schemes: The schemes of the paths of Anthropic's clients, likewise. Default: `schemes`.
        open_operations: Method and path of the operations without security. Default: none.
        wake: Whether models can be started: `POST /models/{model}/wake`. Default: False.
        preflight: Whether every path has an OPTIONS operation without security, for CORS preflight requests. Default:
            False.
    """

    title: str
    integration: Any
    schemes: Mapping[str, Mapping[str, Any]]
    key_source: str | None
    responses: tuple[GatewayResponse, ...]
    anthropic_schemes: Mapping[str, Mapping[str, Any]] | None = None
    open_operations: frozenset[tuple[str, str]] = frozenset()
    wake: bool = False
    preflight: bool = False

    def schemes_of(self, tags: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
        """The schemes of a path whose operations have these tags."""
        own = self.anthropic_schemes if "Anthropic" in tags else None
        return self.schemes if own is None else own


def render_api_definition(document: Mapping[str, Any], settings: ApiSettings) -> dict[str, Any]:
    """The Body of an AWS::ApiGateway::RestApi.

    Args:
        document: The OpenAPI 3.1 document of the routes.
        settings: What API Gateway needs in addition.
    """
    if not settings.wake:
        document = {**document, "paths": {path: item for path, item in document["paths"].items() if path != _WAKE}}
    key_source = {"x-amazon-apigateway-api-key-source": settings.key_source} if settings.key_source else {}
    return {
        "openapi": "3.0.1",
        "info": {"title": settings.title, "version": document["info"]["version"]},
        **key_source,
        "x-amazon-apigateway-gateway-responses": {
            response.response_type: response.to_openapi() for response in settings.responses
        },
        "components": {"securitySchemes": {**settings.schemes, **(settings.anthropic_schemes or {})}},
        "paths": {path: _item(document, settings, path) for path in _paths(document)},
    }


def _paths(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Every path of the API.

    It includes the parent resources, such as `/v1`: API Gateway answers a request to a resource without methods by
    itself (403, "Missing Authentication Token"), and 404 and 405 are the function's to send.
    """
    served = dict.fromkeys(prefix for path in document["paths"] for prefix in _prefixes(path))
    return (*served, _PROXY_PATH)


def _prefixes(path: str) -> Iterator[str]:
    """The path and its parents, root first: `/v1/models` gives `/`, `/v1`, `/v1/models`."""
    parts = [part for part in path.split("/") if part]
    yield "/"
    for end in range(len(parts)):
        yield "/" + "/".join(parts[: end + 1])


def _item(document: Mapping[str, Any], settings: ApiSettings, path: str) -> dict[str, Any]:
    """The methods of one path: the open ones, and ANY for the others, whether the function serves or refuses them."""
    described = document["paths"].get(path, {})
    schemes = settings.schemes_of({tag for operation in described.values() for tag in operation.get("tags", ())})
    opened = {method for method, open_path in settings.open_operations if open_path == path}
    if settings.preflight:
        opened.add("OPTIONS")
    item = {method.lower(): _operation(settings, path, ()) for method in sorted(opened)}
    return item | {_ANY_METHOD: _operation(settings, path, schemes)}


def _operation(settings: ApiSettings, path: str, schemes: Iterable[str]) -> dict[str, Any]:
    # Each scheme in an object of its own: API Gateway is not known to read more than one per object. AWS SAM does the
    # same, and AWS's security workshop shows that both the authorizer and the key are then required.
    security: list[dict[str, list[str]]] = [{name: []} for name in schemes]
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PATH_PARAMETER.findall(path)
    ]
    return {
        **({"parameters": parameters} if parameters else {}),
        **({"security": security} if security else {}),
        "responses": {"200": {"description": "The function's response"}},
        "x-amazon-apigateway-integration": settings.integration,
    }
