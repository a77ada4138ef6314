"""What a runtime has to say, and how; each function returns a sentence for each rule that was broken."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from local.lambda_service.errors import known_error_type

ERROR_TYPE = "lambda-runtime-function-error-type"
ERROR_BODY = "lambda-runtime-function-error-body"


def response_head(headers: dict[str, str], *, streaming: bool) -> list[str]:
    """The headers of an answer."""
    broken = []
    if streaming:
        if headers.get("transfer-encoding", "").lower() != "chunked":
            broken.append("a streamed answer is not chunked")
        if not headers.get("content-type"):
            broken.append("a streamed answer has no Content-Type")
    return broken


def error_trailers(headers: dict[str, str], trailers: dict[str, str]) -> tuple[dict[str, Any] | None, list[str]]:
    """The error that trailers tell, if they do."""
    declared = {name.strip().lower() for name in headers.get("trailer", "").split(",")}
    broken = [f"the trailer {name} was not announced" for name in trailers if name not in declared]
    if not trailers:
        return None, broken
    if trailers.keys() != {ERROR_TYPE, ERROR_BODY}:
        return None, [*broken, f"the trailers are {', '.join(trailers)}, not the error's type and body"]
    broken += _error_type(trailers[ERROR_TYPE])
    try:
        body = json.loads(base64.b64decode(trailers[ERROR_BODY], validate=True))
    except (binascii.Error, ValueError):
        return None, [*broken, "the error body in the trailers is not base64 of JSON"]
    broken += _error_body(body)
    return body if isinstance(body, dict) else None, broken


def error_report(headers: dict[str, str], payload: bytes) -> list[str]:
    """A request to /error or /init/error."""
    broken = _error_type(headers.get(ERROR_TYPE, ""))
    try:
        return broken + _error_body(json.loads(payload))
    except ValueError:
        return [*broken, "an error report is not JSON"]


def _error_type(name: str) -> list[str]:
    known = known_error_type(name)
    return [] if known == name else [f"the error type {name!r} becomes {known}"]


def _error_body(body: object) -> list[str]:
    if isinstance(body, dict) and all(isinstance(body.get(name), str) for name in ("errorMessage", "errorType")):
        return []
    return ["an error report has no errorMessage or no errorType"]
