"""The two ways to respond from a model's stream: pass its events on as they arrive, or one JSON body at its end.

Both send keep-alives if nothing arrives for long: API Gateway ends a streamed response of a Regional API after five
minutes without data, and proxies in between may end it sooner.
https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html
"""

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import chain
from typing import Protocol

from front_door.context import RequestContext
from front_door.errors import IN_BAND, ApiError
from front_door.http.response import JSON, Response
from front_door.http.sse import event_data
from front_door.request_log import RequestLog
from front_door.sagemaker import connection

# As axum, TGI's HTTP library, sends it; the last one keeps proxies from buffering.
EVENT_STREAM = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache", "X-Accel-Buffering": "no"}

MAX_SILENT_SECONDS = 240.0
"""How long a buffered response waits without sending anything; until then an error still has its own status."""


class EventSource(Protocol):
    """Complete events of a model, or of several choices merged; see `ModelStream`."""

    @property
    def is_event_stream(self) -> bool: ...  # noqa: D102
    @property
    def last_event(self) -> bytes: ...  # noqa: D102
    def __iter__(self) -> Iterator[bytes]: ...


class UntilEnd:
    """The events of a stream up to its end; a container may send anything behind it.

    Args:
        source: The container's response; if that is no event stream, it is passed on unchanged.
    """

    def __init__(self, source: EventSource) -> None:
        self._source = source
        self.is_over = False

    @property
    def is_event_stream(self) -> bool:
        """Whether it is an event stream."""
        return self._source.is_event_stream

    @property
    def last_event(self) -> bytes:
        """The bytes of the source that were yielded last."""
        return self._source.last_event

    def __iter__(self) -> Iterator[bytes]:
        """Complete events, an empty slice is a keep-alive; raises ApiError as the source, and what `read` returns."""
        parts = iter(self._source)
        for part in parts:
            if not part or not self.is_event_stream:
                yield part
                continue
            valid, error = self.read(part)
            if valid:
                yield valid
            if error is not None:
                raise error
            if self.is_over:
                next(parts, None)  # the end of the response, after which its connection is kept
                return

    def read(self, events: bytes) -> tuple[bytes, ApiError | None]:
        """The events that are passed on, and what is wrong with the next one; sets `is_over` at the end."""
        raise NotImplementedError


class ErrorWriter(Protocol):
    """Writes errors in the client's protocol, and what keeps its connection open; see `protocols.base`."""

    @property
    def keep_alive(self) -> bytes: ...  # noqa: D102
    def error_response(self, error: ApiError) -> Response: ...  # noqa: D102
    def error_event(self, error: ApiError) -> bytes: ...  # noqa: D102


ResponseBuilder = Generator[bytes, None, Response]
"""Builds a response; yields nothing, b"", whenever data or a keep-alive has arrived."""


def stream_response(
    ctx: RequestContext,
    source: EventSource,
    errors: ErrorWriter,
    *,
    translate: Callable[[bytes], bytes] | None = None,
    check_first: Callable[[bytes], None],
    check_last: Callable[[bytes, RequestLog], None],
    read_json: Callable[[bytes], bytes] | None = None,
) -> Response:
    """Pass a stream on as it arrives. If the first token takes long, the status is sent before it.

    Args:
        ctx: The request.
        source: The container's response.
        errors: Writes errors.
        translate: From complete events to what the client gets. Default: unchanged.
        check_first: Gets the first events, and before them comments; an ApiError that it raises becomes the response,
            or the stream's end.
        check_last: Gets the last events of the container, logs what they report, and raises ApiError if they do not
            end the stream.
        read_json: From a response that the container did not stream to what the client gets instead of a stream.
            Default: such a response is an error.

    Raises:
        ApiError: The stream ended before its first event.
    """
    ctx.log.add(streamed=True)
    parts = iter(source)
    first = next(parts, None)
    if first is None:
        raise ApiError("incomplete_generation", "Incomplete generation", log_detail="no event")
    if first and not source.is_event_stream and read_json is not None:
        return Response(200, dict(JSON), [read_json(first + b"".join(parts))])
    if first:
        _check_begin(first, source, check_first)
    unchecked = None if event_data(first) else check_first
    body = _stream(ctx, chain([first], parts), source, errors, translate, unchecked, check_last)
    return Response(200, dict(EVENT_STREAM), body)


