"""Front doors with a key and a VPC of the app, deployed by the CDK CLI into the emulated cloud, and called."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from local.deployment.cdk_cli import ROOT
from local.deployment.deployed_stack import read_deployment
from local.deployment.prerequisites import create_endpoints
from tests.e2e.own_app import OwnApp, ServedApi
from tests.e2e.token_issuer import Issuer

pytestmark = [pytest.mark.xdist_group("protected"), pytest.mark.slow, pytest.mark.timeout(300)]

APP = Path(__file__).parent / "protected"
CHAT = {"model": "llama", "max_tokens": 3, "messages": [{"role": "user", "content": "Hi"}]}


class ProtectedStacks(OwnApp):
    """The stacks, and the endpoint that they import."""

    async def _deploy(self, exits: AsyncExitStack) -> None:
        await super()._deploy(exits)
        missing = (await asyncio.to_thread(read_deployment, self.plane, ["Keys"])).missing_endpoints()
        await asyncio.to_thread(create_endpoints, self.plane, missing)


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    """An issuer that nobody serves: nothing can be fetched from it."""
    return Issuer(tmp_path_factory.mktemp("issuer"))


@pytest.fixture(scope="module")
def stacks(issuer: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProtectedStacks]:
    folder = tmp_path_factory.mktemp("protected")
    keys = folder / "jwks.json"
    keys.write_text(json.dumps(issuer.key_set()))
    with pytest.MonkeyPatch.context() as patch, asyncio.Runner() as runner:
        patch.setenv("TOY_TOKENS_PER_SECOND", "1000")
        patch.setenv("ISSUER", issuer.url)
        patch.setenv("JWKS", str(keys))
        patch.setenv("PYTHONPATH", str(ROOT))
        with ProtectedStacks(APP, folder, runner) as deployed:
            yield deployed


def test_a_front_door_in_isolated_subnets_answers_those_who_have_a_key(stacks: ProtectedStacks) -> None:
    async def test(api: ServedApi) -> None:
        key = {"Authorization": f"Bearer {api.cloud.client.keys['team-a']}"}
        status, _, body = await api.request("POST", "/v1/chat/completions", CHAT, **key)
        assert status == 200, body
        assert body["usage"]["completion_tokens"] == 3
        assert (await api.request("POST", "/v1/chat/completions", CHAT))[0] == 401

    stacks.serve("Keys", test)


def test_what_a_consumer_uses_is_counted_in_a_table_with_the_key(stacks: ProtectedStacks) -> None:
    async def test(api: ServedApi) -> None:
        key = {"Authorization": f"Bearer {api.cloud.client.keys['metered']}"}
        status, _, body = await api.request("POST", "/v1/chat/completions", CHAT, **key)
        assert status == 200, body
        status, headers, body = await api.request("POST", "/v1/chat/completions", {**CHAT, "max_tokens": 94}, **key)
        assert (status, body["error"]["code"]) == (429, "insufficient_quota"), body
        assert "of the 100 for this day" in body["error"]["message"]
        assert 0 < int(headers["retry-after"]) <= 24 * 3600

    stacks.serve("Keys", test)
    (base,) = stacks.plane.stacks.resources("AWS::KMS::Key", "Base")
    (table,) = stacks.plane.stacks.resources("AWS::DynamoDB::Table", "Keys")
    encryption = table.properties["SSESpecification"]  # moto keeps none
    assert (encryption["SSEEnabled"], encryption["SSEType"]) == (True, "KMS")
    assert encryption["KMSMasterKeyId"].endswith(f"key/{base.physical_id}")


def test_tokens_are_verified_with_the_keys_of_the_file_without_the_issuer(
    stacks: ProtectedStacks, issuer: Issuer
) -> None:
    async def test(api: ServedApi) -> None:
        for token, expected in ((issuer.token(), 200), (issuer.token(aud="other"), 401)):
            status, _, body = await api.request("POST", "/v1/chat/completions", CHAT, Authorization=f"Bearer {token}")
            assert status == expected, body

    stacks.serve("Tokens", test)


def test_the_functions_the_endpoints_and_the_log_of_executions_are_deployed(stacks: ProtectedStacks) -> None:
    client = stacks.plane.client
    functions = client("lambda").list_functions()["Functions"]
    assert len(functions) == 4
    assert {len(one["VpcConfig"]["SubnetIds"]) for one in functions} == {2}
    executions = client("logs").describe_log_groups(logGroupNamePrefix="API-Gateway-Execution-Logs_")["logGroups"]
    assert [one["retentionInDays"] for one in executions] == [90, 90]
    endpoints = client("ec2").describe_vpc_endpoints()["VpcEndpoints"]
    assert sorted(one["ServiceName"].rpartition("us-east-1.")[2] for one in endpoints) == [
        "dynamodb",
        "sagemaker.api",
        "sagemaker.runtime",
    ]
