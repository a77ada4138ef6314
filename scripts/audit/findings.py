"""What a tool finds, and whether it is accepted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

HARDENED = "HardenedLlamaTgiStack"
"""The stack that is held to every rule but those that are accepted for it too."""

ACCEPTED = Path(__file__).with_name("accepted.json")


@dataclass(frozen=True, order=True)
class Finding:
    """One finding about one resource.

    Args:
        stack: The stack.
        check: The tool's rule, such as `CKV_AWS_116`.
        resource_type: Type of the resource.
        resource: Its logical id.
    """

    stack: str
    check: str
    resource_type: str
    resource: str

    def __str__(self) -> str:
        return f"{self.stack}/{self.resource} ({self.resource_type}): {self.check}"


@dataclass(frozen=True)
class Accepted:
    """Findings that are accepted.

    Args:
        check: The tool's rule.
        resource_type: Type of the resources that it is accepted for.
        reason: Why.
        hardened: Whether the reason holds for the hardened stack as well.
    """

    check: str
    resource_type: str
    reason: str
    hardened: bool

    def covers(self, finding: Finding) -> bool:
        """Whether it is this finding that is accepted."""
        is_same = (finding.check, finding.resource_type) == (self.check, self.resource_type)
        return is_same and (self.hardened or finding.stack != HARDENED)


def read_accepted(path: Path = ACCEPTED) -> list[Accepted]:
    """The findings that are accepted, with their reasons."""
    rows = json.loads(path.read_text(encoding="utf-8"))
    return [Accepted(row["check"], row["type"], row["reason"], row["hardened"]) for row in rows]


def faults(findings: Iterable[Finding], accepted: Iterable[Accepted]) -> Iterator[str]:
    """What is not as the file of accepted findings says: those that it lacks, and its rows that nothing needs."""
    found, rows = sorted(findings), list(accepted)
    for finding in found:
        if not any(row.covers(finding) for row in rows):
            yield f"not accepted: {finding}"
    for row in rows:
        if not any(row.covers(finding) for finding in found):
            yield f"accepted, but not found any more: {row.check} of {row.resource_type}"
