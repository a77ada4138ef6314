"""Runs a client script against the deployed cloud and reads what it reports."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

from tests.e2e.deployed_cloud import ROOT, Cloud

REQUESTS_PER_SCRIPT = 12
"""As many as the rate limiter lets through at once."""


def run_script(cloud: Cloud, *command: str) -> dict[str, Any]:
    """The report of a script: the versions of its packages, and what each check raised, empty if nothing.

    Raises:
        AssertionError: It has no report.
    """
    cloud.limiter.take(REQUESTS_PER_SCRIPT)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**inherited, "FRONT_DOOR_URL": cloud.url, "FRONT_DOOR_KEY": cloud.api_key},
        capture_output=True,
        text=True,
        timeout=840,
        check=False,
    )
    lines = done.stdout.strip().splitlines()
    assert lines, f"{' '.join(command)} exited with {done.returncode}:\n{done.stderr}"
    report: dict[str, Any] = json.loads(lines[-1])
    return report


def assert_passed(report: dict[str, Any]) -> None:
    """Raise AssertionError if a check failed."""
    failed = {name: outcome for name, outcome in report["checks"].items() if outcome}
    assert report["checks"], "nothing was checked"
    assert not failed, "\n".join(f"{name}:\n{outcome}" for name, outcome in failed.items())
