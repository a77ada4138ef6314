"""Endpoints that scale, deployed by the CDK CLI and called through their front doors."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.deployment.cdk_cli import ROOT
from local.hosting import ScalingTimes
from tests.e2e.own_app import OwnApp, ServedApi

pytestmark = [pytest.mark.xdist_group("scaling"), pytest.mark.slow, pytest.mark.timeout(300)]

APP = Path(__file__).parent / "scaling"
CHAT = {"model": "llama", "messages": [{"role": "user", "content": "Hello"}]}


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnApp]:
    with pytest.MonkeyPatch.context() as patch, asyncio.Runner() as runner:
        patch.setenv("TOY_TOKENS_PER_SECOND", "10")
        patch.setenv("PYTHONPATH", str(ROOT))
        with OwnApp(APP, tmp_path_factory.mktemp("scaling"), runner) as deployed:
            yield deployed


def test_overload_is_a_429_with_retry_after_until_there_is_another_instance(stacks: OwnApp) -> None:
    statuses: Counter[int] = Counter()

    async def client(api: ServedApi) -> None:
        while True:
            status, headers, body = await api.request("POST", "/v1/chat/completions", {**CHAT, "max_tokens": 30})
            statuses[status] += 1
            if status != 429:
                assert body["usage"]["completion_tokens"] == 30
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


def test_the_stacks_are_deleted_in_an_order_that_sagemaker_accepts(stacks: OwnApp) -> None:
    sagemaker = stacks.plane.client("sagemaker")
    assert sagemaker.list_endpoints()["Endpoints"]
    stacks.destroy("*")
    assert sagemaker.list_endpoints()["Endpoints"] == []
