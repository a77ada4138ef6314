"""Entry point of the command line. It loads without rich, to say what to install."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TextIO

_RICH_MISSING = "error: the command line requires rich: pip install 'tgi-endpoint-cdk[cli]'\n"


def main(
    arguments: Sequence[str] | None = None,
    stdout: TextIO | None = None,
    stderr: TextIO | None = None,
    *,
    prog: str = "tgi-endpoint",
) -> int:
    """Run one command.

    Args:
        arguments: The arguments after the program's name. Default: those of the process.
        stdout: Where results go. Default: the process's.
        stderr: Where errors go. Default: the process's.
        prog: How the user started the program; help and usage show it. Default: the console script.

    Returns:
        The exit status: see `ExitStatus`; 2 also if rich is not installed.
    """
    # A stream that the caller has closed is None.
    sys.stdin = sys.stdin or _nowhere("r")
    stdout, stderr = stdout or sys.stdout or _nowhere("w"), stderr or sys.stderr or _nowhere("w")
    try:
        from constructs_lib.cli.commands import run
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "rich":
            raise
        stderr.write(_RICH_MISSING)
        return 2
    except KeyboardInterrupt:
        stderr.write("stopped\n")
        return 130
    return run(prog, sys.argv[1:] if arguments is None else arguments, stdout, stderr)


def _nowhere(mode: Literal["r", "w"]) -> TextIO:
    return Path(os.devnull).open(mode)
