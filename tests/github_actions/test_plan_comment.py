"""The comment on a pull request: what it has, what it folds, and that GitHub takes it."""

from __future__ import annotations

import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.github_actions.workflows import EXAMPLE

SCRIPT = EXAMPLE / "ci" / "plan_comment.py"
COST = "**The instances cost 1,902 USD a month more.**\n\n| stack |\n"


@pytest.fixture(scope="module")
def module() -> dict[str, Any]:
    return runpy.run_path(str(SCRIPT))


@pytest.fixture
def comment(module: dict[str, Any]) -> Callable[..., str]:
    found: Callable[..., str] = module["comment"]
    return found


def test_it_begins_with_what_finds_it_again_and_the_price(comment: Callable[..., str]) -> None:
    lines = comment(COST, "STACK\n", "no differences").splitlines()
    assert lines[:4] == [
        "<!-- plan of the endpoints -->",
        "",
        "## Endpoints",
        "",
    ]
    assert lines[4] == "**The instances cost 1,902 USD a month more.**"


def test_plan_and_difference_are_folded(comment: Callable[..., str]) -> None:
    assert comment("free", "a plan\n", "a\ndifference\n").endswith(
        """
<details><summary>Plan</summary>

```
a plan
```
</details>

<details><summary>Difference to what is deployed</summary>

```
a
difference
```
</details>
"""
    )


def test_a_fork_gets_a_sentence_in_the_place_of_the_difference(comment: Callable[..., str]) -> None:
    text = comment(COST, "plan", None)
    assert text.endswith("Not compared with what is deployed: that requires a branch of this repository.\n")
    assert "Difference" not in text


def test_a_difference_cannot_end_its_block(comment: Callable[..., str]) -> None:
    text = comment(COST, "plan", "```\n# A heading of the attacker\n`````\n")
    assert "\n``````\n```\n# A heading of the attacker\n`````\n``````\n" in text


@pytest.mark.parametrize("length", [65_000, 65_536, 2_000_000])
@pytest.mark.parametrize("character", ["x", "é", "`"])
def test_github_takes_every_comment(length: int, character: str, comment: Callable[..., str]) -> None:
    line = character * 99 + "\n"
    text = comment(COST, "plan", line * (length // 100))
    assert len(text) <= 65_536
    if length > 65_536:
        assert "\n… cut here: the log of the job has all of it.\n" in text
    assert text.endswith("</details>\n")


def test_an_empty_difference_is_no_error(comment: Callable[..., str]) -> None:
    assert "```\n\n```" in comment(COST, "plan", "")


def test_the_command_reads_the_files(tmp_path: Path) -> None:
    names = {"cost": "free 🙂", "plan": "a plan", "diff": "a difference"}
    command = [sys.executable, str(SCRIPT)]
    for name, text in names.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        command += [f"--{name}", str(tmp_path / name)]
    outcome = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert all(text in outcome.stdout for text in names.values())
