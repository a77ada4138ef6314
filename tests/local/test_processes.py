"""Child processes and their reaper."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from local.deployment.cdk_cli import ROOT

COMMAND = """
import asyncio, pathlib, sys
sys.path.insert(0, {root!r})
from local.processes import ChildProcesses

async def main():
    folder = pathlib.Path({folder!r})
    async with ChildProcesses(folder) as children:
        child = await children.start(
            [sys.executable, "-c", "import subprocess, sys, time; "
             "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
             "print(p.pid, flush=True); time.sleep(60)"],
            env={{}}, cwd=folder)
        print(child.pid, (await child.stdout.readline()).decode().strip(), flush=True)
        await asyncio.sleep({seconds})

asyncio.run(main())
"""


@pytest.mark.parametrize("killed", [True, False])
def test_no_child_process_outlives_the_command_even_if_it_is_killed(tmp_path: Path, killed: bool) -> None:
    folder = tmp_path / "session"
    folder.mkdir()
    code = textwrap.dedent(COMMAND).format(root=str(ROOT), folder=str(folder), seconds=60 if killed else 0)
    command = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert command.stdout is not None
    pids = [int(pid) for pid in command.stdout.readline().split()]
    assert len(pids) == 2
    if killed:
        command.send_signal(signal.SIGKILL)
    command.wait(20)
    command.stdout.close()
    deadline = time.monotonic() + 10
    while any(map(alive, pids)) or folder.exists():
        assert time.monotonic() < deadline, "a process or the folder is left"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # PID 1 in a container may never reap orphans; a zombie has ended too.
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")
