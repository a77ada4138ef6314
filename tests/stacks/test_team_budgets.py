"""examples/team_budgets: its template is valid, cdk-nag has nothing to say about it, and its teams get what it says."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App

from scripts.lint_templates import lint_template
from tests.stacks.test_app import findings

EXAMPLE = Path(__file__).resolve().parent.parent.parent / "examples" / "team_budgets"


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("assembly")
    environment = {**os.environ, "CDK_OUTDIR": str(folder), "PYTHONPATH": str(EXAMPLE.parents[1])}
    subprocess.run([sys.executable, "app.py"], cwd=EXAMPLE, env=environment, check=True)
    return folder


def template(assembly: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((assembly / "TeamBudgets.template.json").read_text(encoding="utf-8"))
    return found


def test_cloudformation_takes_the_template(assembly: Path) -> None:
    found = lint_template(json.dumps(template(assembly)), ["us-east-1", "eu-central-1"])
    assert [f"{each.rule.id} {each.path}: {each.message}" for each in found] == []


def test_cdk_nag_has_no_open_finding() -> None:
    app: App = runpy.run_path(str(EXAMPLE / "app.py"))["app"]
    assert {rule for rule, _ in findings(app)} == set()


def test_each_team_may_use_what_the_example_says(assembly: Path) -> None:
    (file,) = assembly.glob("asset.*/front_door/callers.json")
    told = json.loads(file.read_text(encoding="utf-8"))
    assert told["on_store_failure"] == "closed"
    teams = {
        name: {key: value for key, value in each.items() if key != "keys"} for name, each in told["consumers"].items()
    }
    assert teams == {
        "search": {"tokens_per_minute": 60_000, "tokens_per_month": 200_000_000, "concurrent_streams": 16},
        "newsletter": {"models": ["small"], "tokens_per_day": 3_000_000, "concurrent_streams": 4},
        "trials": {"models": ["small"], "tokens_per_minute": 10_000, "tokens_per_day": 100_000},
    }
    assert [len(each["keys"]) for each in told["consumers"].values()] == [2, 1, 1]
