"""Keeps the processors awake while something is timed that mostly waits.

Between two tokens every process of a relay sleeps, and a halted processor of a virtual machine takes a hundred
microseconds or more to wake up, at each hop. That is the hypervisor's time, not the relay's. Processes of idle
priority fill the pauses and yield at once to everything else.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_MAX_PROCESSES = 8


@contextlib.contextmanager
def awake() -> Iterator[None]:
    """Keep up to eight processors busy at idle priority."""
    command = [sys.executable, str(Path(__file__))]
    processes = [subprocess.Popen(command) for _ in range(min(os.cpu_count() or 1, _MAX_PROCESSES))]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _spin() -> None:
    """Run until the parent process ends."""
    if sys.platform == "linux":
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    else:
        os.nice(19)
    parent = os.getppid()
    while os.getppid() == parent:
        for _ in range(100_000):
            pass


if __name__ == "__main__":
    _spin()
