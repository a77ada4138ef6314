"""Endpoints that scale, deployed by the CDK CLI and called through their front doors."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.deployment.cdk_cli import ROOT
from local.hosting import ScalingTimes
from tests.e2e.own_app import OwnApp, ServedApi

pytestmark = [pytest.mark.xdist_group("scaling"), pytest.mark.slow, pytest.mark.timeout(300)]

APP = Path(__file__).parent / "scaling"
CHAT = {"model": "llama", "messages": [{"role": "user", "content": "internationalization " * 12}]}
LONG = 60
"""Tokens that take six seconds, so that requests meet whose functions start one after the other."""


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnApp]:
    with pytest.MonkeyPatch.context() as patch, asyncio.Runner() as runner:
        patch.setenv("TOY_TOKENS_PER_SECOND", "10")
        patch.setenv("PYTHONPATH", str(ROOT))
        # The container of one model exits, with which SageMaker would not create its inference component.
        with OwnApp(APP, tmp_path_factory.mktemp("scaling"), runner, runs=False) as deployed:
            yield deployed


def test_overload_is_a_429_with_retry_after_until_there_is_another_instance(stacks: OwnApp) -> None:
    statuses: Counter[int] = Counter()

    async def client(api: ServedApi) -> None:
        while True:
            status, headers, body = await api.request("POST", "/v1/chat/completions", {**CHAT, "max_tokens": LONG})
            statuses[status] += 1
            if status != 429:
                assert body["usage"]["completion_tokens"] == LONG
                return
            assert body["error"]["code"] == "rate_limit_exceeded"
            await asyncio.sleep(float(headers["retry-after"]))

    async def test(api: ServedApi) -> None:
        await asyncio.gather(*(client(api) for _ in range(8)))
        await api.until("scaling: llama: 2 instances serve")

    log = stacks.serve("Instances", test, times=ScalingTimes(speed=100, start_seconds=0.5))
    assert statuses[200] == 8
    assert statuses[429] >= 1
    assert next(line for line in log if line.startswith("scaling:")) == "scaling: llama: 1 → 2 instances (Concurrency)"


def test_an_endpoint_with_several_instance_types_is_deployed_with_the_first_and_a_model_for_each(
    stacks: OwnApp,
) -> None:
    async def test(api: ServedApi) -> None:
        status, _, body = await api.request("POST", "/v1/chat/completions", {**CHAT, "max_tokens": 3})
        assert (status, body["usage"]["completion_tokens"]) == (200, 3)

    stacks.serve("Scarce", test)
    sagemaker = stacks.plane.client("sagemaker")
    configs = sagemaker.list_endpoint_configs()["EndpointConfigs"]
    described = [
        sagemaker.describe_endpoint_config(EndpointConfigName=config["EndpointConfigName"]) for config in configs
    ]
    (variant,) = (
        variant for config in described for variant in config["ProductionVariants"] if "InstancePools" in variant
    )
    assert [pool["InstanceType"] for pool in variant["InstancePools"]] == [
        "ml.g6.2xlarge",
        "ml.g5.2xlarge",
        "ml.g5.12xlarge",
    ]
    names = [variant["ModelName"], variant["InstancePools"][2]["ModelNameOverride"]]
    models = [sagemaker.describe_model(ModelName=name)["PrimaryContainer"]["Environment"] for name in names]
    assert [model["SM_NUM_GPUS"] for model in models] == ["1", "4"]
    assert variant["RoutingConfig"]["PrefixAwareRoutingConfig"] == {"PrefixLength": 1024, "ConcurrencyThreshold": 8}
    assert variant["VariantInstanceProvisionTimeoutInSeconds"] == 1200


def test_clients_wait_until_a_model_that_is_asleep_answers(stacks: OwnApp) -> None:
    async def test(api: ServedApi) -> None:
        await api.until("scaling: llama: 1 → 0 copies (Idle, alarm ")
        requests = [{**CHAT, "max_tokens": 5, "stream": number % 2 == 1} for number in range(6)]
        answers = await asyncio.gather(*(api.request("POST", "/v1/chat/completions", body) for body in requests))
        assert [status for status, _, _ in answers] == [200] * 6
        for _, _, body in answers[::2]:
            assert body["usage"]["completion_tokens"] == 5
        for _, _, text in answers[1::2]:
            assert text.rstrip().endswith("data: [DONE]")

    log = stacks.serve("Zero", test, times=ScalingTimes(speed=100, start_seconds=0.5))
    scaling = [line.removeprefix("scaling: llama: ").split(" (")[0] for line in log if line.startswith("scaling:")]
    assert scaling[:3] == ["1 → 0 copies", "0 → 1 copy", "1 copy serves"]


def test_several_models_on_one_instance_scale_and_fail_by_themselves(stacks: OwnApp) -> None:
    async def chat(api: ServedApi, model: str, tokens: int = 5) -> tuple[int, dict[str, str], Any]:
        body = {**CHAT, "model": model, "max_tokens": tokens}
        return await api.request("POST", "/v1/chat/completions", body)

    async def test(api: ServedApi) -> None:
        assert await api.cloud.models() == ["chat", "night", "broken"]
        answers = await asyncio.gather(*(chat(api, "chat", LONG) for _ in range(6)))
        assert [status for status, _, _ in answers] == [200] * 6
        await api.until("scaling: chat: 2 copies serve")
        await api.until("scaling: night: 1 → 0 copies (Idle, alarm ")
        assert (await api.request("POST", "/models/night/wake"))[0] == 202
        status, headers, body = await chat(api, "broken")
        assert (status, body["error"]["code"]) == (503, "no_capacity")
        assert int(headers["retry-after"]) >= 30
        await api.until("scaling: night: 1 copy serves")
        assert [(await chat(api, model))[0] for model in ("night", "chat", "broken")] == [200, 200, 503]

    log = stacks.serve("Fleet", test, times=ScalingTimes(speed=90, start_seconds=0.5))
    (broken,) = (line for line in log if "exited" in line)
    assert broken.startswith("The container of the inference component ")


def test_the_stacks_are_deleted_in_an_order_that_sagemaker_accepts(stacks: OwnApp) -> None:
    sagemaker = stacks.plane.client("sagemaker")
    assert sagemaker.list_endpoints()["Endpoints"]
    stacks.destroy("*")
    assert sagemaker.list_endpoints()["Endpoints"] == []
