"""What a route gets to answer one request with, and the two ways to answer it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from front_door.config import Config, Model
from front_door.errors import Failure, Protocol, compact
from front_door.journal import Journal
from front_door.request import Request, not_json
from front_door.response import Response
from front_door.sse import Events
from front_door.upstream import DEADLINE, SageMaker, Stream

JSON = {"Content-Type": "application/json"}
# As axum, TGI's HTTP library, sends it; the last one keeps reverse proxies from collecting the stream.
EVENT_STREAM = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache", "X-Accel-Buffering": "no"}

# API Gateway ends a streamed answer of a Regional API in which nothing came for 5 minutes.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html
SILENT_SECONDS = 295.0


@dataclass(slots=True)
class Call:
    """One request on its way.

    Attributes:
        request: What came in.
        config: The models.
        sagemaker: The way to them.
        deadline: When the invocation ends, in seconds since the epoch.
        journal: Its log line.
    """

    request: Request
    config: Config
    sagemaker: SageMaker
    deadline: float
    journal: Journal

    def stream(self, model: Model, body: dict[str, Any], *, assembled: bool = False) -> Stream:
        """Invoke a model's endpoint; returns when its container has begun to answer.

        Args:
            model: The model.
            body: The request for its container.
            assembled: Whether the client gets the answer in one piece at its end, which has to be before the gateway
                takes the silence for the end.
        """
        deadline = min(self.deadline, time.time() + SILENT_SECONDS) if assembled else self.deadline
        stream = self.sagemaker.invoke_stream(model.endpoint_name, self._encoded(model, body), deadline)
        self.journal.lap("upstream_ms")
        return stream

    def whole(self, model: Model, body: dict[str, Any]) -> bytes:
        """Invoke a model's endpoint for what its container cannot stream; ends after 60 seconds.

        Raises:
            Failure: As the error says; a timeout says why it is this short.
        """
        encoded = self._encoded(model, body)
        try:
            return self.sagemaker.invoke(model.endpoint_name, encoded, self.deadline)
        except Failure as failure:
            if failure.kind != "timeout" or failure.cause == DEADLINE:
                raise
            message = (
                "The model did not answer within the 60 seconds that SageMaker gives to a request that the model"
                " cannot stream (best_of > 1, decoder_input_details, logprobs together with tools)."
            )
            raise Failure("timeout", message, cause=failure.cause) from failure

    def _encoded(self, model: Model, body: dict[str, Any]) -> bytes:
        """The body as it goes to the container; what Python read and serde would not is refused here."""
        try:
            encoded = compact(body)
        except UnicodeEncodeError:
            raise not_json("lone surrogate in a string") from None
        except RecursionError:
            raise not_json("recursion limit exceeded") from None
        except ValueError:
            raise not_json("number out of range") from None
        self.journal.note(model=model.name, endpoint=model.endpoint_name, request_bytes=len(encoded))
        if len(encoded) > model.max_body_bytes:
            size = f"The request is {len(encoded)} bytes; {model.name} takes at most {model.max_body_bytes}."
            raise Failure("too_large", size)
        return encoded


def relay(
    call: Call,
    stream: Stream,
    protocol: Protocol,
    *,
    first: Callable[[bytes], None] = lambda events: None,
    last: Callable[[bytes, Journal], None],
) -> Response:
    """Pass a stream on as it comes.

    Args:
        call: The request.
        stream: The container's answer.
        protocol: Tells of a failure once the stream has begun.
        first: Looks at the first events; a Failure that it raises is the answer instead of the stream.
        last: Looks at the last events, notes what they tell, and raises Failure where the stream has no end.

    Raises:
        Failure: The stream ended before its first event.
    """
    if not stream.is_events:
        return Response(200, {"Content-Type": stream.content_type}, [b"".join(stream)])
    events = Events(stream)
    parts = iter(events)
    beginning = next(parts, None)
    if beginning is None:
        raise Failure("incomplete_generation", "Incomplete generation", cause="no event")
    first(beginning)
    call.journal.lap("first_byte_ms")
    return Response(200, dict(EVENT_STREAM), _relayed(call, beginning, parts, events, protocol, last))


def _relayed(
    call: Call,
    beginning: bytes,
    parts: Iterator[bytes],
    events: Events,
    protocol: Protocol,
    last: Callable[[bytes, Journal], None],
) -> Iterator[bytes]:
    try:
        yield beginning
        yield from parts
        last(events.tail, call.journal)
    except Failure as failure:
        call.journal.failed(failure)
        yield protocol.event(failure)
    except Exception as error:  # noqa: BLE001 - the status is sent; the client must still be told
        call.journal.crashed(error)
        yield protocol.event(Failure("internal", "The front door failed."))
    finally:
        call.journal.write()
