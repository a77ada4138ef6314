"""The answer to CloudFormation: a PUT to a signed URL of S3."""

import http.client
import json
import time
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 6.0
PAUSES_SECONDS = (0.5, 1.0, 2.0)


class AnswerError(Exception):
    """CloudFormation did not take the answer."""


def send_answer(event: dict[str, Any], reason: str | None) -> None:
    """Tell CloudFormation how a request of it ended.

    Args:
        event: The request.
        reason: Why it failed; None if it succeeded.

    Raises:
        AnswerError: The answer did not arrive. Its text says nothing about the URL, whose query is a signature.
    """
    answer = {
        "Status": "FAILED" if reason else "SUCCESS",
        "Reason": reason or "",
        # The same for all requests: another one would make CloudFormation delete the resource after an update.
        "PhysicalResourceId": event.get("PhysicalResourceId") or f"smoke-test-{event.get('LogicalResourceId')}",
        **{name: event.get(name) for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    # As it is: escaped, a character takes up to twelve of the 4096 bytes that CloudFormation accepts.
    body = json.dumps(answer, ensure_ascii=False).encode(errors="replace")
    for pause in (*PAUSES_SECONDS, None):
        problem = _put(str(event.get("ResponseURL")), body)
        if problem is None:
            return
        if pause is None or problem in ("no URL", "HTTP 403"):
            raise AnswerError(f"CloudFormation did not take the answer: {problem}.")
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
