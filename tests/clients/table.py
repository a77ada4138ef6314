"""The table in docs/clients.md: `python -m tests.clients.table` writes it from the reports of the last run.

It needs a report of every client, so it follows `make test-clients ALL=1`.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any, NamedTuple

from tests.clients.scripts import REPORTS, scripts_in
from tests.e2e.deployed_cloud import ROOT

FOLDER = Path(__file__).parent
PAGE = ROOT / "docs" / "clients.md"
BEGIN = "<!-- written by `python -m tests.clients.table` -->\n"
END = "<!-- end -->\n"
COLUMNS = ("chat", "stream", "tools", "structured", "errors")
COMPILED = {
    "go": ("go.mod", r"require (\S+) (v[\d.]+)"),
    "java": ("pom.xml", r"<artifactId>(openai-java)</artifactId>\s*<version>(.+)</version>"),
    "rust": ("Cargo.toml", r'(async-openai) = \{ version = "=([\d.]+)"'),
}
LANGUAGES = {
    "python": "Python",
    "javascript": "JavaScript",
    "go": "Go",
    "java": "Java",
    "rust": "Rust",
    "commands": "Terminal",
}
PROTOCOLS = {"responses": "Responses", "messages": "Messages"}
"""By the end of a script's name; all others chat by Chat Completions."""


class Client(NamedTuple):
    """A client at the version that a script pins, and the protocol that the script calls it for."""

    language: str
    package: str
    protocol: str
    version: str
    report: Path


def clients() -> list[Client]:
    """The clients of all scripts."""
    return [*_python(), *_node("javascript"), *_compiled(), *_node("commands")]


def table() -> str:
    """The table, of the reports.

    Raises:
        SystemExit: A client has no report, or one of another version.
    """
    rows = []
    dates = set()
    for client in clients():
        if not client.report.exists():
            sys.exit(f"{client.package} has no report: run make test-clients ALL=1")
        report: dict[str, Any] = json.loads(client.report.read_text())
        if client.version not in report["versions"].values():
            sys.exit(f"{client.package} was tested at another version: run make test-clients ALL=1")
        dates.add(report["date"])
        rows.append(_row(client, report["checks"]))
    header = ["language", "client", "protocol", "version", *COLUMNS[:3], "structured output", "errors", "also"]
    lines = [" | ".join(["", *row, ""]).strip() for row in [header, ["---"] * len(header), *rows]]
    return f"Last run: {' and '.join(sorted(dates))}.\n\n" + "\n".join(lines) + "\n"


def main() -> None:
    """Write the table."""
    page = PAGE.read_text()
    before, rest = page.split(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}{table()}{rest[rest.index(END) :]}")


def _row(client: Client, checks: dict[str, str]) -> list[str]:
    others = [f"{name} {_mark(checks, name)}" for name in checks if name not in COLUMNS]
    marks = [_mark(checks, name) for name in COLUMNS]
    identity = [LANGUAGES[client.language], f"`{client.package}`", client.protocol, client.version]
    return [*identity, *marks, ", ".join(others)]


def _protocol(script: Path) -> str:
    return PROTOCOLS.get(script.stem.rpartition("_")[2], "Chat Completions")


def _mark(checks: dict[str, str], name: str) -> str:
    if name not in checks:
        return "–"
    return "✗" if checks[name] else "✓"


def _python() -> list[Client]:
    found = []
    for script in scripts_in(FOLDER / "python"):
        first = re.search(r'^# dependencies = \["([\w-]+)(?:\[.+?\])?==(.+?)"', script.read_text(), re.MULTILINE)
        assert first, f"{script} pins no package"
        report = REPORTS / "python" / f"{script.stem}.json"
        found.append(Client("python", first[1], _protocol(script), first[2], report))
    return found


def _node(language: str) -> list[Client]:
    versions = json.loads((FOLDER / language / "package.json").read_text())["dependencies"]
    found = []
    for script in scripts_in(FOLDER / language):
        first = re.search(r'^await run\(\["(.+?)"', script.read_text(), re.MULTILINE)
        assert first, f"{script} reports no package"
        report = REPORTS / language / f"{script.stem}.json"
        found.append(Client(language, first[1], _protocol(script), versions[first[1]], report))
    return found


def _compiled() -> list[Client]:
    found = []
    for language, (name, pattern) in COMPILED.items():
        pinned = re.search(pattern, (FOLDER / "compiled" / language / name).read_text())
        assert pinned, f"{name} pins no package"
        found.append(
            Client(language, pinned[1], "Chat Completions", pinned[2], REPORTS / "compiled" / f"{language}.json")
        )
    return found


if __name__ == "__main__":
    main()
