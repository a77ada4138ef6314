"""Tells CloudFormation what it waits for. Its URLs are secret: whoever has one can end the wait."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from http.client import HTTPException
from urllib.error import URLError
from urllib.request import Request, urlopen

from weights_copier.failure import StagingError
from weights_copier.request import is_url

_TRIES = 5
_TIMEOUT_SECONDS = 30
MAX_REASON_BYTES = 1400
"""CloudFormation takes 4096 bytes in all, and shows a reason with words of its own around it."""


def signal(
    url: str, unique_id: str, *, reason: str, data: str, success: bool, sleep: Callable[[float], object] = time.sleep
) -> None:
    """Send the signal.

    Args:
        url: The wait condition handle's presigned URL.
        unique_id: Tells signals apart: a second one with the same id changes nothing.
        reason: What happened. The user reads it if `success` is false.
        data: What the template gets of it.
        success: Whether the job did what it was to do.
        sleep: Waits between two tries.

    Raises:
        StagingError: It cannot be sent. The words do not have the URL.
    """
    content = {"Status": "SUCCESS" if success else "FAILURE", "UniqueId": unique_id, "Reason": reason, "Data": data}
    send(url, content, sleep=sleep)


def send(url: str, content: Mapping[str, object], *, sleep: Callable[[float], object] = time.sleep) -> None:
    """Send a signal, or the answer of a custom resource.

    Args:
        url: The presigned URL.
        content: What to send. Of a long `Reason` the beginning is sent, on one line.
        sleep: Waits between two tries.

    Raises:
        StagingError: It cannot be sent. The words do not have the URL.
    """
    if not is_url(url):
        raise StagingError("the URL that CloudFormation waits at is not an https:// URL")
    # As it is: escaped, a character takes up to twelve bytes.
    body = json.dumps({**content, "Reason": _cut(str(content["Reason"]))}, ensure_ascii=False).encode(errors="replace")
    # S3 signed the URL for an empty content type, and urllib adds one if there is none.
    request = Request(url, data=body, headers={"Content-Type": ""}, method="PUT")  # noqa: S310 - checked above
    for attempt in range(1, _TRIES + 1):
        try:
            with urlopen(request, timeout=_TIMEOUT_SECONDS):  # noqa: S310
                return
        except (URLError, OSError, HTTPException) as error:
            detail = getattr(error, "code", None) or type(error).__name__
            if attempt == _TRIES:
                raise StagingError(f"CloudFormation could not be told that the job has ended: {detail}") from None
        sleep(2 ** (attempt - 1))


def _cut(reason: str) -> str:
    data = " ".join(reason.split()).encode(errors="replace")
    return (
        data.decode() if len(data) <= MAX_REASON_BYTES else data[: MAX_REASON_BYTES - 3].decode(errors="ignore") + "…"
    )
