"""examples/two_engines: callers of one name are divided between TGI and vLLM, and either one answers for the other."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.e2e.deployed_cloud import Cloud

pytestmark = [pytest.mark.xdist_group("example-two_engines"), pytest.mark.slow, pytest.mark.timeout(300)]

SERVE = ("--context", "vllm=50")
SESSIONS = [f"conversation-{number}" for number in range(24)]


def engines(cloud: Cloud) -> dict[str, str]:
    """Which engine has answered each conversation, by the front door's log."""
    ids = {}
    for session in SESSIONS:
        body = {"model": "qwen", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 3}
        response = cloud.request("POST", "/v1/chat/completions", body, headers={"x-session-id": session})
        assert response.status == 200, response.body
        assert response.json()["model"] == "qwen"
        ids[response.headers["x-request-id"]] = session
    answered = {ids[line["request_id"]]: line["engine"] for line in lines(cloud) if line["request_id"] in ids}
    assert answered.keys() == set(SESSIONS)
    return answered


def lines(cloud: Cloud) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in cloud.log().splitlines() if line.startswith('{"level"')]
    return [line for line in found if "request_id" in line and "engine" in line]


def test_half_of_the_conversations_are_with_each_engine_and_each_keeps_its_own(cloud: Cloud) -> None:
    first = engines(cloud)
    assert 6 <= list(first.values()).count("vllm") <= 18
    assert set(first.values()) == {"tgi", "vllm"}
    assert engines(cloud) == first


def test_what_one_engine_refuses_the_other_one_answers(cloud: Cloud) -> None:
    before = engines(cloud)
    cloud.inject("throttle", count=1)
    after = engines(cloud)
    moved = [session for session in SESSIONS if before[session] != after[session]]
    assert moved == SESSIONS[:1]
