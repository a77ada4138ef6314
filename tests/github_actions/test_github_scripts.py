"""The scripts that talk to GitHub: one comment that is changed, and the run to go back to."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.github_actions.github_api import GitHub
from tests.github_actions.workflows import EXAMPLE

BOT = "github-actions[bot]"
MARKER = "<!-- plan of the endpoints -->"


@pytest.fixture
def github() -> Iterator[GitHub]:
    with GitHub() as found:
        yield found


def run(github: GitHub, script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, f"ci/{script}", *arguments]
    inherited = {**os.environ, **github.environment, **environment}
    return subprocess.run(command, cwd=EXAMPLE, env=inherited, capture_output=True, text=True)


def post(github: GitHub, folder: Path, text: str, number: str = "7") -> subprocess.CompletedProcess[str]:
    file = folder / "comment.md"
    file.write_text(text, encoding="utf-8")
    return run(github, "post_comment.py", number, str(file))


def bodies(github: GitHub) -> list[str]:
    return [each["body"] for each in github.comments.get(7, [])]


def test_the_first_comment_is_new_and_the_next_one_changes_it(github: GitHub, tmp_path: Path) -> None:
    first = post(github, tmp_path, f"{MARKER}\none 🙂")
    second = post(github, tmp_path, f"{MARKER}\ntwo")
    assert bodies(github) == [f"{MARKER}\ntwo"]
    assert first.stdout == second.stdout == "https://github.com/octo-org/octo-repo/pull/7#issuecomment-1\n"


def test_comments_of_others_are_left_alone_also_if_they_begin_alike(github: GitHub, tmp_path: Path) -> None:
    github.comment(7, f"{MARKER}\nI am not the plan.", "somebody")
    github.comment(7, "Tests passed.", BOT)
    post(github, tmp_path, f"{MARKER}\nplan")
    assert bodies(github) == [f"{MARKER}\nI am not the plan.", "Tests passed.", f"{MARKER}\nplan"]


def test_the_comment_is_found_behind_hundreds(github: GitHub, tmp_path: Path) -> None:
    for number in range(250):
        github.comment(7, f"Discussion {number}", "somebody")
    ours = github.comment(7, f"{MARKER}\nold", BOT)
    post(github, tmp_path, f"{MARKER}\nnew")
    assert ours["body"] == f"{MARKER}\nnew"
    assert len(bodies(github)) == 251


def test_a_token_without_the_permission_is_said_and_fails_the_step(github: GitHub, tmp_path: Path) -> None:
    github.refuses = 403
    outcome = post(github, tmp_path, f"{MARKER}\nplan")
    assert outcome.returncode == 1
    message = 'GET /issues/7/comments?per_page=100&page=1: 403 {"message": "Resource not accessible by integration"}\n'
    assert outcome.stderr == message


def test_a_github_that_does_not_answer_is_said_and_fails_the_step(github: GitHub) -> None:
    outcome = run(github, "last_good_run.py", "deploy.yml", "main", GITHUB_API_URL="http://127.0.0.1:9")
    assert outcome.returncode == 1
    assert outcome.stderr.endswith("Connection refused>\n")
    assert "Traceback" not in outcome.stderr


def add_run(github: GitHub, number: int, *expired: bool) -> None:
    url = f"https://github.com/octo-org/octo-repo/actions/runs/{number}"
    github.runs.append({"id": number, "head_sha": f"{number:040x}", "html_url": url})
    github.artifacts[number] = [{"name": "assembly", "expired": each} for each in expired]


def test_the_newest_run_that_still_has_its_assembly_is_the_one_to_go_back_to(github: GitHub) -> None:
    add_run(github, 30)
    add_run(github, 20, True)
    add_run(github, 10, False)
    add_run(github, 5, False)
    outcome = run(github, "last_good_run.py", "deploy.yml", "main")
    assert (outcome.returncode, outcome.stdout) == (0, "10\n")
    url = "https://github.com/octo-org/octo-repo/actions/runs/10"
    assert outcome.stderr == f"A rollback would deploy the assembly of {url} (000000000).\n"
    assert github.queries[0] == "branch=main&status=success&per_page=100&page=1"
    assert github.queries[1] == "name=assembly&per_page=100&page=1"


@pytest.mark.parametrize("expired", [None, True])
def test_without_one_the_step_says_so_and_prints_nothing(github: GitHub, expired: bool | None) -> None:
    if expired is not None:
        add_run(github, 20, expired)
    outcome = run(github, "last_good_run.py", "deploy.yml", "main")
    assert (outcome.returncode, outcome.stdout) == (0, "")
    message = "There is no assembly to roll back to: none was deployed, or it is no longer kept.\n"
    assert outcome.stderr == message
