"""What a probe is: a function that tries one or more rows of the ledger against a deployment, and says what it saw."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from acceptance.site import Site

    Try = Callable[[Site], "Verdict"]


class Result(StrEnum):
    """What a probe found."""

    PROVEN = "proven"
    CONTRADICTED = "contradicted"
    UNDECIDED = "not decided"


class Cloud(StrEnum):
    """Where a probe can run."""

    AWS = "aws"
    EMULATED = "emulated"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a probe found, and the evidence: what was sent, seen and measured. Without keys, prompts and answers."""

    result: Result
    evidence: str


def proven(evidence: str) -> Verdict:
    """It is as the row says."""
    return Verdict(Result.PROVEN, evidence)


def contradicted(evidence: str) -> Verdict:
    """It is not as the row says."""
    return Verdict(Result.CONTRADICTED, evidence)


def undecided(evidence: str) -> Verdict:
    """The deployment did not tell; the evidence says why."""
    return Verdict(Result.UNDECIDED, evidence)


def decide(holds: bool, evidence: str) -> Verdict:
    """Proven if it holds, else contradicted."""
    return proven(evidence) if holds else contradicted(evidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Emulation:
    """What the emulated cloud makes of a probe.

    Args:
        expected: What the probe finds there; None if it cannot run there.
        why: Why it cannot, or why the emulation answers otherwise than AWS is said to. Empty if it answers the same.
        slow: Whether it takes more than about ten seconds there.
    """

    expected: Result | None = Result.PROVEN
    why: str = ""
    slow: bool = False


SAME = Emulation()
SLOW = Emulation(slow=True)


def absent(why: str) -> Emulation:
    """The probe cannot run in the emulated cloud."""
    return Emulation(expected=None, why=why)


def differs(expected: Result, why: str, *, slow: bool = False) -> Emulation:
    """The emulated cloud answers otherwise than AWS is said to."""
    return Emulation(expected=expected, why=why, slow=slow)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A probe.

    Args:
        name: The name of its function, by which it is chosen.
        rows: The rows of the ledger that it decides. None: an end-to-end check of the deployment.
        title: What it tries, in one sentence.
        minutes: What it adds to a run on AWS, in minutes.
        emulation: What the emulated cloud makes of it.
        attempt: Tries it.
        after: The probe without which it decides nothing, by name; empty if there is none.
    """

    name: str
    rows: tuple[str, ...]
    title: str
    minutes: float
    emulation: Emulation
    attempt: Try
    after: str = ""

    @property
    def clouds(self) -> tuple[Cloud, ...]:
        """Where it can run."""
        return (Cloud.AWS,) if self.emulation.expected is None else (Cloud.AWS, Cloud.EMULATED)

    def is_chosen(self, words: tuple[str, ...]) -> bool:
        """Whether a word names it: its name, one of its rows, or the letter of a section of the ledger."""
        letters = {row.rstrip("0123456789") for row in self.rows}
        return any(word == self.name or word in self.rows or word in letters for word in words)


_ROW = re.compile(r"[A-Z]\d+")
_PROBES: list[Probe] = []


def probe(*rows: str, title: str, minutes: float, emulation: Emulation = SAME, after: str = "") -> Callable[[Try], Try]:
    """Declares a function as a probe. Those of a module run in the order in which they are declared.

    Args:
        rows: The rows of the ledger that it decides, such as `G3`; none for an end-to-end check.
        title: What it tries, in one sentence without a full stop.
        minutes: What it adds to a run on AWS.
        emulation: What the emulated cloud makes of it. Default: the same as AWS.
        after: The name of a probe above it without which it decides nothing. Default: none.

    Raises:
        ValueError: A row is not written as in the ledger, or a reason is missing.
    """
    if wrong := [row for row in rows if not _ROW.fullmatch(row)]:
        raise ValueError(f"rows={wrong}: must be ids of the ledger, such as G3.")
    if emulation.expected is not Result.PROVEN and not emulation.why:
        raise ValueError("emulation: must say why it does not prove what AWS is said to do.")

    def declare(attempt: Try) -> Try:
        _PROBES.append(
            Probe(
                name=attempt.__name__,
                rows=rows,
                title=title,
                minutes=minutes,
                emulation=emulation,
                attempt=attempt,
                after=after,
            )
        )
        return attempt

    return declare


def probes() -> tuple[Probe, ...]:
    """All probes, in the order in which they run."""
    from acceptance.probes import MODULES, load

    load()
    # Somebody may have imported one of the modules before the others.
    return tuple(sorted(_PROBES, key=lambda each: MODULES.index(each.attempt.__module__.rpartition(".")[2])))


def choose(only: tuple[str, ...], without: tuple[str, ...]) -> Iterator[Probe]:
    """The probes to run, with those that they need. One that needs what is left out is left out too.

    Args:
        only: Names, rows and letters of sections. None: all.
        without: The same, of probes to leave out.
    """
    all_ = probes()
    left_out: set[str] = set()
    for each in all_:
        if each.is_chosen(without) or each.after in left_out:
            left_out.add(each.name)
    chosen: set[str] = set()
    for each in reversed(all_):
        if each.name not in left_out and (not only or each.is_chosen(only) or each.name in chosen):
            chosen |= {each.name, each.after}
    yield from (each for each in all_ if each.name in chosen)
