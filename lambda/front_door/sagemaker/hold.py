"""Keeps a client while its model comes back from zero copies, and asks again until it answers.

Imported by front doors with `on_wake="hold"`.
"""

import random
import time
from collections.abc import Generator
from itertools import count
from threading import Event

from front_door.sagemaker import connection

FIRST_PAUSE_SECONDS = 5.0
PAUSE_SECONDS = (15.0, 25.0)
"""Random, so that clients that have come together do not stay together: neither here nor at the model."""
# Time that a request needs at the least, before the deadline.
_ATTEMPT_SECONDS = 2.0


class Hold:
    """One client that waits. If its request is several to the model, one of them asks for all.

    Args:
        deadline: When the invocation ends, in seconds since the epoch.

    Attributes:
        is_long: Whether it waits so long that the client must get a sign of life.
        has_ended: Set once a copy has begun to respond.
        repeats: How often requests were sent again.
    """

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline - _ATTEMPT_SECONDS
        self.is_long = False
        self.has_ended = Event()
        self.repeats = 0
        self._places = count()

    def join(self) -> "Turn":
        """Let another request to the model wait."""
        return Turn(self, asks=next(self._places) == 0)


class Turn:
    """One request to the model that waits; the first of a hold asks, the others follow once it is answered."""

    def __init__(self, hold: Hold, *, asks: bool) -> None:
        self._hold = hold
        self._asks = asks
        self._last_sign = time.time()
        self._repeats = 0

    def wait(self) -> Generator[bytes, None, bool]:
        """Wait until the request may be sent again; yields keep-alives.

        Returns:
            Whether it may; False if the deadline comes first.
        """
        if self._asks or self._hold.has_ended.is_set():
            may_ask = yield from self._pause()
        else:
            may_ask = yield from self._follow()
        self._repeats += may_ask
        self._hold.repeats += may_ask
        return may_ask

    def _pause(self) -> Generator[bytes, None, bool]:
        low, high = PAUSE_SECONDS
        if self._repeats == 1:
            low = (low + high) / 2  # so that the minute after the first pause has no more requests than others
        until = time.time() + (random.uniform(low, high) if self._repeats else FIRST_PAUSE_SECONDS)  # noqa: S311
        if until > self._hold.deadline:
            return False
        while (left := until - time.time()) > 0:
            sign = self._last_sign + connection.KEEP_ALIVE_SECONDS
            time.sleep(max(0.0, min(left, sign - time.time())))
            if time.time() >= sign:
                self._last_sign = time.time()
                self._hold.is_long = True
                yield connection.KEEP_ALIVE
        return True

    def _follow(self) -> Generator[bytes, None, bool]:
        """Wait for the one that asks; a reader that has gone ends this at a keep-alive."""
        while not self._hold.has_ended.wait(connection.KEEP_ALIVE_SECONDS):
            yield connection.KEEP_ALIVE
            if time.time() > self._hold.deadline:
                return False
        return True
