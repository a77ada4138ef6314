"""Tries a wheel in an environment of its own, with given versions of what it depends on."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.release.quiet import tail

ROOT = Path(__file__).resolve().parents[2]

_EXAMPLE = ROOT / "examples" / "support_assistant"
_UNREACHABLE = re.compile(
    r"Failed to fetch|error sending request|dns error|client error \(Connect\)|operation timed out"
)


class UnreachableError(Exception):
    """The package index does not answer."""


class TrialError(Exception):
    """The wheel does not work with these versions; the message says where, and the end of what was printed."""


@dataclass(frozen=True, slots=True)
class Trial:
    """An environment with a wheel.

    Args:
        home: Its folder; created.
        wheel: The wheel.
    """

    home: Path
    wheel: Path

    @property
    def python(self) -> Path:
        """The interpreter of the environment."""
        return self.home / "venv" / "bin" / "python"

    def install(self, *requirements: str, ignore_ranges: bool = False) -> dict[str, str]:
        """Install the wheel with its command line.

        Args:
            requirements: Versions, such as `aws-cdk-lib==2.275.0`. What is not named is the newest that the wheel
                takes.
            ignore_ranges: Whether versions outside of the ranges that the wheel declares are installed too. Then
                what the requirements need is in its lowest version where they say nothing.

        Returns:
            The versions that were installed, by name.

        Raises:
            UnreachableError: The package index does not answer.
            TrialError: These versions cannot be installed together.
        """
        if not self.python.exists():
            self._uv("venv", "--quiet", "--python", sys.executable, str(self.home / "venv"))
        if ignore_ranges:
            self._pip("--resolution", "lowest-direct", *requirements, "constructs", "rich>=14.3.4,<15")
            self._pip("--no-deps", "--reinstall-package", "tgi-endpoint-cdk", str(self.wheel))
        else:
            self._pip(f"{self.wheel}[cli]", *requirements)
        listed = self._uv("pip", "list", "--python", str(self.python), "--format", "json")
        return {each["name"]: each["version"] for each in json.loads(listed)}

    def run(self) -> None:
        """Import every public name, use the command line, and synthesize an app and each way to use the constructs.

        Raises:
            TrialError: One of them failed, or the CDK warned of the app's template.
        """
        work = self.home / "work"
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(_EXAMPLE, work / "app")
        # What the probe needs of the checkout, without the library itself.
        for name in ("__init__.py", "logical_ids", "release"):
            _copy(ROOT / "scripts" / name, work / "scripts" / name)
        shutil.copy(ROOT / "tests" / "update_safety" / "logical_ids.json", work / "logical_ids.json")
        self._step("the public names, and a stack for each way to use them", work, "-m", "scripts.release.probe")
        plan = ["-m", "constructs_lib", "plan", "--model", "tiiuae/falcon-7b", "--instance", "ml.g5.xlarge"]
        self._step("tgi-endpoint plan", work, *plan)
        said = self._step("the app of examples/support_assistant", work / "app", "app.py", CDK_OUTDIR="cdk.out")
        if "WARNING" in said:
            raise TrialError(f"the app of examples/support_assistant: the CDK warns of its template\n{tail(said)}")

    def _step(self, what: str, folder: Path, *command: str, **environment: str) -> str:
        inherited = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "VIRTUAL_ENV"}}
        # jsii starts Node, which the environment of the checkout has.
        inherited["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), inherited.get("PATH", "")])
        done = subprocess.run(
            [str(self.python), *command],
            cwd=folder,
            env=inherited | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise TrialError(f"{what}: ended with {done.returncode}\n{tail(done.stdout)}")
        return done.stdout

    def _pip(self, *arguments: str) -> None:
        self._uv("pip", "install", "--quiet", "--python", str(self.python), *arguments)

    def _uv(self, *arguments: str) -> str:
        done = subprocess.run([sys.executable, "-m", "uv", *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            failure = UnreachableError if _UNREACHABLE.search(done.stderr) else TrialError
            raise failure(f"uv {' '.join(arguments)}\n{tail(done.stderr)}")
        return done.stdout


def supported(wheel: Path, home: Path, requirements: Sequence[str] = ()) -> dict[str, str]:
    """Try a wheel with what it declares.

    Args:
        wheel: The wheel.
        home: The folder of its environment.
        requirements: The versions to try. Default: the newest that it takes.

    Returns:
        The versions that it was tried with, by name.

    Raises:
        UnreachableError: The package index does not answer.
        TrialError: It does not work.
    """
    trial = Trial(home, wheel)
    installed = trial.install(*requirements)
    trial.run()
    return installed


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
