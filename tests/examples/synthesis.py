"""Synthesizes examples as `cdk synth` does."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.examples.catalogue import ROOT, Example


def synthesize(example: Example, folder: Path, **context: str) -> Path:
    """The cloud assembly of an example for any account and Region, in `folder`.

    Raises:
        subprocess.CalledProcessError: The app ended with an error, which is its `stderr`.
    """
    settings: dict[str, Any] = json.loads((example.folder / "cdk.json").read_text(encoding="utf-8"))
    _, program = shlex.split(settings["app"])
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
    assembly = folder / "cdk.out"
    environment = {
        **clean,
        "PYTHONPATH": str(ROOT),
        "CDK_OUTDIR": str(assembly),
        "CDK_CONTEXT_JSON": json.dumps(settings.get("context", {}) | context),
    }
    command = [sys.executable, program]
    subprocess.run(command, cwd=example.folder, env=environment, check=True, capture_output=True, text=True)
    return assembly


def templates(assembly: Path) -> dict[str, str]:
    """The templates of an assembly by stack name."""
    return {path.name.partition(".")[0]: path.read_text() for path in sorted(assembly.glob("*.template.json"))}


def warnings(assembly: Path) -> list[str]:
    """The warnings of the synthesis."""
    metadata = [json.loads(path.read_text()) for path in assembly.glob("*.metadata.json")]
    entries = [entry for each in metadata for found in each.values() for entry in found]
    return [entry["data"] for entry in entries if entry["type"] == "aws:cdk:warning"]
