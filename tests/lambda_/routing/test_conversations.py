"""Responses and messages of a model that has several endpoints."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.lambda_.protocols.conversations import CONVERSATIONS, Asked
from tests.lambda_.routing.answers import REFUSALS, chat
from tests.lambda_.routing.conftest import Door, Targets
from tests.lambda_.routing.entries import fallback, mirror
from tests.lambda_.routing.test_mirror import ACCEPTED, send
from tests.lambda_.sagemaker_double import Reply, SageMakerDouble

Doors = Callable[..., Door]


@pytest.fixture(params=CONVERSATIONS)
def asked(request: pytest.FixtureRequest) -> Asked:
    return CONVERSATIONS[request.param]


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS.keys())
def test_the_next_endpoint_answers_what_one_refuses(
    targets: Targets, door_for: Doors, asked: Asked, refusal: Reply
) -> None:
    door = door_for(fallback(targets.entry("tgi", "tgi"), targets.entry("vllm")))
    targets.reply("tgi", refusal)
    targets.reply("vllm", chat())
    response = door.send(*asked)
    assert (response.status, asked.text(response.body)) == (200, "Un été 🧸")
    line = door.generated()
    assert (line["target"], line["engine"], line["Fallbacks"], line["GeneratedTokens"]) == ("vllm", "vllm", 1, 2)


def test_each_endpoint_of_a_division_answers(targets: Targets, door_for: Doors, asked: Asked) -> None:
    door = door_for({"split": [{"weight": 1, "to": targets.entry(name)} for name in ("a", "b")]})
    for number in range(12):
        targets.reply("a", chat())
        targets.reply("b", chat())
        context = {"requestId": f"id-{number}", "identity": {"apiKeyId": f"key-{number}"}}
        response = door.send(*asked, requestContext=context)
        assert asked.text(response.body) == "Un été 🧸"
    assert all(targets.counts().values())


@pytest.mark.parametrize("is_buffered", [False, True], ids=["streaming function", "buffered function"])
def test_a_copy_is_handed_over(
    targets: Targets, door_for: Doors, asked: Asked, is_buffered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRONT_DOOR", "a-door")
    aws_lambda = SageMakerDouble(replies=[ACCEPTED], repeats=True)
    door = door_for(
        mirror(targets.entry("tgi"), targets.entry("copy"), 100), {"AWS_ENDPOINT_URL_LAMBDA": aws_lambda.url}
    )
    targets.reply("tgi", chat())
    response, _ = send(door, asked.path, asked.body, is_buffered=is_buffered)
    assert asked.text(response.body) == "Un été 🧸"
    (copy,) = aws_lambda.received
    assert (copy.json()["path"], json.loads(copy.json()["body"])) == (asked.path, asked.body)
    aws_lambda.close()
