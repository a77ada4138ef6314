"""What the service does wrong on purpose."""

from __future__ import annotations

FAULTS = {
    "throttle": "ThrottlingException, as when the account's rate is exceeded",
    "no-capacity": "ValidationError of an inference component that was scaled to zero",
    "timeout": "ModelError with status 0, as when the container does not answer in time",
    "model-error": "ModelError with TGI's answer to a CUDA error (424)",
    "stream-broken": "ModelStreamError StreamBroken after the first parts (buffered calls: InternalFailure)",
    "slow-first-token": "nothing comes for some seconds, then the answer",
    "stream-timeout": "ModelStreamError ModelInvocationTimeExceeded after the first parts (buffered calls: as timeout)",
    "stream-failure": "InternalStreamFailure after the first parts (buffered calls: InternalFailure)",
    "connection-lost": "the connection ends after the first parts, without an error",
    "internal-failure": "InternalFailure 500",
    "unavailable": "ServiceUnavailable 503",
}
"""Each fault's name and what it does."""

SLOW_SECONDS = 5.0


class Faults:
    """The faults that the next calls will meet, in the order in which they were injected."""

    def __init__(self) -> None:
        self._queue: list[tuple[str, int | None, float]] = []

    def inject(self, fault: str, count: int | None = None, *, seconds: float = SLOW_SECONDS) -> None:
        """Let calls fail.

        Args:
            fault: a name of `FAULTS`.
            count: how many calls; None: every call until `clear`.
            seconds: how long `slow-first-token` waits (default 5).

        Raises:
            ValueError: there is no such fault, or the count is not positive.
        """
        if fault not in FAULTS:
            raise ValueError(f"fault={fault!r}: there is no such fault. Choose one of: {', '.join(FAULTS)}.")
        if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 1):
            raise ValueError(f"count={count!r}: must be a whole number of at least 1. Leave it out for every call.")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= 900:
            raise ValueError(f"seconds={seconds!r}: must be a number from 0 to 900.")
        self._queue.append((fault, count, float(seconds)))

    def clear(self) -> None:
        """Let every call succeed again."""
        self._queue.clear()

    def take(self) -> tuple[str | None, float]:
        """The fault of the next call, which is thereby used up, and its seconds."""
        if not self._queue:
            return None, 0.0
        fault, count, seconds = self._queue[0]
        if count == 1:
            del self._queue[0]
        elif count is not None:
            self._queue[0] = (fault, count - 1, seconds)
        return fault, seconds

    def pending(self) -> list[dict[str, object]]:
        """What is still to come, for people."""
        return [{"fault": fault, "count": count, "seconds": seconds} for fault, count, seconds in self._queue]
