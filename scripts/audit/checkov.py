"""checkov over templates, in an environment of its own and without the network."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from scripts.audit.findings import Finding

SUFFIX = ".template.json"


class CheckovError(Exception):
    """checkov did not check what it was given."""


def run_checkov(program: Path, templates: Mapping[str, Any]) -> list[Finding]:
    """What checkov finds.

    Args:
        program: The command `checkov`.
        templates: The templates by stack name.

    Raises:
        CheckovError: It failed, or could not read a template; the message has its output.
    """
    with TemporaryDirectory() as folder:
        for name, template in templates.items():
            Path(folder, f"{name}{SUFFIX}").write_text(json.dumps(template), encoding="utf-8")
        # It fetches descriptions of its checks unless it is told not to, and keeps files in the home directory.
        options = ["--framework", "cloudformation", "--skip-download", "--compact", "--quiet", "--output", "json"]
        done = subprocess.run(
            [program, "--directory", folder, *options],
            env=os.environ | {"HOME": folder, "LOG_LEVEL": "ERROR"},
            capture_output=True,
            text=True,
            check=False,
        )
    # 1 if there are findings.
    if done.returncode not in (0, 1) or not done.stdout.strip():
        raise CheckovError(f"checkov ended with {done.returncode}: {done.stderr[-2000:]}")
    report = json.loads(done.stdout)
    if report["summary"]["parsing_errors"] or not report["summary"]["passed"]:
        raise CheckovError(f"checkov could not read every template: {report['summary']}")
    return sorted(read_report(report))


def read_report(report: Mapping[str, Any]) -> Iterator[Finding]:
    """The findings in checkov's report."""
    for failed in report["results"]["failed_checks"]:
        resource_type, _, logical_id = failed["resource"].rpartition(".")
        stack = Path(failed["file_path"]).name.removesuffix(SUFFIX)
        yield Finding(stack, failed["check_id"], resource_type, logical_id)
