"""What the routes about a model say if it has several endpoints; and smoke tests of each of them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from front_door.app import App
from front_door.config import ConfigError

from tests.lambda_.protocols.openai.natives import lines
from tests.lambda_.routing.answers import THROTTLED, chat, completion
from tests.lambda_.routing.conftest import Door, Targets
from tests.lambda_.routing.entries import endpoint, fallback, mirror
from tests.lambda_.sagemaker_double import Reply, error, plain_response
from tests.lambda_.test_waking import NO_CAPACITY

Doors = Callable[..., Door]
SLEEPER = {"inference_component": "component", "wake_seconds": 300}


def status(name: str) -> Reply:
    return plain_response(json.dumps({"EndpointStatus": name}).encode())


def weighted(*shares: tuple[float, dict[str, Any]]) -> dict[str, Any]:
    return {"split": [{"weight": weight, "to": entry} for weight, entry in shares]}


@pytest.mark.parametrize("path", ["/health", "/models/llama/health"])
def test_a_model_is_healthy_while_each_share_has_an_endpoint_in_service(
    targets: Targets, door_for: Doors, path: str
) -> None:
    entry = weighted(
        (1, fallback(targets.entry("a"), targets.entry("b"))), (1, targets.entry("c")), (0, targets.entry("drained"))
    )
    door = door_for(mirror(entry, targets.entry("copy")))
    targets.reply("a", status("Failed"))
    targets.reply("b", status("InService"))
    targets.reply("c", status("Updating"))
    assert door.send(path).status == 200
    assert targets.counts() == {"a": 1, "b": 1, "c": 1, "drained": 0, "copy": 0}


def test_a_share_without_an_endpoint_in_service_makes_it_unhealthy(targets: Targets, door_for: Doors) -> None:
    door = door_for(weighted((1, fallback(targets.entry("a"), targets.entry("b"))), (1, targets.entry("c"))))
    targets.reply("a", status("Failed"))
    targets.reply("b", error(400, "ValidationException", message="Could not find endpoint"))
    targets.reply("c", status("InService"))
    response = door.send("/health")
    assert (response.status, response.json()["error"]) == (503, "unhealthy")
    assert door.generated()["cause"] == "a-endpoint is Failed; DescribeEndpoint: ValidationException"


def test_an_endpoint_in_another_region_is_described_there(targets: Targets, door_for: Doors) -> None:
    door = door_for(fallback(targets.entry("there", region="us-east-1"), targets.entry("here")))
    targets.reply("there", status("InService"))
    assert door.send("/health").status == 200
    assert "/us-east-1/sagemaker/" in targets.received("there")[0].headers["authorization"]


def test_info_is_the_first_endpoints_with_the_smallest_limits(targets: Targets, door_for: Doors) -> None:
    facts = {"max_total_tokens": 8192, "max_input_tokens": 8000, "version": "3.3.6"}
    entry = weighted(
        (95, targets.entry("tgi", "tgi", **facts)),
        (5, targets.entry("vllm", max_total_tokens=4096, version="0.30.0")),
        (0, targets.entry("old", "tgi", max_total_tokens=128)),
    )
    found = door_for(mirror(entry, targets.entry("copy", max_total_tokens=16))).send("/info").json()
    assert (found["router"], found["version"], found["model_id"]) == ("text-generation-router", "3.3.6", "org/llama")
    assert (found["max_total_tokens"], found["max_input_tokens"]) == (4096, 8000)
    assert "wake" not in found


def test_info_has_the_longest_wake_of_all_endpoints(targets: Targets, door_for: Doors) -> None:
    entry = fallback(targets.entry("a"), targets.entry("b", **SLEEPER))
    found = door_for(entry, has_wake_route=True).send("/info").json()
    assert found["wake"] == {"path": "/models/llama/wake", "seconds": 300}


def test_models_are_the_names_once_with_the_adapters_that_all_have(targets: Targets, door_for: Doors) -> None:
    adapters = {"sql": None, "law": None}
    door = door_for(fallback(targets.entry("a", adapters=adapters), targets.entry("b", adapters={"sql": "component"})))
    listed = [model["id"] for model in door.send("/v1/models").json()["data"]]
    assert listed == ["llama", "llama:sql"]
    assert door.send("/v1/models/llama:sql").json()["parent"] == "llama"
    assert door.send("/models/llama/v1/models").json()["data"][0]["owned_by"] == "org/llama"
    missing = door.send("/v1/completions", {"model": "llama:law", "prompt": "Hi"})
    assert (missing.status, missing.json()["error"]["message"]) == (
        404,
        "The model `llama` has no adapter `law`. It has `sql`.",
    )


def test_an_adapter_is_named_as_each_endpoint_knows_it(targets: Targets, door_for: Doors) -> None:
    door = door_for(
        fallback(targets.entry("a", adapters={"sql": "part"}), targets.entry("b", "lmi", adapters={"sql": None}))
    )
    targets.reply("a", THROTTLED)
    chunk = {"choices": [{"index": 0, "text": "x", "finish_reason": "length"}], "model": "m"}
    targets.reply("b", lines(json.dumps(chunk).encode() + b"\n"))
    assert door.send("/v1/completions", {"model": "llama:sql", "prompt": "Hi"}).json()["model"] == "llama:sql"
    (one,), (other,) = targets.received("a"), targets.received("b")
    assert one.headers["x-amzn-sagemaker-inference-component"] == "part"
    assert other.json()["adapters"] == "sql"


class TestWake:
    def test_each_share_is_woken_and_the_slowest_counts(self, targets: Targets, door_for: Doors) -> None:
        entry = weighted(
            (1, targets.entry("a", inference_component="component", wake_seconds=100)),
            (1, targets.entry("b", **SLEEPER)),
            (0, targets.entry("drained", **SLEEPER)),
        )
        door = door_for(mirror(entry, targets.entry("copy", **SLEEPER)), has_wake_route=True)
        targets.reply("a", NO_CAPACITY)
        targets.reply("b", NO_CAPACITY)
        response = door.send("/models/llama/wake", method="POST")
        assert (response.status, response.json()) == (202, {"state": "waking", "seconds": 300})
        assert targets.counts() == {"a": 1, "b": 1, "drained": 0, "copy": 0}

    def test_a_fallback_that_runs_is_awake_and_the_first_is_being_started(
        self, targets: Targets, door_for: Doors
    ) -> None:
        door = door_for(fallback(targets.entry("a", **SLEEPER), targets.entry("b")), has_wake_route=True)
        targets.reply("a", NO_CAPACITY)
        targets.reply("b", completion())
        response = door.send("/models/llama/wake", method="POST")
        assert (response.status, response.json()) == (200, {"state": "awake"})
        assert targets.counts() == {"a": 1, "b": 1}

    def test_one_that_is_being_started_counts_more_than_one_that_fails(self, targets: Targets, door_for: Doors) -> None:
        door = door_for(fallback(targets.entry("a", **SLEEPER), targets.entry("b")), has_wake_route=True)
        targets.reply("a", NO_CAPACITY)
        targets.reply("b", error(500, "InternalFailure"))
        assert door.send("/models/llama/wake", method="POST").status == 202

    def test_the_estimates_of_two_endpoints_are_apart(self, targets: Targets, door_for: Doors) -> None:
        door = door_for(
            fallback(
                targets.entry("a", inference_component="component", wake_seconds=1000),
                targets.entry("b", **SLEEPER),
            )
        )
        targets.reply("a", NO_CAPACITY)
        targets.reply("b", NO_CAPACITY)
        response = door.send("/v1/completions", {"model": "llama", "prompt": "Hi"})
        assert (response.status, response.headers["Retry-After"]) == (503, "300")

    def test_a_wake_is_not_copied(self, targets: Targets, door_for: Doors) -> None:
        door = door_for(
            mirror(targets.entry("a"), targets.entry("copy")),
            {"AWS_ENDPOINT_URL_LAMBDA": "http://127.0.0.1:1"},
            has_wake_route=True,
        )
        targets.reply("a", completion())
        assert door.send("/models/llama/wake", method="POST").status == 200
        assert "mirrored" not in door.generated()


class TestSmokeTest:
    @pytest.fixture(name="door")
    def _door(self, targets: Targets, door_for: Doors) -> Door:
        entry = weighted((1, fallback(targets.entry("a"), targets.entry("b"))), (0, targets.entry("c", "sglang")))
        return door_for(mirror(entry, targets.entry("copy")), {"AWS_ENDPOINT_URL_LAMBDA": "http://127.0.0.1:1"})

    def ask(self, door: Door, **members: object) -> tuple[int, Any]:
        event = {"tgi_endpoint": {"smoke_test": {"model": "llama", **members}}}
        invocation = SimpleNamespace(request_id="lambda-id", deadline=time.time() + 30, is_buffered=False)
        response = door.app.handle(event, invocation)  # type: ignore[arg-type]
        return response.status, json.loads(b"".join(response.body))

    @pytest.mark.parametrize("target", ["a", "b", "c", "copy"])
    def test_it_asks_the_endpoint_that_it_names(self, door: Door, targets: Targets, target: str) -> None:
        targets.reply(target, chat() if target == "c" else completion())
        assert self.ask(door, target=target)[0] == 200
        assert targets.counts() == {name: int(name == target) for name in ("a", "b", "c", "copy")}
        line = door.generated()
        assert (line["target"], line["route"]) == (target, "smoke test")
        assert not {"_aws", "Requests", "mirrored"} & line.keys()

    def test_no_other_endpoint_answers_for_it(self, door: Door, targets: Targets) -> None:
        targets.reply("a", *[THROTTLED] * 3)
        status_code, body = self.ask(door, target="a")
        assert (status_code, body["error"]["kind"]) == (429, "overloaded")
        assert targets.counts() == {"a": 3, "b": 0, "c": 0, "copy": 0}

    def test_without_a_target_it_is_an_ordinary_request(self, door: Door, targets: Targets) -> None:
        targets.reply("a", THROTTLED)
        targets.reply("b", completion())
        assert self.ask(door)[0] == 200

    def test_an_endpoint_that_answers_chats_alone_may_follow_one_with_completions(
        self, targets: Targets, door_for: Doors
    ) -> None:
        door = door_for(fallback(targets.entry("a"), targets.entry("b", "sglang"), targets.entry("c")))
        targets.reply("a", THROTTLED)
        targets.reply("b", THROTTLED)
        targets.reply("c", completion())
        assert self.ask(door)[0] == 200
        sent = [targets.received(name)[0].json() for name in ("a", "b", "c")]
        assert [sorted({"prompt", "messages"} & body.keys()) for body in sent] == [["prompt"], ["messages"], ["prompt"]]

    def test_an_unknown_target_is_an_error_with_the_names(self, door: Door) -> None:
        status_code, body = self.ask(door, target="d")
        assert (status_code, body["error"]["message"]) == (
            404,
            "The model `llama` has no target `d`. There is `a`, `b`, `c`, `copy`.",
        )

    def test_one_endpoint_has_no_targets(self, targets: Targets, door_for: Doors) -> None:
        entry = targets.entry("a")
        del entry["target"]
        status_code, body = self.ask(door_for(entry), target="a")
        assert (status_code, body["error"]["message"]) == (404, "The model `llama` is one endpoint, without targets.")


def test_the_engine_of_each_endpoint_must_be_known(door_for: Doors) -> None:
    for entry in (fallback(endpoint("a"), endpoint("b", "bard")), mirror(endpoint("a"), endpoint("b", "bard"))):
        with pytest.raises(ConfigError, match="The engine 'bard' is unknown"):
            door_for(entry)
    assert isinstance(door_for(fallback(endpoint("a"))).app, App)
