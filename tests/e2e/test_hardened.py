"""HardenedLlamaTgiStack of this app, deployed with its base by the CDK CLI, and called."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from io import StringIO
from typing import Any

import aiohttp
import boto3
import pytest

from local.cloud import Cloud
from local.commands.progress import Progress
from local.deployment.control_plane import CREDENTIALS, REGION
from local.deployment.prerequisites import PLACEHOLDER
from local.hub import Hub, Repository
from local.session import deployed
from local.staging import HUB
from stacks.hardened import LLAMA_REVISION
from tests.e2e.own_app import ServedApi
from tests.e2e.staged_account import model_files

pytestmark = [pytest.mark.xdist_group("hardened"), pytest.mark.slow, pytest.mark.timeout(300)]

NAME = "meta-llama/Llama-3.1-8B-Instruct"
FILES = {
    "config.json": b'{"model_type": "llama"}',
    "tokenizer.json": b"{}",
    "model.safetensors": b"\x02\0\0\0\0\0\0\0{}",
}
CHAT = {"model": "llama", "max_tokens": 3, "messages": [{"role": "user", "content": "Hi"}]}


@dataclass
class PinnedRepository(Repository):
    """The gated repository, with the commit that the stack names."""

    @property
    def commit(self) -> str:
        return LLAMA_REVISION


class Hardened:
    """The deployed stack, and the hub that its weights come from."""

    def __init__(self, runner: asyncio.Runner, hub: Hub) -> None:
        self._runner = runner
        self._exits = AsyncExitStack()
        self.hub = hub
        self.shown = StringIO()

    def __enter__(self) -> Hardened:
        self.cloud: Cloud = self._runner.run(self._deploy())
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.run(self._exits.aclose())

    async def _deploy(self) -> Cloud:
        session = deployed(
            "HardenedLlamaTgiStack", Progress(self.shown), context=["hardened=on"], log=lambda _line: None
        )
        return await self._exits.enter_async_context(session)

    def play(self, test: Callable[[ServedApi], Awaitable[None]]) -> None:
        async def run() -> None:
            async with aiohttp.ClientSession() as session:
                await test(ServedApi(self.cloud, session, []))

        self._runner.run(run())

    def client(self, service: str) -> Any:
        names = {"aws_access_key_id": "AWS_ACCESS_KEY_ID", "aws_secret_access_key": "AWS_SECRET_ACCESS_KEY"}
        keys = {argument: CREDENTIALS[name] for argument, name in names.items()}
        return boto3.client(service, region_name=REGION, endpoint_url=self.cloud.control_plane_url, **keys)


@pytest.fixture(scope="module")
def hardened() -> Iterator[Hardened]:
    repository = PinnedRepository(NAME, FILES, gated=True)
    with (
        pytest.MonkeyPatch.context() as patch,
        asyncio.Runner() as runner,
        Hub([repository], tokens={PLACEHOLDER: {NAME}}) as hub,
    ):
        patch.setenv("TOY_TOKENS_PER_SECOND", "1000")
        patch.setenv(HUB, hub.url)
        with Hardened(runner, hub) as stack:
            yield stack


def test_it_answers_those_who_have_a_key_from_the_weights_that_it_has_staged(hardened: Hardened) -> None:
    async def test(api: ServedApi) -> None:
        (key,) = api.cloud.client.keys.values()
        status, _, body = await api.request("POST", "/v1/chat/completions", CHAT, Authorization=f"Bearer {key}")
        assert status == 200, body
        assert body["usage"]["completion_tokens"] == 3
        assert (await api.request("POST", "/v1/chat/completions", CHAT))[0] == 401

    hardened.play(test)
    assert sorted(FILES) in model_files()
    assert {one.token for one in hardened.hub.received if one.on == "hub"} == {PLACEHOLDER}


def test_what_it_has_of_its_base_are_the_values_of_the_bases_outputs(hardened: Hardened) -> None:
    cloudformation = hardened.client("cloudformation")
    (base,) = cloudformation.describe_stacks(StackName="HardenedBaseStack")["Stacks"]
    values = {one["OutputKey"]: one["OutputValue"] for one in base["Outputs"]}
    (key,) = {value for name, value in values.items() if "GetAttKey" in name}
    (bucket,) = {value for name, value in values.items() if "RefWeights" in name}
    subnets = {value for name, value in values.items() if "IsolatedSubnet" in name}
    sagemaker = hardened.client("sagemaker")
    (model,) = sagemaker.list_models()["Models"]
    described = sagemaker.describe_model(ModelName=model["ModelName"])
    assert described["EnableNetworkIsolation"] is True
    assert set(described["VpcConfig"]["Subnets"]) == subnets
    source = described["PrimaryContainer"]["ModelDataSource"]["S3DataSource"]
    assert source["S3Uri"] == f"s3://{bucket}/models/{NAME}/{LLAMA_REVISION}/"
    functions = hardened.client("lambda").list_functions()["Functions"]
    in_vpc = [one for one in functions if one.get("VpcConfig", {}).get("SubnetIds")]
    assert {subnet for one in in_vpc for subnet in one["VpcConfig"]["SubnetIds"]} == subnets
    iam = hardened.client("iam")
    roles = iam.list_roles()["Roles"]
    (copier,) = (one for one in roles if "codebuild.amazonaws.com" in json.dumps(one["AssumeRolePolicyDocument"]))
    name = copier["RoleName"]
    (policy,) = iam.list_role_policies(RoleName=name)["PolicyNames"]
    granted = json.dumps(iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"])
    assert key in granted
    assert f"arn:aws:s3:::{bucket}/models/{NAME}/{LLAMA_REVISION}/" in granted
    groups = hardened.client("logs").describe_log_groups()["logGroups"]
    assert {one["retentionInDays"] for one in groups} == {365}


def test_nothing_of_the_deployment_shows_the_token(hardened: Hardened) -> None:
    template = hardened.client("cloudformation").get_template(StackName="HardenedLlamaTgiStack")["TemplateBody"]
    assert PLACEHOLDER not in json.dumps(template)
    assert PLACEHOLDER not in hardened.shown.getvalue()
