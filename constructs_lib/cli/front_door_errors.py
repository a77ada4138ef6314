"""Why a front door does not answer, in words, and what to do."""

from __future__ import annotations

import json
import math
import re
import socket
import ssl
import urllib.error
from collections.abc import Iterable, Mapping
from http.client import IncompleteRead
from typing import Any

from constructs_lib.cli.errors import CommandError
from constructs_lib.cli.exit_status import ExitStatus
from constructs_lib.cli.formatting import printable
from constructs_lib.planning.validation.problem import Problem

_KEY_FIX = "Give the key with --api-key or TGI_ENDPOINT_API_KEY; --stack reads that of a stack."
_SHORTEST_SECRET = 4
CHECK_URL = "Check the URL: it is the stack's output Url, and ends with its stage, such as /prod."


class FrontDoorError(CommandError):
    """A front door refuses, or cannot be reached.

    Args:
        message: What happened.
        fix: What to do.
        wait: Seconds until the same request may succeed; None if waiting does not help. Default: it does not.
        is_cut: Whether a part of the answer had come. Default: none had.
        is_key: Whether it is about the key. Default: it is not.
    """

    def __init__(
        self, message: str, fix: str, *, wait: float | None = None, is_cut: bool = False, is_key: bool = False
    ) -> None:
        self.problem = Problem("arguments", None, printable(message), fix)
        self.wait, self.is_cut = wait, is_cut
        self.status = ExitStatus.NO_ACCOUNT if is_key else ExitStatus.FINDING
        super().__init__(self.problem)


def refusal(url: str, status: int, headers: Mapping[str, str], body: bytes, secrets: tuple[str, ...]) -> FrontDoorError:
    """The error for a response that is not 200.

    Args:
        url: The front door.
        status: The HTTP status.
        headers: The response's headers.
        body: Its body, or the beginning.
        secrets: What the request carried and no error shows: the key, and the values of the caller's headers.
    """
    headers = {name.lower(): value for name, value in headers.items()}
    error = _error_object(body)
    said = " ".join(hide(str(error.get("message") or ""), secrets).split()).rstrip(".")
    code = str(error.get("code") or error.get("type") or "")
    if not said:
        kind = (headers.get("content-type") or "no content type").partition(";")[0]
        message = f"{url} answers with HTTP {status} and {len(body)} bytes of {kind}, which no front door does"
        return FrontDoorError(message, CHECK_URL)
    if status == 403 and not code:
        # API Gateway itself: there is no such stage, or the API is private.
        return FrontDoorError(f"{url} answers {said}: no front door is deployed there, or not for you", CHECK_URL)
    if status in (401, 403):
        return _denied(status, code, said, has_key=bool(secrets))
    if status in (429, 503):
        return _busy(code, said, headers)
    return FrontDoorError(said, _fix(status, code, said, headers))


def _denied(status: int, code: str, said: str, *, has_key: bool) -> FrontDoorError:
    if status == 401:
        return FrontDoorError(said if has_key else "the front door requires an API key", _KEY_FIX, is_key=True)
    blocked = "Its web ACL blocked the request; its owner finds it in the ACL's log."
    fix = blocked if code == "blocked" else f"Ask its owner what the key may use. {_KEY_FIX}"
    return FrontDoorError(f"the front door denies access: {said}", fix, is_key=True)


def _busy(code: str, said: str, headers: Mapping[str, str]) -> FrontDoorError:
    value = headers.get("retry-after", "").strip()
    seconds = float(value) if re.fullmatch(r"\d{1,9}", value, re.ASCII) else None
    # A quota of a month, or a model that is closed until tomorrow, is nothing to wait for.
    wait = None if headers.get("x-should-retry") == "false" else seconds
    if code == "insufficient_quota":
        return FrontDoorError(said, "Ask the owner of the front door for more, or wait until the period ends.")
    when = "later" if seconds is None else f"in {duration(seconds)}"
    if code == "no_capacity":
        return FrontDoorError(f"the model is waking up: {said}", f"Ask again {when}, or wait with --wait.", wait=wait)
    return FrontDoorError(said, f"Ask again {when}.", wait=wait)


def _fix(status: int, code: str, said: str, headers: Mapping[str, str]) -> str:
    if status == 404:
        return (
            "Name one of its models with --model, or /model in a session." if code == "model_not_found" else CHECK_URL
        )
    if status == 413:
        return "In a session /reset forgets what was said."
    if status in (400, 422) and ("context" in code or "tokens" in said):
        return "Shorten the prompt or lower --max-tokens; in a session /reset forgets what was said."
    request = headers.get("x-request-id")
    return f"The front door's log has it under the request id {request}." if status >= 500 and request else ""


def unreachable(url: str, error: Exception, seconds: float, *, began: bool) -> FrontDoorError:
    """The error for a connection that fails.

    Args:
        url: The front door.
        error: What the standard library raised.
        seconds: How long it waited.
        began: Whether the answer had begun.
    """
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, TimeoutError):
        fix = "Wait longer with --timeout, or ask again."
        return FrontDoorError(f"nothing came for {duration(seconds)}", fix, is_cut=began)
    if began:
        message = f"the connection broke in the middle of the answer ({_words(reason)})"
        return FrontDoorError(message, "What came is above; ask again.", is_cut=True)
    if isinstance(reason, socket.gaierror):
        return FrontDoorError(f"{url} cannot be found", f"{CHECK_URL} Is the network there?")
    if isinstance(reason, ssl.SSLError):
        return FrontDoorError(f"{url} has no certificate that this machine trusts ({_words(reason)})", CHECK_URL)
    return FrontDoorError(f"{url} cannot be reached ({_words(reason)})", "Check the network, the proxy and the URL.")


def duration(seconds: float) -> str:
    """Seconds in words, such as `45 seconds` or `4 minutes`."""
    whole = math.ceil(seconds)
    if whole < 120:
        return f"{whole} second{'' if whole == 1 else 's'}"
    return f"{math.ceil(whole / 60)} minutes" if whole < 7200 else f"{math.ceil(whole / 3600)} hours"


def hide(text: str, secrets: Iterable[str]) -> str:
    """A text without secrets that are long enough to be some."""
    for secret in secrets:
        text = text.replace(secret, "(not shown)") if len(secret) >= _SHORTEST_SECRET else text
    return text


def _error_object(body: bytes) -> Mapping[str, Any]:
    """OpenAI's `error` of a body, also if it is TGI's or API Gateway's; empty if the body has none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, Mapping):
        return {}
    error = found.get("error")
    if isinstance(error, Mapping):
        return error
    message = error or found.get("message") or found.get("Message")
    return {"message": message, "code": found.get("error_type")} if isinstance(message, str) else {}


def _words(error: object) -> str:
    if isinstance(error, IncompleteRead):
        return "it was closed"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split()) or type(error).__name__
