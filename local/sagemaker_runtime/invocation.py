"""One call of an endpoint: what reaches the container, what comes back of it, and within which time."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass

import aiohttp
from aiohttp import web

from local.sagemaker_runtime import errors, eventstream
from local.sagemaker_runtime.eventstream import Cutter
from local.sagemaker_runtime.faults import Faults

_CUSTOM_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
_PASSED_ON = ("Content-Type", _CUSTOM_ATTRIBUTES, "X-Amzn-SageMaker-Inference-Id")
_CUDA_ERROR = (
    '{"error":"Request failed during generation: Server error: CUDA out of memory. Tried to allocate 2.00 GiB",'
    '"error_type":"generation"}'
)
_BYTES_BEFORE_A_FAULT = 400
_STREAM_FAULTS = {
    "stream-broken": eventstream.exception(
        "ModelStreamError", Message="The model's stream broke before its end.", ErrorCode="StreamBroken"
    ),
    "stream-timeout": eventstream.exception(
        "ModelStreamError",
        Message="The model did not finish its stream in time.",
        ErrorCode="ModelInvocationTimeExceeded",
    ),
    "stream-failure": eventstream.exception("InternalStreamFailure", Message="An internal failure occurred."),
    "connection-lost": b"",
}


@dataclass(frozen=True, slots=True)
class Service:
    """What all calls share."""

    session: aiohttp.ClientSession
    faults: Faults
    cutter: Cutter
    variant: str
    invoke_seconds: float
    stream_seconds: float


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call, checked."""

    request: web.Request
    body: bytes
    endpoint: str
    region: str
    container_url: str

    def headers(self, accept: str) -> dict[str, str]:
        """What the container gets to see of the caller's headers: SageMaker strips everything else."""
        headers = {name: self.request.headers[name] for name in _PASSED_ON if name in self.request.headers}
        if accept in self.request.headers:
            headers["Accept"] = self.request.headers[accept]
        return headers

    def timed_out(self) -> errors.ServiceError:
        """The container has not answered in time."""
        return errors.timed_out(self.endpoint, self.region)

    def model_error(self, status: int, message: str) -> errors.ServiceError:
        """The container has answered with an error."""
        return errors.model_error(self.endpoint, self.region, status, message)


async def invoke(service: Service, call: Invocation) -> web.StreamResponse:
    """InvokeEndpoint: the container's whole answer, within 60 seconds.

    Raises:
        ServiceError: as SageMaker reports it.
    """
    fault, seconds = _fault(service, call)
    if fault == "stream-timeout":
        raise call.timed_out()
    if fault in _STREAM_FAULTS:
        raise errors.internal_failure()
    try:
        async with asyncio.timeout(service.invoke_seconds):
            await asyncio.sleep(seconds)
            async with _post(service, call, "Accept") as answer:
                body = await answer.read()
    except TimeoutError:
        raise call.timed_out() from None
    except aiohttp.ClientConnectorError as error:
        raise errors.unavailable() from error
    except aiohttp.ClientError as error:
        raise errors.internal_failure() from error
    _refuse_unless_ok(call, answer.status, body)
    headers = _answer_headers(service, answer)
    if "Content-Type" in answer.headers:
        headers["Content-Type"] = answer.headers["Content-Type"]
    return web.Response(body=body, headers=headers)


async def invoke_stream(service: Service, call: Invocation) -> web.StreamResponse:
    """InvokeEndpointWithResponseStream: the container's answer in parts as it comes, within 8 minutes.

    Raises:
        ServiceError: when it fails before the answer has begun; later it is an exception inside of the stream.
    """
    fault, seconds = _fault(service, call)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + service.stream_seconds
    try:
        async with asyncio.timeout_at(deadline):
            answer = await _post(service, call, "X-Amzn-SageMaker-Accept")
    except TimeoutError:
        raise call.timed_out() from None
    except aiohttp.ClientConnectorError as error:
        raise errors.unavailable() from error
    except aiohttp.ClientError as error:
        raise errors.internal_failure() from error
    async with answer:
        if answer.status // 100 != 2:
            _refuse_unless_ok(call, answer.status, await answer.read())
        headers = _answer_headers(service, answer)
        headers["Content-Type"] = "application/vnd.amazon.eventstream"
        if "Content-Type" in answer.headers:
            headers["X-Amzn-SageMaker-Content-Type"] = answer.headers["Content-Type"]
        response = web.StreamResponse(headers=headers)
        await response.prepare(call.request)
        try:
            async with asyncio.timeout_at(deadline):
                await asyncio.sleep(seconds)
                if fault in _STREAM_FAULTS:
                    await _relay_until_fault(service, answer, response, _STREAM_FAULTS[fault])
                else:
                    await _relay(service, answer, response)
        except TimeoutError:
            await response.write(_STREAM_FAULTS["stream-timeout"])
        except (aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError):
            await response.write(_STREAM_FAULTS["stream-broken"])
        if fault == "connection-lost" and call.request.transport is not None:
            call.request.transport.abort()
            return response
        await response.write_eof()
    return response


async def _relay(service: Service, answer: aiohttp.ClientResponse, response: web.StreamResponse) -> None:
    """Send each piece of the container's answer on as parts; `write` waits for a slow client."""
    cut, part, write = service.cutter.cut, eventstream.part, response.write
    async for data in answer.content.iter_any():
        await write(b"".join(map(part, cut(data))))


async def _relay_until_fault(
    service: Service, answer: aiohttp.ClientResponse, response: web.StreamResponse, ending: bytes
) -> None:
    """Send the beginning of the answer, never all of it, and then how it ends."""
    cut, part = service.cutter.cut, eventstream.part
    sent, held = 0, b""
    async for data in answer.content.iter_any():
        await response.write(b"".join(map(part, cut(held))) if held else b"")
        sent += len(held)
        held = data[: _BYTES_BEFORE_A_FAULT - sent]
        if sent + len(held) >= _BYTES_BEFORE_A_FAULT:
            break
    beginning = held[: len(held) // 2]
    await response.write((b"".join(map(part, cut(beginning))) if beginning else b"") + ending)


def _post(service: Service, call: Invocation, accept: str) -> aiohttp.client._RequestContextManager:
    return service.session.post(f"{call.container_url}/invocations", data=call.body, headers=call.headers(accept))


def _fault(service: Service, call: Invocation) -> tuple[str | None, float]:
    """The fault of this call, unless it ends the call here, and for how long nothing comes."""
    fault, seconds = service.faults.take()
    ends = {
        "throttle": errors.throttled(),
        "no-capacity": errors.no_capacity(),
        "timeout": call.timed_out(),
        "model-error": call.model_error(424, _CUDA_ERROR),
        "internal-failure": errors.internal_failure(),
        "unavailable": errors.unavailable(),
    }
    if fault in ends:
        raise ends[fault]
    return fault, seconds if fault == "slow-first-token" else 0.0


def _refuse_unless_ok(call: Invocation, status: int, body: bytes) -> None:
    if status // 100 != 2:
        raise call.model_error(status, body.decode(errors="replace"))


def _answer_headers(service: Service, answer: aiohttp.ClientResponse) -> dict[str, str]:
    headers = {"x-Amzn-Invoked-Production-Variant": service.variant, "x-amzn-RequestId": str(uuid.uuid4())}
    if _CUSTOM_ATTRIBUTES in answer.headers:
        headers[_CUSTOM_ATTRIBUTES] = answer.headers[_CUSTOM_ATTRIBUTES]
    return headers
