"""A deployed function: its sandboxes, started on demand and used again."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.lambda_service.answer import StreamedAnswer
from local.lambda_service.code import unpack
from local.lambda_service.environment import FunctionConfig
from local.lambda_service.errors import FunctionError
from local.lambda_service.invocation import Invocation
from local.lambda_service.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Function", "FunctionConfig"]

# Kept warm for the next invocations; what a burst has started beyond that ends with it.
IDLE_SANDBOXES = 16
# How long a new invocation waits for a sandbox that has answered to be ready again, before it starts another.
SETTLE_SECONDS = 0.05


class Function:
    """Runs a function's own code, each concurrent invocation in a sandbox of its own.

    Args:
        config: The function.
        log: Gets each line that the function writes, and what Lambda itself would log about it. Default: the Python
            logger of this module, level INFO.
        folder: Where the code is unpacked. Default: a temporary folder, removed by `close`.

    Attributes:
        violations: A sentence for each thing that a runtime has done against the Runtime API's protocol.
    """

    def __init__(
        self, config: FunctionConfig, *, log: Callable[[str], None] | None = None, folder: Path | None = None
    ) -> None:
        self.config = config
        self.violations: list[str] = []
        self._violations_told = 0
        self._log = log or logging.getLogger(__name__).info
        self._folder = Path(tempfile.mkdtemp(prefix="function-", dir=folder))
        unpack(config.code_zip, self._folder)
        self._idle: list[Sandbox] = []
        self._running: dict[asyncio.Task[None], Invocation] = {}
        self._released = asyncio.Event()
        self._stopping: set[asyncio.Task[None]] = set()
        self._starting = asyncio.Semaphore(2 * (os.cpu_count() or 1))
        self._closed = False

    async def invoke(self, event: dict[str, Any]) -> bytes:
        """Invoke the function and wait for its whole answer.

        Raises:
            FunctionError: The function failed.
            FunctionTimeout: It was killed after its timeout.
        """
        answer = await self.invoke_stream(event)
        return b"".join([data async for data in answer.body])

    async def invoke_stream(self, event: dict[str, Any]) -> StreamedAnswer:
        """Invoke the function and wait until its answer begins; the function goes on whether it is read or not.

        Raises:
            FunctionError: The function failed before its answer began. Later failures come out of the answer's body.
            FunctionTimeout: It was killed after its timeout.
        """
        if self._closed:
            raise RuntimeError(f"The function {self.config.name} is closed.")
        invocation = Invocation(json.dumps(event).encode(), self.config.timeout_seconds)
        task = asyncio.create_task(self._run(invocation))
        self._running[task] = invocation
        task.add_done_callback(self._running.pop)
        try:
            content_type = await asyncio.shield(invocation.begun)
        except asyncio.CancelledError:
            invocation.channel.abandon()
            raise
        return StreamedAnswer(content_type, invocation.channel)

    async def close(self) -> None:
        """End every sandbox, also in the middle of an answer, which breaks off then."""
        self._closed = True
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        while self._idle:
            self._release(self._idle.pop())
        await asyncio.gather(*self._stopping)
        shutil.rmtree(self._folder, ignore_errors=True)

    async def _run(self, invocation: Invocation) -> None:
        sandbox = None
        try:
            if await self._one_is_idle():
                sandbox = self._idle.pop()
            else:
                sandbox = Sandbox(self.config, self._folder, self.violations, self._log)
                async with self._starting:
                    await sandbox.start()
            await sandbox.run(invocation)
        except FunctionError as error:
            invocation.fail(error)
        finally:
            invocation.fail(FunctionError.of("Sandbox.Failure", "The sandbox was shut down"))
            if sandbox is not None:
                self._release(sandbox)

    async def _one_is_idle(self) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_SECONDS):
                while not self._idle and any(running.finished.is_set() for running in self._running.values()):
                    self._released.clear()
                    await self._released.wait()
        return bool(self._idle)

    def _release(self, sandbox: Sandbox) -> None:
        self._released.set()
        for violation in self.violations[self._violations_told :]:
            self._log(f"Runtime API violation of {self.config.name}: {violation}")
        self._violations_told = len(self.violations)
        if sandbox.usable and not self._closed and len(self._idle) < IDLE_SANDBOXES:
            self._idle.append(sandbox)
        else:
            # A task of its own, which a `close` in the meantime does not cancel.
            stopping = asyncio.create_task(sandbox.stop())
            self._stopping.add(stopping)
            stopping.add_done_callback(self._stopping.discard)
