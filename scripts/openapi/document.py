"""The whole document, from the route table."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from front_door.routes import ROUTES, Route

from scripts.openapi import errors, invocations, openai_answers, openai_requests, tgi_answers, tgi_requests
from scripts.openapi.operations import OPERATIONS, successes
from scripts.openapi.schema import ref

_PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"
_DESCRIPTION = (
    "Text generation by models on Amazon SageMaker, in the words of TGI and of OpenAI. Clients of either work with this"
    " URL; OpenAI's take it with `/v1` at its end. Every answer has an `x-request-id`, every error is JSON with an"
    " `error_type`. A path that is not served is 404, another method is 405."
)
_ACCESS = (
    "The key or token that the API's owner gave you. Where the API is for callers with AWS credentials, requests are"
    " signed with Signature Version 4 (service `execute-api`) instead."
)


def generate() -> dict[str, Any]:
    """The OpenAPI 3.1 description of what the front door serves."""
    schemas: dict[str, Any] = {}
    for part in (tgi_requests, tgi_answers, invocations, openai_requests, openai_answers, errors):
        schemas |= part.SCHEMAS
    return {
        "openapi": "3.1.0",
        "info": {"title": "Text generation", "version": _version(), "description": _DESCRIPTION},
        "servers": [{"url": "."}],
        "security": [{"bearer": []}],
        "tags": [{"name": name} for name in ("TGI", "OpenAI", "API")],
        "paths": _paths(),
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "responses": successes() | errors.responses(),
            "parameters": {"model": _model_parameter()},
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": _ACCESS,
                }
            },
        },
    }


def _version() -> str:
    version: str = tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"]["version"]
    return version


def _paths() -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return paths


def _operation(route: Route) -> dict[str, Any]:
    about = OPERATIONS[route.handler]
    has_model = "{model}" in route.path
    is_twin = has_model and any(other.handler == route.handler and other.path != route.path for other in ROUTES)
    operation: dict[str, Any] = {
        "operationId": about.id + ("OfModel" if is_twin else ""),
        "tags": [about.tag],
        "summary": about.summary,
    }
    if about.description:
        operation["description"] = about.description
    if has_model:
        operation["parameters"] = [ref("model", "parameters")]
    if route.request is not None:
        content = {"application/json": {"schema": ref(route.request)}}
        operation["requestBody"] = {"required": True, "content": content}
    failures = errors.of(
        route.protocol,
        asks_model=route.request is not None,
        names_model=has_model,
        may_be_unhealthy=about.may_be_unhealthy,
    )
    operation["responses"] = {"200": ref(about.id, "responses"), **failures}
    return operation


def _model_parameter() -> dict[str, Any]:
    return {
        "name": "model",
        "in": "path",
        "required": True,
        "description": "A name of `/v1/models`.",
        "schema": {"type": "string", "minLength": 1},
        "example": "llama",
    }
