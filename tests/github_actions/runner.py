"""Runs the shell steps of a job as GitHub's runner does, and stands in for the actions between them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.github_actions.workflows import EXAMPLE, ROOT, jobs

SECONDS = 280


@dataclass
class Runner:
    """A machine on which a job runs.

    Args:
        workspace: The clone of the repository.
        home: A folder for what the runner keeps.
        environment: The variables of every step.
        expressions: The values of expressions, `${{ … }}` without the braces; another one is an error.
        artifacts: Where artifacts are, also those of other jobs.

    Attributes:
        outcomes: `success`, `failure` or `skipped` of each step by its name.
        output: What the steps have printed.
    """

    workspace: Path
    home: Path
    environment: Mapping[str, str]
    expressions: dict[str, str]
    artifacts: Path
    before: Mapping[str, Callable[[], None]] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    output: str = ""

    def run(self, file: str, job: str) -> bool:
        """Runs the steps of a job; returns whether all succeeded."""
        self.home.mkdir(parents=True, exist_ok=True)
        for step in jobs(EXAMPLE / ".github" / "workflows" / file)[job]["steps"]:
            name = step.get("name") or step["uses"]
            if not self._is_due(step.get("if")):
                self.outcomes[name] = "skipped"
                continue
            self.before.get(name, lambda: None)()
            succeeds = self._use(step) if "uses" in step else self._shell(step)
            self.outcomes[name] = "success" if succeeds else "failure"
            if "id" in step:
                self._keep(step["id"], self.outcomes[name])
        return "failure" not in self.outcomes.values()

    @property
    def summary(self) -> str:
        """The summary of the job."""
        file = self.home / "summary"
        return file.read_text(encoding="utf-8") if file.exists() else ""

    def _is_due(self, condition: str | None) -> bool:
        """Whether a step runs: a condition is a conjunction of comparisons and `failure()`."""
        failed = "failure" in self.outcomes.values()
        parts = [] if condition is None else condition.split(" && ")
        if "failure()" in parts:
            parts.remove("failure()")
        else:
            failed = not failed
        return failed and all(map(self._holds, parts))

    def _holds(self, comparison: str) -> bool:
        left, operator, right = re.fullmatch(r"(\S+) (==|!=) '(.*)'", comparison).groups()  # type: ignore[union-attr]
        return (self.expressions.get(left, "") == right) is (operator == "==")

    def _keep(self, id: str, outcome: str) -> None:
        self.expressions[f"steps.{id}.outcome"] = outcome
        file = self.home / "output"
        for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
            name, _, value = line.partition("=")
            self.expressions[f"steps.{id}.outputs.{name}"] = value
        file.unlink(missing_ok=True)

    def _value(self, text: Any) -> str:
        return re.sub(r"\$\{\{ (.+?) \}\}", lambda found: self.expressions[found[1]], str(text))

    def _shell(self, step: dict[str, Any]) -> bool:
        script = self.home / "script.sh"
        script.write_text(step["run"], encoding="utf-8")
        files = {"GITHUB_STEP_SUMMARY": self.home / "summary", "GITHUB_OUTPUT": self.home / "output"}
        own = {name: self._value(value) for name, value in step.get("env", {}).items()}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.workspace / step.get("working-directory", "."),
            env={**self.environment, **{name: str(path) for name, path in files.items()}, **own},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
        )
        self.output += f"## {step.get('name')}: {done.returncode}\n{done.stdout}"
        return done.returncode == 0

    def _use(self, step: dict[str, Any]) -> bool:
        action = step["uses"].partition("@")[0]
        given = {name: self._value(value) for name, value in step.get("with", {}).items()}
        return bool(_ACTIONS[action](self, given))

    def _set_up(self, given: Mapping[str, str]) -> bool:
        set_up(self.workspace / given.get("folder", "."))
        return True

    def _upload(self, given: Mapping[str, str]) -> bool:
        """Keeps files as an artifact: without permissions, and with the folders below what they have in common."""
        target = self.artifacts / given["name"]
        shutil.rmtree(target, ignore_errors=True)
        for path in given["path"].split():
            source = self.workspace / path
            if source.is_dir():
                shutil.copytree(source, target / path, copy_function=shutil.copyfile)
            else:
                target.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target / path)
        return True

    def _download(self, given: Mapping[str, str]) -> bool:
        source = self.artifacts / given.get("run-id", "") / given["name"]
        shutil.copytree(source, self.workspace / given.get("path", "."), dirs_exist_ok=True)
        return True

    def _nothing(self, _given: Mapping[str, str]) -> bool:
        return True


_ACTIONS: dict[str, Callable[[Runner, Mapping[str, str]], bool]] = {
    "actions/checkout": Runner._nothing,
    "actions/upload-artifact": Runner._upload,
    "actions/download-artifact": Runner._download,
    "aws-actions/configure-aws-credentials": Runner._nothing,
    "./.github/actions/setup": Runner._set_up,
}


def set_up(folder: Path) -> None:
    """What the example's own action installs into a folder, from this clone."""
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name, arguments in {"python": "", "python3": "", "tgi-endpoint": " -m constructs_lib"}.items():
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec {sys.executable}{arguments} "$@"\n', encoding="utf-8")
        program.chmod(0o755)
    (folder / "node_modules").symlink_to(ROOT / "node_modules")


def git(folder: Path, *arguments: str) -> str:
    """Runs git in a folder, without the configuration of whoever runs the test."""
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    identity = ["-c", "user.name=Octo", "-c", "user.email=octo@example.com", "-c", "init.defaultBranch=main"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()


def new_repository(folder: Path) -> None:
    """A repository of its own with the example in its first commit."""
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".venv", "node_modules", "cdk.out", "__pycache__"))
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Serve Qwen")
