"""The workflows of the example and of this repository, as data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "github-actions"
FOLDERS = [each for each in (EXAMPLE / ".github", ROOT / ".github") if each.is_dir()]
WORKFLOWS = [path for folder in FOLDERS for path in sorted((folder / "workflows").glob("*.yml"))]
ACTIONS = [path for folder in FOLDERS for path in sorted((folder / "actions").glob("*/action.yml"))]


@dataclass(frozen=True)
class Step:
    """A step of a job, or of an action.

    Args:
        file: Where it is.
        job: The name of its job; empty for a step of an action.
        step: What YAML has of it.
    """

    file: Path
    job: str
    step: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.step.get("name") or self.step.get("uses"))

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.job}:{self.name}"


def load(file: Path) -> dict[str, Any]:
    """A workflow or an action; the key `on`, which YAML reads as true, is a string."""
    found: dict[Any, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return {"on" if key is True else str(key): value for key, value in found.items()}


def jobs(file: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = load(file)["jobs"]
    return found


def steps() -> Iterator[Step]:
    """All steps."""
    for file in WORKFLOWS:
        for name, job in jobs(file).items():
            for step in job.get("steps", ()):
                yield Step(file, name, step)
    for file in ACTIONS:
        for step in load(file)["runs"]["steps"]:
            yield Step(file, "", step)


def uses() -> Iterator[tuple[Path, str]]:
    """The lines that name an action or a workflow, with their comments."""
    for file in [*WORKFLOWS, *ACTIONS]:
        for line in file.read_text(encoding="utf-8").splitlines():
            _, found, rest = line.partition("uses: ")
            if found:
                yield file, rest.strip()
