"""The two ways to answer from a model's stream: pass it on as it comes, or in one piece at its end.

Both show a sign of life where nothing comes for long: API Gateway ends a streamed answer of a Regional API in which
nothing travels for 5 minutes, and others on the way may be less patient.
https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html
"""

import time
from collections.abc import Callable, Generator, Iterator
from typing import Protocol as Interface

from front_door.context import JSON, Call
from front_door.errors import IN_BAND, Failure, Protocol
from front_door.http.response import Response
from front_door.http.sse import value_of
from front_door.request_log import Journal

# As axum, TGI's HTTP library, sends it; the last one keeps reverse proxies from collecting the stream.
EVENT_STREAM = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
COMMENT = b":\n\n"
"""A sign of life that every reader of server-sent events skips; TGI sends the same."""

SILENT_SECONDS = 240.0
"""How long an answer in one piece may keep silent, and with it may still get the status of a failure."""


class Source(Interface):
    """What is passed on: a model's stream, or several as one."""

    @property
    def is_events(self) -> bool:
        """Whether it is a stream of events, once the first slice is there."""

    @property
    def content_type(self) -> str:
        """What it is, likewise."""

    @property
    def tail(self) -> bytes:
        """The last bytes: at least the last event."""

    def __iter__(self) -> Iterator[bytes]:
        """Whole events; an empty slice says that nothing came for a while."""


Steps = Generator[None, None, Response]
"""Makes an answer; yields whenever something or nothing has come."""


def relay(
    call: Call,
    stream: Source,
    protocol: Protocol,
    *,
    translate: Callable[[bytes], bytes] | None = None,
    first: Callable[[bytes], None] = lambda events: None,
    last: Callable[[bytes, Journal], None],
) -> Response:
    """Pass a stream on as it comes. Where the first token takes long, the status is sent before it.

    Args:
        call: The request.
        stream: The container's answer.
        protocol: Tells of a failure once the stream has begun.
        translate: From whole events to what the client gets. Default: the same.
        first: Looks at the first events; a Failure that it raises is the answer instead of the stream.
        last: Looks at the last events as they came, notes what they tell, and raises Failure where the stream has no
            end.

    Raises:
        Failure: The stream ended before its first event.
    """
    call.journal.note(streamed=True)
    parts = iter(stream)
    beginning = next(parts, None)
    if beginning is None:
        raise Failure("incomplete_generation", "Incomplete generation", cause="no event")
    if beginning and not stream.is_events:
        return Response(200, dict(JSON), [read_whole(beginning + b"".join(parts))])
    if beginning:
        first(beginning)
    return Response(200, dict(EVENT_STREAM), _relayed(call, beginning, parts, stream, protocol, translate, last))


def read_whole(answer: bytes) -> bytes:
    """What a container that does not stream has answered, as it came.

    Raises:
        Failure: It is no answer.
    """
    if not isinstance(value_of(answer), dict | list):
        raise Failure("upstream", "The model answered something that is not JSON.", cause="not JSON")
    return answer


def _relayed(
    call: Call,
    beginning: bytes,
    parts: Iterator[bytes],
    stream: Source,
    protocol: Protocol,
    translate: Callable[[bytes], bytes] | None,
    last: Callable[[bytes, Journal], None],
) -> Iterator[bytes]:
    try:
        part: bytes | None = beginning
        while part is not None:
            if part and not stream.is_events:
                raise Failure(
                    "upstream", "The model answered in one piece, which cannot be streamed.", cause="no events"
                )
            yield _passed(part, translate)
            part = next(parts, None)
        last(stream.tail, call.journal)
    except Failure as failure:
        cause = _cause(failure, stream, last, call.journal)
        if cause is not None:
            call.journal.failed(cause)
            yield protocol.event(cause)
    except Exception as error:  # noqa: BLE001 - the status is sent; the client must still be told
        call.journal.crashed(error)
        yield protocol.event(Failure("internal", "The front door failed."))
    finally:
        call.journal.write()


def _cause(
    failure: Failure, stream: Source, last: Callable[[bytes, Journal], None], journal: Journal
) -> Failure | None:
    """What the client still has to be told: nothing, where it has the end already and only the connection broke then.

    The container's own word about a failure is worth more than that the connection broke behind it.
    """
    try:
        last(stream.tail, journal)
    except Failure as told:
        return told if told.cause == IN_BAND else failure
    return None


def _passed(part: bytes, translate: Callable[[bytes], bytes] | None) -> bytes:
    if not part:
        return COMMENT
    return part if translate is None else translate(part)


def collected(call: Call, steps: Steps, protocol: Protocol) -> Response:
    """Answer in one piece, whenever it is there.

    After `SILENT_SECONDS` the status is sent, and white space, which JSON allows in front; a failure from then on can
    only be told in the body.

    Raises:
        Failure: As `steps`.
    """
    until = time.time() + SILENT_SECONDS
    try:
        while time.time() < until:
            next(steps)
    except StopIteration as done:
        response: Response = done.value
        return response
    return Response(200, dict(JSON), _late(call, steps, protocol))


def _late(call: Call, steps: Steps, protocol: Protocol) -> Iterator[bytes]:
    sent = time.time()
    yield b"\n"
    try:
        while True:
            next(steps)
            if time.time() - sent > 1:
                sent = time.time()
                yield b"\n"
    except StopIteration as done:
        yield from done.value.body
    except Failure as failure:
        call.journal.failed(failure)
        yield from protocol.response(failure).body
    except Exception as error:  # noqa: BLE001 - the status is sent; the client must still be told
        call.journal.crashed(error)
        yield from protocol.response(Failure("internal", "The front door failed.")).body
    finally:
        call.journal.write()
