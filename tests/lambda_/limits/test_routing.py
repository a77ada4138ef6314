"""Models with several endpoints: a request takes its tokens once, whichever of them it is sent to."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from front_door.callers import read_callers

from tests.lambda_.limits.conftest import by_key, team
from tests.lambda_.limits.table import TABLE, Table
from tests.lambda_.routing.answers import CHAT, GENERATE, NO_ENDPOINT, THROTTLED, chat, completion, tgi
from tests.lambda_.routing.conftest import Door, Targets, door_for, targets
from tests.lambda_.routing.entries import fallback, mirror
from tests.lambda_.sagemaker_double import SageMakerDouble, plain_response

__all__ = ["door_for", "targets"]
Doors = Callable[..., Door]


def limited(table: Table, **limits: int) -> dict[str, Any]:
    callers = read_callers(team(**limits), ["llama"])
    return {"callers": callers, "limits_table": TABLE, "dynamodb_url": table.url}


def release(door: Door, path: str, body: object, **event: Any) -> int:
    response = door.begin(path, body, **event)
    b"".join(response.body)
    close = getattr(response.body, "close", None)
    if close is not None:
        close()
    return response.status


def test_the_second_endpoint_takes_nothing_more(targets: Targets, door_for: Doors, table: Table) -> None:
    entry = fallback(targets.entry("a", "tgi"), targets.entry("b"))
    door = door_for(entry, **limited(table, tokens_per_day=2000, concurrent_streams=1))
    targets.reply("a", THROTTLED)
    targets.reply("b", chat())
    assert release(door, "/v1/chat/completions", CHAT) == 200
    item = table.item("team-a")
    assert (table.updates, item["day_tokens"], item["in_flight"]) == (2, 11, {})
    line = door.generated()
    assert (line["Fallbacks"], line["reserved_tokens"], line["used_tokens"]) == (1, 6 + 1024, 11)


def test_if_all_refuse_all_is_given_back(targets: Targets, door_for: Doors, table: Table) -> None:
    entry = fallback(targets.entry("a", "tgi"), targets.entry("b"))
    door = door_for(entry, **limited(table, tokens_per_day=2000))
    targets.reply("a", THROTTLED)
    targets.reply("b", NO_ENDPOINT)
    assert release(door, "/generate", GENERATE) == 503
    assert (table.item("team-a")["day_tokens"], table.item("team-a")["in_flight"]) == (0, {})


def test_a_refused_request_is_sent_to_no_endpoint(targets: Targets, door_for: Doors, table: Table) -> None:
    entry = fallback(targets.entry("a", "tgi"), targets.entry("b"))
    door = door_for(entry, **limited(table, tokens_per_day=1))
    assert release(door, "/generate", GENERATE) == 429
    assert set(targets.counts().values()) <= {0}
    assert "refused" not in door.generated()


def test_both_keys_of_a_consumer_are_one_caller_of_a_split(targets: Targets, door_for: Doors, table: Table) -> None:
    entry = {"split": [{"weight": 1, "to": targets.entry(name)} for name in ("a", "b")]}
    callers = {
        f"team-{number}": {"keys": [f"key-{number}", f"new-{number}"], "tokens_per_day": 10**6} for number in range(12)
    }
    file = read_callers({"consumers": callers, "on_store_failure": "closed"}, ["llama"])
    door = door_for(entry, **{**limited(table), "callers": file})
    for name in ("a", "b"):
        targets.reply(name, *[chat() for _ in range(24)])
    for number in range(12):
        for key in (f"key-{number}", f"new-{number}"):
            assert release(door, "/v1/chat/completions", CHAT, requestContext=by_key(key)) == 200
    chosen = [(line["consumer"], line["target"]) for line in door.log()]
    assert len(set(chosen)) == 12
    assert {target for _, target in chosen} == {"a", "b"}


@pytest.mark.parametrize("body", [CHAT, {**CHAT, "stream": True}])
def test_what_is_mirrored_is_counted_once(
    targets: Targets, door_for: Doors, table: Table, sagemaker: SageMakerDouble, body: dict[str, Any]
) -> None:
    entry = mirror(targets.entry("a"), targets.entry("b"))
    door = door_for(entry, {"AWS_ENDPOINT_URL_LAMBDA": sagemaker.url}, **limited(table, tokens_per_day=2000))
    targets.reply("a", chat())
    sagemaker.replies.append(plain_response(b"", 202))
    assert release(door, "/v1/chat/completions", body) == 200
    assert (len(sagemaker.received), table.updates, table.item("team-a")["day_tokens"]) == (1, 2, 11)
    assert door.generated()["used_tokens"] == 11


def test_a_copy_for_a_mirror_is_not_counted(targets: Targets, door_for: Doors, table: Table) -> None:
    door = door_for(mirror(targets.entry("a"), targets.entry("b")), {"MIRROR": "on"})
    targets.reply("b", completion())
    event = {"mirror": {"model": "llama"}, "requestContext": {"requestId": "gateway-id"}}
    assert release(door, "/v1/completions", {"model": "llama", "prompt": "Hi"}, **event) == 200
    assert table.updates == 0


def test_a_smoke_test_is_nobodys(targets: Targets, door_for: Doors, table: Table) -> None:
    door = door_for(fallback(targets.entry("a", "tgi")), **limited(table, tokens_per_day=1))
    targets.reply("a", tgi())
    event = {"tgi_endpoint": {"smoke_test": {"model": "llama"}}}
    invocation = SimpleNamespace(request_id="1", deadline=time.time() + 30, is_buffered=False)
    response = door.app.handle(event, invocation)  # type: ignore[arg-type]
    assert (response.status != 429, table.updates) == (True, 0)


@pytest.mark.parametrize("engine", ["tgi", "vllm"])
def test_an_adapter_belongs_to_its_model(engine: str, targets: Targets, door_for: Doors, table: Table) -> None:
    entry = fallback(targets.entry("a", engine, adapters={"sql": "component"}))
    door = door_for(entry, callers=read_callers(team(models=["llama"]), ["llama"]))
    targets.reply("a", chat())
    assert release(door, "/v1/chat/completions", {**CHAT, "model": "llama:sql"}) == 200
