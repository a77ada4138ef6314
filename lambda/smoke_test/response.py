"""What the front door's function returns: a completion, or an error.

A function that streams has its response's head in front of the payload when it is invoked without streaming: JSON and
eight NUL bytes. One that does not stream returns an object of API Gateway's proxy integration.
"""

import base64
import json
from typing import Any, NamedTuple

_PRELUDE_END = b"\0" * 8
# Overloaded, being loaded, slow: the model's to pass. The rest of 5xx, such as a permission that has not spread yet, is
# given less time.
_PASSING = {429, 503, 504}


class Failure(NamedTuple):
    """An attempt without a token.

    Attributes:
        status: The HTTP status; None without a response.
        kind: The name of the error.
        message: Its text.
        cause: What the front door's log says beyond that; None if nothing.
        passes: Whether a later attempt may succeed.
        settles: Whether that is so only for the first minutes after a deployment.
    """

    status: int | None
    kind: str
    message: str
    cause: str | None = None
    passes: bool = False
    settles: bool = False

    def may_pass(self, elapsed: float, settling: float) -> bool:
        """Whether to try again after that many seconds."""
        return self.passes or (self.settles and elapsed < settling)


def read_response(payload: bytes, *, failed: bool) -> int | Failure:
    """The number of generated tokens, at least 1, or why there is none.

    Args:
        payload: What the function returned.
        failed: Whether Lambda reports the function's error instead.
    """
    if failed:
        error = _object(payload)
        name, message = str(error.get("errorType") or "unknown"), str(error.get("errorMessage") or "")
        return Failure(None, name, f"The front door's function failed: {message}", settles=True)
    try:
        status, body = _http_response(payload)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Failure(None, "no_response", "The front door's function returned no HTTP response.")
    content = _object(body)
    if status != 200:
        return _error(status, content)
    tokens = _generated_tokens(content)
    return tokens or Failure(status, "no_token", "The response has no token.")


def _http_response(payload: bytes) -> tuple[int, bytes]:
    """Status and body; raises what JSON of another form makes Python raise."""
    head, end, body = payload.partition(_PRELUDE_END)
    response = json.loads(head)
    if not end:
        body = response["body"].encode()
        if response.get("isBase64Encoded"):
            body = base64.b64decode(body, validate=True)
    return int(response["statusCode"]), body


def _error(status: int, content: dict[str, Any]) -> Failure:
    details = content.get("error")
    details = details if isinstance(details, dict) else {}
    cause = details.get("cause")
    return Failure(
        status,
        str(details.get("kind") or "unknown"),
        str(details.get("message") or "The response is not an error of the front door."),
        None if cause is None else str(cause),
        passes=status in _PASSING,
        settles=status >= 500,
    )


def _generated_tokens(content: dict[str, Any]) -> int:
    """Tokens of a response: as it counts them, which includes those without a text; at least 1 if it has a text."""
    usage, choices = content.get("usage"), content.get("choices")
    count = usage.get("completion_tokens") if isinstance(usage, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    choice = choice if isinstance(choice, dict) else {}
    message = choice.get("message")
    texts = [choice.get("text"), message.get("content") if isinstance(message, dict) else None]
    return max(count if type(count) is int else 0, 1 if any(isinstance(text, str) and text for text in texts) else 0)


def _object(body: bytes) -> dict[str, Any]:
    """The JSON object in a body; empty if there is none."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
