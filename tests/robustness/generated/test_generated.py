"""Ten thousand requests from a grammar, to deployed front doors: no hang, no failure of their own, nothing logged.

`HOSTILE_SEED` and `HOSTILE_REQUESTS` set the seed and the number. Request n of a seed is always the same one:
`HOSTILE_SEED=… HOSTILE_FIRST=n HOSTILE_REQUESTS=1`.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import time
from collections.abc import Callable

import pytest

from tests.robustness.generated.client import Connection, Received
from tests.robustness.generated.doors import WORDS, DeployedDoor
from tests.robustness.generated.drafts import POSTS, Door, Wire, plain_draft
from tests.robustness.generated.kinds import KINDS, generate
from tests.robustness.generated.responses import ResponseChecks
from tests.robustness.generated.run import Outcomes, send_all

pytestmark = [pytest.mark.xdist_group("generated"), pytest.mark.timeout(1500)]

FAST_REQUESTS, ALL_REQUESTS = 300, 10_000
FAST_SEED = "1"
NOT_OWN = {"501"}
"""The only status from 500 on that a healthy model has: a route that its engine does not serve."""


def send(doors: list[DeployedDoor], default_seed: str, default_count: int, report: Callable[[str], None]) -> Outcomes:
    """Send requests, check each response and the logs, and report the outcomes."""
    seed = os.environ.get("HOSTILE_SEED", default_seed)
    first = int(os.environ.get("HOSTILE_FIRST", "0"))
    count = int(os.environ.get("HOSTILE_REQUESTS", str(default_count)))
    before = [len(door.log()) for door in doors]
    outcomes = asyncio.run(send_all(seed, range(first, first + count), doors))
    report(outcomes.report())
    wait_until_idle(doors)
    asyncio.run(check_that_all_still_answer(doors))
    assert outcomes.failures == [], "\n".join([outcomes.report(), *outcomes.failures])
    assert outcomes.hangs == 0
    assert [status for status in outcomes.total() if status.startswith("5") and status not in NOT_OWN] == []
    for door, start in zip(doors, before, strict=True):
        check_log(door.door, door.log()[start:], seed)
    return outcomes


def wait_until_idle(doors: list[DeployedDoor]) -> None:
    """Wait until nothing is logged any more: no invocation runs without a client for longer than its tokens take."""
    until, sizes = time.monotonic() + 180, [-1]
    while (now := [len(door.log()) for door in doors]) != sizes:
        assert time.monotonic() < until, "an invocation has not ended"
        sizes = now
        time.sleep(1)


async def sent(wire: Wire, deployed: DeployedDoor) -> Received:
    """The response to one request."""
    connection = Connection(deployed.port)
    response = await connection.exchange(wire)
    connection.close()
    assert response is not None
    return response


async def check_that_all_still_answer(doors: list[DeployedDoor]) -> None:
    """Each front door answers a valid request on each route."""
    for deployed in doors:
        checks, connection = ResponseChecks(deployed.door.document), Connection(deployed.port)
        for number in range(20):
            wire = plain_draft(random.Random(number), number, deployed.door, POSTS).encode("valid")
            response = await connection.exchange(wire)
            assert response is not None
            assert checks.problems(wire, response) == []
        connection.close()


def check_log(door: Door, log: str, seed: str) -> None:
    """No text of a request is in any log, no invocation failed, and each line of the function is JSON."""
    lines = log.splitlines()
    leaks = [line[max(0, found.start() - 200) : found.end() + 50] for line in lines if (found := WORDS.search(line))]
    assert leaks == [], f"seed {seed}: {leaks}"
    assert "Runtime API violation" not in log
    assert "Traceback" not in log
    own = [json.loads(line) for line in lines if line.startswith('{"level"')]
    # An authorizer that gets headers fails with this message where there is no key, as API Gateway wants it.
    failed = [line for line in own if line["level"] == "ERROR"]
    assert [line for line in failed if line.get("errorMessage") != "Unauthorized"] == []
    # A machine that is busy may keep the store longer than the front door waits for it.
    assert len([line for line in own if "store_failure" in line]) <= len(own) / 20
    assert {line["consumer"] for line in own if "consumer" in line} <= set(door.keys)


def test_three_hundred_generated_requests(doors: list[DeployedDoor], record_summary: Callable[[str], None]) -> None:
    outcomes = send(doors, FAST_SEED, FAST_REQUESTS, record_summary)
    assert outcomes.total()["200"] > outcomes.total().total() / 4


@pytest.mark.slow
def test_ten_thousand_generated_requests(doors: list[DeployedDoor], record_summary: Callable[[str], None]) -> None:
    seed = str(random.SystemRandom().randrange(10**9))
    outcomes = send(doors, seed, ALL_REQUESTS, record_summary)
    total = outcomes.total()
    # Otherwise the requests would test one answer again and again. 501 is so rare that it has a test of its own.
    assert 0.25 < total["200"] / total.total() < 0.75
    for status in ("400", "401", "403", "404", "405", "413", "415", "422", "429", "431"):
        assert total[status], f"no request had the status {status}"
    for kind, counts in outcomes.by_kind.items():
        assert counts.total() > 10, f"hardly any request was {kind}"
        if kind.startswith("valid, ") or kind in ("valid", "a query", "sent slowly"):
            assert set(counts) == {"200"}


def test_a_route_that_the_engine_of_a_model_lacks_has_the_status_501(doors: list[DeployedDoor]) -> None:
    (deployed,) = [each for each in doors if "sglang" in each.door.models]
    (route,) = [each for each in POSTS if each.path == "/models/{model}/generate"]
    drafts = (plain_draft(random.Random(seed), seed, deployed.door, [route]) for seed in range(100))
    draft = next(each for each in drafts if each.consumer == "team-a")
    draft.path, draft.statuses = route.path.replace("{model}", "sglang"), frozenset({501})
    wire = draft.encode("an engine without the route")
    response = asyncio.run(sent(wire, deployed))
    assert ResponseChecks(deployed.door.document).problems(wire, response) == []
    assert response.status == 501


def test_a_number_and_a_seed_make_the_same_request_again(doors: list[DeployedDoor]) -> None:
    known = [door.door for door in doors]
    made = [generate("x", number, known) for number in range(200)]
    assert made == [generate("x", number, known) for number in range(200)]
    assert made != [generate("y", number, known) for number in range(200)]
    assert len({wire.kind for wire in made}) > len(KINDS) / 2
