"""Installs the packages of clients, each set in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from tests.clients.scripts import INSTALLED

INSTALLATIONS_AT_ONCE = 2


class PythonEnvironments:
    """A virtual environment for each of some scripts, with the packages that its first lines name.

    All are installed in the background, so that most of them are ready when their test comes.
    """

    def __init__(self, scripts: Iterable[Path]) -> None:
        self._pool = ThreadPoolExecutor(INSTALLATIONS_AT_ONCE)
        self._ready: dict[Path, Future[Path]] = {
            script: self._pool.submit(_install_python, script) for script in scripts
        }

    def interpreter(self, script: Path) -> Path:
        """The interpreter of a script's environment, as soon as it is installed.

        Raises:
            AssertionError: It cannot be installed.
        """
        return self._ready[script].result()

    def close(self) -> None:
        """Leave out what was not begun."""
        self._pool.shutdown(cancel_futures=True)


def install_npm(folder: Path, installed: Path) -> None:
    """Install the packages of a folder at the versions of its package-lock.json, unless they are."""
    installed.mkdir(parents=True, exist_ok=True)
    names = ("package.json", "package-lock.json")
    # npm writes this file at its end.
    complete = (installed / "node_modules" / ".package-lock.json").exists()
    if complete and all((installed / name).read_bytes() == (folder / name).read_bytes() for name in names):
        return
    for name in names:
        shutil.copy(folder / name, installed)
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=installed, check=True)


def _install_python(script: Path) -> Path:
    environment = INSTALLED / "python" / script.stem
    done = subprocess.run(
        ["uv", "sync", "--quiet", "--active", "--python", sys.executable, "--script", script],
        # Files are linked to uv's cache where the file system can: tens of environments share most of them.
        env={**os.environ, "VIRTUAL_ENV": str(environment), "UV_LINK_MODE": "hardlink"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"the packages of {script.name} cannot be installed:\n{done.stderr}"
    return environment / "bin" / "python"
