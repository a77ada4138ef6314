"""One invocation of a model's endpoint, repeated as long as nothing was generated."""

import time
from collections.abc import Callable, Generator, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Protocol

from front_door.config import Model
from front_door.errors import ApiError
from front_door.http.sse import SseReader, event_data
from front_door.request_log import RequestLog
from front_door.sagemaker.client import SageMaker, Stream
from front_door.sagemaker.errors import ContainerError
from front_door.sagemaker.retry import Retries

if TYPE_CHECKING:
    from front_door.sagemaker.hold import Hold, Turn


class ErrorReader(Protocol):
    """What an engine knows about errors; see `engines.base`."""

    def container_error(self, status: int, text: str) -> ApiError: ...  # noqa: D102
    def first_error(self, events: bytes) -> ApiError | None: ...  # noqa: D102


class OtherTargets(Protocol):
    """The endpoints that may take a request over; see `routing.attempts`."""

    @property
    def may_repeat(self) -> bool: ...  # noqa: D102
    def begin(self) -> None: ...  # noqa: D102
    def is_refusal(self, error: ApiError) -> bool: ...  # noqa: D102


class Invocation:
    """One request to a model.

    Args:
        sagemaker: The client.
        model: The model.
        body: JSON for the container.
        deadline: When this function ends, in seconds since the epoch.
        log: The request's log line.
        errors: Reads the container's errors.
        shrink: Returns a body that the container accepts after an error, or None.
        hold: Keeps the client waiting while no copy of the model runs. None: that is an error.
        others: The endpoints that may take the request over: then it is sent once. None: the model has only this one.
    """

    def __init__(
        self,
        sagemaker: SageMaker,
        model: Model,
        body: bytes,
        *,
        deadline: float,
        log: RequestLog,
        errors: ErrorReader,
        shrink: Callable[[ApiError], bytes | None],
        hold: "Hold | None" = None,
        others: OtherTargets | None = None,
    ) -> None:
        self._sagemaker = sagemaker
        self._model = model
        self._body = body
        self._deadline = deadline
        self._shrink = shrink
        self._may_repeat = others is None or others.may_repeat
        self._hold = hold if self._may_repeat else None
        self._turn: Turn | None = None
        self._others = others
        self.log = log
        self.errors = errors

    def open(self) -> Stream:
        """Send the request to be streamed."""
        return self._sagemaker.invoke_stream(self._model, self._body, self._deadline, self.log.client_request_id)

    def invoke(self) -> Generator[bytes, None, bytes]:
        """Send the request without streaming, which SageMaker ends after 60 seconds; returns the response.

        Yields keep-alives while the model comes back from zero copies.
        """
        retries = self.retries()
        started = time.perf_counter()
        while True:
            try:
                response, variant = self._sagemaker.invoke(
                    self._model, self._body, self._deadline, self.log.client_request_id
                )
            except ApiError as failure:
                error = self.read(failure)
                if not (retries.wait_for(error) or (yield from self.wait_for_capacity(error))):
                    raise error from None
            else:
                self.mark_capacity()
                self.log.add_variant(variant)
                return response
            finally:
                self.log.add_upstream_time((time.perf_counter() - started) * 1000)

    def retries(self) -> Retries:
        """A new count of retries."""
        return Retries(self._deadline, lambda count: self.log.add(Retries=count), may_repeat=self._may_repeat)

    def read(self, error: ApiError) -> ApiError:
        """The error as the engine reads it, if it is the container's; one of missing capacity with its reason."""
        if isinstance(error, ContainerError):
            if error.container_status in self._model.facts.get("overload_statuses", ()):
                return ApiError("overloaded", "Model is overloaded", log_detail=error.log_detail, may_retry=True)
            return self.errors.container_error(error.container_status, error.text)
        if error.kind == "no_capacity":
            from front_door.sagemaker.capacity import explain

            return explain(error, self._model, self._sagemaker.wakes, time.time())
        return error

    def wait_for_capacity(self, error: ApiError) -> Generator[bytes, None, bool]:
        """Wait as long as no copy of the model runs; yields keep-alives.

        Returns:
            Whether to send the request again.
        """
        if self._hold is None or error.kind != "no_capacity" or self._model.inference_component is None:
            return False
        if self._turn is None:
            self._turn = self._hold.join()
        may_ask = yield from self._turn.wait()
        self.log.add(wake_asks=self._hold.repeats)
        return may_ask

    def mark_capacity(self) -> None:
        """A copy of the model runs: it has begun to respond."""
        self._sagemaker.wakes.pop(self._model.key, None)
        if self._others is not None:
            self._others.begin()
        if self._hold is not None:
            self._hold.has_ended.set()

    def is_refusal(self, error: ApiError) -> bool:
        """Whether another endpoint takes the request over after an error."""
        return self._others is not None and self._others.is_refusal(error)

    def is_resized(self, error: ApiError) -> bool:
        """Whether the container accepts a smaller body, which is sent from now on."""
        smaller = self._shrink(error)
        if smaller is not None:
            self._body = smaller
        return smaller is not None


