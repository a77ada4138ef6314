"""Tells CloudFormation's wait condition how the job ended. Its URL is a secret: whoever has it can end the wait."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from http.client import HTTPException
from urllib.error import URLError
from urllib.request import Request, urlopen

from weights_copier.failure import StagingError, one_line
from weights_copier.request import is_url

_TRIES = 5
_TIMEOUT_SECONDS = 30
_MAX_BYTES = 4096


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
    if not is_url(url):
        raise StagingError("the URL of the wait condition is not an https:// URL")
    status = "SUCCESS" if success else "FAILURE"
    content = {"Status": status, "UniqueId": unique_id, "Reason": one_line(reason), "Data": data}
    body = json.dumps(content).encode()[:_MAX_BYTES]
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
