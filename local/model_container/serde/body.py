"""Reads request bodies like axum 0.7's Json extractor, with its plain-text errors."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

from local.model_container.serde.errors import JsonError, RejectionError
from local.model_container.serde.types import Type, read_json

_MIME = re.compile(r"^application/(?:json|[!#$&^_.a-z0-9-]+\+json)\s*(?:;.*)?$", re.IGNORECASE)


async def read_body(request: web.Request, type_: Type, limit: int) -> Any:
    """Reads the body of a request.

    Args:
        request: The request.
        type_: The type of the body.
        limit: TGI's PAYLOAD_LIMIT in bytes.

    Raises:
        RejectionError: 415, 413, 400 or 422 with axum's message.
    """
    if not _MIME.match(request.headers.get("content-type", "").strip()):
        raise RejectionError(415, "Expected request with `Content-Type: application/json`")
    data = await _read(request, limit)
    try:
        return read_json(data, type_)
    except JsonError as error:
        if error.syntax:
            raise RejectionError(400, f"Failed to parse the request body as JSON: {error}") from error
        raise RejectionError(422, f"Failed to deserialize the JSON body into the target type: {error}") from error


async def _read(request: web.Request, limit: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
        if size <= limit:
            chunks.append(chunk)
    if size > limit:
        raise RejectionError(413, "Failed to buffer the request body: length limit exceeded")
    return b"".join(chunks)
