"""SageMaker Runtime's errors as `ApiError`s.

Codes and members: botocore's sagemaker-runtime model 2017-05-13. ThrottlingException and the codes of an unsigned or
forbidden call are not in it; they are common to all AWS services.
"""

import re
from collections.abc import Mapping
from typing import Any

from front_door.errors import ApiError
from front_door.http.json import parse_object

_THROTTLED = ("overloaded", "The model gets more requests than it can serve. Try again in a moment.")
_UNAVAILABLE = ("unavailable", "The model cannot be reached right now. Try again in a moment.")
_NOT_READY = ("not_ready", "The model is being loaded. Try again in a moment.")
_UPSTREAM = ("upstream", "SageMaker failed to process the request.")
_PERMISSION = ("permission", "This front door is not allowed to call the model's endpoint.")
_NO_CAPACITY = ("no_capacity", "The model has no running instance; one may be starting. Try again later.")
_NO_ENDPOINT = ("endpoint_not_found", "The model's endpoint does not exist or is not in service yet.")
_TOO_LARGE = ("too_large", "The request is larger than SageMaker accepts (6291456 bytes).")
_TIMEOUT = ("timeout", "The model did not finish in time.")
_BROKEN = ("incomplete_generation", "The model's response broke off before its end.")

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9.]{0,63}|")

# One row per error; ModelError and ValidationError, whose meaning is in their members, have a function below.
BY_CODE: dict[str, tuple[str, str]] = {
    "Throttling": _THROTTLED,
    "ThrottlingException": _THROTTLED,
    "ThrottledException": _THROTTLED,
    "TooManyRequestsException": _THROTTLED,
    "RequestLimitExceeded": _THROTTLED,
    "ModelNotReadyException": _NOT_READY,
    "ServiceUnavailable": _UNAVAILABLE,
    "ServiceUnavailableException": _UNAVAILABLE,
    "InternalFailure": _UPSTREAM,
    "InternalServerException": _UPSTREAM,
    "InternalDependencyException": _UPSTREAM,
    "InternalStreamFailure": _BROKEN,
    "AccessDenied": _PERMISSION,
    "AccessDeniedException": _PERMISSION,
    "ExpiredTokenException": _PERMISSION,
    "IncompleteSignature": _PERMISSION,
    "InvalidClientTokenId": _PERMISSION,
    "InvalidSignatureException": _PERMISSION,
    "MissingAuthenticationToken": _PERMISSION,
    "MissingAuthenticationTokenException": _PERMISSION,
    "UnrecognizedClientException": _PERMISSION,
    "RequestEntityTooLargeException": _TOO_LARGE,
}
_BY_STATUS = {403: _PERMISSION, 413: _TOO_LARGE, 429: _THROTTLED, 503: _UNAVAILABLE}


_RETRYABLE = (_THROTTLED, _NOT_READY)


class ContainerError(ApiError):
    """An error response of the model's container; its meaning is the engine's to read.

    Attributes:
        container_status: The HTTP status, 400 to 599.
        text: The body.
    """

    def __init__(self, container_status: int, text: str) -> None:
        detail = f"ModelError {container_status}"
        super().__init__("upstream", f"The model responded with status {container_status}.", log_detail=detail)
        self.container_status = container_status
        self.text = text


def from_response(status: int, headers: Mapping[str, str], body: bytes) -> ApiError:
    """The error in an error response of SageMaker Runtime (AWS restJson1)."""
    details = _object(body)
    code = headers.get("x-amzn-errortype") or details.get("__type") or details.get("code") or ""
    return _api_error(str(code).split(":", maxsplit=1)[0].rsplit("#", maxsplit=1)[-1], details, status)


def from_event(code: str, payload: bytes) -> ApiError:
    """The error in an exception event of a response stream."""
    return _api_error(code, _object(payload), 502)


def _api_error(code: str, details: dict[str, Any], status: int) -> ApiError:
    detail = _loggable(code) or f"HTTP {status}"
    if code == "ModelError":
        return _model_error(details)
    if code == "ModelStreamError":
        reason = details.get("ErrorCode")
        error = _TIMEOUT if reason == "ModelInvocationTimeExceeded" else _BROKEN
        return ApiError(*error, log_detail=f"{code} {_loggable(reason)}".strip())
    if code in ("ValidationError", "ValidationException"):
        return ApiError(*_validation_error(_message(details)), log_detail=detail)
    row = BY_CODE.get(code) or _BY_STATUS.get(status, _UPSTREAM)
    return ApiError(*row, log_detail=detail, may_retry=row in _RETRYABLE)


def _loggable(code: object) -> str:
    """A code for the log; anything else could be any text."""
    text = "" if code is None else str(code)
    return text if _CODE.fullmatch(text) else "of another form"


def _validation_error(message: str) -> tuple[str, str]:
    if "no capacity" in message:
        return _NO_CAPACITY
    if "not found" in message or "Could not find" in message:
        return _NO_ENDPOINT
    if "less than or equal to 6291456" in message or "too large" in message:
        return _TOO_LARGE
    return _UPSTREAM


def _model_error(details: dict[str, Any]) -> ApiError:
    """The container's error; SageMaker reports status 0 if the container did not respond within 60 seconds."""
    status = details.get("OriginalStatusCode")
    if isinstance(status, int) and 400 <= status <= 599:
        return ContainerError(status, str(details.get("OriginalMessage") or ""))
    timed_out = status == 0 or "timed out" in _message(details)
    shown = status if isinstance(status, int) else "of another form"
    return ApiError(*(_TIMEOUT if timed_out else _UPSTREAM), log_detail=f"ModelError {shown}")


def _message(details: dict[str, Any]) -> str:
    return str(details.get("Message") or details.get("message") or "")


def _object(body: bytes) -> dict[str, Any]:
    """The JSON object in a body; empty if there is none, as in a response of a proxy in between."""
    return parse_object(body) or {}
