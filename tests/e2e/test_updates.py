"""A stack that is deployed again while it is served: by the CDK CLI, with a custom resource in it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from local.cloud import Cloud
from local.deployment.cdk_cli import ROOT, Cdk
from local.deployment.control_plane import ControlPlane
from local.errors import UserError
from local.hosting import ScalingTimes
from local.listening import listen
from local.processes import ChildProcesses
from tests.e2e.own_app import ServedApi

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

APP = Path(__file__).parent / "updates"
CHAT = {"model": "llama", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 3}
SPEED = ScalingTimes(speed=3600)


class Deployments:
    """The app of this test, deployed once or more.

    Args:
        folder: A folder for what the CDK CLI writes.
        children: Starts the CLI.
        plane: The control plane.
    """

    def __init__(self, folder: Path, children: ChildProcesses, plane: ControlPlane) -> None:
        self._folder = folder
        self._children = children
        self._plane = plane

    async def deploy(self, **context: str) -> list[str]:
        """Deploys the app with context values; what the CLI says."""
        lines: list[str] = []
        values = [f"{name}={value}" for name, value in context.items()]
        cdk = Cdk(self._children, self._folder, self._plane.url, app=APP, context=values)
        await cdk.synth(lines.append)
        await cdk.deploy(["Updated"], lines.append)
        return lines

    async def status(self) -> str:
        """The status of the stack."""
        cloudformation = self._plane.client("cloudformation")
        described = await asyncio.to_thread(cloudformation.describe_stacks, StackName="Updated")
        return str(described["Stacks"][0]["StackStatus"])

    async def destroy(self) -> None:
        """Deletes the stack."""
        await Cdk(self._children, self._folder, self._plane.url, app=APP).destroy(["Updated"], lambda _line: None)


@asynccontextmanager
async def requests(api: ServedApi) -> AsyncIterator[list[int]]:
    """Sends requests, streaming and not, one after the other as long as the block runs; their statuses."""
    statuses: list[int] = []

    async def send() -> None:
        for number in range(1_000_000):
            status, _, body = await api.request("POST", "/v1/chat/completions", {**CHAT, "stream": number % 2 == 1})
            complete = number % 2 == 0 or str(body).rstrip().endswith("data: [DONE]")
            statuses.append(status if complete else 0)

    task = asyncio.create_task(send())
    try:
        yield statuses
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def asked(log: list[str]) -> list[Any]:
    """What the custom resource's function was asked."""
    return [json.loads(line.removeprefix("asked ")) for line in log if line.startswith("asked ")]


def test_updates_are_served_and_a_failed_one_returns_without_a_failed_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("TOY_TOKENS_PER_SECOND", "250")
    log: list[str] = []

    async def limit(api: ServedApi) -> int:
        _, _, info = await api.request("GET", "/info")
        return int(info["max_total_tokens"])

    async def run() -> None:
        with ControlPlane() as plane:
            async with (
                ChildProcesses(tmp_path) as children,
                Cloud(plane, ["Updated"], children, listen(0), times=SPEED, log=log.append) as cloud,
                aiohttp.ClientSession() as session,
            ):
                await Cdk(children, tmp_path, plane.url, app=APP).bootstrap(lambda _line: None)
                await check(Deployments(tmp_path, children, plane), ServedApi(cloud, session, log))

    async def check(deployments: Deployments, api: ServedApi) -> None:
        await deployments.deploy(tokens="200")
        await api.cloud.serve()
        assert (await limit(api), api.cloud.deployment.outputs["Seen"]) == (200, "200")
        async with requests(api) as statuses:
            await deployments.deploy(tokens="300")
            assert (await limit(api), api.cloud.deployment.outputs["Seen"]) == (300, "300")
            with pytest.raises(UserError) as caught:
                await deployments.deploy(tokens="400", fails="Update")
            assert "Message returned: no tokens came back (RequestId: " in caught.value.problem
            assert await deployments.status() == "UPDATE_ROLLBACK_COMPLETE"
            assert await limit(api) == 300
            count = len(statuses)
            while len(statuses) < count + 4:
                await asyncio.sleep(0.02)
        assert set(statuses) == {200}
        assert asked(log) == [["Create", "200"], ["Update", "300"], ["Update", "400"], ["Update", "300"]]
        await deployments.destroy()
        assert asked(log)[-1] == ["Delete", "300"]
        assert api.cloud.hosting.endpoints.names() == []

    asyncio.run(run())


def test_a_creation_that_fails_is_rolled_back_and_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    log: list[str] = []

    async def run() -> None:
        with ControlPlane() as plane:
            async with (
                ChildProcesses(tmp_path) as children,
                Cloud(plane, ["Updated"], children, listen(0), times=SPEED, log=log.append) as cloud,
            ):
                await Cdk(children, tmp_path, plane.url, app=APP).bootstrap(lambda _line: None)
                deployments = Deployments(tmp_path, children, plane)
                with pytest.raises(UserError) as caught:
                    await deployments.deploy(tokens="200", fails="Create")
                assert "Probe" in caught.value.problem
                assert "Message returned: no tokens came back (RequestId: " in caught.value.problem
                assert "ROLLBACK_COMPLETE" in caught.value.problem
                assert await deployments.status() == "ROLLBACK_COMPLETE"
                assert asked(log) == [["Create", "200"], ["Delete", "200"]]
                assert cloud.hosting.endpoints.names() == []
                await deployments.deploy(tokens="200")

    asyncio.run(run())
