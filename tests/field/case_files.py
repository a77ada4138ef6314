"""Reads the cases, and refuses what is not one: a misspelt key would make a case pass whatever happens."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from tests.field import door, facts, memory, plan, synth

FOLDER = Path(__file__).parent / "cases"
RUNNERS = {
    "synth": synth.deviations,
    "facts": facts.deviations,
    "plan": plan.deviations,
    "memory": memory.deviations,
    "door": door.deviations,
}
_DEFINITIONS = json.loads((Path(__file__).parent / "schema.json").read_text(encoding="utf-8"))["$defs"]


@dataclass(frozen=True)
class Case:
    """One report.

    Attributes:
        field: The class of faults that it belongs to: the name of its file.
        row: What the file says.
    """

    field: str
    row: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.row["id"])

    @property
    def pending(self) -> str | None:
        """Why it has to fail: it does not pass yet, or nobody can explain what was reported."""
        return self.row.get("pending") or self.row.get("outlier")

    def deviations(self) -> list[str]:
        """How the answer of this library differs from the right one; empty if it does not."""
        return RUNNERS[self.row["kind"]](self.row)


def read_cases() -> list[Case]:
    """Every case, in the order of the files.

    Raises:
        ValueError: Something in the files is not a case; the error names all of it.
    """
    cases = [Case(path.stem, row) for path in sorted(FOLDER.glob("*.json")) for row in json.loads(path.read_text())]
    problems = [f"{case.field}.json: {problem}" for case in cases for problem in case_problems(case.row)]
    ids = [str(case.row.get("id")) for case in cases]
    problems += [f"{name} is there twice" for name in sorted({name for name in ids if ids.count(name) > 1})]
    if problems:
        raise ValueError("\n".join(problems))
    return cases


def case_problems(row: dict[str, Any]) -> list[str]:
    """What is wrong with a row, against the part of schema.json that its kind names."""
    name, kind = row.get("id"), row.get("kind")
    if kind not in RUNNERS:
        return [f"{name}: kind must be one of {', '.join(RUNNERS)}, not {kind!r}"]
    schema = {"$ref": f"#/$defs/{kind}", "$defs": _DEFINITIONS}
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [f"{name}: {'.'.join(map(str, error.path))}: {error.message}" for error in validator.iter_errors(row)]
