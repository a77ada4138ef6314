"""`python -m bench.first_run`: how long `make demo` takes in a fresh clone, with empty caches of pip, uv and npm.

It clones the last commit, and shows each line with the seconds since the start, then the time, the processor time, the
sizes on disk, and the load of the machine before and after: only an idle machine gives a figure. Needs a package index.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Beside PATH and HOME, what a machine needs to reach its package index.
KEPT = ("SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command in a fresh clone, and delete the clone.

    Args:
        arguments: The command line without the program's name. Default: that of the process.

    Returns:
        The exit status of the command.
    """
    parser = argparse.ArgumentParser(prog="python -m bench.first_run", description=__doc__)
    parser.add_argument(
        "--python", default=sys.executable, help="Python of the clone (default: the one that runs this)"
    )
    parser.add_argument("command", nargs="*", default=["make", "demo"], help="what to run (default: make demo)")
    options = parser.parse_args(arguments)
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="first-run-") as name:
        folder = Path(name)
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder / "clone")], check=True)
        started = time.monotonic()
        code = _run([*options.command, f"PYTHON={options.python}"], folder, started)
        seconds = time.monotonic() - started
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        megabytes = _megabytes(folder / "clone")
    sys.stdout.write(
        f"{seconds:.1f} s; {used.ru_utime:.1f} s of processor time and {used.ru_stime:.1f} s of the system's;"
        f" {megabytes:.0f} MB on disk; {os.cpu_count()} processors, load {before:.1f} before"
        f" and {os.getloadavg()[0]:.1f} after\n"
    )
    return code


def _run(command: Sequence[str], folder: Path, started: float) -> int:
    with subprocess.Popen(
        command,
        cwd=folder / "clone",
        env=_environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        if process.stdout is None:
            raise RuntimeError("The command has no output to read.")
        for line in process.stdout:
            # uv lists each package.
            if not line.startswith(" + "):
                sys.stdout.write(f"{time.monotonic() - started:6.1f}  {line}")
                sys.stdout.flush()
    return process.returncode


def _environment(folder: Path) -> dict[str, str]:
    """An environment without the caches, settings and virtual environments of the user."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {
        **kept,
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "PATH": os.defpath,
        "PIP_NO_CACHE_DIR": "1",
        "UV_CACHE_DIR": str(folder / "uv"),
        "npm_config_cache": str(folder / "npm"),
    }


def _megabytes(folder: Path) -> float:
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir()) / 1e6


if __name__ == "__main__":
    if shutil.which("make") is None:
        sys.exit("bench.first_run: make is not installed.")
    sys.exit(main())