def _check_begin(first: bytes, source: EventSource, check_first: Callable[[bytes], None]) -> None:
    if not source.is_event_stream:
        raise ApiError("upstream", "The model's response cannot be streamed.", log_detail="no events")
    check_first(first)


def _stream(
    ctx: RequestContext,
    parts: Iterable[bytes],
    source: EventSource,
    errors: ErrorWriter,
    translate: Callable[[bytes], bytes] | None,
    check_first: Callable[[bytes], None] | None,
    check_last: Callable[[bytes, RequestLog], None],
) -> Iterator[bytes]:
    sent = time.monotonic()
    try:
        for part in parts:
            if part and check_first is not None:
                _check_begin(part, source, check_first)
                check_first = None if event_data(part) else check_first
            rendered = _render(part, translate)
            now = time.monotonic()
            # A translation may be empty for long, such as after a stop sequence.
            if rendered or not part or now - sent >= connection.KEEP_ALIVE_SECONDS:
                sent = now
                yield rendered or errors.keep_alive
        check_last(source.last_event, ctx.log)
    except ApiError as failure:
        error = _error_to_report(failure, source, check_last, ctx.log)
        if error is not None:
            ctx.log.add_error(error)
            yield errors.error_event(error)
    except Exception as defect:  # noqa: BLE001 - the status is sent; the client must still get the error
        ctx.log.add_defect(defect)
        yield errors.error_event(ApiError("internal", "The front door failed."))
    finally:
        ctx.log.write()


def _render(part: bytes, translate: Callable[[bytes], bytes] | None) -> bytes:
    return part if translate is None or not part else translate(part)


def _error_to_report(
    error: ApiError, source: EventSource, check_last: Callable[[bytes, RequestLog], None], log: RequestLog
) -> ApiError | None:
    """The error that the client has still to get; None if it has the end already and the connection broke after it.

    The container's own error says more than the broken connection that follows it.
    """
    try:
        check_last(source.last_event, log)
    except ApiError as last:
        return last if last.log_detail == IN_BAND else error
    return None


def buffered_response(ctx: RequestContext, builder: ResponseBuilder, errors: ErrorWriter) -> Response:
    """Respond with one JSON body, however long it takes.

    After `MAX_SILENT_SECONDS`, or as soon as a client waits long for a model without a copy, the status is sent, and
    then white space, which JSON allows before a value; from then on an error can only be reported in the body.

    Raises:
        ApiError: As `builder`.
    """
    until = time.time() + MAX_SILENT_SECONDS
    try:
        while time.time() < until and not (ctx.hold is not None and ctx.hold.is_long):
            next(builder)
    except StopIteration as done:
        response: Response = done.value
        return response
    return Response(200, dict(JSON), _send_late(ctx, builder, errors))


def _send_late(ctx: RequestContext, builder: ResponseBuilder, errors: ErrorWriter) -> Iterator[bytes]:
    sent = time.time()
    yield b"\n"
    try:
        while True:
            next(builder)
            if time.time() - sent > 1:
                sent = time.time()
                yield b"\n"
    except StopIteration as done:
        yield from done.value.body
    except ApiError as error:
        ctx.log.add_error(error)
        yield from errors.error_response(error).body
    except Exception as defect:  # noqa: BLE001 - the status is sent; the client must still get the error
        ctx.log.add_defect(defect)
        yield from errors.error_response(ApiError("internal", "The front door failed.")).body
    finally:
        ctx.log.write()
