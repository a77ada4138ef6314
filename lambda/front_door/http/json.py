"""JSON as the front door reads and writes it."""

import json
from math import isfinite
from typing import Any

from front_door.errors import ApiError

_TYPE_NAMES = {bool: "boolean", int: "integer", float: "floating point", str: "string", list: "sequence", dict: "map"}


def compact(value: object) -> bytes:
    """JSON as TGI writes it: no spaces, UTF-8 unescaped.

    Raises:
        ValueError: A number is not finite, or a string has a lone surrogate (UnicodeEncodeError).
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def parse(data: bytes) -> Any:
    """The value of some JSON; None if it is not JSON, or holds what could not be written as JSON again.

    Python would accept numbers that are not finite, and lone surrogates.
    """
    try:
        text = data.decode()
        value = json.loads(text, parse_constant=_finite, parse_float=_finite)
        if "\\u" in text:
            compact(value)
    except (ValueError, RecursionError):
        return None
    return value


def parse_object(data: bytes) -> dict[str, Any] | None:
    """As `parse`; None also if the value is not an object."""
    value = parse(data)
    return value if isinstance(value, dict) else None


def is_utf8(data: bytes) -> bool:
    """Whether some bytes are text; what is not parsed may be none."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def describe_content(data: bytes) -> str:
    """What some bytes are that should have been something else, for the log: kind and size, nothing of the text."""
    start = data[:100].lstrip()
    if not start:
        return "empty"
    kind = "HTML" if start.startswith(b"<") else "not JSON" if parse(data) is None else "JSON of another form"
    return f"{kind}, {len(data)} bytes"


def type_name(value: object) -> str:
    """The type of a decoded JSON value by serde's name, without the value."""
    return "null" if value is None else _TYPE_NAMES[type(value)]


def not_json(reason: str) -> ApiError:
    """The error for a body that is not JSON, in the words of axum, TGI's HTTP library."""
    return ApiError("bad_request", f"Failed to parse the request body as JSON: {reason}")


def not_writable(error: ValueError | RecursionError) -> ApiError:
    """The same for one that Python has read, and that could not be written as JSON again."""
    if isinstance(error, RecursionError):
        return not_json("recursion limit exceeded")
    return not_json("lone surrogate in a string" if isinstance(error, UnicodeEncodeError) else "number out of range")


def _finite(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise ValueError(text)
    return value
