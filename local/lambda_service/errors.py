"""The errors of invocations."""

from __future__ import annotations

import json
import re
from typing import Self

# GetValidRuntimeOrFunctionErrorType in AWS's Runtime Interface Emulator.
_KNOWN_TYPE = re.compile(r"(Runtime|Function|Sandbox)\.[A-Z][a-zA-Z]+")


class FunctionError(Exception):
    """The function failed.

    Args:
        payload: The error payload, JSON with `errorMessage` and `errorType`.
    """

    def __init__(self, payload: bytes = b"{}") -> None:
        super().__init__(payload)
        self.payload = payload

    def __str__(self) -> str:
        try:
            error = json.loads(self.payload)
        except ValueError:
            error = None
        if not isinstance(error, dict):
            return self.payload.decode(errors="replace")
        return ": ".join(str(error[name]) for name in ("errorType", "errorMessage") if error.get(name))

    @classmethod
    def of(cls, error_type: str, message: str) -> Self:
        """An error with a payload from Lambda itself."""
        return cls(json.dumps({"errorType": error_type, "errorMessage": message}).encode())


class FunctionTimeout(FunctionError):  # noqa: N818 - AWS's term
    """The function exceeded its timeout and was killed."""


class FunctionThrottled(FunctionError):  # noqa: N818 - AWS's term
    """The concurrency limit is reached, so the invocation was not started."""


class BadPrelude(Exception):  # noqa: N818 - the term in API Gateway's logs
    """A streamed response does not begin with metadata and eight NUL bytes."""


def known_error_type(name: str) -> str:
    """The error type as Lambda reports it: types in other formats become `….Unknown`."""
    if _KNOWN_TYPE.fullmatch(name):
        return name
    return "Function.Unknown" if name.startswith("Function.") else "Runtime.Unknown"
