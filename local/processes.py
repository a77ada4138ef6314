"""Child processes that never outlive the command."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Mapping, Sequence
    from types import TracebackType

GRACE_SECONDS = 5.0


class ChildProcesses:
    """Starts processes, each in a session of its own, and stops them all on exit.

    If the command itself is killed, a reaper process notices that through a pipe and stops them.

    Args:
        folder: The folder of the session, which the reaper removes at the end.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: dict[int, Process] = {}
        self._reaper: Process | None = None

    async def __aenter__(self) -> Self:
        self._reaper = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-S",
            str(Path(__file__).with_name("reaper.py")),
            stdin=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        self._notify_reaper(f"folder {self._folder}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(self.stop(process) for process in list(self._running.values())))
        if self._reaper is not None and self._reaper.stdin is not None:
            self._reaper.stdin.close()
            await self._reaper.wait()

    async def start(self, command: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> Process:
        """Starts a command with standard output and standard error on one pipe, `process.stdout`."""
        return await self._start(command, env, cwd, stderr=asyncio.subprocess.STDOUT)

    async def start_server(self, command: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> Process:
        """Starts a command with standard output on a pipe and standard error inherited."""
        return await self._start(command, env, cwd, stderr=None)

    async def _start(self, command: Sequence[str], env: Mapping[str, str], cwd: Path, *, stderr: int | None) -> Process:
        process = await asyncio.create_subprocess_exec(
            *command,
            env=dict(env),
            cwd=cwd,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
            limit=2**20,
        )
        self._running[process.pid] = process
        self._notify_reaper(f"add {process.pid}")
        return process

    async def stop(self, process: Process) -> int:
        """Stops a process and everything it started; returns its exit code."""
        _signal_group(process.pid, signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), GRACE_SECONDS)
        except TimeoutError:
            _signal_group(process.pid, signal.SIGKILL)
        code = await process.wait()
        _signal_group(process.pid, signal.SIGKILL)
        self._running.pop(process.pid, None)
        self._notify_reaper(f"drop {process.pid}")
        return code

    def _notify_reaper(self, line: str) -> None:
        if self._reaper is None or self._reaper.stdin is None:
            raise RuntimeError("ChildProcesses must be used inside its `async with` block.")
        self._reaper.stdin.write(f"{line}\n".encode())


def stdout_of(process: Process) -> asyncio.StreamReader:
    """The standard output of a process that was started with a pipe."""
    if process.stdout is None:
        raise RuntimeError("The process was started without a pipe.")
    return process.stdout


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
