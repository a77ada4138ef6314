"""Requests of several consumers at the same time, with clients that leave and endpoints that fail in between."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.robustness.generated.client import BrokenResponseError, Connection, Received
from tests.robustness.generated.doors import DeployedDoor
from tests.robustness.generated.drafts import POSTS, Wire, plain_draft
from tests.robustness.generated.responses import ResponseChecks, words_in
from tests.robustness.generated.run import CLIENTS, HANG_SECONDS

STATUSES = frozenset({200, 424, 429, 500, 502, 503, 504})
"""Of a valid request whose endpoint may fail."""
ANSWERING = [route for route in POSTS if route.request != "CountTokensRequest"]
FAULTS = {
    "throttle": {},
    "timeout": {},
    "model-error": {},
    "internal-failure": {},
    "unavailable": {},
    "hang-up": {},
    "slow-first-token": {"seconds": 0.1},
    "stream-broken": {"frame": 3},
    "stream-failure": {"frame": 1},
    "connection-lost": {"at": 700},
    "end": {"at": 500},
    "flip": {"at": 300},
    "stall": {"at": 400, "seconds": 0.1},
}
TOKENS = 80
"""Enough for the toy to come to the words of the prompt."""


@dataclass
class Interleaved:
    """What came of the requests.

    Args:
        consumers: The consumer of each request that was answered, by API Gateway's id of it.
        outcomes: How many responses there were: by status, `left`, and `complete` with the request's own word.
    """

    consumers: dict[str, str] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def make(seed: str, number: int, doors: list[DeployedDoor]) -> Wire:
    """A valid request with enough tokens; one of eight clients leaves early."""
    generator = random.Random(f"{seed}-{number}")
    draft = plain_draft(generator, number, generator.choice(doors).door, ANSWERING)
    draft.statuses = STATUSES
    assert draft.body is not None
    draft.body = re.sub(rb'"(max_\w*tokens)": \d+', rb'"\1": %d' % TOKENS, draft.body)
    if generator.random() < 0.125:
        draft.set_header("Connection", "close")
        place = {"receives": generator.randint(0, 3000)} if generator.random() < 0.7 else {"sends": len(draft.body)}
        draft.wire = {**place, "leaves": generator.choice(["closes", "resets"])}
    return draft.encode("valid")


async def send_interleaved(seed: str, count: int, doors: list[DeployedDoor]) -> Interleaved:
    """Send the requests, with a fault for one of ten."""
    found = Interleaved()
    remaining = (make(seed, number, doors) for number in range(count))
    async with asyncio.TaskGroup() as group:
        for client in range(CLIENTS):
            group.create_task(_send(remaining, doors, found, random.Random(f"{seed}-faults-{client}")))
    return found


async def _send(
    remaining: Iterator[Wire], doors: list[DeployedDoor], found: Interleaved, generator: random.Random
) -> None:
    checks = {each.door.name: ResponseChecks(each.door.document) for each in doors}
    connections = {each.door.name: Connection(each.port) for each in doors}
    clouds = {each.door.name: each.cloud for each in doors}
    for wire in remaining:
        if generator.random() < 0.1:
            fault = generator.choice(list(FAULTS))
            await asyncio.to_thread(clouds[wire.door].inject, fault, **FAULTS[fault])
        connection = connections[wire.door]
        if not wire.stays:
            connection.close()
        try:
            async with asyncio.timeout(HANG_SECONDS):
                response = await connection.exchange(wire)
        except (TimeoutError, BrokenResponseError) as error:
            found.failures.append(f"request {wire.number}: {type(error).__name__} {error}")
            connection.close()
            continue
        _count(found, wire, response, checks[wire.door])
    for connection in connections.values():
        connection.close()


def _count(found: Interleaved, wire: Wire, response: Received | None, checks: ResponseChecks) -> None:
    if response is None:
        found.outcomes["left"] += 1
        return
    found.outcomes[str(response.status)] += 1
    found.consumers[response.headers["x-request-id"]] = wire.consumer
    problems = checks.problems(wire, response)
    if response.status == 200 and b'"error"' not in response.body:
        found.outcomes["complete"] += 1
        if words_in(response) != {wire.number}:
            problems.append(f"not the words of the request: {response.body[:500]!r}")
    found.failures += [f"request {wire.number} of {wire.consumer}: {problem}" for problem in problems]
