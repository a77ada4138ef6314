"""vLLM's errors with its words (vllm/exceptions.py and vllm/entrypoints/serve/exception_handling of 0.30)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

_MAX_REPORTED = 10
_MAX_INPUT = 200
_INTERNAL = frozenset({"str", "int", "float", "bool", "list", "dict", "none", "nullable"})
_PATHS = (
    re.compile(r"/(?:home|usr|opt|var|tmp|root|lib|mnt|srv)(?:/[\w.\-]+)+"),
    re.compile(r"(?:/[\w\-]+)+/[\w\-]+\.\w+"),
)


class ApiError(Exception):
    """An error of a request.

    Args:
        message: What the client reads.
        status: The HTTP status.
        kind: The `type` of the error. Default: the status' phrase without blanks.
        param: The parameter at fault.
    """

    def __init__(self, message: str, *, status: int = 400, kind: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = "BadRequestError" if kind is None else kind
        self.param = param


class ParameterError(ApiError):
    """A parameter that the engine rejects; the message ends with its name and value."""

    def __init__(self, message: str, parameter: str | None = None, value: object = None) -> None:
        extras = [f"parameter={parameter}"] if parameter is not None else []
        extras += [f"value={value}"] if value is not None else []
        super().__init__(f"{message} ({', '.join(extras)})" if extras else message, param=parameter)


class QueueOverflowError(ApiError):
    """As many requests are unfinished as the queue may hold."""

    def __init__(self) -> None:
        super().__init__(
            "The engine is currently busy and cannot accept new requests. Please try again later or on a different "
            "instance.",
            status=503,
            kind="Service Unavailable",
        )


class EngineDeadError(ApiError):
    """The engine has died."""

    def __init__(self) -> None:
        super().__init__(
            "EngineCore encountered an issue. See stack trace (above) for the root cause.",
            status=500,
            kind="InternalServerError",
        )


class ModelNotFoundError(ApiError):
    """No model or adapter has this name."""

    def __init__(self, model: str, names: Sequence[str]) -> None:
        super().__init__(
            f"The model `{model}` does not exist. Valid aliases: {', '.join(names)}.",
            status=404,
            kind="NotFoundError",
            param="model",
        )


def bad_request(message: str, param: str | None = None) -> ApiError:
    """An error that FastAPI's handlers write, not vLLM's."""
    return ApiError(message, kind=HTTPStatus.BAD_REQUEST.phrase, param=param)


def error_body(error: ApiError) -> dict[str, Any]:
    """The JSON body of an error."""
    return {
        "error": {"message": sanitize(error.message), "type": error.kind, "param": error.param, "code": error.status}
    }


def sanitize(message: str) -> str:
    """A message without the paths of files."""
    for path in _PATHS:
        message = path.sub("<path>", message)
    return message.strip()


def validation_error(errors: Sequence[Mapping[str, Any]]) -> ApiError:
    """What pydantic's errors become.

    Args:
        errors: The errors, with `type`, `loc`, `msg`, `input` and perhaps `ctx`; `loc` begins with `body`.
    """
    label = "error" if len(errors) == 1 else "errors"
    lines = [f"  {_describe(error)}\n" for error in errors[:_MAX_REPORTED]]
    if len(errors) > _MAX_REPORTED:
        lines.append(f"  ...and {len(errors) - _MAX_REPORTED} more {label}\n")
    message = f"{len(errors)} validation {label}:\n{''.join(lines)}".rstrip()
    return bad_request(message, _location(errors[0]["loc"]))


def _describe(error: Mapping[str, Any]) -> str:
    shown = {key: error[key] for key in ("type", "loc", "msg", "input", "ctx") if key in error}
    return str(shown | {"loc": _location(error["loc"]), "input": _summarize(error["input"])})


def _location(loc: Sequence[str | int]) -> str:
    parts = [str(part) for part in loc]
    named = [part for part in parts if not re.search(r"[\[\]{}()]", part) and part.lower() not in _INTERNAL]
    return ".".join(named or parts)


def _summarize(value: object) -> str:
    if isinstance(value, list | dict):
        return f"<{type(value).__name__} of {len(value)} items>"
    text = str(value)
    return text if len(text) <= _MAX_INPUT else f"{text[:_MAX_INPUT]}...[truncated]"
