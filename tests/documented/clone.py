"""A folder like a fresh clone in which everything is installed, for commands that write."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from pathlib import Path

from tests.documented.blocks import ROOT

# What a clone does not have, and what no documented command reads.
_LEFT_OUT = shutil.ignore_patterns(
    *(".git", ".venv", "node_modules", ".cache", "cdk.out", "build", "dist", "site", "tests", ".*_cache", "__pycache__")
)
_INSTALLED = (".venv", ".cache")
_LAUNCHER = """#!{python}
import sys
sys.path.insert(0, "{clone}")
from constructs_lib.cli.main import main
sys.exit(main())
"""


def make_clone(folder: Path) -> Path:
    """The clone, in a folder that is for its neighbours too: apps of the reader."""
    clone = folder / "tgi-endpoint-cdk"
    shutil.copytree(ROOT, clone, ignore=_LEFT_OUT)
    for name in _INSTALLED:
        (clone / name).symlink_to((ROOT / name).resolve())
    # A copy: `npm ci` empties what a link leads to.
    shutil.copytree(ROOT / "node_modules", clone / "node_modules", symlinks=True)
    # Older than what make has installed, so that it installs nothing.
    for lock in (*clone.glob("requirements*"), *clone.glob("package*.json")):
        os.utime(lock, (0, 0))
    # As `pip install` writes it.
    launcher = folder / "bin" / "tgi-endpoint"
    launcher.parent.mkdir()
    launcher.write_text(_LAUNCHER.format(python=sys.executable, clone=clone))
    launcher.chmod(0o755)
    return clone


def environment(clone: Path, port: int) -> dict[str, str]:
    """The variables of a reader's terminal, in which `make serve` takes another port than 8080."""
    foreign = ("AWS_", "CDK_", "MAKE", "PYTEST")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    path = [str(clone.parent / "bin"), str(clone / ".venv" / "bin"), str(clone / "node_modules" / ".bin"), kept["PATH"]]
    return {
        **kept,
        "PATH": os.pathsep.join(path),
        "PORT": str(port),
        "PYTHONPATH": str(clone),
        "TERM": "xterm",
        "NO_COLOR": "1",
        "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(clone / ".cache" / "jsii"),
        "CDK_HOME": str(clone / ".cache" / "cdk"),
        "CDK_DISABLE_CLI_TELEMETRY": "true",
    }


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
