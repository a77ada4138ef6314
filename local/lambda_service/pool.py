"""The sandboxes of a function: started on demand, reused, and stopped when too many are idle."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from typing import TYPE_CHECKING, Any

from local.lambda_service.errors import FunctionError
from local.lambda_service.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

# Idle sandboxes that are kept for the next invocations; the others stop after a burst.
IDLE_SANDBOXES = 32
# How long an invocation waits for a sandbox that is about to be ready again, before another one is started.
SETTLE_SECONDS = 0.05


class Pool:
    """Assigns each invocation the first sandbox that becomes idle or has started.

    Args:
        make: Creates a sandbox without starting it.
    """

    def __init__(self, make: Callable[[], Sandbox]) -> None:
        self._make = make
        self._idle: list[Sandbox] = []
        self._waiting: deque[asyncio.Future[Sandbox]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._starting = asyncio.Semaphore(2 * (os.cpu_count() or 1))
        self._closed = False

    async def acquire(self, *, settling: bool) -> Sandbox:
        """Waits for a started sandbox.

        Args:
            settling: Whether a sandbox has just sent its response and will be idle in a moment.

        Raises:
            FunctionError: The sandbox for this invocation could not start.
        """
        if self._idle:
            return self._idle.pop()
        waiter: asyncio.Future[Sandbox] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            if settling:
                await asyncio.wait({waiter}, timeout=SETTLE_SECONDS)
            if not waiter.done():
                self._spawn(self._grow())
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self.release(waiter.result())
            raise

    def release(self, sandbox: Sandbox) -> None:
        """Returns a sandbox to the pool."""
        if sandbox.usable and not self._closed:
            if waiter := self._first_waiter():
                waiter.set_result(sandbox)
                return
            if len(self._idle) < IDLE_SANDBOXES:
                self._idle.append(sandbox)
                return
        # In a task, so that `close` does not cancel it.
        self._spawn(sandbox.stop())

    async def close(self) -> None:
        """Stops every idle sandbox."""
        self._closed = True
        while self._idle:
            self.release(self._idle.pop())
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def _grow(self) -> None:
        """Starts another sandbox, unless no invocation is waiting any more."""
        async with self._starting:
            if self._closed or not any(not waiter.done() for waiter in self._waiting):
                return
            sandbox = self._make()
            try:
                await sandbox.start()
            except (FunctionError, OSError) as error:
                if waiter := self._first_waiter():
                    waiter.set_exception(_failure(error))
        self.release(sandbox)

    def _first_waiter(self) -> asyncio.Future[Sandbox] | None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                return waiter
        return None

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _failure(error: FunctionError | OSError) -> FunctionError:
    """An invocation fails with a Lambda error if the machine has no more processes or files."""
    return error if isinstance(error, FunctionError) else FunctionError.of("Sandbox.Failure", str(error))
