"""Installs what a client requires, as its README says, and runs it against a front door."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.clients.scripts import INSTALLED
from tests.e2e.deployed_cloud import Cloud
from tests.examples.catalogue import Example

PUBLISHED_UNTIL = "2026-11-29T00:00:00Z"
"""What the pinned packages require themselves is of this day, so that a run means the same tomorrow."""


@dataclass
class Outcome:
    """What a client did.

    Args:
        status: Its exit status.
        out: Standard output.
        err: Standard error.
        times: When each piece of standard output came, in seconds after the first one.
    """

    status: int
    out: str
    err: str
    times: list[float] = field(default_factory=list)


class Client:
    """A client in an environment with its requirements.

    Args:
        example: Its folder.
        cloud: The front door that it calls, unless options say otherwise.
    """

    def __init__(self, example: Example, cloud: Cloud) -> None:
        self._folder = example.folder
        self._python = _install(example)
        self._cloud = cloud

    def run(self, *arguments: str, key: str | None = None) -> Outcome:
        """Run it with the URL and the key of the front door in its environment."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "OPENAI_"))}
        process = subprocess.Popen(
            [self._python, "client.py", *arguments],
            cwd=self._folder,
            env={**inherited, "URL": self._cloud.url, "KEY": key or self._cloud.api_key},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdout is not None
        pieces, arrived = b"", []
        while piece := os.read(process.stdout.fileno(), 65536):
            pieces += piece
            arrived.append(time.monotonic())
        _, err = process.communicate(timeout=60)
        times = [moment - arrived[0] for moment in arrived]
        return Outcome(process.returncode, pieces.decode(), err.decode(), times)


def _install(example: Example) -> Path:
    environment = INSTALLED / "examples" / example.name
    python = environment / "bin" / "python"
    # Files are linked to uv's cache where the file system can, as those of the other clients.
    options = {"env": {**os.environ, "UV_LINK_MODE": "hardlink"}, "check": True}
    if not python.exists():
        subprocess.run(["uv", "venv", "--quiet", "--python", sys.executable, environment], **options)
    install = ["uv", "pip", "install", "--quiet", "--python", python, "--exclude-newer", PUBLISHED_UNTIL]
    subprocess.run([*install, "--requirements", example.folder / "requirements.txt"], **options)
    return python
