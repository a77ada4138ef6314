"""The rules for headers and payloads of a runtime. Each function returns a message per violation."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from local.lambda_service.errors import known_error_type

ERROR_TYPE = "lambda-runtime-function-error-type"
ERROR_BODY = "lambda-runtime-function-error-body"


def check_response(headers: dict[str, str], *, streaming: bool) -> list[str]:
    """Checks the headers of a response."""
    violations = []
    if streaming:
        if headers.get("transfer-encoding", "").lower() != "chunked":
            violations.append("a streamed response is not chunked")
        if not headers.get("content-type"):
            violations.append("a streamed response has no Content-Type")
    return violations


def read_error_trailers(headers: dict[str, str], trailers: dict[str, str]) -> tuple[dict[str, Any] | None, list[str]]:
    """Reads the error from the trailers, or None, and checks them."""
    declared = {name.strip().lower() for name in headers.get("trailer", "").split(",")}
    violations = [
        f"the trailer {name} is not declared in the Trailer header" for name in trailers if name not in declared
    ]
    if not trailers:
        return None, violations
    if trailers.keys() != {ERROR_TYPE, ERROR_BODY}:
        return None, [*violations, f"the trailers are {', '.join(trailers)}, not the error type and body"]
    violations += _check_error_type(trailers[ERROR_TYPE])
    try:
        body = json.loads(base64.b64decode(trailers[ERROR_BODY], validate=True))
    except (binascii.Error, ValueError):
        return None, [*violations, "the error body in the trailers is not JSON in base64"]
    violations += _check_error_body(body)
    return body if isinstance(body, dict) else None, violations


def check_error_report(headers: dict[str, str], payload: bytes) -> list[str]:
    """Checks a request to /error or /init/error."""
    violations = _check_error_type(headers.get(ERROR_TYPE, ""))
    try:
        return violations + _check_error_body(json.loads(payload))
    except ValueError:
        return [*violations, "an error report is not JSON"]


def _check_error_type(name: str) -> list[str]:
    known = known_error_type(name)
    return [] if known == name else [f"the error type {name!r} becomes {known}"]


def _check_error_body(body: object) -> list[str]:
    if isinstance(body, dict) and all(isinstance(body.get(name), str) for name in ("errorMessage", "errorType")):
        return []
    return ["an error report has no errorMessage or no errorType"]
