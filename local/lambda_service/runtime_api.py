"""The Lambda Runtime API of a sandbox, version 2018-06-01, as strict as Lambda's own.

Sources: AWS's Runtime Interface Emulator (aws/aws-lambda-runtime-interface-emulator, internal/lambda/rapi
and internal/lambda/core/states.go) and https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html.
"""

from __future__ import annotations

import asyncio
import enum
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from local.lambda_service import protocol_rules
from local.lambda_service.connection import Connection, NotHttpError, TruncatedRequestError, headers_of
from local.lambda_service.errors import FunctionError

if TYPE_CHECKING:
    import h11

    from local.lambda_service.invocation import Invocation

ROOT = "/2018-06-01/runtime/"
ACCEPTED = {"status": "OK"}
# Sources: interop.MaxPayloadSize in the emulator, and "Response streaming quotas" in the Lambda guide.
BUFFERED_BYTES = 6 * 1024 * 1024 + 100
STREAMED_BYTES = 200 * 1024 * 1024


class State(enum.Enum):
    """The state of the runtime, with the emulator's names."""

    STARTED = "Started"
    INIT_ERROR = "InitError"
    READY = "Ready"
    RUNNING = "Running"
    RESPONDING = "InvocationResponse"
    RESPONSE_SENT = "ResponseSent"


