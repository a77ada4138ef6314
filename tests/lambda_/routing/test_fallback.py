"""The next endpoint gets what one refuses, as long as nothing ran and nothing was sent."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.lambda_.protocols.openai.events import sse
from tests.lambda_.protocols.openai.natives import refused
from tests.lambda_.routing.answers import (
    CHAT,
    COMPLETION,
    GENERATE,
    REFUSALS,
    TGI_FULL,
    TGI_FULL_IN_BAND,
    THROTTLED,
    VLLM_FULL,
    chat,
    completion,
    tgi,
    tgi_completion,
)
from tests.lambda_.routing.conftest import Door, Targets
from tests.lambda_.routing.entries import fallback
from tests.lambda_.sagemaker_double import Reply, error, part, plain_response, stream
from tests.lambda_.test_waking import NO_CAPACITY

Doors = Callable[..., Door]


@pytest.fixture(name="two")
def _two(targets: Targets, door_for: Doors) -> Door:
    """TGI in front, vLLM behind it."""
    return door_for(fallback(targets.entry("tgi", "tgi"), targets.entry("vllm")))


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS.keys())
@pytest.mark.parametrize("is_streamed", [False, True], ids=["buffered", "streamed"])
def test_the_second_endpoint_answers_what_the_first_refuses(
    two: Door, targets: Targets, refusal: Reply, is_streamed: bool
) -> None:
    targets.reply("tgi", refusal)
    targets.reply("vllm", chat())
    response = two.send("/v1/chat/completions", {**CHAT, "stream": is_streamed})
    assert response.status == 200
    assert "Un été" in response.body.decode()
    assert targets.counts() == {"tgi": 1, "vllm": 1}
    line = two.generated()
    assert {name: line[name] for name in ("status", "target", "engine", "endpoint", "Fallbacks", "Retries")} == {
        "status": 200,
        "target": "vllm",
        "engine": "vllm",
        "endpoint": "vllm-endpoint",
        "Fallbacks": 1,
        "Retries": 0,
    }
    assert [refused["target"] for refused in line["refused"]] == ["tgi"]
    assert (line["Requests"], line["ServerErrors"], line["ClientErrors"]) == (1, 0, 0)


def test_a_full_queue_of_vllm_is_a_refusal(targets: Targets, door_for: Doors) -> None:
    door = door_for(fallback(targets.entry("vllm"), targets.entry("tgi", "tgi")))
    targets.reply("vllm", VLLM_FULL)
    targets.reply("tgi", tgi_completion())
    assert door.send("/v1/completions", COMPLETION).status == 200
    assert door.generated()["refused"] == [{"target": "vllm", "error": "overloaded", "cause": "ModelError 503"}]


def test_each_endpoint_gets_the_request_in_the_words_of_its_engine(two: Door, targets: Targets) -> None:
    targets.reply("tgi", TGI_FULL)
    targets.reply("vllm", chat())
    two.send("/v1/chat/completions", {**CHAT, "max_completion_tokens": 5, "stop": "x"})
    (to_tgi,), (to_vllm,) = targets.received("tgi"), targets.received("vllm")
    assert to_tgi.json()["max_tokens"] == 5
    assert "max_completion_tokens" not in to_tgi.json()
    assert to_vllm.json()["max_completion_tokens"] == 5
    assert "return_token_ids" not in to_vllm.json()


def test_a_request_of_tgis_goes_on_to_another_tgi(targets: Targets, door_for: Doors) -> None:
    door = door_for(fallback(targets.entry("one", "tgi"), targets.entry("other", "tgi")))
    targets.reply("one", TGI_FULL)
    targets.reply("other", tgi())
    assert door.send("/generate", GENERATE).json() == {"generated_text": " Un été 🧸"}
    (first,), (second,) = targets.received("one"), targets.received("other")
    assert first.json() == second.json()


def test_an_overload_that_a_stream_of_tgi_begins_with_is_a_refusal(targets: Targets, door_for: Doors) -> None:
    door = door_for(fallback(targets.entry("one", "tgi"), targets.entry("other", "tgi")))
    targets.reply("one", TGI_FULL_IN_BAND)
    targets.reply("other", tgi())
    response = door.send("/generate_stream", GENERATE)
    assert (response.status, b"overloaded" in response.body) == (200, False)
    assert targets.counts() == {"one": 1, "other": 1}


def test_a_first_endpoint_that_answers_is_the_only_one_asked(two: Door, targets: Targets) -> None:
    targets.reply("tgi", tgi_completion())
    two.send("/v1/completions", COMPLETION)
    assert targets.counts() == {"tgi": 1, "vllm": 0}
    line = two.generated()
    assert (line["target"], line["engine"]) == ("tgi", "tgi")
    assert "Fallbacks" not in line
    assert "refused" not in line


@pytest.mark.parametrize(
    "failure",
    [
        refused(500, {"error": "out of memory", "error_type": "generation"}),
        refused(424, {"error": "Request failed during generation", "error_type": "generation"}),
        refused(422, {"error": "Input validation error: `inputs` must have less than 5", "error_type": "validation"}),
        error(403, "AccessDeniedException"),
        error(500, "InternalFailure"),
        error(424, "ModelError", OriginalStatusCode=0),
        error(413, "RequestEntityTooLargeException"),
    ],
    ids=["500", "generation", "validation", "permission", "internal", "timeout", "too large"],
)
def test_what_is_no_refusal_is_the_clients_error(two: Door, targets: Targets, failure: Reply) -> None:
    targets.reply("tgi", failure)
    response = two.send("/v1/chat/completions", CHAT)
    assert response.status >= 400
    assert targets.counts() == {"tgi": 1, "vllm": 0}
    line = two.generated()
    assert line["target"] == "tgi"
    assert "Fallbacks" not in line


def test_a_request_that_is_invalid_reaches_no_endpoint(two: Door, targets: Targets) -> None:
    response = two.send("/v1/chat/completions", {**CHAT, "temperature": "hot"})
    assert response.status == 400
    assert targets.counts() == {"tgi": 0, "vllm": 0}


def test_a_stream_that_breaks_after_its_first_token_is_not_begun_anew(two: Door, targets: Targets) -> None:
    token = sse({"choices": [{"index": 0, "delta": {"role": "assistant", "content": "x"}, "finish_reason": None}]})
    targets.reply("tgi", stream([part(token)], ends=False, then="reset"))
    response = two.send("/v1/chat/completions", {**CHAT, "stream": True})
    assert response.status == 200
    assert b'"error"' in response.body
    assert targets.counts() == {"tgi": 1, "vllm": 0}


def test_choices_of_which_one_has_begun_are_not_asked_elsewhere(targets: Targets, door_for: Doors) -> None:
    """Two choices for TGI are two requests: the first has its answer when the second is refused."""
    door = door_for(fallback(targets.entry("tgi", "tgi"), targets.entry("vllm")))
    slow = Reply([lambda: time.sleep(0.3), *THROTTLED.pieces])
    targets.reply("tgi", tgi_completion(), slow)
    response = door.send("/v1/completions", {**COMPLETION, "n": 2})
    assert response.status == 429
    assert targets.counts()["vllm"] == 0


def test_a_request_is_repeated_at_the_last_endpoint_only(two: Door, targets: Targets) -> None:
    targets.reply("tgi", THROTTLED)
    targets.reply("vllm", THROTTLED, THROTTLED, chat())
    assert two.send("/v1/chat/completions", CHAT).status == 200
    assert targets.counts() == {"tgi": 1, "vllm": 3}
    assert two.generated()["Retries"] == 2


def test_where_all_refuse_it_is_the_error_of_the_last_and_the_log_has_the_others(two: Door, targets: Targets) -> None:
    targets.reply("tgi", NO_CAPACITY)
    targets.reply("vllm", *[VLLM_FULL] * 3)
    response = two.send("/v1/chat/completions", CHAT)
    assert response.status == 429
    assert response.json()["error"]["code"] == "rate_limit_exceeded"
    line = two.generated()
    assert (line["error"], line["cause"], line["target"]) == ("overloaded", "ModelError 503", "vllm")
    assert line["refused"] == [{"target": "tgi", "error": "no_capacity", "cause": "ValidationError"}]
    assert (line["Fallbacks"], line["ClientErrors"]) == (1, 1)


def test_three_endpoints_are_asked_in_their_order(targets: Targets, door_for: Doors) -> None:
    door = door_for(fallback(*(targets.entry(name) for name in ("a", "b", "c"))))
    targets.reply("a", VLLM_FULL)
    targets.reply("b", NO_CAPACITY)
    targets.reply("c", completion())
    assert door.send("/v1/completions", COMPLETION).status == 200
    line = door.generated()
    assert (line["target"], line["Fallbacks"]) == ("c", 2)
    assert [(refused["target"], refused["error"]) for refused in line["refused"]] == [
        ("a", "overloaded"),
        ("b", "no_capacity"),
    ]


def test_a_request_that_only_the_first_could_take_gets_its_refusal(two: Door, targets: Targets) -> None:
    targets.reply("tgi", TGI_FULL)
    targets.reply("vllm", refused(400, {"error": {"message": "n is too large", "type": "BadRequest", "code": 400}}))
    response = two.send("/v1/chat/completions", CHAT)
    assert (response.status, response.headers["Retry-After"]) == (429, "1")
    line = two.generated()
    assert line["error"] == "overloaded"
    assert [(refused["target"], refused["error"]) for refused in line["refused"]] == [
        ("tgi", "overloaded"),
        ("vllm", "bad_request"),
    ]


@pytest.mark.parametrize("path", ["/generate", "/generate_stream"])
@pytest.mark.parametrize("parameters", [{}, {"typical_p": 0.5}, {"temperature": 3.0}, {"truncate": 30}])
def test_nor_is_a_stream_of_tgi_an_answer_to_it(
    two: Door, targets: Targets, path: str, parameters: dict[str, Any]
) -> None:
    """TGI refuses requests in a stream with the status 200; here nothing but the first endpoint could take it."""
    targets.reply("tgi", TGI_FULL)
    targets.reply("vllm", refused(400, {"error": {"message": "too much", "type": "BadRequest", "code": 400}}))
    response = two.send(path, {"inputs": "Hi", "parameters": parameters})
    assert (response.status, response.json()) == (429, {"error": "Model is overloaded", "error_type": "overloaded"})
    assert [each["target"] for each in two.generated()["refused"]] == ["tgi", "vllm"]


def test_an_endpoint_that_nothing_listens_at_is_left_at_once(targets: Targets, door_for: Doors) -> None:
    nowhere = targets.entry("there", runtime_url="http://127.0.0.1:1", region="us-east-1")
    door = door_for(fallback(nowhere, targets.entry("here")))
    targets.reply("here", completion())
    began = time.monotonic()
    assert door.send("/v1/completions", COMPLETION).status == 200
    assert time.monotonic() - began < 2
    assert door.generated()["refused"] == [
        {"target": "there", "error": "unavailable", "cause": "no connection: ConnectionRefusedError"}
    ]


def test_a_client_is_held_for_the_last_endpoint_only(
    targets: Targets, door_for: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    from front_door.sagemaker import hold

    monkeypatch.setattr(hold, "FIRST_PAUSE_SECONDS", 0.05)
    sleeper = {"inference_component": "component", "wake_seconds": 300}
    door = door_for(fallback(targets.entry("a", **sleeper), targets.entry("b", **sleeper)), holds_clients=True)
    targets.reply("a", NO_CAPACITY)
    targets.reply("b", NO_CAPACITY, completion())
    assert door.send("/v1/completions", COMPLETION).status == 200
    assert targets.counts() == {"a": 1, "b": 2}
    line = door.generated()
    assert (line["wake_asks"], line["Fallbacks"]) == (1, 1)


def test_each_region_has_its_own_name_in_signatures(targets: Targets, door_for: Doors) -> None:
    door = door_for(fallback(targets.entry("there", region="us-east-1"), targets.entry("here")))
    targets.reply("there", THROTTLED)
    targets.reply("here", completion())
    door.send("/v1/completions", COMPLETION)
    scopes = [targets.received(name)[0].headers["authorization"].split("/", 4)[2:4] for name in ("there", "here")]
    assert scopes == [["us-east-1", "sagemaker"], ["eu-west-1", "sagemaker"]]
    assert targets.received("there")[0].headers["host"] != targets.received("here")[0].headers["host"]


def test_the_body_that_is_too_large_for_one_is_no_refusal(targets: Targets, door_for: Doors) -> None:
    door = door_for(fallback(targets.entry("a", max_body_bytes=10), targets.entry("b")))
    assert door.send("/v1/completions", COMPLETION).status == 413
    assert targets.counts() == {"a": 0, "b": 0}


@pytest.mark.parametrize("path", ["/v1/completions", "/models/llama/v1/completions", "/invocations"])
def test_all_routes_go_on(two: Door, targets: Targets, path: str) -> None:
    targets.reply("tgi", THROTTLED)
    targets.reply("vllm", completion())
    assert two.send(path, COMPLETION).status == 200
    assert targets.counts() == {"tgi": 1, "vllm": 1}


def test_what_cannot_be_streamed_goes_on_as_well(targets: Targets, door_for: Doors) -> None:
    door = door_for(fallback(targets.entry("one", "tgi"), targets.entry("other", "tgi")))
    targets.reply("one", THROTTLED)
    targets.reply("other", plain_response(b'[{"generated_text":"x"}]'))
    body = {"inputs": "Hi", "parameters": {"best_of": 2, "do_sample": True}}
    assert door.send("/generate", body).json() == {"generated_text": "x"}
    assert [json.loads(each.body) for each in targets.received("one")] == [
        json.loads(each.body) for each in targets.received("other")
    ]


def test_a_model_with_one_endpoint_is_as_it_was(targets: Targets, door_for: Doors) -> None:
    entry: dict[str, Any] = targets.entry("only")
    del entry["target"]
    door = door_for(entry)
    targets.reply("only", THROTTLED, completion())
    assert door.send("/v1/completions", COMPLETION).status == 200
    line = door.generated()
    assert line["Retries"] == 1
    assert not {"target", "engine", "Fallbacks", "refused", "mirrored"} & line.keys()
