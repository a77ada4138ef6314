"""The wheel and the source distribution, built twice and compared."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from scripts.release.quiet import run


class NotReproducibleError(Exception):
    """Two builds of one commit differ."""


def build(source: Path, out: Path, *, epoch: int, umask: int = 0o022) -> list[Path]:
    """Build the wheel, and the source distribution.

    Args:
        source: The folder of a checkout.
        out: Where they are written.
        epoch: The time that files in them have, in seconds since 1970.
        umask: Which permissions files have that the build writes.

    Raises:
        StepError: The build failed.
    """
    command = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--sdist", "--outdir", str(out), str(source)]
    environment = os.environ | {"SOURCE_DATE_EPOCH": str(epoch)}
    run(command, source, env=environment, umask=umask)
    return sorted(out.iterdir())


def compare(first: list[Path], second: list[Path]) -> None:
    """Fail unless two builds have the same files, byte by byte.

    Raises:
        NotReproducibleError: They differ; the message names the files.
    """
    one, other = ({path.name: path.read_bytes() for path in built} for built in (first, second))
    names = [name for name in sorted({*one, *other}) if one.get(name) != other.get(name)]
    if names:
        raise NotReproducibleError(f"two builds of the same commit, in two folders, differ: {', '.join(names)}")
