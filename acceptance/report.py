"""The report, build/acceptance.md: each row with its verdict and evidence, and what is left in the account."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from acceptance.probe import Cloud, Result

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from acceptance.probe import Probe, Verdict
    from acceptance.removal import Removal

_ORDER = (Result.CONTRADICTED, Result.UNDECIDED, Result.PROVEN)


@dataclass(slots=True)
class Outcome:
    """What a probe has found, and how long it took."""

    probe: Probe
    verdict: Verdict
    seconds: float


@dataclass(slots=True)
class Report:
    """A run.

    Args:
        cloud: Where it ran.
        deployment: What was deployed, in a few words.
        rows: What each row of the ledger says, by id.
        file: Where the report is written.

    Attributes:
        outcomes: What the probes have found so far.
        problem: Why the run has ended before its end, if it has.
        removal: What was deleted and what is left; None before.
    """

    cloud: Cloud
    deployment: str
    rows: Mapping[str, str]
    file: Path
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    outcomes: list[Outcome] = field(default_factory=list)
    not_run: list[str] = field(default_factory=list)
    problem: str | None = None
    removal: Removal | None = None

    def add(self, outcome: Outcome) -> None:
        """Adds what a probe has found, and writes the report: a run that is killed leaves what it knows."""
        self.outcomes.append(outcome)
        self.write()

    def count(self, result: Result) -> int:
        """How many probes have found this."""
        return Counter(one.verdict.result for one in self.outcomes)[result]

    def is_good(self) -> bool:
        """Whether the run is complete, found nothing wrong, and has left nothing that costs money.

        Wrong is on AWS what is contradicted, or that nothing is decided, in the emulated cloud what a probe does not
        say of it.
        """
        removed = self.removal is not None and not self.removal.failed
        decided = self.cloud is Cloud.EMULATED or self.count(Result.UNDECIDED) < len(self.outcomes)
        return self.problem is None and removed and decided and not any(map(self._is_wrong, self.outcomes))

    def _is_wrong(self, one: Outcome) -> bool:
        if self.cloud is Cloud.AWS:
            return one.verdict.result is Result.CONTRADICTED
        return one.verdict.result is not one.probe.emulation.expected

    def summary(self) -> str:
        """The counts in one line."""
        counts = ", ".join(f"{self.count(result)} {result}" for result in reversed(_ORDER))
        return f"{len(self.outcomes)} probes: {counts}"

    def write(self) -> None:
        """Writes the file."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text(self.render(), encoding="utf-8")

    def render(self) -> str:
        """The text of the file."""
        where = "AWS" if self.cloud is Cloud.AWS else "the emulated cloud, which proves nothing about AWS"
        head = [
            f"# Acceptance on {where}",
            "",
            f"{self.deployment}. Begun on {self.started:%d %B %Y at %H:%M} UTC. {self.summary()}.",
        ]
        if self.problem is not None:
            head += ["", f"**The run ended early:** {self.problem}"]
        parts = [
            head,
            ["## Rows of the ledger", "", *_table(("row", "we rely on", "found", "evidence"), self._ledger_lines())],
            ["## End to end", "", *_table(("check", "found", "evidence"), self._check_lines())],
            self._not_run_lines(),
            self._removal_lines(),
        ]
        return "\n\n".join("\n".join(part) for part in parts if part) + "\n"

    def _ledger_lines(self) -> Iterable[tuple[str, ...]]:
        for result in _ORDER:
            for one in self.outcomes:
                if one.verdict.result is result:
                    for row in one.probe.rows:
                        evidence = f"{one.probe.title}: {one.verdict.evidence}{self._emulated(one)}"
                        yield row, self.rows.get(row, ""), f"**{result}**", evidence

    def _check_lines(self) -> Iterable[tuple[str, ...]]:
        for one in self.outcomes:
            if not one.probe.rows:
                evidence = f"{one.verdict.evidence} ({one.seconds:.1f} s){self._emulated(one)}"
                yield one.probe.title, f"**{one.verdict.result}**", evidence

    def _emulated(self, one: Outcome) -> str:
        """Why the emulated cloud answers otherwise than AWS is said to."""
        emulation = one.probe.emulation
        if self.cloud is Cloud.AWS or not emulation.why:
            return ""
        return f". The emulated cloud differs: {emulation.why}"

    def _not_run_lines(self) -> list[str]:
        return ["## Not run", "", *(f"- {line}" for line in self.not_run)] if self.not_run else []

    def _removal_lines(self) -> list[str]:
        lines = ["## What is left", ""]
        if self.removal is None:
            return [
                *lines,
                "Nothing was deleted yet: this run goes on, or was killed. `make acceptance DESTROY=1` deletes it.",
            ]
        removal = self.removal
        lines += [f"- **Not deleted:** {line}" for line in removal.failed]
        lines += [f"- {line}" for line in removal.left]
        deleted = ", ".join(removal.deleted) or "nothing"
        lines += [f"- Deleted: {deleted}. The assets in the CDK's bucket and the stack CDKToolkit stay."]
        return lines


def _table(names: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    lines = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    return lines + [f"| {' | '.join(map(_cell, row))} |" for row in rows]


def _cell(text: str) -> str:
    """A text on one line, whose bars do not end the cell."""
    return re.sub(r"\s+", " ", text).replace("\\|", "|").replace("|", "\\|").strip()
