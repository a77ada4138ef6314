"""Keeps the processors from falling asleep while something is timed that mostly waits.

Between two tokens every process of a relay sleeps, and the halted processor of a virtual machine takes a hundred
microseconds or more to come back, at each hop. That is the hypervisor's time, not the relay's. Processes of idle
priority use up the pauses and give way at once to everything else.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_MOST = 8


@contextlib.contextmanager
def awake() -> Iterator[None]:
    """Keep up to eight processors busy at idle priority."""
    command = [sys.executable, str(Path(__file__))]
    processes = [subprocess.Popen(command) for _ in range(min(os.cpu_count() or 1, _MOST))]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _spin() -> None:
    """Use up time until the parent is gone."""
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
