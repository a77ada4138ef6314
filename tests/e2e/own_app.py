"""The stacks of a test's own CDK app, deployed by the CDK CLI into an emulated account and served one at a time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from pathlib import Path
from typing import Any, Self

import aiohttp

from local.cloud import Cloud
from local.deployment.cdk_cli import Cdk
from local.deployment.control_plane import ControlPlane
from local.hosting import ScalingTimes
from local.listening import listen
from local.processes import ChildProcesses


class OwnApp:
    """An emulated account with the stacks of an app.

    Args:
        app: The folder with its cdk.json.
        folder: A folder for what the CDK CLI writes.
        runner: Runs the cloud.
        runs: Whether something runs the stacks while they are deployed and deleted. If not, custom resources fail, and
            containers that exit do not.
    """

    def __init__(self, app: Path, folder: Path, runner: asyncio.Runner, *, runs: bool = True) -> None:
        self._app = app
        self._runs = runs
        self._folder = folder
        self.runner = runner
        self._exits = AsyncExitStack()

    def __enter__(self) -> Self:
        try:
            self.runner.run(self._deploy(self._exits))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.runner.run(self._exits.aclose())

    def serve(
        self,
        stack: str,
        test: Callable[[ServedApi], Awaitable[None]],
        *,
        times: ScalingTimes | None = None,
    ) -> list[str]:
        """Serves a stack while `test` runs; returns the log."""
        log: list[str] = []

        async def run() -> None:
            cloud = Cloud(self.plane, [stack], self.children, listen(0), times=times, log=log.append)
            async with cloud, aiohttp.ClientSession() as session:
                await cloud.serve()
                await test(ServedApi(cloud, session, log))

        self.runner.run(run())
        return log

    def destroy(self, stack: str) -> None:
        """Deletes a stack with the CDK CLI."""

        async def run() -> None:
            async with self._running():
                await self._cdk.destroy([stack], lambda _line: None)

        self.runner.run(run())

    async def _deploy(self, exits: AsyncExitStack) -> None:
        self.children = await exits.enter_async_context(ChildProcesses(self._folder))
        self.plane = exits.enter_context(ControlPlane())
        self._cdk = Cdk(self.children, self._folder, self.plane.url, app=self._app)
        lines: list[str] = []
        await asyncio.gather(self._cdk.bootstrap(lines.append), self._cdk.synth(lines.append))
        async with self._running():
            await self._cdk.deploy(["*"], lines.append)

    def _running(self) -> AbstractAsyncContextManager[object]:
        if not self._runs:
            return nullcontext()
        return Cloud(self.plane, list(self._cdk.stacks()), self.children, listen(0), log=lambda _line: None)


class ServedApi:
    """The API of a served front door."""

    def __init__(self, cloud: Cloud, session: aiohttp.ClientSession, log: list[str]) -> None:
        self.cloud = cloud
        self.log = log
        self._session = session

    async def request(self, verb: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], Any]:
        data = None if body is None else json.dumps(body).encode()
        content_type = {} if body is None else {"Content-Type": "application/json"}
        sent = content_type | {name.replace("_", "-"): value for name, value in headers.items()}
        async with self._session.request(verb, self.cloud.url + path, data=data, headers=sent) as response:
            content = await response.read()
            names = {name.lower(): value for name, value in response.headers.items()}
            try:
                return response.status, names, json.loads(content)
            except ValueError:
                return response.status, names, content.decode()

    async def until(self, beginning: str, seconds: float = 60) -> None:
        """Waits until a line of the log has this beginning."""
        async with asyncio.timeout(seconds):
            while not any(line.startswith(beginning) for line in self.log):
                await asyncio.sleep(0.02)
