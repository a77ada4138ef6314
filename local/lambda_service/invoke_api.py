"""Lambda's Invoke operation (https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html).

Every other operation of Lambda is the control plane's, to which such a request is sent on.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import aiohttp
from aiohttp import web

from local.apigateway.sigv4 import SignatureError, SignedRequest, verify
from local.lambda_service.environment import function_name
from local.lambda_service.errors import FunctionError, FunctionThrottled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.lambda_service.function import Function

# Lambda's limit of the payload of a synchronous invocation, and of an asynchronous one.
MAX_PAYLOAD_BYTES = {"RequestResponse": 6_291_556, "Event": 1_048_576}
# Lambda's waits before it repeats an asynchronous invocation that has failed; and one that was throttled, each twice
# as long as the one before.
RETRY_SECONDS = (60.0, 120.0)
FIRST_THROTTLED_SECONDS, LONGEST_THROTTLED_SECONDS = 1.0, 300.0
_HOP_BY_HOP = frozenset({"connection", "content-length", "host", "keep-alive", "transfer-encoding"})


class InvokeApi:
    """The Invoke operation of the functions of an account.

    Args:
        find: Finds a function by name; raises KeyError.
        secrets: The secret access keys by access key id.
        control_plane_url: Where every other operation is.
        speed: How many times faster than AWS the waits before repetitions are.
        log: Receives why an asynchronous invocation has failed.
    """

    def __init__(
        self,
        find: Callable[[str], Function],
        *,
        secrets: Mapping[str, str],
        control_plane_url: str,
        speed: float,
        log: Callable[[str], None],
    ) -> None:
        self._find = find
        self._secrets = secrets
        self._control_plane_url = control_plane_url
        self._speed = speed
        self._log = log
        self._events: set[asyncio.Task[None]] = set()

    def add_routes(self, app: web.Application) -> None:
        """Adds Invoke, and what is sent on."""
        app.router.add_post("/2015-03-31/functions/{name}/invocations", self._invoke)
        app.router.add_route("*", "/{path:.*}", self._send_on)

    def invoke_event(self, name: str, event: dict[str, Any]) -> asyncio.Task[None]:
        """Invokes a function asynchronously: again if it fails or is throttled. The task ends with the last attempt."""
        task = asyncio.create_task(self._attempt(name, event))
        self._events.add(task)
        task.add_done_callback(self._events.discard)
        return task

    def is_busy(self) -> bool:
        """Whether an asynchronous invocation runs, or waits for its repetition."""
        return bool(self._events)

    async def close(self) -> None:
        """Ends the asynchronous invocations."""
        for task in self._events:
            task.cancel()
        await asyncio.gather(*self._events, return_exceptions=True)

    async def _attempt(self, name: str, event: dict[str, Any]) -> None:
        clock = asyncio.get_running_loop().time
        began, failures, wait = clock(), 0, 0.0
        throttled = FIRST_THROTTLED_SECONDS
        while True:
            try:
                # Each time anew: it may have been updated or deleted since.
                function = self._find(name)
                await function.invoke(event)
                return
            except KeyError:
                self._log(f"asynchronous invocation of {name}: the function is gone")
                return
            except FunctionThrottled:
                wait, throttled = throttled, min(2 * throttled, LONGEST_THROTTLED_SECONDS)
            except FunctionError as error:
                self._log(f"asynchronous invocation of {name}: {error}")
                if failures >= function.config.event_retries:
                    return
                wait = RETRY_SECONDS[failures]
                failures += 1
            if (clock() - began) * self._speed + wait > function.config.event_age_seconds:
                self._log(f"asynchronous invocation of {name}: the event is too old")
                return
            await asyncio.sleep(wait / self._speed)

    async def _invoke(self, request: web.Request) -> web.Response:
        body = await request.read()
        if (refusal := self._check_signature(request, body)) is not None:
            return refusal
        named = unquote(request.match_info["name"])
        try:
            function = self._find(function_name(named))
        except KeyError:
            return _error("ResourceNotFoundException", 404, f"Function not found: {named}", Type="User")
        kind = request.headers.get("X-Amz-Invocation-Type", "RequestResponse")
        if kind == "DryRun":
            return web.Response(status=204)
        if kind not in MAX_PAYLOAD_BYTES:
            return _error("InvalidParameterValueException", 400, f"InvocationType {kind} is unknown.", Type="User")
        if len(body) > MAX_PAYLOAD_BYTES[kind]:
            message = f"{len(body)} byte payload is too large for the {kind} invocation type."
            return _error("RequestTooLargeException", 413, message, Type="User")
        try:
            event = json.loads(body or b"{}")
        except ValueError as error:
            message = f"Could not parse request body into json: {error}"
            return _error("InvalidRequestContentException", 400, message, Type="User")
        if kind == "Event":
            self.invoke_event(function.config.name, event)
            return web.Response(status=202)
        return await _respond(function, event)

    def _check_signature(self, request: web.Request, body: bytes) -> web.Response | None:
        url = request.rel_url
        signed = SignedRequest(request.method, url.raw_path, url.raw_query_string, list(request.headers.items()), body)
        try:
            verify(signed, "lambda", self._secrets)
        except SignatureError as error:
            return _error(error.code, 403, error.message)
        return None

    async def _send_on(self, request: web.Request) -> web.Response:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP}
        url = f"{self._control_plane_url}{request.raw_path}"
        async with (
            aiohttp.ClientSession(auto_decompress=False) as session,
            session.request(request.method, url, data=await request.read(), headers=headers) as response,
        ):
            kept = {name: value for name, value in response.headers.items() if name.lower() not in _HOP_BY_HOP}
            return web.Response(status=response.status, body=await response.read(), headers=kept)


async def _respond(function: Function, event: dict[str, Any]) -> web.Response:
    headers = {
        "Content-Type": "application/json",
        "X-Amz-Executed-Version": "$LATEST",
        "x-amzn-RequestId": str(uuid.uuid4()),
    }
    try:
        payload = await function.invoke(event)
    except FunctionThrottled as error:
        reason = "ReservedFunctionConcurrentInvocationLimitExceeded"
        if function.config.reserved_concurrency is None:
            reason = "ConcurrentInvocationLimitExceeded"
        return _error("TooManyRequestsException", 429, str(error), Type="User", Reason=reason)
    except FunctionError as error:
        return web.Response(body=error.payload, headers={**headers, "X-Amz-Function-Error": "Unhandled"})
    return web.Response(body=payload, headers=headers)


def _error(code: str, status: int, message: str, **members: str) -> web.Response:
    headers = {"x-amzn-errortype": code, "x-amzn-RequestId": str(uuid.uuid4())}
    return web.json_response({**members, "Message": message, "message": message}, status=status, headers=headers)
