"""Lambda proxy integrations, buffered and streaming."""

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
# A Regional API ends a stream after this long without data.
IDLE_SECONDS = 300.0
# The payload limit of a synchronous Lambda invocation; the gateway's own limit is 10 MB.
MAX_EVENT_BYTES = 6_291_556
REMAPPED = frozenset({"connection", "content-length", "date", "server"})
DROPPED = frozenset({"transfer-encoding"})
BUFFERED_KEYS = frozenset({"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"})
STREAM_KEYS = frozenset({"statusCode", "headers", "multiValueHeaders", "cookies"})
FAILED = "Internal server error"


class StreamedResponse(Protocol):
    """The response of a streaming invocation."""

    @property
    def content_type(self) -> str:
        """The content type that the function declared to the Runtime API."""

    async def prelude(self) -> dict[str, Any]:
        """The metadata before the eight NUL bytes; raises BadPrelude."""

    @property
    def body(self) -> AsyncIterator[bytes]:
        """The payload after the prelude."""


class Function(Protocol):
    """A deployed function."""

    async def invoke(self, event: dict[str, Any]) -> bytes:
        """The response payload of a buffered invocation; raises FunctionError or FunctionTimeout."""

    async def invoke_stream(self, event: dict[str, Any]) -> StreamedResponse:
        """Starts a streaming invocation."""


@dataclass(slots=True)
class IntegrationResponse:
    """The response of the function.

    Args:
        status: The HTTP status.
        headers: The headers, remapped as by API Gateway.
        body: The payload; raises TruncatedResponseError if the function fails before its end.
        length: The length of the payload, or None for a streamed response.
    """

    status: int
    headers: list[tuple[str, str]]
    body: AsyncIterator[bytes]
    length: int | None = None


class TruncatedResponseError(Exception):
    """A stream ended early, so the gateway aborts the connection to the client."""


async def call(
    integration: Integration, function: Function, event: dict[str, Any], binary: Sequence[str] = ()
) -> IntegrationResponse:
    """Invokes the function.

    Args:
        integration: The integration.
        function: The function.
        event: The event.
        binary: The binary media types of the API. A base64 body is decoded only if the client accepts one of them.

    Raises:
        GatewayError: REQUEST_TOO_LARGE, INTEGRATION_TIMEOUT, INTEGRATION_FAILURE if Lambda throttles, or DEFAULT_5XX if
            the function fails or its response is malformed.
    """
    if _size(event) > MAX_EVENT_BYTES:
        raise GatewayError("REQUEST_TOO_LARGE", "Request Too Long", reason="the event exceeds Lambda's 6 MB")
    try:
        if integration.stream:
            return await _stream(integration, function, event)
        return await _buffer(integration, function, event, binary)
    except TimeoutError as error:
        raise GatewayError("INTEGRATION_TIMEOUT", "Endpoint request timed out") from error
    except FunctionThrottled as error:
        # Users report that clients see status 500 with the INTEGRATION_FAILURE gateway response.
        raise GatewayError("INTEGRATION_FAILURE", FAILED, status=500, reason=f"Lambda throttled: {error}") from error
    except FunctionTimeout as error:
        raise GatewayError("DEFAULT_5XX", FAILED, reason="the function timed out") from error
    except FunctionError as error:
        raise GatewayError("DEFAULT_5XX", FAILED, reason=f"the function failed: {error}") from error
    except BadPrelude as error:
        raise GatewayError("DEFAULT_5XX", FAILED, reason=f"malformed streaming response: {error}") from error


def _size(event: dict[str, Any]) -> int:
    """The size of the event as JSON, or 0 if the body, the only large part, is far below the limit."""
    if len(event["body"] or "") * 6 + 65536 < MAX_EVENT_BYTES:
        return 0
    return len(json.dumps(event, ensure_ascii=False).encode())


