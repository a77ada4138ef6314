"""Reads the bodies of requests as FastAPI does, and as vLLM's /invocations does."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from local.model_container.openai.errors import ApiError, bad_request, validation_error


class UnreadableBodyError(Exception):
    """A body that is no text."""


async def read_json(http: web.Request) -> Any:
    """The body of a route of OpenAI's.

    Raises:
        ApiError: It is not JSON.
        UnreadableBodyError: It is not UTF-8.
    """
    data = await _read(http)
    if not data:
        raise validation_error([{"type": "missing", "loc": ("body",), "msg": "Field required", "input": None}])
    try:
        return json.loads(data)
    except json.JSONDecodeError as error:
        problem = {
            "type": "json_invalid",
            "loc": ("body", error.pos),
            "msg": "JSON decode error",
            "input": {},
            "ctx": {"error": error.msg},
        }
        raise validation_error([problem]) from error
    except UnicodeDecodeError as error:
        raise UnreadableBodyError from error


async def read_invocation(http: web.Request) -> Any:
    """The body of /invocations.

    Raises:
        ApiError: It is not JSON.
    """
    data = await _read(http)
    try:
        return json.loads(data)
    except json.JSONDecodeError as error:
        raise bad_request(f"JSON decode error: {error}") from error
    except UnicodeDecodeError as error:
        raise ApiError(str(error)) from error


async def _read(http: web.Request) -> bytes:
    kind = http.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise bad_request("1 validation error:\n  Unsupported Media Type: Only 'application/json' is allowed")
    return await http.read()
