"""Lambda proxy integrations: one answer in one piece, or bytes as they come."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from local.apigateway.responses import GatewayError
from local.lambda_service import BadPrelude, FunctionError, FunctionThrottled, FunctionTimeout

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator, Mapping, Sequence
    from typing import TypeVar

    from local.apigateway.api import Integration

    Result = TypeVar("Result")

STREAM_CONTENT_TYPE = "application/vnd.awslambda.http-integration-response"
# A Regional API ends a stream that is silent for so long.
IDLE_SECONDS = 300.0
# A synchronous invocation takes at most this much; the gateway's own limit is 10 MB.
MAX_EVENT_BYTES = 6_291_556
REMAPPED = frozenset({"connection", "content-length", "date", "server"})
DROPPED = frozenset({"transfer-encoding"})
BUFFERED_KEYS = frozenset({"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"})
STREAM_KEYS = frozenset({"statusCode", "headers", "multiValueHeaders", "cookies"})
FAILED = "Internal server error"


class StreamedAnswer(Protocol):
    """The answer of a streaming invocation, while it comes."""

    @property
    def content_type(self) -> str:
        """The content type that the function declared to the Runtime API."""

    async def prelude(self) -> dict[str, Any]:
        """The metadata before the eight NULs; raises BadPrelude."""

    @property
    def body(self) -> AsyncIterator[bytes]:
        """The payload behind the prelude."""


class Function(Protocol):
    """A deployed function."""

    async def invoke(self, event: dict[str, Any]) -> bytes:
        """The payload of a buffered invocation; raises FunctionError or FunctionTimeout."""

    async def invoke_stream(self, event: dict[str, Any]) -> StreamedAnswer:
        """Starts a streaming invocation."""


@dataclass(slots=True)
class Answer:
    """The function's answer.

    Args:
        status: The HTTP status.
        headers: The headers, remapped as API Gateway does.
        body: The payload; ends early with TruncatedAnswerError if the function breaks off.
        length: The payload's length if it is known, as it is for a buffered answer.
    """

    status: int
    headers: list[tuple[str, str]]
    body: AsyncIterator[bytes]
    length: int | None = None


class TruncatedAnswerError(Exception):
    """A stream that ended before its end: the client's connection is cut."""


async def call(
    integration: Integration, function: Function, event: dict[str, Any], binary: Sequence[str] = ()
) -> Answer:
    """Invokes the function.

    Args:
        integration: How.
        function: Which.
        event: The event.
        binary: The API's binary media types: only for a client that accepts one of them is a body decoded.

    Raises:
        GatewayError: REQUEST_TOO_LARGE, INTEGRATION_TIMEOUT, INTEGRATION_FAILURE if Lambda throttles, or DEFAULT_5XX if
            the function fails or answers in another form.
    """
    if _size(event) > MAX_EVENT_BYTES:
        raise GatewayError("REQUEST_TOO_LARGE", "Request Too Long", reason="the event is over Lambda's 6 MB")
    try:
        if integration.stream:
            return await _stream(integration, function, event)
        return await _buffer(integration, function, event, binary)
    except TimeoutError as error:
        raise GatewayError("INTEGRATION_TIMEOUT", "Endpoint request timed out") from error
    except FunctionThrottled as error:
        # To clients it is a 500, by the reports of users; INTEGRATION_FAILURE words it.
        raise GatewayError("INTEGRATION_FAILURE", FAILED, status=500, reason=f"Lambda throttled: {error}") from error
    except FunctionTimeout as error:
        raise GatewayError("DEFAULT_5XX", FAILED, reason="the function timed out") from error
    except FunctionError as error:
        raise GatewayError("DEFAULT_5XX", FAILED, reason=f"the function failed: {error}") from error
    except BadPrelude as error:
        raise GatewayError("DEFAULT_5XX", FAILED, reason=f"malformed streaming response: {error}") from error


def _size(event: dict[str, Any]) -> int:
    """The size of the event's JSON; 0 where the body, which alone can make it large, is far from the limit."""
    if len(event["body"] or "") * 6 + 65536 < MAX_EVENT_BYTES:
        return 0
    return len(json.dumps(event, ensure_ascii=False).encode())


