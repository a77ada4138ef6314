"""Buildspecs: what is read of them, what is refused, and the script that their commands become."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.codebuild.buildspec import BuildspecError, read_buildspec


def run(folder: Path, phases: dict[str, list[str]], shell: str = "sh") -> tuple[int, list[str], str]:
    """Runs a buildspec; returns the exit code, the lines of output, and the command that ran last."""
    spec = {"version": "0.2", "env": {"shell": shell}, "phases": {name: {"commands": c} for name, c in phases.items()}}
    state = folder / "a state"
    script = read_buildspec(yaml.safe_dump(spec)).script(str(state))
    ended = subprocess.run([shell, "-c", script], capture_output=True, text=True)
    return ended.returncode, ended.stdout.splitlines(), state.read_text().strip()


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_the_phases_run_in_order_in_one_shell(tmp_path: Path, shell: str) -> None:
    phases = {
        "post_build": ["echo $CODEBUILD_BUILD_SUCCEEDING"],
        "build": ["cd /", "pwd", "if true; then\n  echo $A\nfi"],
        "install": ["A=1"],
    }
    assert run(tmp_path, phases, shell) == (0, ["/", "1", "1"], "post_build 0")


def test_a_command_that_fails_in_build_ends_the_phase_and_post_build_still_runs(tmp_path: Path) -> None:
    phases = {"build": ["true", "(exit 3)", "echo never"], "post_build": ["echo after $CODEBUILD_BUILD_SUCCEEDING"]}
    assert run(tmp_path, phases) == (3, ["after 0"], "build 1")


@pytest.mark.parametrize("phase", ["install", "pre_build"])
def test_a_command_that_fails_before_build_ends_everything(tmp_path: Path, phase: str) -> None:
    phases = {phase: ["false", "echo never"], "build": ["echo never"], "post_build": ["echo never"]}
    assert run(tmp_path, phases) == (1, [], f"{phase} 0")


def test_json_is_a_buildspec_too() -> None:
    text = '{"version": "0.2", "env": {"variables": {"A": 1}}, "phases": {"build": {"commands": ["true"]}}}'
    buildspec = read_buildspec(text)
    assert (buildspec.shell, buildspec.variables, buildspec.commands) == ("sh", {"A": "1"}, {"build": ["true"]})


def spec(**parts: Any) -> dict[str, Any]:
    return {"version": "0.2", "phases": {"build": {"commands": ["true"]}}, **parts}


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ("a: [", "while parsing a flow node"),
        ([1], "Expected a map"),
        (spec(version="0.1"), "version 0.1: the emulated CodeBuild has 0.2"),
        (spec(artifacts={}), "the emulated CodeBuild has no artifacts"),
        (spec(env={"secrets-manager": {}}), "the emulated CodeBuild has no env.secrets-manager"),
        (spec(env={"shell": "powershell.exe"}), "env.shell powershell.exe: must be one of sh, bash"),
        (spec(phases={"deploy": {}}), "the emulated CodeBuild has no phases.deploy"),
        (spec(phases={"build": {"finally": []}}), "the emulated CodeBuild has no phases.build.finally"),
        (spec(phases={"build": {"commands": []}}), "At least one build phase requires commands"),
    ],
)
def test_anything_else_is_refused(found: Any, message: str) -> None:
    text = found if isinstance(found, str) else yaml.safe_dump(found)
    with pytest.raises(BuildspecError) as caught:
        read_buildspec(text)
    assert str(caught.value).startswith("YAML_FILE_ERROR Message: ")
    assert message in str(caught.value)
