"""Cleans up after a command, even one that was killed: its child processes and its folder.

It runs as a program in a session of its own. Its standard input is a pipe from the command. When the command ends, for
whatever reason, the pipe closes; the reaper then kills the process groups that are still registered and removes the
folder. It uses only the standard library, so that it starts in a few milliseconds.
"""

import contextlib
import os
import shutil
import signal
import sys


def main() -> None:
    """Reads `add PID`, `drop PID` and `folder PATH` lines until the pipe closes, then cleans up."""
    groups: set[int] = set()
    folders: list[str] = []
    for line in sys.stdin:
        verb, _, value = line.strip().partition(" ")
        if verb == "add":
            groups.add(int(value))
        elif verb == "drop":
            groups.discard(int(value))
        elif verb == "folder":
            folders.append(value)
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    main()
