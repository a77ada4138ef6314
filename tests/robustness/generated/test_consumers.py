"""Consumers that share sandboxes never see each other's prompts and answers, whatever fails in between."""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections.abc import Callable

import pytest

from tests.e2e.deployed_cloud import processes_of
from tests.robustness.generated.doors import DeployedDoor
from tests.robustness.generated.interleaved import send_interleaved
from tests.robustness.generated.test_generated import wait_until_idle

pytestmark = [pytest.mark.xdist_group("generated"), pytest.mark.timeout(1500)]


def check_isolation(doors: list[DeployedDoor], seed: str, count: int, report: Callable[[str], None]) -> None:
    """Send interleaved requests; each response has its own words alone, and its log line its own consumer."""
    seed = os.environ.get("HOSTILE_SEED", seed)
    before = [len(door.log()) for door in doors]
    try:
        found = asyncio.run(send_interleaved(seed, count, doors))
    finally:
        for door in doors:
            door.cloud.clear_faults()
    wait_until_idle(doors)
    summary = ", ".join(f"{name} {number}" for name, number in sorted(found.outcomes.items()))
    report(f"{count} interleaved requests of {len(set(found.consumers.values()))} consumers, seed {seed}: {summary}")
    assert found.failures == [], f"seed {seed}: {found.failures[:10]}"
    assert found.outcomes["complete"] > count / 2
    assert found.outcomes["left"] > 0
    assert found.outcomes.total() - found.outcomes["complete"] == count
    lines = {}
    for door, start in zip(doors, before, strict=True):
        written = [json.loads(line) for line in door.log()[start:].splitlines() if line.startswith('{"level"')]
        lines |= {line["request_id"]: line for line in written}
        assert [line for line in written if line.get("error") == "internal"] == []
        assert len(processes_of(door.serve.process.pid)) < count / 5, "the sandboxes were not used again"
    assert {request: lines[request]["consumer"] for request in found.consumers} == found.consumers


def test_two_hundred_interleaved_requests(doors: list[DeployedDoor], record_summary: Callable[[str], None]) -> None:
    check_isolation(doors, "1", 200, record_summary)


@pytest.mark.slow
def test_two_thousand_interleaved_requests(doors: list[DeployedDoor], record_summary: Callable[[str], None]) -> None:
    check_isolation(doors, str(random.SystemRandom().randrange(10**9)), 2_000, record_summary)
