"""A deployed function with its sandboxes, which are started on demand and reused.

Concurrency: https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
"""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.lambda_service.environment import FunctionConfig
from local.lambda_service.errors import FunctionError, FunctionThrottled
from local.lambda_service.files import unpack
from local.lambda_service.invocation import Invocation
from local.lambda_service.pool import Pool
from local.lambda_service.response import StreamedResponse
from local.lambda_service.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Concurrency", "Function", "FunctionConfig"]

# The default quota of an account; new accounts have 10. Each sandbox is a Python process of about 30 MB.
ACCOUNT_LIMIT = 1000
RETIRE_SECONDS = 1.0


class Concurrency:
    """Counts running invocations, of one function with reserved concurrency or of the rest of the account.

    Args:
        limit: Maximum concurrent invocations.
    """

    def __init__(self, limit: int = ACCOUNT_LIMIT) -> None:
        self.limit = limit
        self.running = 0

    def begin(self) -> None:
        """Starts an invocation; `end` must follow.

        Raises:
            FunctionThrottled: The limit is reached.
        """
        if self.running >= self.limit:
            raise FunctionThrottled.of("TooManyRequestsException", "Rate Exceeded.")
        self.running += 1

    def end(self) -> None:
        """Ends an invocation."""
        self.running -= 1


class Function:
    """Runs the code of a function, each concurrent invocation in its own sandbox.

    Args:
        config: The function.
        log: Receives the lines that the function and Lambda write. Default: the logger of this module, level INFO.
        folder: The parent of the temporary folder for its files, which `close` removes. Default: the system's.
        account: The concurrency of the account. Default: an account with only this function.

    Attributes:
        violations: A message for each violation of the Runtime API's protocol by the runtime.
    """

    def __init__(
        self,
        config: FunctionConfig,
        *,
        log: Callable[[str], None] | None = None,
        folder: Path | None = None,
        account: Concurrency | None = None,
    ) -> None:
        self.config = config
        self.violations: list[str] = []
        self._logged_violations = 0
        self._log = log or logging.getLogger(__name__).info
        self._folder = Path(tempfile.mkdtemp(prefix="function-", dir=folder))
        files = unpack(config.code_zip, config.layers, self._folder)
        reserved = config.reserved_concurrency
        self._concurrency = Concurrency(reserved) if reserved is not None else account or Concurrency()
        self._pool = Pool(lambda: Sandbox(config, files, self.violations, self._log))
        self._running: dict[asyncio.Task[None], Invocation] = {}
        self._closed = False

    async def invoke(self, event: dict[str, Any]) -> bytes:
        """Invokes the function and waits for the complete response.

        Raises:
            FunctionError: The function failed.
            FunctionTimeout: The function exceeded its timeout.
            FunctionThrottled: The concurrency limit is reached.
        """
        response = await self.invoke_stream(event)
        return b"".join([data async for data in response.body])

    async def invoke_stream(self, event: dict[str, Any]) -> StreamedResponse:
        """Invokes the function and waits for the start of the response. The function runs even if nobody reads it.

        Raises:
            FunctionError: The function failed before the response started. Later failures are raised by the body.
            FunctionTimeout: The function exceeded its timeout.
            FunctionThrottled: The concurrency limit is reached.
        """
        if self._closed:
            raise RuntimeError(f"The function {self.config.name} is closed.")
        invocation = Invocation(json.dumps(event).encode(), self.config.timeout_seconds)
        self._concurrency.begin()
        task = asyncio.create_task(self._run(invocation))
        self._running[task] = invocation
        task.add_done_callback(self._running.pop)
        try:
            content_type = await asyncio.shield(invocation.begun)
        except asyncio.CancelledError:
            invocation.channel.abandon()
            raise
        return StreamedResponse(content_type, invocation.channel)

    async def retire(self) -> None:
        """Closes the function once everything that it has begun has ended."""
        try:
            await asyncio.sleep(RETIRE_SECONDS)  # who has just found it invokes it now
            while self._running:
                await asyncio.wait(self._running)
        finally:
            await self.close()

    async def close(self) -> None:
        """Stops all sandboxes, including those that are streaming a response, which fails."""
        self._closed = True
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._pool.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    async def _run(self, invocation: Invocation) -> None:
        sandbox = None
        try:
            settling = any(running.finished.is_set() for running in self._running.values())
            sandbox = await self._pool.acquire(settling=settling)
            await sandbox.run(invocation)
        except FunctionError as error:
            invocation.fail(error)
        finally:
            invocation.fail(FunctionError.of("Sandbox.Failure", "The sandbox was shut down"))
            self._concurrency.end()
            self._log_violations()
            if sandbox is not None:
                self._pool.release(sandbox)

    def _log_violations(self) -> None:
        for violation in self.violations[self._logged_violations :]:
            self._log(f"Runtime API violation of {self.config.name}: {violation}")
        self._logged_violations = len(self.violations)
