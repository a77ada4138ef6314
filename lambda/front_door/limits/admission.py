"""What one request may do: the models of its caller, and the tokens that it takes and gives back."""

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from math import ceil
from typing import Any, NoReturn

from front_door.callers import Caller, Callers
from front_door.config import Config, Model
from front_door.errors import ApiError
from front_door.limits.counts import CountedStream, estimate_tokens
from front_door.limits.ledger import (
    STREAMS,
    Item,
    Reservation,
    Window,
    current_windows,
    find_refusal,
    in_flight,
    reserve,
    settle,
    still_counted,
)
from front_door.limits.refusals import forbidden, no_room, too_many_tokens, unknown
from front_door.limits.store import Store, StoreError
from front_door.request_log import RequestLog, report_store_failure
from front_door.sagemaker.client import Place, SageMaker
from front_door.sagemaker.invocation import Invocation, ModelStream

RESERVE_SECONDS = 1.5
"""How long a request waits at most to be counted."""

SETTLE_SECONDS = 0.8
"""How long the function stays at most behind a response: less than what is left behind one that took until the
deadline."""

_MOST_TURNS = 10
"""How often an update is written anew as another request has changed the item: at the turn of a minute, and as expired
requests are taken away."""

_LEASE_SECONDS = 2
"""Behind the deadline of the invocation: clocks differ, and a place must not be free before its request has ended."""


class Limiter:
    """Decides about the requests of one sandbox.

    Args:
        settings: The front door's.
        callers: Who may call.
        client: Signs and sends.

    Attributes:
        callers: Who may call.
        models: The names of all models.
        items: The items of consumers as they were seen last.
        clock: The time in seconds since the epoch, by which windows begin and places expire.
    """

    def __init__(self, settings: Config, callers: Callers, client: SageMaker) -> None:
        self.callers = callers
        self.models = tuple(settings.models)
        place = Place(settings.dynamodb_url, settings.region, "dynamodb")
        self.store = Store(client, place, settings.limits_table)
        self.items: dict[str, Item] = {}
        self.clock = time.time

    def admit(self, event: Mapping[str, Any], log: RequestLog, deadline: float) -> "Admission":
        """The admission of a request.

        Args:
            event: The proxy event.
            log: The request's log line.
            deadline: When the invocation ends, in seconds since the epoch.
        """
        caller = self.callers.caller_of(event)
        if caller.name is not None:
            log.name_consumer(caller.name)
        return Admission(self, caller, log, deadline)


