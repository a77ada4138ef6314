"""The smoke test of stacks that the CDK CLI deploys into an emulated account: the model answers, fails or is silent."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from local.cloud import Cloud
from local.deployment.cdk_cli import Cdk
from local.deployment.control_plane import ControlPlane
from local.deployment.prerequisites import create_secrets
from local.errors import UserError
from local.hosting import ScalingTimes
from local.listening import listen
from local.processes import ChildProcesses
from local.sagemaker_runtime import Faults
from tests.local.deployment.deployments import status_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

STACK = "LlamaTgiStack"
MESSAGE = "Smoke test: llama returned no token, asked once. Last: 424 generation"


class Account:
    """An emulated account in which LlamaTgiStack is deployed.

    Attributes:
        faults: What the SageMaker Runtime does wrong.
        plane: The control plane.
    """

    def __init__(self, plane: ControlPlane, children: ChildProcesses, folder: Path, faults: Faults) -> None:
        self.plane, self.faults = plane, faults
        self._children, self._folder = children, folder
        self._secrets: list[str] = []
        self.log: list[str] = []

    async def deploy(self, secret: str = "hugging-face-token") -> str:
        """Deploys the stack with a hub token; the output of the CLI."""
        context = [f"stacks={STACK}", "nag=off", f"hf_token_secret={secret}"]
        cdk = Cdk(self._children, self._folder, self.plane.url, context=context)
        lines: list[str] = []
        await cdk.synth(lines.append)
        if secret not in self._secrets:
            self._secrets.append(secret)
            await asyncio.to_thread(create_secrets, self.plane, {STACK: cdk.template(STACK)})
        lines.clear()
        try:
            await cdk.deploy([STACK], lines.append)
        except UserError as error:
            lines.append(str(error))
        return "\n".join(lines)

    async def deploy_own(self, app: Path, stack: str) -> str:
        """Deploys the stack of an app of its own; the output of the CLI, which fails."""
        cdk = Cdk(self._children, self._folder, self.plane.url, app=app)
        lines: list[str] = []
        await cdk.synth(lines.append)
        with pytest.raises(UserError):
            await cdk.deploy([stack], lines.append)
        return "\n".join(lines)

    async def bootstrap(self) -> None:
        """Bootstraps the account."""
        await Cdk(self._children, self._folder, self.plane.url).bootstrap(lambda _line: None)

    async def destroy(self) -> None:
        """Deletes the stack."""
        await Cdk(self._children, self._folder, self.plane.url).destroy([STACK], lambda _line: None)

    def tests(self) -> list[tuple[str, Any]]:
        """What the test's function has logged since the last call: message, and model or type of request."""
        found = [json.loads(line) for line in self.log if line.startswith('{"level"') and '"message"' in line]
        self.log.clear()
        return [(one["message"], one.get("model") or one.get("request_type")) for one in found]

    async def status(self, stack: str = STACK) -> str:
        """The status of a stack."""
        return await asyncio.to_thread(status_of, self.plane, stack)

    async def configs(self) -> dict[str, str]:
        """The EndpointConfig of each endpoint."""
        sagemaker = self.plane.client("sagemaker")
        endpoints = await asyncio.to_thread(sagemaker.list_endpoints)
        names = [one["EndpointName"] for one in endpoints["Endpoints"]]
        described = [await asyncio.to_thread(sagemaker.describe_endpoint, EndpointName=name) for name in names]
        return {one["EndpointName"]: one["EndpointConfigName"] for one in described}


@asynccontextmanager
async def account(folder: Path, stack: str = STACK) -> AsyncIterator[Account]:
    """An account as long as the block runs."""
    faults = Faults()
    with ControlPlane() as plane:
        async with ChildProcesses(folder) as children:
            found = Account(plane, children, folder, faults)
            times = ScalingTimes(speed=3600, start_seconds=0.1)
            cloud = Cloud(plane, [stack], children, listen(0), faults=faults, times=times, log=found.log.append)
            async with cloud:
                await found.bootstrap()
                yield found


def test_a_deployment_stands_or_falls_with_a_token_of_the_model(tmp_path: Path) -> None:
    async def play() -> None:
        async with account(tmp_path) as cloud:
            await _fails_and_leaves_nothing(cloud)
            await _succeeds(cloud)
            await _fails_and_returns(cloud)
            await _ends(cloud)

    asyncio.run(play())


def test_a_model_that_says_nothing_is_asked_until_the_time_is_over(tmp_path: Path) -> None:
    async def play() -> None:
        async with account(tmp_path, "Impatient") as cloud:
            cloud.faults.inject("timeout")
            output = await cloud.deploy_own(Path(__file__).parent / "smoke_test", "Impatient")
            assert re.search(
                r"Smoke test: llama returned no token, asked [2-9] times in \d+ s\. Last: 504 timeout \(ModelError 0\):"
                r" The model did not finish in time\. Likeliest causes: 1\. ",
                output,
            )
            assert cloud.tests() == [("does not answer", "llama"), ("failed", "Create"), ("succeeded", "Delete")]
            assert await cloud.status("Impatient") == "ROLLBACK_COMPLETE"

    asyncio.run(play())


async def _fails_and_leaves_nothing(cloud: Account) -> None:
    cloud.faults.inject("model-error")
    output = await cloud.deploy()
    assert MESSAGE in output
    assert "Likeliest causes: 1. Out of memory: by the plan each GPU of ml.g5.2xlarge has " in output
    assert "logsV2:log-groups/log-group/$252Faws$252Fsagemaker$252FEndpoints$252F" in output
    assert cloud.tests() == [("does not answer", "llama"), ("failed", "Create"), ("succeeded", "Delete")]
    assert await cloud.status() == "ROLLBACK_COMPLETE"
    assert await cloud.configs() == {}


async def _succeeds(cloud: Account) -> None:
    cloud.faults.clear()
    output = await cloud.deploy()
    assert "✅  LlamaTgiStack" in output
    requests = [json.loads(line) for line in cloud.log if '"route": "smoke test"' in line]
    assert [(one["Model"], one["status"], one["GeneratedTokens"] > 0) for one in requests] == [("llama", 200, True)]
    assert "_aws" not in requests[0]
    assert cloud.tests() == [("answers", "llama"), ("succeeded", "Create")]
    assert await cloud.status() == "CREATE_COMPLETE"


async def _fails_and_returns(cloud: Account) -> None:
    before = await cloud.configs()
    cloud.faults.inject("model-error")
    output = await cloud.deploy("another-token")
    assert MESSAGE in output
    assert cloud.tests() == [
        ("does not answer", "llama"),
        ("failed", "Update"),
        ("not tested: the stack is rolled back", None),
        ("succeeded", "Update"),
    ]
    assert await cloud.status() == "UPDATE_ROLLBACK_COMPLETE"
    assert (await cloud.configs()).keys() == before.keys()


async def _ends(cloud: Account) -> None:
    await cloud.destroy()
    assert cloud.tests() == [("succeeded", "Delete")]
    assert await cloud.configs() == {}
