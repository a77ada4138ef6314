"""A model's streamed answer in whole events, begun again where nothing can have been generated."""

import random
import re
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from front_door.errors import Failure, tgi_failure
from front_door.http.sse import Events, data_of, objects
from front_door.sagemaker.connection import NO_CONNECTION

if TYPE_CHECKING:
    from front_door.config import Model
    from front_door.context import Call

ATTEMPTS = 3
_FIRST_PAUSE_SECONDS = 0.3
# TGI's words where prompt and answer together do not fit (router/src/validation.rs).
_TOO_MUCH_IN_ALL = re.compile(r"must be <= (\d+)\. Given: (\d+) `inputs` tokens")


class ModelStream:
    """Iterates over whole events; an empty slice says that nothing came for a while.

    Args:
        call: The request that it is for.
        model: The model.
        body: What its container gets; a default of ours for the number of tokens in it may be lowered.
    """

    def __init__(self, call: "Call", model: "Model", body: dict[str, Any]) -> None:
        self._call = call
        self._model = model
        self._body = body
        self._may_lower = call.has_default_budget
        self._encoded = call.encoded(model, body)
        self._retries = Retries(call)
        self._has_begun = False
        self._open()

    @property
    def is_events(self) -> bool:
        """Whether it is a stream of events; a container that cannot stream answers with JSON."""
        return self._stream.is_events

    @property
    def content_type(self) -> str:
        """What the container said that it sends, once the first slice is there."""
        return self._stream.content_type

    @property
    def tail(self) -> bytes:
        """The last bytes: at least the last event of a stream that sent any."""
        return self._events.tail

    def __iter__(self) -> Iterator[bytes]:
        """Whole events as they come.

        Raises:
            Failure: The stream ends before its end, or nothing began after all attempts.
        """
        sent = time.perf_counter()
        try:
            while True:
                try:
                    for part in self._events:
                        if part and not self._has_begun and self._is_worth_another(part):
                            break
                        yield part
                    else:
                        return
                except Failure as failure:
                    if self._has_begun or not self._may_repeat(failure):
                        raise
                self._open()
        finally:
            self._call.journal.upstream((time.perf_counter() - sent) * 1000)

    def _open(self) -> None:
        while True:
            try:
                self._stream = self._call.invoke_stream(self._model, self._encoded)
                break
            except Failure as failure:
                if not self._retries.again(failure):
                    raise
        self._events = Events(self._stream, are_events=lambda: self._stream.is_events)

    def _is_worth_another(self, part: bytes) -> bool:
        """Whether the first event is an error after which the request may be sent again."""
        if not self.is_events:
            return False
        data = data_of(part)
        if not data:
            return False
        if b'"error"' in data[0][:10]:
            failure = next((tgi_failure(event) for event in objects(part) if "error" in event), None)
            if failure is not None and self._may_repeat(failure):
                return True
        self._has_begun = True
        self._call.journal.first_token()
        return False

    def _may_repeat(self, failure: Failure) -> bool:
        return self._lowered(failure) or self._retries.again(failure)

    def _lowered(self, failure: Failure) -> bool:
        """Ask for what is left of the context, where the number of tokens was not the client's but our default."""
        found = _TOO_MUCH_IN_ALL.search(failure.message) if failure.kind == "validation" else None
        if found is None or not self._may_lower:
            return False
        self._may_lower = False
        left = int(found[1]) - int(found[2])
        if left < 1:
            return False
        if "parameters" in self._body:
            self._body = {**self._body, "parameters": {**self._body["parameters"], "max_new_tokens": left}}
        else:
            self._body = {**self._body, "max_tokens": left}
        self._encoded = self._call.encoded(self._model, self._body)
        return True


class Retries:
    """Decides whether a request that failed is sent again, and waits before it is.

    Only where nothing was generated: SageMaker or TGI refused it for its load, or there was no connection.
    """

    def __init__(self, call: "Call") -> None:
        self._call = call
        self._made = 0

    def again(self, failure: Failure) -> bool:
        """Whether to send it again, now."""
        if not _has_run_nothing(failure) or self._made + 1 >= ATTEMPTS:
            return False
        # The whole pause is random, so that those who were refused together do not come back together.
        pause = random.uniform(0, _FIRST_PAUSE_SECONDS * 2**self._made)  # noqa: S311
        if time.time() + pause >= self._call.deadline - 2:
            return False
        self._made += 1
        self._call.journal.note(Retries=self._made)
        time.sleep(pause)
        return True


def _has_run_nothing(failure: Failure) -> bool:
    return failure.kind in ("overloaded", "not_ready") or (failure.cause or "").startswith(NO_CONNECTION)
