"""Runs client scripts against the deployed cloud, and keeps what they report."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.e2e.deployed_cloud import ROOT, Cloud

INSTALLED = ROOT / ".cache" / "clients"
"""The environments of the clients; `make clean` removes them, the package managers keep their downloads."""

REPORTS = ROOT / "build" / "clients"
REQUESTS_PER_SCRIPT = 12
"""As many as the rate limiter lets through at once."""


def scripts_in(folder: Path) -> list[Path]:
    """The scripts in a folder, one for each client, without what they have in common."""
    return sorted(path for path in folder.glob("*.*") if path.suffix in (".py", ".mjs") and path.stem[:6] != "checks")


def run_script(
    cloud: Cloud, script: Path, *command: str | Path, cwd: Path = ROOT, reports: Path = REPORTS
) -> dict[str, Any]:
    """The report of a script: the versions of its packages, and what each check raised, empty if nothing.

    It is also written to a file: those in `REPORTS` are for the table in docs/clients.md.

    Args:
        cloud: The front door that it calls.
        script: Its file, or its folder, which names the report.
        command: What runs it.
        cwd: Where it runs.
        reports: The folder of the file.

    Raises:
        AssertionError: It has no report.
    """
    cloud.limiter.take(REQUESTS_PER_SCRIPT)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**inherited, "FRONT_DOOR_URL": cloud.url, "FRONT_DOOR_KEY": cloud.api_key},
        capture_output=True,
        text=True,
        timeout=840,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    assert lines, f"{' '.join(map(str, command))} exited with {done.returncode}:\n{done.stderr}"
    report: dict[str, Any] = json.loads(lines[-1])
    path = reports / script.parent.name / f"{script.stem}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"date": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}", **report}))
    return report


def assert_passed(report: dict[str, Any]) -> None:
    """Raise AssertionError if a check failed."""
    failed = {name: outcome for name, outcome in report["checks"].items() if outcome}
    assert report["checks"], "nothing was checked"
    assert not failed, "\n".join(f"{name}:\n{outcome}" for name, outcome in failed.items())
