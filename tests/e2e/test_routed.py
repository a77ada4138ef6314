"""Several endpoints for one name, deployed by the CDK CLI with their smoke test and called through a front door."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
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
    assert resource.properties["Test"]["Models"] == [
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


GENERATE = {"inputs": "Hi", "parameters": {"max_new_tokens": 3}}


async def fail(api: ServedApi, fault: str, *targets: str, **options: object) -> None:
    """Let all calls to the endpoints of some targets have a fault, and those of the others none."""
    names = {entry["target"]: entry["endpoint_name"] for entry in api.cloud.deployment.endpoint_entries()}
    url = f"{api.cloud.runtime_url}/faults"
    async with aiohttp.ClientSession() as session:
        await session.delete(url)
        for target in targets:
            body = {"fault": fault, "endpoint": names[f"Routed/{target}"], **options}
            async with session.put(url, json=body) as response:
                assert response.status == 200, await response.text()


async def ask(api: ServedApi, path: str = "/generate", **headers: str) -> tuple[int, Any]:
    status, _, answer = await api.request("POST", path, GENERATE, **headers)
    return status, answer


def test_a_share_whose_endpoint_is_overloaded_or_fails_leaves_the_other_alone(stacks: OwnApp) -> None:
    found: dict[str, set[tuple[str, int]]] = {}

    async def client(api: ServedApi) -> None:
        for fault in ("throttle", "model-error"):
            await fail(api, fault, "Vllm")
            for session in map(str, range(8)):
                await ask(api, x_session_id=session)
            answered = [line for line in lines(api.log) if line.get("route") == "POST /generate" and "Model" in line]
            found[fault] = {(line["engine"], line["status"]) for line in answered[-8:]}

    stacks.serve("Routed", client)
    assert found == {
        "throttle": {("tgi", 200), ("vllm", 429)},
        "model-error": {("tgi", 200), ("vllm", 424)},
    }


def test_no_client_notices_a_mirror_that_fails_or_hangs(stacks: OwnApp) -> None:
    async def ask_thrice(api: ServedApi) -> None:
        for _ in range(3):
            async with asyncio.timeout(15):
                assert (await ask(api))[0] == 200

    async def client(api: ServedApi) -> None:
        for copies, fault in ((3, "model-error"), (6, "hang-up")):
            await fail(api, fault, "Copy")
            await ask_thrice(api)
            async with asyncio.timeout(60):
                while sum("Mirror" in line for line in lines(api.log)) < copies:
                    await asyncio.sleep(0.05)
        await fail(api, "slow-first-token", "Copy", seconds=60)
        await ask_thrice(api)

    found = lines(stacks.serve("Routed", client))
    copies = [(line["error_status"], line["target"]) for line in found if "Mirror" in line]
    # One that hangs may end with the cloud.
    assert copies[:6] == [(424, "Routed/Copy")] * 3 + [(502, "Routed/Copy")] * 3
    clients = [line for line in found if "Model" in line and line.get("route") == "POST /generate"]
    assert [(line["status"], line["mirrored"]) for line in clients] == [(200, True)] * 9


def test_one_engine_takes_over_from_the_other_until_both_are_full(stacks: OwnApp) -> None:
    async def client(api: ServedApi) -> None:
        for fault in ("throttle", "no-capacity"):
            await fail(api, fault, "Tgi")
            for path in ("/generate", "/generate_stream"):
                status, answer = await ask(api, path)
                assert (status, "generated_text" in str(answer)) == (200, True)
        await fail(api, "throttle", "Tgi", "Vllm")
        status, answer = await ask(api)
        assert (status, answer["error_type"]) == (429, "overloaded")
        await fail(api, "throttle")
        assert (await ask(api))[0] == 200

    found = [line for line in lines(stacks.serve("Chain", client)) if "Model" in line]
    assert [(line["target"], line["status"], line.get("Fallbacks")) for line in found] == [
        *[("Routed/Vllm", 200, 1)] * 4,
        ("Routed/Vllm", 429, 1),
        ("Routed/Tgi", 200, None),
    ]
    refused = [each for line in found for each in line.get("refused", [])]
    assert {(each["target"], each["error"]) for each in refused} == {
        ("Routed/Tgi", "overloaded"),
        ("Routed/Tgi", "no_capacity"),
    }
