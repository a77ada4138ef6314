"""One call of an endpoint: what reaches the container, what comes back of it, and within which time."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp
from aiohttp import web

from local.sagemaker_runtime import errors, event_stream
from local.sagemaker_runtime.event_stream import Cutter
from local.sagemaker_runtime.fault_injection import (
    EXCEPTIONS,
    AnswerEndedError,
    ConnectionLostError,
    Spoiler,
    relay_beginning,
    relay_until_byte,
    relay_until_frame,
)
from local.sagemaker_runtime.faults import AT, FRAME, Fault, Faults

_CUSTOM_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
_PASSED_ON = ("Content-Type", _CUSTOM_ATTRIBUTES, "X-Amzn-SageMaker-Inference-Id")
_CUDA_ERROR = (
    '{"error":"Request failed during generation: Server error: CUDA out of memory. Tried to allocate 2.00 GiB",'
    '"error_type":"generation"}'
)


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

    def hang_up(self, response: web.StreamResponse | None = None) -> web.StreamResponse:
        """End the connection without another word; what there is to return to the server of an answer."""
        if self.request.transport is not None:
            self.request.transport.abort()
        return response or web.Response()

    def model_error(self, status: int, message: str) -> errors.ServiceError:
        """The container has answered with an error."""
        return errors.model_error(self.endpoint, self.region, status, message)


async def invoke(service: Service, call: Invocation) -> web.StreamResponse:
    """InvokeEndpoint: the container's whole answer, within 60 seconds.

    Raises:
        ServiceError: As SageMaker reports it.
    """
    fault = _fault(service, call)
    if fault is not None and fault.name == "stream-timeout":
        raise call.timed_out()
    if fault is not None and (fault.name in EXCEPTIONS or (fault.name == "connection-lost" and fault.at is None)):
        raise errors.internal_failure()
    try:
        async with asyncio.timeout(service.invoke_seconds):
            await _wait(fault)
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
    if fault is not None and fault.name in AT:
        return await _send_spoiled(call, headers, body, fault)
    return web.Response(body=body, headers=headers)


async def invoke_stream(service: Service, call: Invocation) -> web.StreamResponse:
    """InvokeEndpointWithResponseStream: the container's answer in parts as it comes, within 8 minutes.

    Raises:
        ServiceError: When it fails before the answer has begun; later it is an exception inside of the stream.
    """
    fault = _fault(service, call)
    deadline = asyncio.get_running_loop().time() + service.stream_seconds
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
                await _wait(fault)
                await _relay(service, answer, response, fault)
        except TimeoutError:
            await response.write(EXCEPTIONS["stream-timeout"])
        except (aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError):
            await response.write(EXCEPTIONS["stream-broken"])
        except ConnectionLostError:
            return call.hang_up(response)
        except AnswerEndedError:
            pass
        await response.write_eof()
    return response


async def _relay(
    service: Service, answer: aiohttp.ClientResponse, response: web.StreamResponse, fault: Fault | None
) -> None:
    """Send each piece of the container's answer on as parts; `write` waits for a slow client."""
    cut, part, write = service.cutter.cut, event_stream.part, response.write
    if fault is None or fault.name not in AT | FRAME:
        async for data in answer.content.iter_any():
            await write(b"".join(map(part, cut(data))))
        return

    def frames(data: bytes) -> map[bytes]:
        return map(part, cut(data))

    if fault.at is not None or fault.name in AT - {"connection-lost"}:
        await relay_until_byte(answer.content, frames, response, fault)
    elif fault.frame is not None or fault.name == "unknown-event":
        await relay_until_frame(answer.content, frames, response, fault)
    else:
        await relay_beginning(answer.content, frames, response, fault)


async def _send_spoiled(call: Invocation, headers: dict[str, str], body: bytes, fault: Fault) -> web.StreamResponse:
    """A buffered answer that is spoiled at a byte; one that only ends early has the length that it then has."""
    response = web.StreamResponse(headers=headers)
    response.content_length = min(len(body), fault.at or 0) if fault.name == "end" else len(body)
    await response.prepare(call.request)
    spoiler = Spoiler(response, fault)
    try:
        await spoiler.write(body)
        spoiler.end()
    except ConnectionLostError:
        return call.hang_up(response)
    except AnswerEndedError:
        pass
    await response.write_eof()
    return response


def _post(service: Service, call: Invocation, accept: str) -> aiohttp.client._RequestContextManager:
    return service.session.post(f"{call.container_url}/invocations", data=call.body, headers=call.headers(accept))


def _fault(service: Service, call: Invocation) -> Fault | None:
    """The fault of this call, unless it ends the call here."""
    fault = service.faults.take()
    if fault is None:
        return None
    ends: dict[str, Callable[[], Exception]] = {
        "throttle": errors.throttled,
        "no-capacity": errors.no_capacity,
        "timeout": call.timed_out,
        "model-error": lambda: call.model_error(fault.status or 424, _CUDA_ERROR),
        "internal-failure": errors.internal_failure,
        "unavailable": errors.unavailable,
        "bad-gateway": errors.BadGatewayError,
        "hang-up": ConnectionLostError,
    }
    if fault.name in ends:
        raise ends[fault.name]()
    return fault


async def _wait(fault: Fault | None) -> None:
    if fault is not None and fault.name == "slow-first-token":
        await asyncio.sleep(fault.seconds)


def _refuse_unless_ok(call: Invocation, status: int, body: bytes) -> None:
    if status // 100 != 2:
        raise call.model_error(status, body.decode(errors="replace"))


def _answer_headers(service: Service, answer: aiohttp.ClientResponse) -> dict[str, str]:
    headers = {"x-Amzn-Invoked-Production-Variant": service.variant, "x-amzn-RequestId": str(uuid.uuid4())}
    if _CUSTOM_ATTRIBUTES in answer.headers:
        headers[_CUSTOM_ATTRIBUTES] = answer.headers[_CUSTOM_ATTRIBUTES]
    return headers
