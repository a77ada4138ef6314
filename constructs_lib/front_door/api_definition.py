"""The API definition that API Gateway imports: OpenAPI 3.0.1 with its extensions, inline in the template.

It has the paths and operations of the OpenAPI document that the function serves at `GET /openapi.json`, so that both
come from one table of routes. Request bodies are validated by light schemas, derived from the same document: only the
required members and their JSON types. The function validates the rest, in the error format of the client's protocol,
and accepts what TGI or OpenAI accept beyond their schemas. Pure data: no aws_cdk here.
Source: API Gateway Developer Guide, "OpenAPI extensions for API Gateway".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from constructs_lib.front_door.gateway_responses import GatewayResponse

_ANY_METHOD = "x-amazon-apigateway-any-method"
_PROXY_PATH = "/{proxy+}"
_VALIDATOR = "body"
_PATH_PARAMETER = re.compile(r"\{(\w+)\+?\}")
_COMBINATORS = ("allOf", "anyOf", "oneOf")
_ARTICLES = {"array": "an array", "integer": "an integer", "object": "an object"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """What API Gateway needs in addition to the document of the routes.

    Args:
        title: The API's name.
        integration: The `x-amazon-apigateway-integration` of every operation.
        schemes: The security schemes by name; a request must satisfy all of them. Empty: anybody may call.
        key_source: API Gateway's source of API keys. None: the API uses none.
        responses: The gateway responses.
        open_operations: Method and path of the operations without security. Default: none.
        preflight: Whether every path has an OPTIONS operation without security, for CORS preflight requests. Default:
            False.
    """

    title: str
    integration: Mapping[str, Any]
    schemes: Mapping[str, Mapping[str, Any]]
    key_source: str | None
    responses: tuple[GatewayResponse, ...]
    open_operations: frozenset[tuple[str, str]] = frozenset()
    preflight: bool = False


def render_api_definition(document: Mapping[str, Any], settings: ApiSettings) -> dict[str, Any]:
    """The Body of an AWS::ApiGateway::RestApi.

    Args:
        document: The OpenAPI 3.1 document of the routes; each request body refers to one of its schemas.
        settings: What API Gateway needs in addition.
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
            response.response_type: response.to_openapi() for response in settings.responses
        },
        "components": {"schemas": request_schemas(document), "securitySchemes": dict(settings.schemes)},
        "paths": {path: _item(document, settings, path) for path in _paths(document)},
    }


def request_schemas(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The light schema of every request body, by its name in the document.

    Args:
        document: The OpenAPI 3.1 document; each request body refers to one of its schemas.
    """
    names = dict.fromkeys(
        _schema_name(operation)
        for item in document["paths"].values()
        for operation in item.values()
        if "requestBody" in operation
    )
    return {name: _light_schema(document, {"$ref": f"#/components/schemas/{name}"}) for name in names}


def describe_required_bodies(document: Mapping[str, Any]) -> str:
    """What the gateway requires of request bodies, as a sentence for the error message."""
    schemas = request_schemas(document)
    paths: dict[str, list[str]] = {}
    for path, item in document["paths"].items():
        # The routes below /models/{model} have the same bodies.
        for operation in item.values() if "{" not in path else ():
            if "requestBody" in operation and (members := _describe_members(schemas[_schema_name(operation)])):
                paths.setdefault(members, []).append(path)
    needs = "; ".join(f"with {members} for {_join(routes)}" for members, routes in paths.items())
    return f"The request body must be a JSON object{': ' if needs else ''}{needs}."


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
    served = document["paths"].get(path, {})
    item = {
        method: _operation(settings, path, is_open=(method.upper(), path) in settings.open_operations)
        | (_body_validation(operation) if "requestBody" in operation else {})
        for method, operation in served.items()
    }
    if settings.preflight:
        item["options"] = _operation(settings, path, is_open=True)
    return item | {_ANY_METHOD: _operation(settings, path, is_open=False)}


def _operation(settings: ApiSettings, path: str, *, is_open: bool) -> dict[str, Any]:
    # Each scheme in an object of its own: API Gateway is not known to read more than one per object. AWS SAM does the
    # same, and AWS's security workshop shows that both the authorizer and the key are then required.
    security: list[dict[str, list[str]]] = [] if is_open else [{name: []} for name in settings.schemes]
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PATH_PARAMETER.findall(path)
    ]
    return {
        **({"parameters": parameters} if parameters else {}),
        **({"security": security} if security else {}),
        "responses": {"200": {"description": "The function's response"}},
        "x-amazon-apigateway-integration": dict(settings.integration),
    }


def _body_validation(operation: Mapping[str, Any]) -> dict[str, Any]:
    # The gateway validates application/json only (a JSON body sent as text/plain would pass), so the function rejects
    # other content types itself, with 415 like TGI.
    reference = {"$ref": f"#/components/schemas/{_schema_name(operation)}"}
    return {
        "x-amazon-apigateway-request-validator": _VALIDATOR,
        "requestBody": {"required": True, "content": {"application/json": {"schema": reference}}},
    }


def _schema_name(operation: Mapping[str, Any]) -> str:
    """The name of the schema that an operation's request body refers to."""
    reference: str = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    return reference.rsplit("/", 1)[1]


def _light_schema(document: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    schema = _dereference(document, schema)
    required = schema.get("required", [])
    if not required or any(keyword in schema for keyword in _COMBINATORS):
        return {"type": "object"}
    types = {name: _dereference(document, schema["properties"][name]).get("type") for name in required}
    # Single types only: OpenAPI 3.0 and the gateway's JSON Schema draft 4 have no common syntax for several types.
    properties = {name: _typed(json_type) for name, json_type in types.items() if isinstance(json_type, str)}
    return {"type": "object", "required": list(required)} | ({"properties": properties} if properties else {})


def _typed(json_type: str) -> dict[str, Any]:
    # OpenAPI 3.0 requires the items of an array, and the parser that API Gateway's messages are like (swagger-parser)
    # reports their absence. An empty schema allows any.
    return {"type": json_type} | ({"items": {}} if json_type == "array" else {})


def _dereference(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in schema:
        found: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


def _describe_members(schema: Mapping[str, Any]) -> str:
    types = {name: schema.get("properties", {}).get(name, {}).get("type") for name in schema.get("required", [])}
    return " and ".join(
        f"{_ARTICLES.get(json_type, f'a {json_type}')} '{name}'" if json_type else f"'{name}'"
        for name, json_type in types.items()
    )


def _join(paths: list[str]) -> str:
    return paths[0] if len(paths) == 1 else f"{', '.join(paths[:-1])} and {paths[-1]}"