async def _buffer(
    integration: Integration, function: Function, event: dict[str, Any], binary: Sequence[str]
) -> IntegrationResponse:
    # The shield lets the function continue after a timeout of the gateway, as on AWS.
    invocation = asyncio.ensure_future(function.invoke(event))
    invocation.add_done_callback(_mark_retrieved)
    payload = await asyncio.wait_for(asyncio.shield(invocation), integration.timeout_seconds)
    try:
        response = json.loads(payload)
        head = _head(response, BUFFERED_KEYS)
        body = response.get("body") or ""
        if not isinstance(body, str):
            raise ValueError(f"body must be a string, not {type(body).__name__}")
        decode = response.get("isBase64Encoded") and _accepts(event["headers"], binary)
        data = base64.b64decode(body, validate=True) if decode else body.encode()
    except (ValueError, AttributeError, binascii.Error) as error:
        raise GatewayError("DEFAULT_5XX", FAILED, reason=f"malformed Lambda proxy response: {error}") from error
    return IntegrationResponse(*head, body=_once(data), length=len(data))


async def _stream(integration: Integration, function: Function, event: dict[str, Any]) -> IntegrationResponse:
    deadline = asyncio.get_running_loop().time() + integration.timeout_seconds
    starting = asyncio.ensure_future(_start(function, event))
    starting.add_done_callback(_mark_retrieved)
    response, prelude = await asyncio.wait_for(asyncio.shield(starting), integration.timeout_seconds)
    if response.content_type.split(";")[0].strip() != STREAM_CONTENT_TYPE:
        reason = f"malformed streaming response: content type {response.content_type}"
        raise GatewayError("DEFAULT_5XX", FAILED, reason=reason)
    try:
        status, headers = _head(prelude, STREAM_KEYS)
    except (ValueError, AttributeError) as error:
        raise GatewayError("DEFAULT_5XX", FAILED, reason=f"malformed streaming response: {error}") from error
    headers += [("Set-Cookie", cookie) for cookie in prelude.get("cookies", [])]
    return IntegrationResponse(status, headers, _relay(response, deadline))


async def _start(function: Function, event: dict[str, Any]) -> tuple[StreamedResponse, dict[str, Any]]:
    response = await function.invoke_stream(event)
    return response, await response.prelude()


async def _relay(response: StreamedResponse, deadline: float) -> AsyncIterator[bytes]:
    chunks = aiter(response.body)
    loop = asyncio.get_running_loop()
    while True:
        try:
            chunk = await _within(anext(chunks), min(IDLE_SECONDS, deadline - loop.time()))
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise TruncatedResponseError("the integration timed out while streaming") from error
        except (FunctionError, FunctionTimeout) as error:
            raise TruncatedResponseError(f"the function failed while streaming: {error}") from error
        yield chunk


async def _within(awaitable: Awaitable[bytes], seconds: float) -> bytes:
    async with asyncio.timeout(seconds):
        return await awaitable


async def _once(data: bytes) -> AsyncIterator[bytes]:
    if data:
        yield data


def _head(response: Mapping[str, Any], allowed: frozenset[str]) -> tuple[int, list[tuple[str, str]]]:
    unknown = set(response.keys()) - allowed
    if unknown:
        raise ValueError(f"unknown keys {', '.join(sorted(unknown))}")
    status = int(response.get("statusCode") or 200)
    if not 200 <= status <= 599:
        raise ValueError(f"statusCode {status}")
    kept = [(name, value) for name, value in _merge_headers(response) if name.lower() not in DROPPED]
    return status, [(f"x-amzn-Remapped-{name}" if name.lower() in REMAPPED else name, value) for name, value in kept]


def _merge_headers(response: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """multiValueHeaders, then those values of headers that are not in multiValueHeaders."""
    multiple = {name.lower(): (name, values) for name, values in (response.get("multiValueHeaders") or {}).items()}
    for name, values in multiple.values():
        if not isinstance(values, list):
            raise ValueError(f"multiValueHeaders: {name} must be a list, not {type(values).__name__}")
        yield from ((name, _text(value)) for value in values)
    for name, value in (response.get("headers") or {}).items():
        spelled, values = multiple.get(name.lower(), (name, []))
        if value not in values:
            yield spelled, _text(value)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _accepts(headers: Mapping[str, str], binary: Sequence[str]) -> bool:
    """Whether the first media type in Accept is a binary media type of the API."""
    accept = next((value for name, value in headers.items() if name.lower() == "accept"), "")
    return bool({accept.split(",")[0].split(";")[0].strip(), "*/*"} & set(binary))


def _mark_retrieved(task: asyncio.Future[Any]) -> None:
    """Retrieves the exception of an abandoned invocation, so that asyncio does not log it."""
    if not task.cancelled():
        task.exception()
