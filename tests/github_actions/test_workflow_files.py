"""The workflows are valid, pin what they use, ask for few permissions, and their shell is the shell's."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.github_actions.workflows import ACTIONS, EXAMPLE, FOLDERS, ROOT, WORKFLOWS, Step, jobs, load, steps, uses

# Read from the repositories on 2026-11-30: the commit that each tag names.
PINNED = {
    "actions/cache": ("27d5ce7f107fe9357f9df03efb73ab90386fccae", "v5.0.5"),
    "actions/checkout": ("3d3c42e5aac5ba805825da76410c181273ba90b1", "v7.0.1"),
    "actions/download-artifact": ("3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c", "v8.0.1"),
    "actions/setup-node": ("820762786026740c76f36085b0efc47a31fe5020", "v7.0.0"),
    "actions/setup-python": ("5fda3b95a4ea91299a34e894583c3862153e4b97", "v7.0.0"),
    "actions/upload-artifact": ("bbbca2ddaa5d8feaa63e36b76fdaad77386f024f", "v7.0.0"),
    "aws-actions/configure-aws-credentials": ("e6de054238d6b7531b4efff3b6587d9aade6a06c", "v6.2.3"),
}
SHELL = [each for each in steps() if "run" in each.step]


def check(schema: str, *files: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True)


def test_there_are_workflows_to_test() -> None:
    names = {path.name for path in WORKFLOWS}
    assert {"pull-request.yml", "deploy.yml", "deploy-assembly.yml"} <= names
    assert len(SHELL) > 10


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.github-workflows", WORKFLOWS),
        ("vendor.github-actions", ACTIONS),
        ("vendor.dependabot", [folder / "dependabot.yml" for folder in FOLDERS]),
    ],
    ids=["workflows", "actions", "dependabot"],
)
def test_they_are_as_the_published_schema_says(schema: str, files: list[Path]) -> None:
    outcome = check(schema, *files)
    assert outcome.returncode == 0, outcome.stdout


def test_the_schema_finds_a_wrong_workflow(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yml"
    text = (EXAMPLE / ".github/workflows/deploy.yml").read_text(encoding="utf-8")
    wrong.write_text(text.replace("runs-on:", "run-on:"), encoding="utf-8")
    assert check("vendor.github-workflows", wrong).returncode == 1


@pytest.mark.parametrize(("file", "line"), list(uses()), ids=lambda value: getattr(value, "name", value))
def test_an_action_is_pinned_to_the_commit_of_its_version(file: Path, line: str) -> None:
    if line.startswith("./"):
        target = file.parents[2 if file in WORKFLOWS else 3] / line.removeprefix("./")
        assert (target / "action.yml").is_file() or target.is_file()
        return
    action, commit, version = re.fullmatch(r"(\S+)@([0-9a-f]{40}) # (v[\d.]+)", line).groups()  # type: ignore[union-attr]
    assert (commit, version) == PINNED[action]


@pytest.mark.parametrize("step", SHELL, ids=str)
def test_bash_parses_the_step(step: Step) -> None:
    outcome = subprocess.run(["bash", "-n"], input=step.step["run"], capture_output=True, text=True)
    assert (outcome.returncode, outcome.stderr) == (0, "")


@pytest.mark.parametrize("step", SHELL, ids=str)
def test_a_step_takes_values_from_its_environment_and_not_into_its_text(step: Step) -> None:
    """A title or a branch could otherwise be a command."""
    assert "${{" not in step.step["run"]


@pytest.mark.parametrize("step", SHELL, ids=str)
def test_a_step_is_short(step: Step) -> None:
    """What is longer is a script in ci/ that has tests."""
    assert len(step.step["run"].strip().splitlines()) <= 5


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda path: path.name)
def test_a_failing_command_in_a_pipe_fails_the_step(file: Path) -> None:
    """GitHub's own default is bash without pipefail."""
    assert load(file)["defaults"] == {"run": {"shell": "bash"}}


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_has_no_permission_that_no_job_names(file: Path) -> None:
    assert load(file)["permissions"] == {}
    for name, job in jobs(file).items():
        assert set(job["permissions"].values()) <= {"read", "write"}, name


def permissions(file: str) -> dict[str, Any]:
    return {name: job["permissions"] for name, job in jobs(EXAMPLE / ".github/workflows" / file).items()}


