"""From SageMaker Runtime's errors to failures.

Codes and members: botocore's sagemaker-runtime model 2017-05-13. ThrottlingException and the codes of an unsigned or
forbidden call are not in it; they are common to all AWS services.
"""

import re
from collections.abc import Mapping
from typing import Any

from front_door.errors import TGI_KINDS, Failure
from front_door.http.sse import object_of

_THROTTLED = ("overloaded", "The model gets more requests than it can take. Try again in a moment.")
_UNAVAILABLE = ("unavailable", "The model cannot be reached right now. Try again in a moment.")
_NOT_READY = ("not_ready", "The model is being loaded. Try again in a moment.")
_UPSTREAM = ("upstream", "SageMaker failed to answer the request.")
_PERMISSION = ("permission", "This front door is not allowed to call the model's endpoint.")
_NO_CAPACITY = ("no_capacity", "The model has no running instance; one may be starting. Try again later.")
_NO_ENDPOINT = ("endpoint_not_found", "The model's endpoint does not exist or is not in service yet.")
_TOO_LARGE = ("too_large", "The request is larger than SageMaker takes (6291456 bytes).")
_TIMEOUT = ("timeout", "The model did not finish in time.")
_BROKEN = ("incomplete_generation", "The model's answer broke off before its end.")

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9.]{0,63}|")

# One row for each error; ModelError and ValidationError, whose meaning is in their members, have a function below.
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


def from_response(status: int, headers: Mapping[str, str], body: bytes) -> Failure:
    """The failure that an error response of SageMaker Runtime (AWS restJson1) tells."""
    details = _object(body)
    code = headers.get("x-amzn-errortype") or details.get("__type") or details.get("code") or ""
    return _failure(str(code).split(":", maxsplit=1)[0].rsplit("#", maxsplit=1)[-1], details, status)


def from_event(code: str, payload: bytes) -> Failure:
    """The failure that an exception event inside a response stream tells."""
    return _failure(code, _object(payload), 502)


def _failure(code: str, details: dict[str, Any], status: int) -> Failure:
    cause = _told(code) or f"HTTP {status}"
    if code == "ModelError":
        return _model_error(details)
    if code == "ModelStreamError":
        timed_out = details.get("ErrorCode") == "ModelInvocationTimeExceeded"
        return Failure(*(_TIMEOUT if timed_out else _BROKEN), cause=f"{code} {_told(details.get('ErrorCode'))}".strip())
    if code in ("ValidationError", "ValidationException"):
        return Failure(*_validation_error(_message(details)), cause=cause)
    kind, message = BY_CODE.get(code) or _BY_STATUS.get(status, _UPSTREAM)
    return Failure(kind, message, cause=cause)


def _told(code: object) -> str:
    """A code for the log; what is none could be any text."""
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


def _model_error(details: dict[str, Any]) -> Failure:
    """What the container answered, as its own status and body.

    SageMaker reports status 0 where the container did not answer within 60 seconds.
    """
    status = details.get("OriginalStatusCode")
    if not isinstance(status, int) or not 400 <= status <= 599:
        timed_out = status == 0 or "timed out" in _message(details)
        told = status if isinstance(status, int) else "of another form"
        return Failure(*(_TIMEOUT if timed_out else _UPSTREAM), cause=f"ModelError {told}")
    text = str(details.get("OriginalMessage") or "")
    answer = _object(text.encode(errors="replace"))
    error = answer.get("error")
    message = error.get("message") if isinstance(error, dict) else error
    kind = answer.get("error_type")
    return Failure(
        kind if isinstance(kind, str) and kind in TGI_KINDS else _kind_of(status),
        str(message or text or f"The model answered with status {status}."),
        status=status,
        answer=answer or None,
        cause=f"ModelError {status}",
    )


def _kind_of(status: int) -> str:
    """The kind of a container's answer that does not name it."""
    if status in (422, 424):
        return "validation" if status == 422 else "generation"
    by_status = {400: "bad_request", 413: "too_large", 415: "unsupported_media_type", 429: "overloaded"}
    return by_status.get(status) or {503: "unavailable", 504: "timeout"}.get(status, "upstream")


def _message(details: dict[str, Any]) -> str:
    return str(details.get("Message") or details.get("message") or "")


def _object(body: bytes) -> dict[str, Any]:
    """The JSON object in a body; empty where there is none, as in an answer of a proxy on the way."""
    return object_of(body) or {}
