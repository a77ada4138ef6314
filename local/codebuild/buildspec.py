"""Reads buildspecs, and makes a shell script of their commands.

What the emulated CodeBuild does not have is an error, so that nothing of a buildspec is left out unnoticed.

Source: https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PHASES = ("install", "pre_build", "build", "post_build")
SHELLS = {"sh": "sh", "bash": "bash", "/bin/sh": "sh", "/bin/bash": "bash"}
# The image has several versions of Python; here there is the one that runs all of this.
_IGNORED = "runtime-versions"


class BuildspecError(ValueError):
    """A buildspec cannot be run; the message is the one of a build's phase."""


@dataclass(frozen=True, slots=True)
class Buildspec:
    """A buildspec: the shell, its environment variables, and the commands of each phase."""

    shell: str
    variables: Mapping[str, str]
    commands: Mapping[str, Sequence[str]]

    def script(self, state: str) -> str:
        """A script that runs the commands in one shell, and ends with the exit code of the first that fails.

        `post_build` runs even if `build` has failed.

        Args:
            state: The file that has phase and number of the command that runs.
        """
        lines = ["built=0"]
        for phase in PHASES:
            for number, command in enumerate(self.commands.get(phase, ())):
                note = f"echo {phase} {number} > {shlex.quote(state)}"
                if phase == "build":
                    lines += ["if [ $built -eq 0 ]; then", note, command, "built=$?", "fi"]
                else:
                    lines += [note, command, "code=$?", "if [ $code -ne 0 ]; then exit $code; fi"]
            if phase == "build":
                lines += ["export CODEBUILD_BUILD_SUCCEEDING=$(( built == 0 ? 1 : 0 ))"]
                lines += [f"failed=$(cat {shlex.quote(state)} 2>/dev/null)"]
        lines += ["if [ $built -ne 0 ]; then", f'echo "$failed" > {shlex.quote(state)}', "fi", "exit $built"]
        return "\n".join(lines) + "\n"


def read_buildspec(text: str) -> Buildspec:
    """Reads a buildspec.

    Raises:
        BuildspecError: It is none, or has what the emulated CodeBuild does not have.
    """
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BuildspecError(f"YAML_FILE_ERROR Message: {error}") from error
    if not isinstance(found, dict):
        raise BuildspecError("YAML_FILE_ERROR Message: Expected a map")
    if str(found.get("version")) != "0.2":
        raise BuildspecError(f"YAML_FILE_ERROR Message: version {found.get('version')}: the emulated CodeBuild has 0.2")
    _allow(found, "", ("version", "env", "phases"))
    environment = found.get("env") or {}
    _allow(environment, "env.", ("variables", "shell"))
    shell = str(environment.get("shell", "sh"))
    if shell not in SHELLS:
        raise BuildspecError(f"YAML_FILE_ERROR Message: env.shell {shell}: must be one of {', '.join(SHELLS)}")
    phases = found.get("phases") or {}
    _allow(phases, "phases.", PHASES)
    commands = {}
    for name, phase in phases.items():
        _allow(phase, f"phases.{name}.", ("commands", _IGNORED))
        commands[name] = [str(command) for command in phase.get("commands", ())]
    if not any(commands.values()):
        raise BuildspecError("YAML_FILE_ERROR Message: At least one build phase requires commands")
    variables = {name: str(value) for name, value in (environment.get("variables") or {}).items()}
    return Buildspec(SHELLS[shell], variables, commands)


def _allow(found: Mapping[str, Any], path: str, names: Sequence[str]) -> None:
    for name in found:
        if name not in names:
            raise BuildspecError(f"YAML_FILE_ERROR Message: the emulated CodeBuild has no {path}{name}")
