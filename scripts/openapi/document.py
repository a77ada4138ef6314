"""The OpenAPI document, generated from the route table, and the file that holds it."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from front_door.routes import ROUTES, Route

from scripts.openapi import (
    agent_responses,
    errors,
    invocations,
    messages_requests,
    openai_requests,
    openai_responses,
    responses_requests,
    tgi_requests,
    tgi_responses,
)
from scripts.openapi.operations import OPERATIONS, successes
from scripts.openapi.schema import ref

_ROOT = Path(__file__).resolve().parents[2]

FILE = _ROOT / "constructs_lib" / "front_door" / "openapi.json"
"""The file that the front door serves, and the only copy of the document."""

_PARTS = (
    tgi_requests,
    tgi_responses,
    invocations,
    openai_requests,
    openai_responses,
    responses_requests,
    messages_requests,
    agent_responses,
    errors,
)
_DESCRIPTION = (
    "Text generation by models on Amazon SageMaker, with the APIs of TGI, OpenAI and Anthropic. Clients of all work"
    " with this URL; OpenAI's need `/v1` appended. Every response has the header `x-request-id`, every error is JSON."
    " HEAD works where GET does. An unknown path gets 404, an unsupported method 405."
)
_ACCESS = (
    "The key or token from the API's owner. If the API requires AWS credentials, sign requests with Signature Version 4"
    " (service `execute-api`) instead."
)


def generate() -> dict[str, Any]:
    """The OpenAPI 3.1 description of what the front door serves."""
    schemas: dict[str, Any] = {}
    for part in _PARTS:
        schemas |= part.SCHEMAS
    return {
        "openapi": "3.1.0",
        "info": {"title": "Text generation", "version": _version(), "description": _DESCRIPTION},
        "servers": [{"url": "."}],
        "security": [{"bearer": []}],
        "tags": [{"name": name} for name in ("TGI", "OpenAI", "Anthropic", "API")],
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
                },
                "apiKey": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "x-api-key",
                    "description": "The key, where the API's owner gives keys, as Anthropic's clients send it.",
                },
            },
        },
    }


def render() -> str:
    """The content of the file: the document as compact JSON on one line."""
    return json.dumps(generate(), ensure_ascii=False, separators=(",", ":")) + "\n"


def _version() -> str:
    version: str = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    return version


def _paths() -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return paths


def _operation(route: Route) -> dict[str, Any]:
    about = OPERATIONS[route.handler]
    has_model = "{model}" in route.path
    is_variant = has_model and any(other.handler == route.handler and other.path != route.path for other in ROUTES)
    operation: dict[str, Any] = {
        "operationId": about.id + ("OfModel" if is_variant else ""),
        "tags": [about.tag],
        "summary": about.summary,
    }
    if about.description:
        operation["description"] = about.description
    if has_model:
        operation["parameters"] = [ref("model", "parameters")]
    if route.protocol == "anthropic":
        operation["security"] = [{"bearer": []}, {"apiKey": []}]
    if route.request is not None:
        content = {"application/json": {"schema": ref(route.request)}}
        operation["requestBody"] = {"required": True, "content": content}
    failures = errors.responses_of(
        route.protocol,
        invokes_model=route.request is not None,
        names_model=has_model,
        others=about.failures,
    )
    operation["responses"] = {"200": ref(about.id, "responses"), **about.acceptance(), **failures}
    return operation


def _model_parameter() -> dict[str, Any]:
    return {
        "name": "model",
        "in": "path",
        "required": True,
        "description": "A model name listed by `/v1/models`.",
        "schema": {"type": "string", "minLength": 1},
        "example": "llama",
    }
