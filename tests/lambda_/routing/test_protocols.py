"""Clients of either protocol get their answer from an endpoint of either engine, in its own engine's words."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.lambda_.protocols.tgi.test_translated import ANSWER
from tests.lambda_.routing.answers import CHAT, GENERATE, TGI_FULL, TGI_FULL_IN_BAND, VLLM_FULL, chat, tgi
from tests.lambda_.routing.conftest import Door, Targets
from tests.lambda_.routing.entries import fallback, mirror
from tests.lambda_.routing.test_mirror import send
from tests.lambda_.sagemaker_double import Reply, parts

Doors = Callable[..., Door]
DETAILED = {"inputs": "Hi", "parameters": {"max_new_tokens": 4, "details": True}}


def from_vllm() -> Reply:
    """What vLLM answers to a generate request of TGI's."""
    return parts(*ANSWER)


@pytest.fixture(name="two")
def _two(targets: Targets, door_for: Doors) -> Door:
    """TGI in front, vLLM behind it."""
    return door_for(fallback(targets.entry("tgi", "tgi"), targets.entry("vllm")))


@pytest.mark.parametrize("refusal", [TGI_FULL, TGI_FULL_IN_BAND], ids=["429", "in band"])
@pytest.mark.parametrize("path", ["/generate", "/generate_stream", "/", "/invocations", "/models/llama/generate"])
def test_vllm_answers_a_client_of_tgi_whom_tgi_refuses(two: Door, targets: Targets, path: str, refusal: Reply) -> None:
    targets.reply("tgi", refusal)
    targets.reply("vllm", from_vllm())
    response = two.send(path, DETAILED)
    assert response.status == 200
    # These two repeat the prompt, as TGI's do.
    prompt = "Hi" if path in ("/", "/invocations") else ""
    assert f'"generated_text":"{prompt} Un été"' in response.body.decode()
    assert b'"finish_reason":"eos_token"' in response.body
    (to_tgi,), (to_vllm,) = targets.received("tgi"), targets.received("vllm")
    assert to_tgi.json()["inputs"] == to_vllm.json()["prompt"] == "Hi"
    assert to_vllm.json()["max_tokens"] == 4
    line = two.generated()
    assert (line["target"], line["engine"], line["GeneratedTokens"]) == ("vllm", "vllm", 3)


def test_tgi_answers_whom_vllm_refuses(targets: Targets, door_for: Doors) -> None:
    door = door_for(fallback(targets.entry("vllm"), targets.entry("tgi", "tgi")))
    targets.reply("vllm", VLLM_FULL)
    targets.reply("tgi", tgi())
    assert door.send("/generate", GENERATE).json() == {"generated_text": " Un été 🧸"}


@pytest.mark.parametrize("stream", [False, True])
def test_vllm_answers_a_client_of_the_responses_api_whom_tgi_refuses(two: Door, targets: Targets, stream: bool) -> None:
    targets.reply("tgi", TGI_FULL)
    targets.reply("vllm", chat())
    response = two.send("/v1/responses", {"input": "Hi", "reasoning": {"effort": "low"}, "stream": stream})
    assert response.status == 200
    assert '"text":"Un été 🧸"' in response.body.decode()
    # Each in the words of its own engine: TGI reads no effort.
    (to_tgi,), (to_vllm,) = targets.received("tgi"), targets.received("vllm")
    assert "reasoning_effort" not in to_tgi.json()
    assert to_vllm.json()["reasoning_effort"] == "low"
    assert two.generated()["target"] == "vllm"


def test_where_both_are_full_it_is_tgis_429(two: Door, targets: Targets) -> None:
    targets.reply("tgi", TGI_FULL)
    targets.reply("vllm", *[VLLM_FULL] * 3)
    response = two.send("/generate", GENERATE)
    assert (response.status, response.json()["error_type"]) == (429, "overloaded")
    assert two.generated()["refused"] == [{"target": "tgi", "error": "overloaded", "cause": "ModelError 429"}]


def test_what_only_tgi_can_do_waits_for_tgi(two: Door, targets: Targets) -> None:
    """vLLM has no watermark: that is no error of the request, which TGI would take in a moment."""
    targets.reply("tgi", TGI_FULL)
    response = two.send("/generate", {"inputs": "Hi", "parameters": {"watermark": True}})
    assert (response.status, response.headers["Retry-After"]) == (429, "1")
    assert targets.counts() == {"tgi": 1, "vllm": 0}
    line = two.generated()
    assert [(refused["target"], refused["error"]) for refused in line["refused"]] == [
        ("tgi", "overloaded"),
        ("vllm", "validation"),
    ]


def test_a_session_has_its_engine_in_both_protocols(targets: Targets, door_for: Doors) -> None:
    entry = {"split": [{"weight": 1, "to": targets.entry("tgi", "tgi")}, {"weight": 1, "to": targets.entry("vllm")}]}
    door = door_for(entry)
    engines = []
    for number in range(12):
        headers = {"Content-Type": "application/json", "x-session-id": str(number)}
        found = set()
        for path, body in (("/generate", GENERATE), ("/v1/chat/completions", CHAT)):
            is_chat = body is CHAT
            targets.reply("tgi", chat() if is_chat else tgi())
            targets.reply("vllm", chat() if is_chat else from_vllm())
            before = targets.counts()
            response = door.send(path, body, headers=headers)
            assert (response.status, "Un été" in response.body.decode()) == (200, True)
            line = door.generated()
            assert line["engine"] == line["target"]
            found.add(line["engine"])
            # The other's answer was not fetched.
            targets.forget(next(name for name, count in targets.counts().items() if count == before[name]))
        engines += found
    assert len(engines) == 12
    assert set(engines) == {"tgi", "vllm"}


def test_a_copy_for_vllm_is_made_of_a_request_to_tgi_and_read_to_its_end(targets: Targets, door_for: Doors) -> None:
    entry = mirror(targets.entry("tgi", "tgi"), targets.entry("vllm"))
    door = door_for(entry, {"MIRROR": "on"})
    targets.reply("vllm", from_vllm())
    event = {"requestContext": {"requestId": "gateway-id"}, "mirror": {"model": "llama"}}
    response, _ = send(door, "/generate_stream", GENERATE, is_buffered=True, **event)
    assert json.loads(response.body) == {}
    assert targets.received("vllm")[0].json()["prompt"] == "Hi"
    line = door.generated()
    assert (line["status"], line["GeneratedTokens"], line["Mirror"]) == (200, 3, "llama")
