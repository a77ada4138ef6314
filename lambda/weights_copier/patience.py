"""When a request is sent again, and how long to wait before that."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message

from weights_copier.failure import StagingError

_REMAINING = re.compile(r'"[^"]*"\s*;\s*r=(\d+)\s*;\s*t=(\d+)')


@dataclass(frozen=True)
class Patience:
    """How often the same thing is tried.

    Args:
        tries: How often, from the first.
        first_wait: Seconds before the second try if nobody says how long; they double with each.
        max_wait: Seconds that no wait is longer than, whatever the hub says.
    """

    tries: int = 5
    first_wait: float = 1.0
    max_wait: float = 600.0


class TransientError(Exception):
    """What may go right the next time.

    Args:
        words: What happened, for the case that it never does.
        wait: Seconds to wait before the next try. None: longer each time.
        is_limit: Whether the hub limits how much is asked of it.
    """

    def __init__(self, words: str, wait: float | None = None, *, is_limit: bool = False) -> None:
        self.words = words
        self.wait = wait
        self.is_limit = is_limit
        super().__init__(words)


@dataclass
class Tries:
    """The tries of one thing.

    Args:
        patience: How many there are.
        note: Gets a line when there is a wait.
        halt: Ends a wait when it is set.
    """

    patience: Patience
    note: Callable[[str], object]
    halt: threading.Event
    _failed: int = field(default=0, init=False)
    _waited: float = field(default=0.0, init=False)

    def progressed(self) -> None:
        """Count from the first try again: the last one has brought something."""
        self._failed = 0

    def failed(self, error: TransientError) -> None:
        """Wait before the next try.

        Raises:
            StagingError: There is none.
        """
        self._failed += 1
        count = f"{self._failed} of {self.patience.tries}"
        if self._failed >= self.patience.tries:
            limit = f"hub limits requests: waited {self._waited:.0f} s, {count}"
            raise StagingError(limit if error.is_limit else f"{error.words} (tried {self._failed} times)") from error
        wait = self.patience.first_wait * 2 ** (self._failed - 1) if error.wait is None else error.wait
        wait = min(wait, self.patience.max_wait)
        if error.is_limit:
            self.note(f"hub limits requests: waiting {wait:.0f} s, {count}")
        self._waited += wait
        self.halt.wait(wait)


def seconds_to_wait(headers: Message) -> float | None:
    """How long the hub wants a client to wait after status 429. None: it does not say.

    Args:
        headers: Of its answer. `RateLimit: "api";r=0;t=55` says that the window ends in 55 seconds; a Retry-After that
            is a number of seconds counts else.
    """
    windows = _REMAINING.findall(headers.get("RateLimit") or "")
    used_up = [float(seconds) for remaining, seconds in windows if remaining == "0"]
    if used_up:
        return max(used_up) + 1
    after = (headers.get("Retry-After") or "").strip()
    return float(after) if after.isascii() and after.isdigit() else None
