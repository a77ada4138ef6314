"""Several endpoints for one name, deployed by the CDK CLI with their smoke test and called through a front door."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.deployment.cdk_cli import ROOT
from tests.e2e.own_app import OwnApp, ServedApi

pytestmark = [pytest.mark.xdist_group("routed"), pytest.mark.slow, pytest.mark.timeout(600)]

APP = Path(__file__).parent / "routed"
SMOKE_TEST = "Custom::TgiEndpointSmokeTest"


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnApp]:
    with pytest.MonkeyPatch.context() as patch, asyncio.Runner() as runner:
        patch.setenv("PYTHONPATH", str(ROOT))
        with OwnApp(APP, tmp_path_factory.mktemp("routed"), runner) as deployed:
            yield deployed


def lines(log: list[str]) -> list[dict[str, Any]]:
    """The lines of the front door's two functions."""
    return [json.loads(line) for line in log if line.startswith('{"level"')]


def test_the_smoke_test_of_the_deployment_has_asked_each_endpoint_and_each_variant(stacks: OwnApp) -> None:
    (resource,) = stacks.plane.stacks.resources(SMOKE_TEST, "Routed")
    assert resource.properties["Models"] == [
        "qwen at Routed/Tgi (variant AllTraffic)",
        "qwen at Routed/Tgi (variant trial)",
        "qwen at Routed/Vllm",
        "qwen at Routed/Copy",
    ]
    # Only a test that has passed lets the CLI, and so the fixture, end without an error.
    assert resource.physical_id


def test_callers_keep_their_endpoint_and_their_requests_are_copied_by_the_second_function(stacks: OwnApp) -> None:
    async def client(api: ServedApi) -> None:
        for session in ("a", "b", "c", "d", "a", "b", "c", "d"):
            body = {"inputs": "Hi", "parameters": {"max_new_tokens": 3}}
            status, _, answer = await api.request("POST", "/generate", body, x_session_id=session)
            assert (status, list(answer)) == (200, ["generated_text"])
        async with asyncio.timeout(60):
            while sum("Mirror" in line for line in lines(api.log)) < 8:
                await asyncio.sleep(0.05)

    found = lines(stacks.serve("Routed", client))
    answered = [line for line in found if "Model" in line and line.get("route") == "POST /generate"]
    targets = [line["target"] for line in answered]
    assert targets[:4] == targets[4:]
    assert {line["target"]: line["engine"] for line in answered} == {"Routed/Tgi": "tgi", "Routed/Vllm": "vllm"}
    copies = [line for line in found if "Mirror" in line]
    assert {(line["Mirror"], line["target"], line["engine"], line["status"]) for line in copies} == {
        ("qwen", "Routed/Copy", "vllm", 200)
    }
    assert {line["request_id"] for line in copies} == {line["request_id"] for line in answered}
