"""What the service does wrong on purpose.

`PUT /faults` with `{"fault": "cut", "at": 100, "count": 1}` asks for one; `DELETE /faults` ends all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

FAULTS = {
    "throttle": "ThrottlingException, as when the account's rate is exceeded",
    "no-capacity": "ValidationError of an inference component that was scaled to zero",
    "timeout": "ModelError with status 0, as when the container does not answer in time",
    "model-error": "ModelError with TGI's answer to a CUDA error (424, or the `status` that is asked for)",
    "internal-failure": "InternalFailure 500",
    "unavailable": "ServiceUnavailable 503",
    "bad-gateway": "502 with a page of HTML, as from something in between",
    "hang-up": "the connection ends without an answer, after the request was read",
    "slow-first-token": "nothing comes for `seconds`, then the answer",
    "stream-broken": "ModelStreamError StreamBroken (buffered calls: InternalFailure)",
    "stream-timeout": "ModelStreamError ModelInvocationTimeExceeded (buffered calls: as timeout)",
    "stream-failure": "InternalStreamFailure (buffered calls: InternalFailure)",
    "unknown-event": "an event of a type that no model has, then the rest (buffered calls: nothing)",
    "connection-lost": "the connection ends without an error, after the first parts or `at` bytes of the answer",
    "end": "the answer ends after `at` bytes as if it were complete",
    "flip": "one bit of the byte behind the first `at` bytes of the answer is another",
    "stall": "nothing comes for `seconds` behind the first `at` bytes of the answer, then the rest",
    "refused": "no connection is taken for `seconds`, at once and whatever was injected before",
}
"""Each fault's name and what it does.

Those that name no `at` happen inside of a stream after the first parts, or after `frame` parts where that is given.
"""

SLOW_SECONDS = 5.0
AT = frozenset({"connection-lost", "end", "flip", "stall"})
FRAME = frozenset({"stream-broken", "stream-timeout", "stream-failure", "unknown-event"})
STATUS = frozenset({"model-error"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault as it was asked for.

    Args:
        name: A name of `FAULTS`.
        seconds: How long `slow-first-token`, `stall` and `refused` wait.
        at: How many bytes of the answer's body come before; those of the event stream where it is one. An answer that
            is shorter ends with the fault.
        frame: How many parts of a stream come before.
        status: What the container answered.
    """

    name: str
    seconds: float = SLOW_SECONDS
    at: int | None = None
    frame: int | None = None
    status: int | None = None

    def problems(self) -> Iterator[str]:
        """What is wrong with the wish."""
        if self.name not in FAULTS:
            yield f"fault={self.name!r}: there is no such fault. Choose one of: {', '.join(FAULTS)}."
        if isinstance(self.seconds, bool) or not isinstance(self.seconds, int | float) or not 0 <= self.seconds <= 900:
            yield f"seconds={self.seconds!r}: must be a number from 0 to 900."
        for option, faults in (("at", AT), ("frame", FRAME), ("status", STATUS)):
            value = getattr(self, option)
            if value is None:
                continue
            if self.name not in faults:
                yield f"{option}={value!r}: has no meaning for {self.name}, only for {', '.join(sorted(faults))}."
            elif isinstance(value, bool) or not isinstance(value, int) or value < 0:
                yield f"{option}={value!r}: must be a whole number of at least 0."
        if isinstance(self.status, int) and not 400 <= self.status <= 599:
            yield f"status={self.status!r}: must be an error, from 400 to 599."


class Faults:
    """The faults that the next calls will meet, in the order in which they were injected."""

    def __init__(self) -> None:
        self._queue: list[tuple[Fault, int | None]] = []

    def inject(
        self,
        fault: str,
        count: int | None = None,
        *,
        seconds: float = SLOW_SECONDS,
        at: int | None = None,
        frame: int | None = None,
        status: int | None = None,
    ) -> None:
        """Let calls fail.

        Args:
            fault: A name of `FAULTS`.
            count: How many calls; None: every call until `clear`.
            seconds: How long the faults that wait do so (default 5).
            at: How many bytes of the answer come before.
            frame: How many parts of a stream come before.
            status: What the container answered.

        Raises:
            ValueError: There is no such fault, or an option is not one of it; all problems are named.
        """
        wish = Fault(name=fault, seconds=seconds, at=at, frame=frame, status=status)
        problems = list(wish.problems())
        if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 1):
            problems.append(f"count={count!r}: must be a whole number of at least 1. Leave it out for every call.")
        if fault == "refused":
            problems.append("fault='refused': concerns connections, not calls. Ask for it over HTTP, with its seconds.")
        if problems:
            raise ValueError(" ".join(problems))
        self._queue.append((wish, count))

    def clear(self) -> None:
        """Let every call succeed again."""
        self._queue.clear()

    def take(self) -> Fault | None:
        """The fault of the next call, which is thereby used up."""
        if not self._queue:
            return None
        fault, count = self._queue[0]
        if count == 1:
            del self._queue[0]
        elif count is not None:
            self._queue[0] = (fault, count - 1)
        return fault

    def pending(self) -> list[dict[str, object]]:
        """What is still to come, for people."""
        return [
            {"fault": fault.name, "count": count, "seconds": fault.seconds}
            | {name: value for name in ("at", "frame", "status") if (value := getattr(fault, name)) is not None}
            for fault, count in self._queue
        ]