def test_only_what_assumes_a_role_may_ask_for_a_token() -> None:
    deploys = {"actions": "read", "contents": "read", "id-token": "write"}
    reads = {"contents": "read"}
    assert permissions("deploy-assembly.yml") == {"deploy": deploys}
    assert permissions("deploy.yml") == {"build": reads, "staging": deploys, "production": deploys}
    comments = {"contents": "read", "id-token": "write", "pull-requests": "write"}
    assert permissions("pull-request.yml") == {"plan": reads, "comment": comments}


def test_the_code_of_a_pull_request_never_meets_credentials() -> None:
    """The job with a role checks out the base, and gets the assembly as files in a folder of their own."""
    plan, comment = jobs(EXAMPLE / ".github/workflows/pull-request.yml").values()
    assert "id-token" not in plan["permissions"]
    assert comment["if"] == "github.event.pull_request.head.repo.full_name == github.repository"
    checkout, _, download, *_ = comment["steps"]
    assert checkout["with"]["ref"] == "${{ github.event.pull_request.base.sha }}"
    assert download["with"] == {"name": "plan", "path": "change"}
    assert "synth" not in json.dumps(comment)


def test_no_token_is_left_in_the_clone() -> None:
    checkouts = [each for each in steps() if each.name.startswith("actions/checkout")]
    assert len(checkouts) >= 4
    assert [str(each) for each in checkouts if each.step["with"]["persist-credentials"] is not False] == []


def test_no_key_is_stored() -> None:
    """Nothing but the job's own token is secret."""
    for file in [*WORKFLOWS, *ACTIONS]:
        assert "secrets." not in file.read_text(encoding="utf-8"), file.name


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda path: path.name)
def test_a_job_ends_and_two_runs_do_not_meet(file: Path) -> None:
    runs = [job for job in jobs(file).values() if "steps" in job]
    assert all(job["timeout-minutes"] <= 240 for job in runs)
    # A called workflow belongs to the group of its caller.
    assert ("concurrency" in load(file)) is ("workflow_call" not in load(file)["on"])


def test_a_deployment_is_never_cancelled_in_the_middle() -> None:
    assert load(EXAMPLE / ".github/workflows/deploy.yml")["concurrency"] == {
        "group": "deploy",
        "cancel-in-progress": False,
    }


def test_production_waits_for_staging_and_both_get_what_was_built_once() -> None:
    build, staging, production = jobs(EXAMPLE / ".github/workflows/deploy.yml").values()
    assert (staging["needs"], production["needs"]) == ("build", "staging")
    assert staging["uses"] == production["uses"] == "./.github/workflows/deploy-assembly.yml"
    assert sum("synth" in json.dumps(job) for job in (build, staging, production)) == 1
    (deploy,) = jobs(EXAMPLE / ".github/workflows/deploy-assembly.yml").values()
    assert deploy["environment"] == "${{ inputs.environment }}"
    assert "cdk synth" not in json.dumps(deploy)


def test_the_cdk_is_the_one_that_this_repository_is_tested_with() -> None:
    for name in ("package.json", "package-lock.json"):
        ours, theirs = (json.loads((folder / name).read_text(encoding="utf-8")) for folder in (ROOT, EXAMPLE))
        # Only the documentation site of this repository needs it.
        packages = ours.get("packages", {"": ours})
        del packages[""]["devDependencies"]["iframe-worker"]
        packages.pop("node_modules/iframe-worker", None)
        for tree in (ours, theirs):
            tree.pop("name")
            tree.pop("description", None)
            tree.get("packages", {}).get("", {}).pop("name", None)
        assert theirs == ours


def test_the_library_is_tested_on_each_python_from_the_lowest_that_it_requires() -> None:
    unit = jobs(ROOT / ".github/workflows/library.yml")["unit"]
    assert unit["strategy"]["matrix"] == {"python": ["3.11", "3.12", "3.13", "3.14"]}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == ">=3.11"


def test_what_the_librarys_workflow_makes_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    matrix = jobs(ROOT / ".github/workflows/library.yml")["test"]["strategy"]["matrix"]["target"]
    for target in ["unit", "check", *matrix]:
        assert f"\n{target}: " in makefile
