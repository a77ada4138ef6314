"""Variants of one endpoint, deployed by the CDK CLI and called through a front door."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.deployment.cdk_cli import ROOT
from local.hosting import ScalingTimes
from local.lambda_service.environment import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from tests.e2e.own_app import OwnApp, ServedApi
from tests.local.model_container.servers import client_of

pytestmark = [pytest.mark.xdist_group("variants"), pytest.mark.slow, pytest.mark.timeout(300)]

APP = Path(__file__).parent / "variants"
CHAT = {"model": "llama", "messages": [{"role": "user", "content": "internationalization " * 3}]}


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnApp]:
    with pytest.MonkeyPatch.context() as patch, asyncio.Runner() as runner:
        patch.setenv("PYTHONPATH", str(ROOT))
        with OwnApp(APP, tmp_path_factory.mktemp("variants"), runner) as deployed:
            yield deployed


def answered(log: list[str]) -> Counter[str]:
    """How many requests each variant has answered, by the lines of the function."""
    lines = [json.loads(line) for line in log if line.startswith('{"level"')]
    return Counter(line["variant"] for line in lines if "variant" in line)


def invoke(api: ServedApi, variant: str, tokens: int) -> tuple[str, Any]:
    """What SageMaker Runtime answers to a call that names a variant: its name, and the status or the text."""
    client = client_of(api.cloud.runtime_url, key=ACCESS_KEY_ID, secret=SECRET_ACCESS_KEY)
    (model,) = api.cloud.deployment.models().values()
    body = json.dumps({"inputs": "Hi", "parameters": {"max_new_tokens": tokens}}).encode()
    try:
        response = client.invoke_endpoint(
            EndpointName=model["endpoint_name"], TargetVariant=variant, Body=body, ContentType="application/json"
        )
    except ClientError as error:
        return variant, error.response["OriginalStatusCode"]
    return response["InvokedProductionVariant"], json.loads(response["Body"].read())[0]["generated_text"] != ""


def test_variants_answer_in_the_ratio_of_their_weights_and_the_log_names_them(stacks: OwnApp) -> None:
    async def client(api: ServedApi) -> None:
        for number in range(10):
            body = {**CHAT, "max_tokens": 2, "stream": number % 2 == 1}
            status, headers, _ = await api.request("POST", "/v1/chat/completions", body)
            assert status == 200
            assert not [name for name in headers if "variant" in name]

    async def test(api: ServedApi) -> None:
        await asyncio.gather(*(client(api) for _ in range(10)))

    found = answered(stacks.serve("Variants", test))
    assert found.keys() == {"green", "blue"}
    assert found.total() == 100
    assert 15 <= found["blue"] <= 35


def test_the_front_door_promises_what_the_strictest_variant_serves(stacks: OwnApp) -> None:
    async def test(api: ServedApi) -> None:
        _, _, info = await api.request("GET", "/info")
        assert (info["max_input_tokens"], info["max_total_tokens"]) == (100, 200)

    stacks.serve("Variants", test)


def test_each_variant_has_containers_of_its_own_which_a_call_can_name(stacks: OwnApp) -> None:
    async def test(api: ServedApi) -> None:
        calls = [("green", 300), ("blue", 300), ("trial", 300), ("blue", 5)]
        answers = [await asyncio.to_thread(invoke, api, variant, tokens) for variant, tokens in calls]
        assert answers == [("green", True), ("blue", 422), ("trial", True), ("blue", True)]

    stacks.serve("Variants", test)


def test_a_variant_scales_by_its_own_load(stacks: OwnApp) -> None:
    async def client(api: ServedApi, until: asyncio.Task[None]) -> None:
        while not until.done():
            await api.request("POST", "/v1/chat/completions", {**CHAT, "max_tokens": 40})

    async def test(api: ServedApi) -> None:
        scaled = asyncio.create_task(api.until("scaling: llama, blue: 2 instances serve"))
        await asyncio.gather(scaled, *(client(api, scaled) for _ in range(12)))

    log = stacks.serve("Variants", test, times=ScalingTimes(speed=100, start_seconds=0.5))
    scaling = [line for line in log if line.startswith("scaling:")]
    assert scaling[0] == "scaling: llama, blue: 1 → 2 instances (Concurrency)"
    assert not any("green" in line for line in scaling)
