"""A sandbox: a process that handles one invocation at a time."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from typing import TYPE_CHECKING

from local.lambda_service.environment import command, process_environment
from local.lambda_service.errors import FunctionError, FunctionTimeout
from local.lambda_service.output import Output
from local.lambda_service.runtime_api import RuntimeApi

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Callable

    from local.lambda_service.environment import FunctionConfig
    from local.lambda_service.files import FunctionFiles
    from local.lambda_service.invocation import Invocation

# Lambda allows 10 s, then retries within the function's timeout; here hundreds may start at once on two cores.
INIT_SECONDS = 60.0
# How long to wait for the last bytes of a process that has exited.
DRAIN_SECONDS = 2.0


class Sandbox:
    """A process of a function. Call `start` first and `stop` last.

    Args:
        config: The function.
        files: Its unpacked files.
        violations: Receives a message for each violation of the Runtime API's protocol.
        log: Receives the lines that the process and Lambda write.

    Attributes:
        usable: Whether the sandbox can take another invocation.
    """

    def __init__(
        self, config: FunctionConfig, files: FunctionFiles, violations: list[str], log: Callable[[str], None]
    ) -> None:
        self._config = config
        self._files = files
        self._log = log
        self._api = RuntimeApi(config.arn, violations)
        self._output = Output(log)
        self._process: Process | None = None
        self._exit: asyncio.Task[str] | None = None
        self.usable = False

    async def start(self) -> None:
        """Starts the process and waits until it requests an invocation.

        Raises:
            FunctionError: The process exited or reported an initialization error.
            FunctionTimeout: The initialization timed out.
        """
        self._process = await self._spawn(await self._api.start())
        self._exit = asyncio.create_task(self._watch(self._process))
        try:
            async with asyncio.timeout(INIT_SECONDS):
                await self._until(self._api.ready)
        except TimeoutError:
            raise self._timed_out("Init", INIT_SECONDS) from None
        if self._api.init_error is not None:
            raise self._api.init_error
        self.usable = True

    async def run(self, invocation: Invocation) -> None:
        """Runs an invocation. Afterwards the sandbox is either `usable` for the next one, or must be stopped.

        Args:
            invocation: The invocation, always finished when this returns.
        """
        self._api.deliver(invocation)
        self.usable = False
        try:
            async with asyncio.timeout(invocation.timeout_seconds):
                await self._until(invocation.finished)
                await self._until(self._api.ready)
                self.usable = True
        except TimeoutError:
            # Reported before the process is stopped, which would look like a crash.
            invocation.fail(self._timed_out(invocation.request_id, invocation.timeout_seconds))
        except FunctionError as error:
            if invocation.begun.done():
                error = FunctionError.of("Runtime.TruncatedResponse", str(error))
            invocation.fail(error)

    async def stop(self) -> None:
        """Kills the process and everything it started, and waits for its end."""
        self.usable = False
        self._kill()
        if self._exit is not None:
            await asyncio.gather(self._exit, return_exceptions=True)
        await self._output.close(0)
        await self._api.close()

    async def _spawn(self, address: str) -> Process:
        sink = await self._output.open()
        try:
            return await asyncio.create_subprocess_exec(
                *command(self._config, self._files),
                env=process_environment(self._config, self._files, address),
                cwd=self._files.task_root,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                start_new_session=True,
            )
        except OSError as error:
            # The exit status of the managed runtime's start script if it cannot execute the wrapper.
            status = 127 if isinstance(error, FileNotFoundError) else 126
            self._log(f"{error.filename}: {error.strerror}")
            raise _exited(f"exit status {status}") from error
        finally:
            os.close(sink)

    def _kill(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def _until(self, event: asyncio.Event) -> None:
        """Waits for the event.

        Raises:
            FunctionError: The process exited before the event.
        """
        assert self._exit is not None  # noqa: S101 - started
        waiting = asyncio.create_task(event.wait())
        try:
            await asyncio.wait({waiting, self._exit}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        if not event.is_set():
            error = _exited(self._exit.result())
            self._log(str(error))
            raise error

    async def _watch(self, process: Process) -> str:
        """Waits for the exit of the process and its last output; returns the exit status."""
        code = await process.wait()
        await self._api.drained(DRAIN_SECONDS)
        await self._output.close(DRAIN_SECONDS)
        return f"signal: {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"

    def _timed_out(self, what: str, seconds: float) -> FunctionTimeout:
        error = FunctionTimeout.of(
            "Sandbox.Timeout", f"RequestId: {what} Error: Task timed out after {seconds:.2f} seconds"
        )
        self._log(str(error))
        return error


def _exited(how: str) -> FunctionError:
    return FunctionError.of("Runtime.ExitError", f"Runtime exited with error: {how}")
