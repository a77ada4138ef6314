"""Sends generated requests with several clients at once, and counts what came of each kind."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tests.robustness.generated.client import BrokenResponseError, Connection, Received
from tests.robustness.generated.doors import DeployedDoor
from tests.robustness.generated.drafts import Wire
from tests.robustness.generated.kinds import KINDS, describe, generate
from tests.robustness.generated.responses import ResponseChecks

CLIENTS = 12
HANG_SECONDS = 120.0
MAX_FAILURES = 20


@dataclass
class Outcomes:
    """What came of the requests.

    Args:
        seed: The seed that made them.
    """

    seed: str
    by_kind: dict[str, Counter[str]] = field(default_factory=lambda: {kind: Counter() for kind in KINDS})
    failures: list[str] = field(default_factory=list)
    hangs: int = 0
    seconds: float = 0.0

    def add(self, wire: Wire, response: Received | None, problems: list[str]) -> None:
        """Count a request, and keep its problems."""
        self.by_kind[wire.kind][_outcome(wire, response)] += 1
        if problems and len(self.failures) < MAX_FAILURES:
            self.failures.append(f"seed {self.seed}, request {wire.number}: {'; '.join(problems)}\n{describe(wire)}")

    def total(self) -> Counter[str]:
        """The outcomes of all kinds."""
        return sum(self.by_kind.values(), Counter())

    def report(self) -> str:
        """A table of the outcomes by kind."""
        total = self.total()
        columns = [outcome for outcome, _ in sorted(total.items())]
        head = f"{total.total()} generated requests with seed {self.seed} in {self.seconds:.0f} s:"
        rows = [["", *columns], *([kind, *_cells(counts, columns)] for kind, counts in self.by_kind.items())]
        rows.append(["all", *_cells(total, columns)])
        widths = [max(len(row[at]) for row in rows) for at in range(len(columns) + 1)]
        lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
        return "\n".join([head, *lines])


def _cells(counts: Mapping[str, int], columns: list[str]) -> list[str]:
    return [str(counts.get(outcome, 0) or "·") for outcome in columns]


def _outcome(wire: Wire, response: Received | None) -> str:
    if response is not None:
        return str(response.status)
    return "closed" if wire.stays else "left"


async def send_all(seed: str, numbers: range, doors: list[DeployedDoor]) -> Outcomes:
    """Send the requests of these numbers and check the responses."""
    outcomes = Outcomes(seed)
    started = time.monotonic()
    known = [each.door for each in doors]
    remaining = (generate(seed, number, known) for number in numbers)
    async with asyncio.TaskGroup() as group:
        for _ in range(CLIENTS):
            group.create_task(_send(remaining, doors, outcomes))
    outcomes.seconds = time.monotonic() - started
    return outcomes


async def _send(remaining: Iterator[Wire], doors: list[DeployedDoor], outcomes: Outcomes) -> None:
    checks = {each.door.name: ResponseChecks(each.door.document) for each in doors}
    connections = {each.door.name: Connection(each.port) for each in doors}
    for wire in remaining:
        connection = connections[wire.door]
        if not wire.stays:
            connection.close()  # a server may close a connection that was idle for long just now
        response, problems = None, []
        try:
            async with asyncio.timeout(HANG_SECONDS):
                response = await connection.exchange(wire)
            problems = checks[wire.door].problems(wire, response) if response is not None else []
        except TimeoutError:
            outcomes.hangs += 1
            problems = [f"no end of the response after {HANG_SECONDS:.0f} s"]
            connection.close()
        except BrokenResponseError as error:
            problems = [str(error)]
            connection.close()
        outcomes.add(wire, response, problems)
    for connection in connections.values():
        connection.close()
