"""What an examination has found."""

from __future__ import annotations

from dataclasses import dataclass

from constructs_lib.cli.doctor.account import look_further
from constructs_lib.cli.doctor.gather import Asked, Period, gather
from constructs_lib.cli.doctor.reader import Reader
from constructs_lib.planning.diagnosis.cause import Finding, Weight
from constructs_lib.planning.diagnosis.diagnose import Diagnosis, diagnose
from constructs_lib.planning.diagnosis.signals import Signals


@dataclass(frozen=True, kw_only=True)
class Examination:
    """What an examination has found.

    Args:
        found: What was read of each endpoint, and what is wrong with it.
        period: From when to when logs and metrics were read.
        checked: What was read.
        unread: What could not be read, and why.
    """

    found: tuple[tuple[Signals, Diagnosis], ...]
    period: Period
    checked: tuple[str, ...]
    unread: tuple[str, ...]

    @property
    def has_findings(self) -> bool:
        """Whether anything is wrong."""
        return any(diagnosis.findings for _, diagnosis in self.found)


def examine(reader: Reader, asked: Asked) -> Examination:
    """Read what is deployed, and find out what is wrong with it.

    Args:
        reader: Calls AWS.
        asked: What to examine.

    Raises:
        CommandError: There is no such stack or endpoint, or it could not be read.
        NoAccountError: AWS does not accept the credentials.
    """
    read, period = gather(reader, asked)
    found = []
    for signals in read:
        further = look_further(reader, signals, diagnose(signals).findings)
        found.append((further, diagnose(further)))
    return Examination(found=tuple(found), period=period, checked=tuple(reader.checked), unread=tuple(reader.unread))


def likelihood(finding: Finding) -> str:
    """How likely it is that a finding is the cause, in a word or two."""
    if finding.weight >= Weight.NAMED - 10:
        return "almost certain"
    if finding.weight >= Weight.PLANNED:
        return "likely"
    return "possible" if finding.weight > Weight.SYMPTOM else "a symptom"
