"""What CloudFormation waits for: answers to custom resources, and signals of wait conditions. Both are PUTs to S3."""

import http.client
import json
import time
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 6.0
PAUSES_SECONDS = (0.5, 1.0, 2.0)
MAX_BYTES = 1400
"""CloudFormation takes 4096 bytes of an answer, and shows the reason with the resource's name around it."""


class SignalError(Exception):
    """CloudFormation did not take it. Its text says nothing about the URL, whose query is a signature."""


def send_answer(event: dict[str, Any], physical_id: str, reason: str | None, data: dict[str, str]) -> None:
    """Tell CloudFormation how a request of a custom resource ended.

    Args:
        event: The request.
        physical_id: The id of the resource; another one than before makes CloudFormation delete the one before.
        reason: Why it failed; None if it succeeded.
        data: What the template can read of the resource.

    Raises:
        SignalError: The answer did not arrive.
    """
    answer = {
        "Status": "FAILED" if reason else "SUCCESS",
        "Reason": shorten(reason or "", MAX_BYTES),
        "PhysicalResourceId": physical_id,
        **{name: event.get(name) for name in ("StackId", "RequestId", "LogicalResourceId")},
        "Data": data,
    }
    _send(str(event.get("ResponseURL")), answer)


def send_signal(url: str, unique_id: str, *, status: str, reason: str, data: str = "") -> None:
    """Tell a wait condition that what it waits for has ended.

    Args:
        url: The signed URL of its handle.
        unique_id: What tells this signal from others: a second one with the same id counts for nothing.
        status: `SUCCESS` or `FAILURE`.
        reason: What CloudFormation shows.
        data: What the template can read of the condition.

    Raises:
        SignalError: The signal did not arrive.
    """
    signal = {"Status": status, "Reason": shorten(reason, MAX_BYTES), "UniqueId": unique_id, "Data": data}
    _send(url, signal)


def shorten(text: str, max_bytes: int) -> str:
    """The text, cut if it is longer."""
    data = text.encode(errors="replace")
    return data.decode() if len(data) <= max_bytes else data[: max_bytes - 3].decode(errors="ignore") + "…"


def _send(url: str, content: dict[str, Any]) -> None:
    # As it is: escaped, a character takes up to twelve bytes.
    body = json.dumps(content, ensure_ascii=False).encode(errors="replace")
    for pause in (*PAUSES_SECONDS, None):
        problem = _put(url, body)
        if problem is None:
            return
        if pause is None or problem in ("no URL", "HTTP 403"):
            raise SignalError(f"CloudFormation did not take the answer: {problem}.")
        time.sleep(pause)


def _put(url: str, body: bytes) -> str | None:
    """Why the PUT failed; None if it did not."""
    target = urlsplit(url)
    if target.scheme not in ("http", "https") or not target.hostname:
        return "no URL"
    kind = http.client.HTTPSConnection if target.scheme == "https" else http.client.HTTPConnection
    connection = kind(target.hostname, target.port, timeout=TIMEOUT_SECONDS)
    try:
        # The signature is that of a request without a content type.
        headers = {"Content-Type": "", "Content-Length": str(len(body))}
        # From the text, not put together from its parts: the signature is of every byte.
        connection.request("PUT", url[url.index(target.netloc) + len(target.netloc) :] or "/", body, headers)
        response = connection.getresponse()
        response.read()
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__
    finally:
        connection.close()
    return None if response.status < 300 else f"HTTP {response.status}"