class RuntimeApi:
    """Serves the runtime of a sandbox on its own port.

    Args:
        function_arn: The ARN in the headers of invocations.
        violations: Receives a message for each violation of the protocol.

    Attributes:
        ready: Set while the runtime waits for an invocation, and after an initialization error.
        init_error: The initialization error, if any.
    """

    def __init__(self, function_arn: str, violations: list[str]) -> None:
        self._function_arn = function_arn
        self._violations = violations
        self._state = State.STARTED
        self._inbox: asyncio.Queue[Invocation] = asyncio.Queue()
        self._current: Invocation | None = None
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()
        self.ready = asyncio.Event()
        self.init_error: FunctionError | None = None

    async def start(self) -> str:
        """Starts listening; returns the value of AWS_LAMBDA_RUNTIME_API."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"{host}:{port}"

    def deliver(self, invocation: Invocation) -> None:
        """Sends an invocation to the waiting runtime."""
        self.ready.clear()
        self._inbox.put_nowait(invocation)

    async def drained(self, seconds: float) -> None:
        """Waits until the last requests of a runtime that has exited are read."""
        readers = {task for task in self._serving if not task.done()}
        if readers and self._state is not State.READY:
            await asyncio.wait(readers, timeout=seconds)

    async def close(self) -> None:
        """Stops listening and closes all connections."""
        if self._server is not None:
            self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a connection's callback runs in a task
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        connection = Connection(reader, writer)
        try:
            while (request := await connection.request()) is not None:
                await self._dispatch(connection, request)
        except NotHttpError as error:
            self._violate(f"not HTTP: {error}")
        except (TruncatedRequestError, ConnectionError, asyncio.CancelledError):
            pass  # the runtime has ended, or the sandbox is being stopped
        finally:
            connection.close()

    async def _dispatch(self, connection: Connection, request: h11.Request) -> None:
        if connection.retired:
            self._violate("the connection of a streamed response was reused")
        target = request.target.decode()
        root, _, path = target.partition(ROOT)
        match (request.method, root, path.split("/")):
            case (b"GET", "", ["invocation", "next"]):
                await self._next(connection)
            case (b"POST", "", ["invocation", request_id, "response"]):
                await self._response(connection, headers_of(request), request_id)
            case (b"POST", "", ["invocation", request_id, "error"]):
                await self._error(connection, headers_of(request), request_id)
            case (b"POST", "", ["init", "error"]):
                await self._init_error(connection, headers_of(request))
            case _:
                await self._reject(
                    connection, 404, "NotFound", f"no such operation: {request.method.decode()} {target}"
                )

    async def _next(self, connection: Connection) -> None:
        await _read(connection)
        if self._state not in (State.STARTED, State.RESPONSE_SENT):
            await self._forbid(connection, State.READY)
            return
        self._state = State.READY
        self.ready.set()
        invocation = self._current = await self._inbox.get()
        self._state = State.RUNNING
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Invocation-Id": invocation.invocation_id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + invocation.timeout_seconds) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": self._function_arn,
            "Lambda-Runtime-Trace-Id": invocation.trace_id,
        }
        await connection.respond(200, invocation.event, headers)

    async def _response(self, connection: Connection, headers: dict[str, str], request_id: str) -> None:
        invocation = await self._begin_response(connection, headers, request_id)
        if invocation is None:
            return
        mode = headers.get("lambda-runtime-function-response-mode")
        if mode not in (None, "streaming"):
            # As in the emulator, the state has already changed, so the invocation can no longer succeed.
            invocation.fail(FunctionError.of("Runtime.InvalidResponseModeHeader", f"Response mode {mode!r}"))
            await self._reject(connection, 400, "InvalidFunctionResponseMode", "Invalid function response mode")
            return
        self._violations += protocol_rules.check_response(headers, streaming=mode is not None)
        invocation.begin(headers.get("content-type", "application/octet-stream"))
        try:
            complete = await _relay(connection.body(), invocation, BUFFERED_BYTES if mode is None else STREAMED_BYTES)
        except (TruncatedRequestError, NotHttpError):
            invocation.fail(FunctionError.of("Runtime.TruncatedResponse", "The runtime aborted its response"))
            raise
        self._state = State.RESPONSE_SENT
        if not complete:
            await self._reject(connection, 413, "RequestEntityTooLarge", "Exceeded maximum allowed payload size")
            return
        trailers, violations = protocol_rules.read_error_trailers(headers, connection.trailers)
        self._violations += violations
        connection.retired = mode is not None
        try:
            await connection.respond(202, ACCEPTED)
        finally:
            invocation.finish(trailers)

    async def _error(self, connection: Connection, headers: dict[str, str], request_id: str) -> None:
        invocation = await self._begin_response(connection, headers, request_id)
        if invocation is None:
            return
        payload = await _read(connection)
        self._violations += protocol_rules.check_error_report(headers, payload)
        self._state = State.RESPONSE_SENT
        try:
            await connection.respond(202, ACCEPTED)
        finally:
            invocation.fail(FunctionError(payload))

    async def _init_error(self, connection: Connection, headers: dict[str, str]) -> None:
        payload = await _read(connection)
        if self._state is not State.STARTED:
            await self._forbid(connection, State.INIT_ERROR)
            return
        self._violations += protocol_rules.check_error_report(headers, payload)
        self._state = State.INIT_ERROR
        self.init_error = FunctionError(payload)
        await connection.respond(202, ACCEPTED)
        self.ready.set()

    async def _begin_response(
        self, connection: Connection, headers: dict[str, str], request_id: str
    ) -> Invocation | None:
        """The current invocation; None if this request may not respond to it, which rejects the request."""
        if self._state is not State.RUNNING or self._current is None:
            await self._forbid(connection, State.RESPONDING)
            return None
        if request_id != self._current.request_id:
            await self._reject(connection, 400, "InvalidRequestID", "Invalid request ID")
            return None
        echoed = headers.get("lambda-runtime-invocation-id")
        if echoed is None:
            self._violate("a response has no invocation id")
        elif echoed != self._current.invocation_id:
            await self._reject(connection, 410, "ErrorRuntimeInvokeTimeout", "The invocation is over")
            return None
        self._state = State.RESPONDING
        return self._current

    async def _forbid(self, connection: Connection, target: State) -> None:
        message = f"State transition from {self._state.value} to {target.value} failed for runtime"
        await self._reject(connection, 403, "InvalidStateTransition", message)

    async def _reject(self, connection: Connection, status: int, error_type: str, message: str) -> None:
        self._violate(f"{status} {error_type}: {message}")
        await connection.respond(status, {"errorType": error_type, "errorMessage": message})

    def _violate(self, message: str) -> None:
        self._violations.append(message)


async def _relay(body: AsyncIterator[bytes], invocation: Invocation, limit: int) -> bool:
    """Passes the response on; False if it exceeded the limit."""
    size = 0
    async for data in body:
        size += len(data)
        if size <= limit:
            await invocation.channel.write(data)
        else:
            invocation.fail(FunctionError.of("Function.ResponseSizeTooLarge", f"The response exceeds {limit} bytes"))
    return size <= limit


async def _read(connection: Connection) -> bytes:
    return b"".join([data async for data in connection.body()])
