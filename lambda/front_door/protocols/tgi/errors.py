"""Errors as TGI's routes report them."""

from typing import Any

from front_door.errors import ApiError
from front_door.protocols.base import Protocol


def tgi_error_body(error: ApiError) -> dict[str, Any]:
    """`{"error": text, "error_type": kind}`, or the container's own body if it has that form."""
    body = error.container_body or {}
    if not isinstance(body.get("error"), str):
        return {"error": error.message, "error_type": error.kind}
    return body if isinstance(body.get("error_type"), str) else body | {"error_type": error.kind}


TGI = Protocol(tgi_error_body, b"", {})
