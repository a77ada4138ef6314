"""Waits until IAM has a role that was created moments ago."""

import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

SETTLING_SECONDS = 45.0
"""How long a refusal counts as that of a role that was created moments ago."""
PAUSE_SECONDS = 5.0


def call_settled(call: Callable[[], Any], *, is_new: Callable[[ClientError], bool]) -> Any:
    """What a call answers, once the role is in force.

    Args:
        call: The call.
        is_new: Whether an error may be that of a role that is not in force yet.

    Raises:
        ClientError: Another error, or the last one.
    """
    until = time.monotonic() + SETTLING_SECONDS
    while True:
        try:
            return call()
        except ClientError as error:
            if not is_new(error) or time.monotonic() + PAUSE_SECONDS > until:
                raise
        time.sleep(PAUSE_SECONDS)
