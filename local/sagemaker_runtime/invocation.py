"""A call of an endpoint: sends the request to the container and returns its response, within AWS's timeouts."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp
from aiohttp import web

from local.sagemaker_runtime import errors, event_stream
from local.sagemaker_runtime.endpoints import Copy
from local.sagemaker_runtime.event_stream import PayloadSplitter
from local.sagemaker_runtime.fault_injection import (
    EXCEPTIONS,
    ConnectionLostError,
    FaultWriter,
    ResponseEndedError,
    relay_beginning,
    relay_until_byte,
    relay_until_frame,
)
from local.sagemaker_runtime.faults import AT, FRAME, Fault, Faults
from local.sagemaker_runtime.limits import MAX_RESPONSE_BYTES

_CUSTOM_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
_FORWARDED_HEADERS = ("Content-Type", _CUSTOM_ATTRIBUTES, "X-Amzn-SageMaker-Inference-Id")
_ADAPTER = "X-Amzn-SageMaker-Adapter-Identifier"
_ADAPTERS = "/opt/ml/models"
_CUDA_ERROR = (
    '{"error":"Request failed during generation: Server error: CUDA out of memory. Tried to allocate 2.00 GiB",'
    '"error_type":"generation"}'
)


@dataclass(frozen=True, slots=True)
class Service:
    """The state that all calls share."""

    session: aiohttp.ClientSession
    faults: Faults
    splitter: PayloadSplitter
    invoke_seconds: float
    stream_seconds: float


@dataclass(frozen=True, slots=True)
class Invocation:
    """A validated call."""

    request: web.Request
    body: bytes
    endpoint: str
    variant: str
    region: str
    container_url: str
    adapter: str | None = None

    def headers(self, accept: str) -> dict[str, str]:
        """The request headers that SageMaker forwards to the container.

        Args:
            accept: The name of the request header that becomes Accept.
        """
        headers = {name: self.request.headers[name] for name in _FORWARDED_HEADERS if name in self.request.headers}
        if accept in self.request.headers:
            headers["Accept"] = self.request.headers[accept]
        if self.adapter is not None:
            headers[_ADAPTER] = self.adapter
        return headers

    def model_timeout(self) -> errors.ServiceError:
        """The error for a container that did not respond in time."""
        return errors.model_timeout(self.endpoint, self.region)

    def hang_up(self, response: web.StreamResponse | None = None) -> web.StreamResponse:
        """Aborts the connection; returns a response for the server to discard."""
        if self.request.transport is not None:
            self.request.transport.abort()
        return response or web.Response()

    def model_error(self, status: int, message: str) -> errors.ServiceError:
        """The error for an error response of the container."""
        return errors.model_error(self.endpoint, self.region, status, message)


async def load_adapter(service: Service, call: Invocation, copy: Copy) -> None:
    """Loads the adapter of a call into the copy that gets it, unless it is loaded.

    Raises:
        ServiceError: ModelError: the container loads no adapters, or not this one.
    """
    if call.adapter is None:
        return
    async with copy.loading:
        if call.adapter in copy.adapters:
            return
        body = {"name": call.adapter, "src": f"{_ADAPTERS}/{call.adapter}"}
        headers = {"Content-Type": "application/json"}
        async with service.session.post(f"{call.container_url}/adapters", json=body, headers=headers) as response:
            _raise_unless_ok(call, response.status, await response.read())
        copy.adapters.add(call.adapter)


async def invoke(service: Service, call: Invocation) -> web.StreamResponse:
    """InvokeEndpoint: the complete response of the container, within 60 seconds.

    Raises:
        ServiceError: The call failed.
    """
    fault = _take_fault(service, call)
    if fault is not None and fault.name == "stream-timeout":
        raise call.model_timeout()
    if fault is not None and (fault.name in EXCEPTIONS or (fault.name == "connection-lost" and fault.at is None)):
        raise errors.internal_failure()
    try:
        async with asyncio.timeout(service.invoke_seconds):
            await _wait(fault)
            async with _post(service, call, "Accept") as upstream:
                body = await _read(call, upstream)
    except TimeoutError:
        raise call.model_timeout() from None
    except aiohttp.ClientConnectorError as error:
        raise errors.service_unavailable() from error
    except aiohttp.ClientError as error:
        raise errors.internal_failure() from error
    _raise_unless_ok(call, upstream.status, body)
    headers = _response_headers(call, upstream)
    if "Content-Type" in upstream.headers:
        headers["Content-Type"] = upstream.headers["Content-Type"]
    if fault is not None and fault.name in AT:
        return await _send_with_fault(call, headers, body, fault)
    return web.Response(body=body, headers=headers)


async def _read(call: Invocation, upstream: aiohttp.ClientResponse) -> bytes:
    """The body of a response; a container without an end must not fill the memory."""
    parts, size = [], 0
    async for part in upstream.content.iter_any():
        size += len(part)
        if size > MAX_RESPONSE_BYTES:
            raise call.model_error(500, f"The response is larger than {MAX_RESPONSE_BYTES} bytes.")
        parts.append(part)
    return b"".join(parts)


async def invoke_stream(service: Service, call: Invocation) -> web.StreamResponse:
    """InvokeEndpointWithResponseStream: the streamed response of the container, within 8 minutes.

    Raises:
        ServiceError: The call failed before the response started. Later failures are exceptions in the stream.
    """
    fault = _take_fault(service, call)
    deadline = asyncio.get_running_loop().time() + service.stream_seconds
    try:
        async with asyncio.timeout_at(deadline):
            upstream = await _post(service, call, "X-Amzn-SageMaker-Accept")
    except TimeoutError:
        raise call.model_timeout() from None
    except aiohttp.ClientConnectorError as error:
        raise errors.service_unavailable() from error
    except aiohttp.ClientError as error:
        raise errors.internal_failure() from error
    async with upstream:
        if upstream.status // 100 != 2:
            _raise_unless_ok(call, upstream.status, await _read(call, upstream))
        headers = _response_headers(call, upstream)
        headers["Content-Type"] = "application/vnd.amazon.eventstream"
        if "Content-Type" in upstream.headers:
            headers["X-Amzn-SageMaker-Content-Type"] = upstream.headers["Content-Type"]
        response = web.StreamResponse(headers=headers)
        await response.prepare(call.request)
        try:
            async with asyncio.timeout_at(deadline):
                await _wait(fault)
                await _relay(service, upstream, response, fault)
        except TimeoutError:
            await response.write(EXCEPTIONS["stream-timeout"])
        except (aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError):
            await response.write(EXCEPTIONS["stream-broken"])
        except ConnectionLostError:
            return call.hang_up(response)
        except ResponseEndedError:
            pass
        await response.write_eof()
    return response


async def _relay(
    service: Service, upstream: aiohttp.ClientResponse, response: web.StreamResponse, fault: Fault | None
) -> None:
    """Sends each chunk of the container as parts; `write` waits for a slow client."""
    split, part, write = service.splitter.split, event_stream.part, response.write
    if fault is None or fault.name not in AT | FRAME:
        async for data in upstream.content.iter_any():
            await write(b"".join(map(part, split(data))))
        return

    def frames(data: bytes) -> map[bytes]:
        return map(part, split(data))

    if fault.at is not None or fault.name in AT - {"connection-lost"}:
        await relay_until_byte(upstream.content, frames, response, fault)
    elif fault.frame is not None or fault.name == "unknown-event":
        await relay_until_frame(upstream.content, frames, response, fault)
    else:
        await relay_beginning(upstream.content, frames, response, fault)


async def _send_with_fault(call: Invocation, headers: dict[str, str], body: bytes, fault: Fault) -> web.StreamResponse:
    """Sends a buffered response with a fault at a byte. Content-Length is that of the response with the fault."""
    response = web.StreamResponse(headers=headers)
    response.content_length = min(len(body), fault.at or 0) if fault.name == "end" else len(body)
    await response.prepare(call.request)
    writer = FaultWriter(response, fault)
    try:
        await writer.write(body)
        writer.end()
    except ConnectionLostError:
        return call.hang_up(response)
    except ResponseEndedError:
        pass
    await response.write_eof()
    return response


def _post(service: Service, call: Invocation, accept: str) -> aiohttp.client._RequestContextManager:
    return service.session.post(f"{call.container_url}/invocations", data=call.body, headers=call.headers(accept))


def _take_fault(service: Service, call: Invocation) -> Fault | None:
    """The next fault; raises its error if the fault fails the call immediately."""
    fault = service.faults.take(call.endpoint)
    if fault is None:
        return None
    immediate: dict[str, Callable[[], Exception]] = {
        "throttle": errors.throttling,
        "no-capacity": errors.no_capacity,
        "timeout": call.model_timeout,
        "model-error": lambda: call.model_error(fault.status or 424, _CUDA_ERROR),
        "internal-failure": errors.internal_failure,
        "unavailable": errors.service_unavailable,
        "bad-gateway": errors.BadGatewayError,
        "hang-up": ConnectionLostError,
    }
    if fault.name in immediate:
        raise immediate[fault.name]()
    return fault


async def _wait(fault: Fault | None) -> None:
    if fault is not None and fault.name == "slow-first-token":
        await asyncio.sleep(fault.seconds)


def _raise_unless_ok(call: Invocation, status: int, body: bytes) -> None:
    if status // 100 != 2:
        raise call.model_error(status, body.decode(errors="replace"))


def _response_headers(call: Invocation, upstream: aiohttp.ClientResponse) -> dict[str, str]:
    headers = {"x-Amzn-Invoked-Production-Variant": call.variant, "x-amzn-RequestId": str(uuid.uuid4())}
    if _CUSTOM_ATTRIBUTES in upstream.headers:
        headers[_CUSTOM_ATTRIBUTES] = upstream.headers[_CUSTOM_ATTRIBUTES]
    return headers
