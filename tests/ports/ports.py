"""Reads the ports: what each app has to give is a row of facts.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

if TYPE_CHECKING:
    from aws_cdk import App, Stack

FOLDER = Path(__file__).parent
_SCHEMA = json.loads((FOLDER / "schema.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Port:
    """A public deployment, written with this library.

    Attributes:
        app: Name of the app's file, without its ending.
        source: Who deploys so.
        later: What of it this library does not express yet; the rest is tested.
        pending: Why the rest does not pass yet.
        expect: What the app has to give.
    """

    app: str
    source: str
    later: tuple[str, ...]
    pending: str | None
    expect: dict[str, Any]

    def build(self, app: App) -> Stack:
        """The stack of the app."""
        stack: Stack = self._module.build(app)
        return stack

    def repair(self, app: App) -> Stack:
        """The stack of an app that is refused, with what the error says."""
        stack: Stack = self._module.repaired(app)
        return stack

    @property
    def situation(self) -> str:
        """What is deployed, as the app's first line says it."""
        return str(self._module.__doc__)

    @property
    def _module(self) -> Any:
        return import_module(f"tests.ports.apps.{self.app}")


def read_ports() -> list[Port]:
    """Every port, by its number.

    Raises:
        ValueError: A row is not one; the error names all that is wrong.
    """
    rows = json.loads((FOLDER / "facts.json").read_text(encoding="utf-8"))
    problems = [problem for row in rows for problem in row_problems(row)]
    if problems:
        raise ValueError("\n".join(problems))
    return [
        Port(
            row["app"].removesuffix(".py"),
            row["source"],
            tuple(row.get("later", ())),
            row.get("pending"),
            row["expect"],
        )
        for row in rows
    ]


def row_problems(row: dict[str, Any]) -> list[str]:
    """What is wrong with a row, against schema.json."""
    validator = Draft202012Validator(_SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [f"{row.get('app')}: {error.message}" for error in validator.iter_errors(row)]


def table(ports: list[Port]) -> str:
    """The ports as the table of README.md."""
    lines = ["| app | situation | from | later |", "|---|---|---|---|"]
    for port in ports:
        later = "; ".join(port.later)
        lines.append(f"| [{port.app}](apps/{port.app}.py) | {port.situation} | {port.source} | {later} |")
    return "\n".join(lines)
