"""The catalogue of faults, and the queue of injected faults.

`PUT /faults` with `{"fault": "end", "at": 100, "count": 1}` injects a fault; `DELETE /faults` removes all. With
`"endpoint": name` it is one of that endpoint's calls, and those of the others go on without it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

FAULTS = {
    "throttle": "ThrottlingException, as if the account's rate limit were exceeded",
    "no-capacity": "ValidationError, as if the inference component were scaled to zero",
    "timeout": "ModelError with status 0, as if the container did not respond in time",
    "model-error": "ModelError with TGI's response to a CUDA error (424, or `status`)",
    "internal-failure": "InternalFailure 500",
    "unavailable": "ServiceUnavailable 503",
    "bad-gateway": "502 with an HTML page, as from a proxy",
    "hang-up": "the connection is closed after the request was read, without a response",
    "slow-first-token": "no data for `seconds`, then the response",
    "stream-broken": "ModelStreamError StreamBroken (buffered calls: InternalFailure)",
    "stream-timeout": "ModelStreamError ModelInvocationTimeExceeded (buffered calls: as timeout)",
    "stream-failure": "InternalStreamFailure (buffered calls: InternalFailure)",
    "unknown-event": "an event of an unknown type, then the rest (buffered calls: no effect)",
    "connection-lost": "the connection is aborted after the first parts or `at` bytes of the response",
    "end": "the response ends after `at` bytes as if it were complete",
    "flip": "one bit is flipped in the byte after the first `at` bytes of the response",
    "stall": "no data for `seconds` after the first `at` bytes of the response, then the rest",
    "refused": "connections are refused for `seconds`, immediately, before any other injected fault",
}
"""The faults by name, with their effect.

Faults of streams without `at` occur after the first parts, or after `frame` parts if that is given.
"""

SLOW_SECONDS = 5.0
AT = frozenset({"connection-lost", "end", "flip", "stall"})
FRAME = frozenset({"stream-broken", "stream-timeout", "stream-failure", "unknown-event"})
STATUS = frozenset({"model-error"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A requested fault.

    Args:
        name: A name of `FAULTS`.
        seconds: The duration of `slow-first-token`, `stall` and `refused`.
        at: The number of body bytes before the fault, in the event stream for streaming calls. In a shorter response
            the fault is at the end.
        frame: The number of parts before the fault.
        status: The status of the container's response.
        endpoint: The endpoint whose calls have it. Default: those of all.
    """

    name: str
    seconds: float = SLOW_SECONDS
    at: int | None = None
    frame: int | None = None
    status: int | None = None
    endpoint: str | None = None

    def problems(self) -> Iterator[str]:
        """The problems of the request."""
        if self.name not in FAULTS:
            yield f"fault={self.name!r}: unknown fault. Choose one of: {', '.join(FAULTS)}."
        if isinstance(self.seconds, bool) or not isinstance(self.seconds, int | float) or not 0 <= self.seconds <= 900:
            yield f"seconds={self.seconds!r}: must be a number from 0 to 900."
        for option, faults in (("at", AT), ("frame", FRAME), ("status", STATUS)):
            value = getattr(self, option)
            if value is None:
                continue
            if self.name not in faults:
                yield f"{option}={value!r}: not an option of {self.name}, only of {', '.join(sorted(faults))}."
            elif isinstance(value, bool) or not isinstance(value, int) or value < 0:
                yield f"{option}={value!r}: must be an integer of at least 0."
        endpoint: object = self.endpoint
        if not isinstance(endpoint, str | None):
            yield f"endpoint={endpoint!r}: must be the name of an endpoint."
        if isinstance(self.status, int) and not 400 <= self.status <= 599:
            yield f"status={self.status!r}: must be an error status from 400 to 599."


class Faults:
    """The queue of injected faults, in order."""

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
        endpoint: str | None = None,
    ) -> None:
        """Adds a fault to the queue; `Fault` describes the options.

        Args:
            fault: A name of `FAULTS`.
            count: The number of calls. Default: every call until `clear`.
            seconds: The duration of the fault in seconds.
            at: The number of body bytes before the fault.
            frame: The number of parts before the fault.
            status: The status of the container's response.
            endpoint: The endpoint whose calls have it. Default: those of all.

        Raises:
            ValueError: The fault is unknown, or an option is invalid; lists all problems.
        """
        requested = Fault(name=fault, seconds=seconds, at=at, frame=frame, status=status, endpoint=endpoint)
        problems = list(requested.problems())
        if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 1):
            problems.append(f"count={count!r}: must be an integer of at least 1. Omit it for every call.")
        if fault == "refused":
            problems.append(
                "fault='refused': applies to connections, not calls. Inject it with PUT /faults and its seconds."
            )
        if problems:
            raise ValueError(" ".join(problems))
        self._queue.append((requested, count))

    def clear(self) -> None:
        """Removes all faults."""
        self._queue.clear()

    def take(self, endpoint: str) -> Fault | None:
        """Takes the fault of the next call to an endpoint from the queue; None if there is none."""
        for at, (fault, count) in enumerate(self._queue):
            if fault.endpoint not in (None, endpoint):
                continue
            if count == 1:
                del self._queue[at]
            elif count is not None:
                self._queue[at] = (fault, count - 1)
            return fault
        return None

    def pending(self) -> list[dict[str, object]]:
        """The faults in the queue, as JSON for GET /faults."""
        return [
            {"fault": fault.name, "count": count, "seconds": fault.seconds}
            | {
                name: value
                for name in ("at", "frame", "status", "endpoint")
                if (value := getattr(fault, name)) is not None
            }
            for fault, count in self._queue
        ]
