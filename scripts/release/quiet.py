"""Programs whose output matters only if they fail."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


class StepError(Exception):
    """A program failed; the message has the end of what it printed."""


def run(command: Sequence[str], cwd: Path, *, env: Mapping[str, str] | None = None, umask: int = -1) -> None:
    """Run a program without showing what it prints.

    Args:
        command: The program and its arguments.
        cwd: The folder in which it runs.
        env: Its environment. Default: that of this process.
        umask: Which permissions its files have. Default: those of this process's files.

    Raises:
        StepError: It ended with another status than 0.
    """
    done = subprocess.run(
        command, cwd=cwd, env=env, umask=umask, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        raise StepError(f"{' '.join(command)} ended with {done.returncode}\n{tail(done.stdout)}")


def tail(text: str, lines: int = 12) -> str:
    """The last lines of a text, indented.

    Args:
        text: The text.
        lines: How many.
    """
    return "\n".join(f"  {line}" for line in text.rstrip().splitlines()[-lines:])
