"""Callers are divided between endpoints, each with its own engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.lambda_.routing.answers import COMPLETION, THROTTLED, completion
from tests.lambda_.routing.conftest import Door, Targets

Doors = Callable[..., Door]
CALLERS = 40


@pytest.fixture(name="door")
def _door(targets: Targets, door_for: Doors) -> Door:
    entry = {"split": [{"weight": 1, "to": targets.entry("a")}, {"weight": 1, "to": targets.entry("b")}]}
    for name in ("a", "b"):
        targets.reply(name, *[completion() for _ in range(2 * CALLERS)])
    return door_for(entry)


def chosen(door: Door, **event: Any) -> str:
    assert door.send("/v1/completions", COMPLETION, **event).status == 200
    return str(door.generated()["target"])


def headers(**values: str) -> dict[str, str]:
    return {"Content-Type": "application/json", **values}


def context(**identity: str) -> dict[str, Any]:
    return {"requestId": "gateway-id", "identity": identity}


def test_a_session_stays_at_its_endpoint_whoever_calls(door: Door) -> None:
    found = Counter()
    for number in range(CALLERS):
        sent = headers(**{"X-Session-Id": f"é{number}"})
        one = chosen(door, headers=sent, requestContext=context(apiKeyId="one"))
        assert chosen(door, headers=sent, requestContext=context(apiKeyId="other")) == one
        found[one] += 1
    assert min(found["a"], found["b"]) > CALLERS / 5


@pytest.mark.parametrize(
    "contexts",
    [
        [context(apiKeyId=f"key-{number}") for number in range(CALLERS)],
        [{"requestId": "r", "authorizer": {"principalId": f"user-{number}"}} for number in range(CALLERS)],
        [{"requestId": "r", "authorizer": {"claims": {"sub": f"subject-{number}"}}} for number in range(CALLERS)],
        [context(userArn=f"arn:aws:iam::1:user/{number}") for number in range(CALLERS)],
    ],
    ids=["key", "principal", "subject", "IAM"],
)
def test_a_caller_stays_at_its_endpoint_whatever_the_request(door: Door, contexts: list[dict[str, Any]]) -> None:
    found = [chosen(door, requestContext={**each, "requestId": "one"}) for each in contexts]
    assert found == [chosen(door, requestContext={**each, "requestId": "other"}) for each in contexts]
    assert set(found) == {"a", "b"}


def test_without_a_caller_each_request_is_chosen_for_by_itself(door: Door) -> None:
    found = [chosen(door, requestContext={"requestId": f"request-{number}"}) for number in range(CALLERS)]
    assert set(found) == {"a", "b"}


def test_an_empty_session_is_none(door: Door) -> None:
    found = {
        chosen(door, headers=headers(**{"x-session-id": ""}), requestContext={"requestId": f"request-{number}"})
        for number in range(CALLERS)
    }
    assert found == {"a", "b"}


def test_an_endpoint_that_is_down_fails_its_own_callers_alone(targets: Targets, door_for: Doors) -> None:
    down = targets.entry("down", runtime_url="http://127.0.0.1:1")
    door = door_for({"split": [{"weight": 1, "to": targets.entry("up")}, {"weight": 1, "to": down}]})
    targets.reply("up", *[completion() for _ in range(CALLERS)])
    statuses: dict[str, set[int]] = {}
    for number in range(CALLERS):
        status = door.send("/v1/completions", COMPLETION, requestContext={"requestId": f"request-{number}"}).status
        statuses.setdefault(door.generated()["target"], set()).add(status)
    assert statuses == {"up": {200}, "down": {503}}


def test_an_endpoint_that_is_overloaded_keeps_its_callers(targets: Targets, door_for: Doors) -> None:
    """They are not moved to the other: that is what a Fallback in the split is for."""
    door = door_for({"split": [{"weight": 1, "to": targets.entry("a")}, {"weight": 0, "to": targets.entry("b")}]})
    targets.reply("a", *[THROTTLED] * 3)
    assert door.send("/v1/completions", COMPLETION).status == 429
    assert targets.counts() == {"a": 3, "b": 0}
    line = door.generated()
    assert (line["Retries"], line["target"]) == (2, "a")


def test_a_share_falls_back_by_itself(targets: Targets, door_for: Doors) -> None:
    entry = {
        "split": [
            {"weight": 0, "to": targets.entry("a")},
            {"weight": 1, "to": {"fallback": [targets.entry("b"), targets.entry("c")]}},
        ]
    }
    door = door_for(entry)
    targets.reply("b", THROTTLED)
    targets.reply("c", completion())
    assert chosen(door) == "c"
    assert targets.counts() == {"a": 0, "b": 1, "c": 1}
