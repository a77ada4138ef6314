"""How invocations fail."""

from __future__ import annotations

import json
import re
from typing import Self

# GetValidRuntimeOrFunctionErrorType in AWS's Runtime Interface Emulator.
_KNOWN_TYPE = re.compile(r"(Runtime|Function|Sandbox)\.[A-Z][a-zA-Z]+")


class FunctionError(Exception):
    """The function failed.

    Args:
        payload: What the caller of the function gets, JSON with `errorMessage` and `errorType`.
    """

    def __init__(self, payload: bytes = b"{}") -> None:
        super().__init__(payload)
        self.payload = payload

    def __str__(self) -> str:
        try:
            told = json.loads(self.payload)
        except ValueError:
            told = None
        if not isinstance(told, dict):
            return self.payload.decode(errors="replace")
        return ": ".join(str(told[name]) for name in ("errorType", "errorMessage") if told.get(name))

    @classmethod
    def of(cls, error_type: str, message: str) -> Self:
        """The error that Lambda itself makes up."""
        return cls(json.dumps({"errorType": error_type, "errorMessage": message}).encode())


class FunctionTimeout(FunctionError):  # noqa: N818 - the service's own word
    """The function did not end in its time and was killed."""


class FunctionThrottled(FunctionError):  # noqa: N818 - the service's own word
    """As many invocations run as may; this one was not begun."""


class BadPrelude(Exception):  # noqa: N818 - as API Gateway's logs call it, not a Python error
    """A streamed answer that does not begin with metadata and eight NUL bytes."""


def known_error_type(name: str) -> str:
    """The error type as Lambda reports it, which renames those of another form."""
    if _KNOWN_TYPE.fullmatch(name):
        return name
    return "Function.Unknown" if name.startswith("Function.") else "Runtime.Unknown"
