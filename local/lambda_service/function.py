"""A deployed function: its sandboxes, started on demand and used again."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.lambda_service.answer import StreamedAnswer
from local.lambda_service.environment import FunctionConfig
from local.lambda_service.errors import FunctionError, FunctionThrottled
from local.lambda_service.invocation import Invocation
from local.lambda_service.pool import Pool
from local.lambda_service.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Concurrency", "Function", "FunctionConfig"]

# The quota of an account is 1000, of a new one 10. A sandbox is a Python process here, of about 30 MB.
ACCOUNT_LIMIT = 1000


class Concurrency:
    """The invocations that run, of a function with reserved concurrency or of all the others of the account.

    Args:
        limit: How many may run at once.
    """

    def __init__(self, limit: int = ACCOUNT_LIMIT) -> None:
        self.limit = limit
        self.running = 0

    def begin(self) -> None:
        """Counts an invocation that begins; `end` has to follow.

        Raises:
            FunctionThrottled: As many run as may.
        """
        if self.running >= self.limit:
            raise FunctionThrottled.of("TooManyRequestsException", "Rate Exceeded.")
        self.running += 1

    def end(self) -> None:
        """Counts an invocation that has ended."""
        self.running -= 1


class Function:
    """Runs a function's own code, each concurrent invocation in a sandbox of its own.

    Args:
        config: The function.
        log: Gets each line that the function writes, and what Lambda itself would log about it. Default: the Python
            logger of this module, level INFO.
        folder: Where the code is unpacked. Default: a temporary folder, removed by `close`.
        account: How many invocations run in the account. Default: this function has an account of its own.

    Attributes:
        violations: A sentence for each thing that a runtime has done against the Runtime API's protocol.
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
        self._violations_told = 0
        self._log = log or logging.getLogger(__name__).info
        self._folder = Path(tempfile.mkdtemp(prefix="function-", dir=folder))
        _unpack(config.code_zip, self._folder)
        reserved = config.reserved_concurrency
        self._concurrency = Concurrency(reserved) if reserved is not None else account or Concurrency()
        self._pool = Pool(lambda: Sandbox(config, self._folder, self.violations, self._log))
        self._running: dict[asyncio.Task[None], Invocation] = {}
        self._closed = False

    async def invoke(self, event: dict[str, Any]) -> bytes:
        """Invoke the function and wait for its whole answer.

        Raises:
            FunctionError: The function failed.
            FunctionTimeout: It was killed after its timeout.
            FunctionThrottled: As many invocations run as may.
        """
        answer = await self.invoke_stream(event)
        return b"".join([data async for data in answer.body])

    async def invoke_stream(self, event: dict[str, Any]) -> StreamedAnswer:
        """Invoke the function and wait until its answer begins; the function goes on whether it is read or not.

        Raises:
            FunctionError: The function failed before its answer began. Later failures come out of the answer's body.
            FunctionTimeout: It was killed after its timeout.
            FunctionThrottled: As many invocations run as may.
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
        return StreamedAnswer(content_type, invocation.channel)

    async def close(self) -> None:
        """End every sandbox, also in the middle of an answer, which breaks off then."""
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
            self._tell_violations()
            if sandbox is not None:
                self._pool.release(sandbox)

    def _tell_violations(self) -> None:
        for violation in self.violations[self._violations_told :]:
            self._log(f"Runtime API violation of {self.config.name}: {violation}")
        self._violations_told = len(self.violations)


def _unpack(code_zip: bytes | Path, folder: Path) -> None:
    """Unpack an archive and give each file the mode that it has in there, which decides what may be started.

    Args:
        code_zip: The archive, or where it is.
        folder: Where its content goes.
    """
    with zipfile.ZipFile(io.BytesIO(code_zip) if isinstance(code_zip, bytes) else code_zip) as archive:
        for entry in archive.infolist():
            path = Path(archive.extract(entry, folder))
            mode = entry.external_attr >> 16 & 0o777
            if mode and not entry.is_dir():
                path.chmod(mode)
