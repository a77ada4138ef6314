"""The endpoint of Lambda, which also asks the functions of custom resources, and takes answers and signals."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from aiohttp import web

from local.deployment.stacks.answers import Answers
from local.deployment.stacks.signals import Signals
from local.deployment.stacks.state import ResourceFailure
from local.lambda_service.environment import function_name
from local.lambda_service.invoke_api import InvokeApi
from local.sagemaker_runtime import Listener

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.lambda_service import Function

SHUTDOWN_SECONDS = 1.0
MAX_REQUEST_BYTES = 2**25


class LambdaEndpoint:
    """Lambda on a port of the loopback interface.

    Args:
        find: Finds a function by name; raises KeyError.
        secrets: The secret access keys by access key id.
        control_plane_url: Where the operations are that are not Invoke.
        speed: How many times faster than AWS Lambda waits before it repeats an invocation.
        is_building: Whether a build runs, which may signal a wait condition.
        log: Receives why an asynchronous invocation has failed.
    """

    def __init__(
        self,
        find: Callable[[str], Function],
        *,
        secrets: Mapping[str, str],
        control_plane_url: str,
        speed: float,
        is_building: Callable[[], bool],
        log: Callable[[str], None],
    ) -> None:
        self._find = find
        self._speed = speed
        self._answers = Answers()
        self._invoke_api = InvokeApi(find, secrets=secrets, control_plane_url=control_plane_url, speed=speed, log=log)
        app = web.Application(client_max_size=MAX_REQUEST_BYTES)
        self._signals = Signals(is_busy=lambda: is_building() or self._invoke_api.is_busy(), speed=speed, log=log)
        self._answers.add_routes(app)
        self._signals.add_routes(app)
        self._invoke_api.add_routes(app)
        self._listener = Listener(app, shutdown_timeout=SHUTDOWN_SECONDS)
        self._exits = AsyncExitStack()

    @property
    def url(self) -> str:
        """The base URL."""
        return self._listener.url

    async def start(self) -> None:
        """Listens."""
        self._exits.push_async_callback(self._listener.close)
        self._exits.push_async_callback(self._invoke_api.close)
        await self._listener.start()

    async def close(self) -> None:
        """Stops listening."""
        await self._exits.aclose()

    def open_handle(self) -> str:
        """The URL of a new handle, which takes the signals of a wait condition."""
        return f"{self.url}{self._signals.open()}"

    async def signals_of(
        self, handle: str, count: int, seconds: float, is_cancelled: Callable[[], bool]
    ) -> Mapping[str, str]:
        """See `Signals.wait`."""
        return await self._signals.wait(handle, count, seconds, is_cancelled)

    def invoke_event(self, function: str, event: Mapping[str, Any]) -> None:
        """Invokes a function asynchronously, by its ARN or name."""
        self._invoke_api.invoke_event(function_name(function), dict(event))

    async def answer_of(
        self, function: str, request: Callable[[str], Mapping[str, Any]], seconds: float
    ) -> bytes | None:
        """The answer of a custom resource's function, which is invoked asynchronously; None without one in time.

        As long as the function runs, seconds are real. Once it has ended, nothing else is expected to answer, and the
        rest of the time passes as fast as everything else that waits here.

        Raises:
            ResourceFailure: There is no such function.
        """
        name = function_name(function)
        try:
            self._find(name)
        except KeyError:
            raise ResourceFailure(f"Function not found: {function}, or the emulated Lambda cannot run it.") from None
        clock = asyncio.get_running_loop().time
        deadline = clock() + seconds
        with self._answers.expect() as (path, answer):
            invocation = self._invoke_api.invoke_event(name, dict(request(f"{self.url}{path}")))
            either: set[asyncio.Future[Any]] = {answer, invocation}
            await asyncio.wait(either, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if invocation.done():
                await asyncio.wait({answer}, timeout=max(0.0, deadline - clock()) / self._speed)
            return answer.result() if answer.done() else None
