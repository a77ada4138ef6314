"""The Lambda Runtime API of one sandbox, version 2018-06-01, which lets nothing pass that Lambda would not.

Its rules are those of AWS's Runtime Interface Emulator (aws/aws-lambda-runtime-interface-emulator, internal/lambda/rapi
and internal/lambda/core/states.go) and of https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html.
"""

from __future__ import annotations

import asyncio
import enum
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from local.lambda_service import rules
from local.lambda_service.connection import Connection, NotHttpError, TruncatedRequestError, headers_of
from local.lambda_service.errors import FunctionError

if TYPE_CHECKING:
    import h11

    from local.lambda_service.invocation import Invocation

ROOT = "/2018-06-01/runtime/"
ACCEPTED = {"status": "OK"}
# interop.MaxPayloadSize in the emulator; a streamed answer: "Response streaming quotas" in the Lambda guide.
BUFFERED_BYTES = 6 * 1024 * 1024 + 100
STREAMED_BYTES = 200 * 1024 * 1024


class State(enum.Enum):
    """Where the runtime is; the names are the emulator's."""

    STARTED = "Started"
    INIT_ERROR = "InitError"
    READY = "Ready"
    RUNNING = "Running"
    RESPONDING = "InvocationResponse"
    ANSWERED = "ResponseSent"


class RuntimeApi:
    """Serves one runtime on a port of its own.

    Args:
        function_arn: The ARN that invocations name.
        violations: Gets a sentence for each thing that the runtime does against the protocol.

    Attributes:
        ready: Set while the runtime waits for an invocation, and when it has said that it cannot start.
        init_error: What it said then.
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
        """Listen; returns the value of AWS_LAMBDA_RUNTIME_API."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"{host}:{port}"

    def deliver(self, invocation: Invocation) -> None:
        """Give the waiting runtime an invocation."""
        self.ready.clear()
        self._inbox.put_nowait(invocation)

    async def drained(self, seconds: float) -> None:
        """Wait until everything is read that a runtime which has ended had still sent."""
        readers = {task for task in self._serving if not task.done()}
        if readers and self._state is not State.READY:
            await asyncio.wait(readers, timeout=seconds)

    async def close(self) -> None:
        """Stop listening and close every connection."""
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
            self._violate("the connection of a streamed answer was used again")
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
                await self._refuse(connection, 404, "NotFound", f"there is no {request.method.decode()} {target}")

    async def _next(self, connection: Connection) -> None:
        await _read(connection)
        if self._state not in (State.STARTED, State.ANSWERED):
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
        invocation = await self._answered(connection, headers, request_id)
        if invocation is None:
            return
        mode = headers.get("lambda-runtime-function-response-mode")
        if mode not in (None, "streaming"):
            # The emulator has moved its state by now: this invocation cannot be answered any more.
            invocation.fail(FunctionError.of("Runtime.InvalidResponseModeHeader", f"Response mode {mode!r}"))
            await self._refuse(connection, 400, "InvalidFunctionResponseMode", "Invalid function response mode")
            return
        self._violations += rules.response_head(headers, streaming=mode is not None)
        invocation.begin(headers.get("content-type", "application/octet-stream"))
        try:
            whole = await _relay(connection.body(), invocation, BUFFERED_BYTES if mode is None else STREAMED_BYTES)
        except (TruncatedRequestError, NotHttpError):
            invocation.fail(FunctionError.of("Runtime.TruncatedResponse", "The runtime broke off its answer"))
            raise
        self._state = State.ANSWERED
        if not whole:
            await self._refuse(connection, 413, "RequestEntityTooLarge", "Exceeded maximum allowed payload size")
            return
        trailers, broken = rules.error_trailers(headers, connection.trailers)
        self._violations += broken
        connection.retired = mode is not None
        try:
            await connection.respond(202, ACCEPTED)
        finally:
            invocation.finish(trailers)

    async def _error(self, connection: Connection, headers: dict[str, str], request_id: str) -> None:
        invocation = await self._answered(connection, headers, request_id)
        if invocation is None:
            return
        payload = await _read(connection)
        self._violations += rules.error_report(headers, payload)
        self._state = State.ANSWERED
        try:
            await connection.respond(202, ACCEPTED)
        finally:
            invocation.fail(FunctionError(payload))

    async def _init_error(self, connection: Connection, headers: dict[str, str]) -> None:
        payload = await _read(connection)
        if self._state is not State.STARTED:
            await self._forbid(connection, State.INIT_ERROR)
            return
        self._violations += rules.error_report(headers, payload)
        self._state = State.INIT_ERROR
        self.init_error = FunctionError(payload)
        await connection.respond(202, ACCEPTED)
        self.ready.set()

    async def _answered(self, connection: Connection, headers: dict[str, str], request_id: str) -> Invocation | None:
        """The invocation that this request may answer; otherwise the request is refused."""
        if self._state is not State.RUNNING or self._current is None:
            await self._forbid(connection, State.RESPONDING)
            return None
        if request_id != self._current.request_id:
            await self._refuse(connection, 400, "InvalidRequestID", "Invalid request ID")
            return None
        echoed = headers.get("lambda-runtime-invocation-id")
        if echoed is None:
            self._violate("an answer came without the invocation id")
        elif echoed != self._current.invocation_id:
            await self._refuse(connection, 410, "ErrorRuntimeInvokeTimeout", "The invocation is over")
            return None
        self._state = State.RESPONDING
        return self._current

    async def _forbid(self, connection: Connection, wanted: State) -> None:
        message = f"State transition from {self._state.value} to {wanted.value} failed for runtime"
        await self._refuse(connection, 403, "InvalidStateTransition", message)

    async def _refuse(self, connection: Connection, status: int, error_type: str, message: str) -> None:
        self._violate(f"{status} {error_type}: {message}")
        await connection.respond(status, {"errorType": error_type, "errorMessage": message})

    def _violate(self, what: str) -> None:
        self._violations.append(what)


async def _relay(body: AsyncIterator[bytes], invocation: Invocation, limit: int) -> bool:
    """Pass the answer on; whether all of it was within the limit."""
    size = 0
    async for data in body:
        size += len(data)
        if size <= limit:
            await invocation.channel.write(data)
        else:
            invocation.fail(FunctionError.of("Function.ResponseSizeTooLarge", f"The answer is over {limit} bytes"))
    return size <= limit


async def _read(connection: Connection) -> bytes:
    return b"".join([data async for data in connection.body()])