async def _buffer(integration: Integration, function: Function, event: dict[str, Any], binary: Sequence[str]) -> Answer:
    # The function goes on when the gateway has given up, hence the shield.
    invocation = asyncio.ensure_future(function.invoke(event))
    invocation.add_done_callback(_retrieve)
    payload = await asyncio.wait_for(asyncio.shield(invocation), integration.timeout_seconds)
    try:
        answer = json.loads(payload)
        head = _head(answer, BUFFERED_KEYS)
        body = answer.get("body") or ""
        if not isinstance(body, str):
            raise ValueError(f"body is {type(body).__name__}, not text")
        decode = answer.get("isBase64Encoded") and _accepts(event["headers"], binary)
        data = base64.b64decode(body, validate=True) if decode else body.encode()
    except (ValueError, AttributeError, binascii.Error) as error:
        raise GatewayError("DEFAULT_5XX", FAILED, reason=f"malformed Lambda proxy response: {error}") from error
    return Answer(*head, body=_once(data), length=len(data))


async def _stream(integration: Integration, function: Function, event: dict[str, Any]) -> Answer:
    deadline = asyncio.get_running_loop().time() + integration.timeout_seconds
    starting = asyncio.ensure_future(_start(function, event))
    starting.add_done_callback(_retrieve)
    answer, prelude = await asyncio.wait_for(asyncio.shield(starting), integration.timeout_seconds)
    if answer.content_type.split(";")[0].strip() != STREAM_CONTENT_TYPE:
        reason = f"malformed streaming response: content type {answer.content_type}"
        raise GatewayError("DEFAULT_5XX", FAILED, reason=reason)
    try:
        status, headers = _head(prelude, STREAM_KEYS)
    except (ValueError, AttributeError) as error:
        raise GatewayError("DEFAULT_5XX", FAILED, reason=f"malformed streaming response: {error}") from error
    headers += [("Set-Cookie", cookie) for cookie in prelude.get("cookies", [])]
    return Answer(status, headers, _relay(answer, deadline))


async def _start(function: Function, event: dict[str, Any]) -> tuple[StreamedAnswer, dict[str, Any]]:
    answer = await function.invoke_stream(event)
    return answer, await answer.prelude()


async def _relay(answer: StreamedAnswer, deadline: float) -> AsyncIterator[bytes]:
    chunks = aiter(answer.body)
    loop = asyncio.get_running_loop()
    while True:
        try:
            chunk = await _within(anext(chunks), min(IDLE_SECONDS, deadline - loop.time()))
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise TruncatedAnswerError("the integration timed out while streaming") from error
        except (FunctionError, FunctionTimeout) as error:
            raise TruncatedAnswerError(f"the function broke off: {error}") from error
        yield chunk


async def _within(awaitable: Awaitable[bytes], seconds: float) -> bytes:
    async with asyncio.timeout(seconds):
        return await awaitable


async def _once(data: bytes) -> AsyncIterator[bytes]:
    if data:
        yield data


def _head(answer: Mapping[str, Any], allowed: frozenset[str]) -> tuple[int, list[tuple[str, str]]]:
    unknown = set(answer.keys()) - allowed
    if unknown:
        raise ValueError(f"unknown keys {', '.join(sorted(unknown))}")
    status = int(answer.get("statusCode") or 200)
    if not 200 <= status <= 599:
        raise ValueError(f"statusCode {status}")
    kept = [(name, value) for name, value in _merged(answer) if name.lower() not in DROPPED]
    return status, [(f"x-amzn-Remapped-{name}" if name.lower() in REMAPPED else name, value) for name, value in kept]


def _merged(answer: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The headers of both members: those of multiValueHeaders first, a value that is in both once."""
    multiple = {name.lower(): (name, values) for name, values in (answer.get("multiValueHeaders") or {}).items()}
    for name, values in multiple.values():
        if not isinstance(values, list):
            raise ValueError(f"multiValueHeaders: {name} is {type(values).__name__}, not a list")
        yield from ((name, _text(value)) for value in values)
    for name, value in (answer.get("headers") or {}).items():
        spelled, values = multiple.get(name.lower(), (name, []))
        if value not in values:
            yield spelled, _text(value)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _accepts(headers: Mapping[str, str], binary: Sequence[str]) -> bool:
    """Whether the first media type that the client accepts is a binary one of the API."""
    accept = next((value for name, value in headers.items() if name.lower() == "accept"), "")
    return bool({accept.split(",")[0].split(";")[0].strip(), "*/*"} & set(binary))


def _retrieve(task: asyncio.Future[Any]) -> None:
    """Marks the exception of an abandoned invocation as seen."""
    if not task.cancelled():
        task.exception()
