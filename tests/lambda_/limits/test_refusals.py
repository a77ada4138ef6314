"""Requests for which a limit has no room: who is told what, in which protocol, and until when."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from openai import OpenAI
from text_generation.errors import RateLimitExceededError, parse_error

from tests.lambda_.conftest import LLAMA
from tests.lambda_.limits.conftest import NOON, Doors, team
from tests.lambda_.limits.table import Table
from tests.lambda_.protocols.openai.events import ANSWER
from tests.lambda_.sagemaker_double import SageMakerDouble, parts

VLLM = {"llama": replace(LLAMA, engine="vllm")}
TGI = {"llama": LLAMA}
CHAT = {"model": "llama", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 100}
PROMPT = {"model": "llama", "prompt": "Hi there", "max_tokens": 100}
INPUTS = {"inputs": "Hi there", "parameters": {"max_new_tokens": 100}}
TAKES = (
    "The request takes {} tokens (max_tokens for each text, and one for each 3 bytes of the prompt), and `team-a` has"
)


def use(table: Table, consumer: str = "team-a", **attributes: int | dict[str, int]) -> None:
    """Put an item into the table."""
    plain = {name: {"N": str(value)} for name, value in attributes.items() if isinstance(value, int)}
    maps = {
        name: {"M": {key: {"N": str(each)} for key, each in value.items()}}
        for name, value in attributes.items()
        if isinstance(value, dict)
    }
    key = {"consumer": {"S": consumer}, "period": {"S": "current"}}
    table.client.put_item(TableName="front-door-limits", Item={**key, "in_flight": {"M": {}}, **plain, **maps})


@pytest.mark.parametrize(
    ("models", "path", "body"),
    [
        (TGI, "/v1/chat/completions", CHAT),
        (TGI, "/v1/chat/completions", {**CHAT, "stream": True}),
        (TGI, "/models/llama/v1/completions", PROMPT),
        (VLLM, "/v1/chat/completions", CHAT),
        (VLLM, "/v1/completions", {**PROMPT, "stream": True}),
    ],
)
def test_openais_clients_get_openais_error(
    models: dict[str, Any], path: str, body: dict[str, Any], door_for: Doors, table: Table, sagemaker: SageMakerDouble
) -> None:
    door = door_for(team(tokens_per_minute=1000), models)
    door.set_clock(NOON + 20.5)
    use(table, minute_start=NOON, minute_tokens=950)
    response = door.read(path, body)
    takes = 106 if "messages" in body else 103
    message = f"{TAKES.format(takes)} fewer left of the 1000 for this minute, which ends at 2026-11-26 12:01 UTC."
    assert (response.status, response.headers["Retry-After"], response.json()) == (
        429,
        "40",
        {
            "error": {
                "message": message,
                "type": "rate_limit_error",
                "param": None,
                "code": "rate_limit_exceeded",
            },
            "error_type": "rate_limit_exceeded",
        },
    )
    assert response.headers["Content-Type"] == "application/json"
    assert "x-should-retry" not in response.headers
    assert (sagemaker.received, table.item("team-a")["minute_tokens"]) == ([], 950)


@pytest.mark.parametrize(
    ("models", "path", "body"),
    [
        (TGI, "/generate", INPUTS),
        (TGI, "/generate_stream", INPUTS),
        (TGI, "/", {**INPUTS, "stream": True}),
        (TGI, "/models/llama", INPUTS),
        (VLLM, "/generate", INPUTS),
        (VLLM, "/models/llama/generate_stream", INPUTS),
        (TGI, "/generate", {"inputs": "Hi there", "parameters": {"max_new_tokens": 50, "best_of": 2}}),
        (TGI, "/invocations", INPUTS),
    ],
)
def test_tgis_clients_get_tgis_error(
    models: dict[str, Any], path: str, body: dict[str, Any], door_for: Doors, table: Table, sagemaker: SageMakerDouble
) -> None:
    door = door_for(team(tokens_per_day=1000), models)
    door.set_clock(NOON)
    use(table, day_start=NOON - 12 * 3600, day_tokens=950)
    response = door.read(path, body)
    message = f"{TAKES.format(103)} fewer left of the 1000 for this day, which ends at 2026-11-27 00:00 UTC."
    assert (response.status, response.headers["Retry-After"], response.json()) == (
        429,
        str(12 * 3600),
        {"error": message, "error_type": "insufficient_quota"},
    )
    assert response.headers["x-should-retry"] == "false"
    assert isinstance(parse_error(response.status, response.json()), RateLimitExceededError)
    assert sagemaker.received == []


def test_the_month_is_a_quota_and_what_is_reported_if_the_minute_is_used_too(door_for: Doors, table: Table) -> None:
    door = door_for(team(tokens_per_minute=100_000, tokens_per_month=1000))
    door.set_clock(NOON)
    month = NOON - 12 * 3600 - 25 * 86400
    use(table, minute_start=NOON, minute_tokens=99_999, month_start=month, month_tokens=1000)
    response = door.read("/v1/chat/completions", CHAT)
    error = response.json()["error"]
    assert (error["code"], error["type"]) == ("insufficient_quota", "rate_limit_error")
    assert error["message"].endswith("fewer left of the 1000 for this month, which ends at 2026-12-01 00:00 UTC.")
    assert response.headers["Retry-After"] == str(4 * 86400 + 12 * 3600)


def test_a_request_that_no_window_has_room_for_is_told_what_to_change(door_for: Doors, table: Table) -> None:
    door = door_for(team(tokens_per_minute=100))
    response = door.read("/v1/chat/completions", CHAT)
    assert (
        response.json()["error"]["message"] == f"{TAKES.format(106)} 100 for a minute: lower max_tokens or the prompt."
    )
    assert (response.status, response.headers["x-should-retry"]) == (429, "false")
    assert "Retry-After" not in response.headers
    assert (table.updates, door.line()["Limit"]) == (0, "tokens_per_minute")


def test_a_stream_too_many_waits_some_seconds(door_for: Doors, table: Table, sagemaker: SageMakerDouble) -> None:
    door = door_for(team(concurrent_streams=2), TGI)
    sagemaker.replies += [parts(*ANSWER), parts(*ANSWER), parts(*ANSWER)]
    first, second = (door.begin("/v1/chat/completions", {**CHAT, "stream": True}) for _ in range(2))
    assert (first.status, second.status, len(table.item("team-a")["in_flight"])) == (200, 200, 2)
    refused = door.read("/generate", INPUTS)
    message = "`team-a` may have 2 requests at once, and has them. Try again when one has ended."
    assert (refused.status, refused.headers["Retry-After"]) == (429, "5")
    assert refused.json() == {"error": message, "error_type": "rate_limit_exceeded"}
    b"".join(first.body)
    first.body.close()  # type: ignore[attr-defined]
    assert door.read("/v1/chat/completions", CHAT).status == 200
    second.body.close()  # type: ignore[attr-defined]
    assert table.item("team-a")["in_flight"] == {}


def test_a_place_of_a_dead_invocation_is_free_when_it_expires(
    door_for: Doors, table: Table, sagemaker: SageMakerDouble
) -> None:
    door = door_for(team(concurrent_streams=2))
    door.set_clock(NOON)
    use(table, in_flight={"r1": NOON + 2, "r2": NOON + 900})
    refused = door.read("/v1/chat/completions", CHAT)
    assert (refused.status, refused.headers["Retry-After"]) == (429, "2")
    door.set_clock(NOON + 2)
    sagemaker.replies += [parts(*ANSWER)]
    response = door.begin("/v1/chat/completions", CHAT)
    assert response.status == 200
    assert "r1" not in table.item("team-a")["in_flight"]
    assert len(table.item("team-a")["in_flight"]) == 2
    response.body.close()  # type: ignore[attr-defined]
    assert table.item("team-a")["in_flight"] == {"r2": NOON + 900}


def test_what_a_dead_invocation_has_taken_stays_spent(
    door_for: Doors, table: Table, sagemaker: SageMakerDouble
) -> None:
    door = door_for(team(tokens_per_day=1000))
    door.set_clock(NOON)
    sagemaker.replies += [parts(*ANSWER), parts(*ANSWER)]
    door.begin("/v1/chat/completions", CHAT)  # killed before its response is released
    assert table.item("team-a")["day_tokens"] == 106
    door.set_clock(NOON + 3600)
    assert door.read("/v1/chat/completions", CHAT).status == 200
    assert table.item("team-a")["day_tokens"] == 106 + 11


@pytest.mark.parametrize(
    ("limit", "unit", "at", "begins"),
    [
        ("tokens_per_minute", "minute", NOON + 59, NOON + 60),
        ("tokens_per_day", "day", NOON, NOON + 12 * 3600),
        ("tokens_per_month", "month", NOON, NOON + 4 * 86400 + 12 * 3600),
    ],
)
def test_a_new_window_begins_with_nothing_used(
    limit: str, unit: str, at: int, begins: int, door_for: Doors, table: Table, sagemaker: SageMakerDouble
) -> None:
    door = door_for(team(**{limit: 120}))
    door.set_clock(at)
    sagemaker.replies += [parts(*ANSWER), parts(*ANSWER), parts(*ANSWER)]
    assert door.read("/v1/chat/completions", CHAT).status == 200
    assert door.read("/v1/chat/completions", CHAT).status == 200
    door.set_clock(begins - 0.001)
    assert door.read("/v1/chat/completions", CHAT).status == 429
    door.set_clock(begins)
    assert door.read("/v1/chat/completions", CHAT).status == 200
    item = table.item("team-a")
    assert (item[f"{unit}_start"], item[f"{unit}_tokens"]) == (begins, 11)


def test_another_functions_clock_may_be_ahead(door_for: Doors, table: Table, sagemaker: SageMakerDouble) -> None:
    door = door_for(team(tokens_per_minute=200))
    door.set_clock(NOON + 59.9)
    use(table, minute_start=NOON + 60, minute_tokens=50)
    sagemaker.replies += [parts(*ANSWER)]
    assert door.read("/v1/chat/completions", CHAT).status == 200
    item = table.item("team-a")
    assert (item["minute_start"], item["minute_tokens"]) == (NOON + 60, 61)


def test_a_refusal_is_counted_by_its_limit(door_for: Doors, table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRONT_DOOR", "Stack/FrontDoor")
    door = door_for(team(tokens_per_day=1000))
    door.set_clock(NOON)
    use(table, day_start=NOON - 12 * 3600, day_tokens=950)
    door.read("/models/llama/generate", INPUTS)
    line = door.line()
    assert {name: line[name] for name in ("consumer", "api_key_id", "Limit", "Refused", "Model", "error", "level")} == {
        "consumer": "team-a",
        "api_key_id": "key-id",
        "Limit": "tokens_per_day",
        "Refused": 1,
        "Model": "llama",
        "error": "insufficient_quota",
        "level": "WARN",
    }
    assert "reserved_tokens" not in line
    of_all, by_limit = line["_aws"]["CloudWatchMetrics"]
    assert by_limit == {
        "Namespace": "TgiEndpoint/FrontDoor",
        "Dimensions": [["FrontDoor", "Limit"]],
        "Metrics": [{"Name": "Refused", "Unit": "Count"}],
    }
    assert {"Name": "Refused", "Unit": "Count"} in of_all["Metrics"]


def test_openais_package_repeats_it_in_the_next_minute_and_a_quota_not_at_all(
    door_for: Doors, table: Table, sagemaker: SageMakerDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own decision, by the headers of the response."""
    door = door_for(team(tokens_per_minute=1000, tokens_per_day=2000))
    door.set_clock(NOON + 57)
    client = OpenAI(api_key="key", base_url="http://127.0.0.1:1")
    use(table, minute_start=NOON, minute_tokens=950)
    response = door.read("/v1/chat/completions", CHAT)
    as_httpx = SimpleNamespace(status_code=response.status, headers=response.headers)
    assert client._should_retry(as_httpx)  # type: ignore[arg-type]
    lower = {name.lower(): value for name, value in response.headers.items()}
    assert client._parse_retry_after_header(lower) == 3  # type: ignore[arg-type]
    use(table, day_start=NOON - 12 * 3600, day_tokens=1999)
    response = door.read("/v1/chat/completions", CHAT)
    as_httpx = SimpleNamespace(status_code=response.status, headers=response.headers)
    assert not client._should_retry(as_httpx)  # type: ignore[arg-type]


def test_a_request_that_is_wrong_takes_nothing(door_for: Doors, table: Table) -> None:
    door = door_for(team(tokens_per_minute=1000))
    assert door.read("/v1/chat/completions", {**CHAT, "temperature": "hot"}).status == 400
    assert door.read("/generate", {"inputs": 1}).status == 422
    assert door.read("/v1/chat/completions", {**CHAT, "model": "lama"}).status == 404
    assert table.updates == 0