class ModelStream:
    """Sends a request, and iterates over the complete events of the response; an empty slice is a keep-alive."""

    def __init__(self, invocation: Invocation) -> None:
        self._invocation = invocation
        self._retries = invocation.retries()
        self._has_begun = False
        self._open()

    @property
    def is_event_stream(self) -> bool:
        """Whether it is an event stream; a container that cannot stream responds with JSON."""
        return self._stream.is_event_stream

    @property
    def last_event(self) -> bytes:
        """The bytes that were yielded last: at least the last event."""
        return self._events.last_event

    def __iter__(self) -> Iterator[bytes]:
        """Complete events; raises ApiError if the stream broke, or if none began after all attempts."""
        invocation = self._invocation
        started = time.perf_counter()
        try:
            while True:
                try:
                    for part in self._events:
                        if part and not self._has_begun and self._is_refused(part):
                            break
                        yield part
                    else:
                        return
                except ApiError as failure:
                    error = invocation.read(failure)
                    if self._has_begun:
                        raise error from None
                    if not (self._may_repeat(error) or (yield from invocation.wait_for_capacity(error))):
                        raise error from None
                self._open()
        finally:
            invocation.log.add_variant(self._stream.variant)
            invocation.log.add_upstream_time((time.perf_counter() - started) * 1000)

    def _open(self) -> None:
        while True:
            try:
                stream = self._stream = self._invocation.open()
                break
            except ApiError as error:
                if not self._retries.wait_for(error):
                    raise
        # Not `self._stream`: a reference to itself would keep each request until the garbage collector runs.
        self._events = SseReader(_read_events(stream), is_event_stream=lambda: stream.is_event_stream)

    def _is_refused(self, part: bytes) -> bool:
        """Whether the stream begins with an error after which the request is sent again; raises one that moves it."""
        if not self.is_event_stream:
            self._invocation.mark_capacity()
            return False
        if not event_data(part):
            return False
        error = self._invocation.errors.first_error(part)
        if error is not None and self._may_repeat(error):
            return True
        if error is not None and self._invocation.is_refusal(error):
            raise error
        self._has_begun = True
        self._invocation.mark_capacity()
        self._invocation.log.mark_first_token()
        return False

    def _may_repeat(self, error: ApiError) -> bool:
        return self._invocation.is_resized(error) or self._retries.wait_for(error)


def _read_events(stream: Stream) -> Iterator[bytes]:
    """The slices of a response, with events in place of lines; which of them it has is known with the first slice."""
    slices = iter(stream)
    for part in slices:
        if part and stream.has_lines:
            from front_door.http.json_lines import read_events

            yield from read_events(chain((part,), slices))
            return
        yield part
