"""Repeats a request that failed before anything was generated."""

import random
import time
from collections.abc import Callable

from front_door.errors import ApiError

MAX_ATTEMPTS = 3
FIRST_PAUSE_SECONDS = 0.3
# Time that an attempt needs at the least, before the deadline.
_ATTEMPT_SECONDS = 2


class Retries:
    """Decides whether a failed request is sent again, and waits before it is.

    Args:
        deadline: When this function ends, in seconds since the epoch.
        on_retry: Gets the number of retries.
        may_repeat: Whether it may be sent again at all.
    """

    def __init__(self, deadline: float, on_retry: Callable[[int], None], *, may_repeat: bool = True) -> None:
        self._deadline = deadline
        self._on_retry = on_retry
        self._may_repeat = may_repeat
        self._retries = 0

    def wait_for(self, error: ApiError) -> bool:
        """Whether to send the request again, after having waited.

        Args:
            error: How it failed; whoever created it, the transport or the engine, has set `may_retry`.
        """
        if not (error.may_retry and self._may_repeat) or self._retries + 1 >= MAX_ATTEMPTS:
            return False
        # The pause is random from 0, so that clients that were throttled together do not return together.
        pause = random.uniform(0, FIRST_PAUSE_SECONDS * 2**self._retries)  # noqa: S311
        if time.time() + pause >= self._deadline - _ATTEMPT_SECONDS:
            return False
        self._retries += 1
        self._on_retry(self._retries)
        time.sleep(pause)
        return True
