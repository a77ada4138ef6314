"""A Lambda sandbox: a process started as Lambda does, with the environment variables that Lambda sets."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.runtime_api import FunctionResponse, RuntimeApi

_KIB = 1 if sys.platform == "darwin" else 1024
"""The unit of ru_maxrss, in bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function's configuration.

    Args:
        command: The command that Lambda starts.
        task_root: The folder with the unpacked code.
        environment: The function's own environment variables.
    """

    command: Sequence[str]
    task_root: Path
    environment: dict[str, str] = field(default_factory=dict)

    def process_environment(self, runtime_api: str) -> dict[str, str]:
        """All environment variables of the process.

        /var/task is read-only, so Python never writes .pyc files there; PYTHONDONTWRITEBYTECODE has the same effect.
        """
        return {
            "AWS_LAMBDA_RUNTIME_API": runtime_api,
            "AWS_LAMBDA_FUNCTION_NAME": "bench",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "example",
            "AWS_SESSION_TOKEN": "example",
            "LAMBDA_TASK_ROOT": str(self.task_root),
            "LAMBDA_RUNTIME_DIR": "/var/runtime",
            "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "PYTHONDONTWRITEBYTECODE": "1",
            **self.environment,
        }


class Sandbox:
    """A running sandbox; use `started`."""

    def __init__(self, function: Function) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `stop`
        self._api = RuntimeApi(self._ensure_running)
        self.started = time.monotonic_ns()
        self._process = subprocess.Popen(
            function.command,
            cwd=function.task_root,
            env=function.process_environment(self._api.address),
            stdin=subprocess.DEVNULL,
            stdout=self._errors,
            stderr=self._errors,
        )

    def invoke(self, event: dict[str, Any]) -> FunctionResponse:
        """Invoke the function once.

        Raises:
            RuntimeError: The status is not 200.
        """
        response = self._api.invoke(event)
        if response.status != 200:
            raise RuntimeError(
                f"the function responded {response.status}: {response.body.body.decode(errors='replace')}"
            )
        return response

    def wait_until_started(self) -> None:
        """Wait until the function has loaded its code and polls for an event."""
        self._api.wait_for_poll(time.monotonic() + 60)

    def cpu_seconds(self) -> float:
        """The processor time, user and system, that the process has taken. Linux only."""
        # The kernel's number of the clock of another process, MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED).
        return time.clock_gettime((~self._process.pid << 3) | 2)

    def stop(self) -> int:
        """End the process.

        Returns:
            Its peak resident memory in bytes.
        """
        peak = _peak(self._process.pid)
        # Popen.kill would collect the exit status, and with it the usage, of a process that has already ended.
        os.kill(self._process.pid, signal.SIGKILL)
        _, status, usage = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        self._api.close()
        self._errors.close()
        return peak or usage.ru_maxrss * _KIB

    def _ensure_running(self) -> None:
        status = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if status is not None:
            self._errors.seek(0)
            output = self._errors.read().decode(errors="replace")[-4000:]
            raise RuntimeError(f"the sandbox ended with status {status.si_status}:\n{output}")


def _peak(pid: int) -> int | None:
    """The peak resident memory of a process in bytes; None if it has ended, or not on Linux.

    On Linux, ru_maxrss is that of the process which forked it if that is more (exec_mmap), and VmHWM is its own.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return None
    peak = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    return int(peak[1]) * 1024 if peak else None


@contextlib.contextmanager
def started(function: Function) -> Iterator[Sandbox]:
    """Run a sandbox for the duration of the block."""
    sandbox = Sandbox(function)
    try:
        yield sandbox
    finally:
        sandbox.stop()