class Admission:
    """One request of a caller.

    Args:
        limiter: Has the table.
        caller: The caller.
        log: The request's log line.
        deadline: When the invocation ends, in seconds since the epoch.
    """

    def __init__(self, limiter: Limiter, caller: Caller, log: RequestLog, deadline: float) -> None:
        self._limiter, self._caller, self._log, self._deadline = limiter, caller, log, deadline
        self._taken: Reservation | None = None
        self._windows: tuple[Window, ...] = ()
        self._prompt_tokens = 0
        self._used: int | None = None
        self._streams: list[CountedStream] = []

    def may_call(self, model: str) -> bool:
        """Whether the caller may call the model with a name."""
        return self._caller.may_call(model)

    def check(self, model: Model) -> Model:
        """The model, if the caller may call it.

        Raises:
            ApiError: It may not.
        """
        if self._caller.may_call(model.name):
            return model
        self._log.add(Model=model.name)
        raise forbidden(self._caller, model.name, self._limiter.callers, self._limiter.models)

    def reserve(self, model: Model, prompt: Iterable[object], max_tokens: int, texts: int) -> None:
        """Take what the request needs; nothing the second time, when another endpoint is asked.

        Args:
            model: The model.
            prompt: The parts of the prompt, as `estimate_tokens` has them.
            max_tokens: How long each text may get.
            texts: How many texts are generated.

        Raises:
            ApiError: A limit has no room for it, or the table cannot be asked and requests are refused then.
        """
        if not self._caller.limits or self._taken is not None:
            return
        self._log.add(Model=model.name)
        self._prompt_tokens = estimate_tokens(prompt)
        tokens = self._prompt_tokens + max_tokens * texts
        for limit, most in self._caller.limits.items():
            if limit != STREAMS and tokens > most:
                self._refuse(too_many_tokens(self._caller, limit, tokens))
        taken = Reservation(f"r{os.urandom(8).hex()}", tokens, ceil(self._deadline) + _LEASE_SECONDS)
        try:
            self._take(taken)
        except StoreError as error:
            self._log.add_store_failure(error.cause)
            if error.is_refused:
                self._taken = None
            if self._limiter.callers.fails_closed:
                raise unknown(error.cause) from None
        finally:
            # Also if the table was silent: it may have taken it all the same.
            self._log.on_write = self._add_use

    def open(self, invocation: Invocation) -> ModelStream:
        """Send the request to be streamed; its events are counted if something is taken for it."""
        if self._taken is None:
            return ModelStream(invocation)
        self._streams.append(CountedStream(invocation))
        return self._streams[-1]

    def follow(self, body: Iterable[bytes]) -> Iterable[bytes]:
        """The body of the response, behind which the request is settled."""
        return body if self._taken is None else _Settled(body, self)

    def settle(self) -> None:
        """Put what the request has used in place of what it has taken."""
        taken, self._taken = self._taken, None
        if taken is None:
            return
        try:
            self._give_back(taken, self._count_use(taken), min(time.time() + SETTLE_SECONDS, self._deadline))
        except StoreError as error:
            report_store_failure(self._log.request_id, str(self._caller.name), error.cause)

    def _take(self, taken: Reservation) -> None:
        """Add the reservation to the table; raises ApiError if there is no room, StoreError if that is not known."""
        name, limits, items = str(self._caller.name), self._caller.limits, self._limiter.items
        deadline = min(time.time() + RESERVE_SECONDS, self._deadline)
        for _ in range(_MOST_TURNS):
            now, item = self._limiter.clock(), items.get(name, {})
            self._taken, self._windows = taken, current_windows(item, limits, now)
            item = items[name] = self._limiter.store.update(name, reserve(item, limits, taken, now), deadline)
            if taken.id in in_flight(item):
                return
            self._taken = None
            if (refusal := find_refusal(item, limits, taken.tokens, now)) is not None:
                self._refuse(no_room(self._caller, refusal, taken.tokens, now))
        raise StoreError("contention")

    def _give_back(self, taken: Reservation, used: int, deadline: float) -> None:
        """Settle in the table; raises StoreError if it is not known whether that is done."""
        name = str(self._caller.name)
        windows = tuple(window for window in self._windows if window.end > self._limiter.clock())
        for _ in range(_MOST_TURNS):
            item = self._limiter.store.update(name, settle(windows, taken, used), deadline)
            self._limiter.items[name] = item
            if taken.id not in in_flight(item):
                return
            windows = still_counted(item, windows)
        raise StoreError("contention")

    def _refuse(self, error: ApiError) -> NoReturn:
        self._log.add(Limit=error.log_detail, Refused=1)
        raise error

    def _add_use(self) -> None:
        """Add to the log line what is taken and used."""
        if self._taken is not None:
            self._log.add(reserved_tokens=self._taken.tokens, used_tokens=self._count_use(self._taken))

    def _count_use(self, taken: Reservation) -> int:
        """How many tokens the request has used, at the first call."""
        if self._used is None:
            prompt, generated = self._log.tokens
            if generated is None:
                generated = sum(stream.events for stream in self._streams) or None
            if generated is not None:
                self._used = (self._prompt_tokens if prompt is None else prompt) + generated
            else:
                # Refused before anything ran; what ran unseen, or into a time limit, is used as a whole.
                self._used = taken.tokens if self._log.error in (None, "timeout") else 0
        return self._used


class _Settled:
    """A body behind which a request is settled: the client has its response."""

    def __init__(self, body: Iterable[bytes], admission: Admission) -> None:
        self._body, self._admission = body, admission

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        """Release what the body holds, and settle."""
        close = getattr(self._body, "close", None)
        try:
            if close is not None:
                close()
        finally:
            self._admission.settle()
