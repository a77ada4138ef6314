"""The emulated cloud on this machine: the same CDK CLI, templates and functions, with a toy model."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import threading
import time
from contextlib import AsyncExitStack
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import botocore.session
from botocore.config import Config

from acceptance.clouds import DeploymentFailedError
from acceptance.probe import Cloud as Kind
from local.cloud import Cloud as DataPlane
from local.deployment.cdk_cli import Cdk
from local.deployment.control_plane import ACCOUNT, REGION, ControlPlane
from local.errors import UserError
from local.hosting import ScalingTimes
from local.lambda_service.environment import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from local.listening import listen
from local.processes import ChildProcesses
from local.session import SESSIONS
from stacks.acceptance_settings import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from local.sagemaker_runtime import Faults

    Value = TypeVar("Value")

SPEED = 60.0
"""AWS's seconds in one second, for alarms and cooldowns."""
_ACCESS_LOG, _FUNCTION_LOG = '{"requestId"', '{"level"'


class Emulated:
    """The emulated cloud. Its event loop runs in a thread of its own, as the probes wait for their answers.

    Args:
        faults: The faults that SageMaker Runtime injects. Default: none.
    """

    kind = Kind.EMULATED
    account = ACCOUNT
    region = REGION
    patience = 1 / SPEED

    def __init__(self, faults: Faults | None = None) -> None:
        SESSIONS.mkdir(parents=True, exist_ok=True)
        self._folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=SESSIONS))
        self._lines: list[tuple[float, str]] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="emulated cloud", daemon=True)
        self._thread.start()
        self._exits = AsyncExitStack()
        self._plane = ControlPlane()
        self._synthesized: dict[str, str] | None = None
        self._client = cache(self._create_client)
        try:
            self._result_of(self._start(faults))
        except BaseException:
            self.close()
            raise

    def client(self, service: str) -> Any:
        """The client of a service."""
        return self._client(service)

    def synth(self, context: Mapping[str, str]) -> None:
        """Makes the templates."""
        self._result_of(self._synth(context))

    def deploy(self, stack: str, context: Mapping[str, str], say: Callable[[str], None]) -> None:
        """Deploys a stack with the CDK CLI."""
        if self._synthesized != context:
            self.synth(context)
        self._result_of(self._deploy(stack, context, say))

    def url(self, outputs: Mapping[str, str]) -> str:
        """The URL of the gateway, in the place of the one in the outputs."""
        return self._data_plane.url

    def api_key(self, key_id: str) -> str:
        """The value of the only consumer's key."""
        return str(self._data_plane.client.api_key)

    def log_lines(self, group: str, since: float) -> list[str]:
        """The lines of a log: here all logs are one, of which the beginning of a line tells the group."""
        lines = [line for moment, line in list(self._lines) if moment >= since]
        if "AccessLogs" in group:
            return [line for line in lines if line.startswith(_ACCESS_LOG)]
        if "Recorder" in group:
            return [line for line in lines if line.startswith("asked ")]
        return [line for line in lines if line.startswith(_FUNCTION_LOG)]

    def copies(self, component: str) -> int:
        """How many copies an inference component has."""
        return sum(len(one.fleet.copies) for one in self._data_plane.capacities if one.name == component)

    def close(self) -> None:
        """Stops everything."""
        try:
            asyncio.run_coroutine_threadsafe(self._exits.aclose(), self._loop).result()
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
            shutil.rmtree(self._folder, ignore_errors=True)

    async def _start(self, faults: Faults | None) -> None:
        self._children = await self._exits.enter_async_context(ChildProcesses(self._folder))
        await asyncio.to_thread(self._plane.__enter__)
        self._exits.push(self._plane)
        self._data_plane = DataPlane(
            self._plane,
            NAMES,
            self._children,
            listen(0),
            faults=faults,
            times=ScalingTimes(speed=SPEED, start_seconds=0.1),
            log=self._log,
        )
        await self._exits.enter_async_context(self._data_plane)
        await Cdk(self._children, self._folder, self._plane.url).bootstrap(lambda _line: None)

    async def _synth(self, context: Mapping[str, str]) -> None:
        try:
            await self._cli(context).synth(lambda _line: None)
        except UserError as error:
            raise DeploymentFailedError(str(error)) from error
        self._synthesized = dict(context)

    async def _deploy(self, stack: str, context: Mapping[str, str], say: Callable[[str], None]) -> None:
        try:
            await self._cli(context).deploy([stack], say)
        except UserError as error:
            raise DeploymentFailedError(str(error)) from error
        if self._data_plane.has_api():
            await self._data_plane.serve()

    def _cli(self, context: Mapping[str, str]) -> Cdk:
        values = [f"{name}={value}" for name, value in context.items()]
        return Cdk(self._children, self._folder, self._plane.url, context=values)

    def _log(self, line: str) -> None:
        self._lines.append((time.time(), line))

    def _result_of(self, work: Coroutine[None, None, Value]) -> Value:
        """The result of work in the event loop, which is cancelled if waiting for it is interrupted."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def _create_client(self, service: str) -> Any:
        urls = {"sagemaker-runtime": self._data_plane.runtime_url, "lambda": self._data_plane.lambda_url}
        if service not in urls:
            return self._plane.client(service)
        return botocore.session.Session().create_client(
            service,
            region_name=REGION,
            endpoint_url=urls[service],
            aws_access_key_id=ACCESS_KEY_ID,
            aws_secret_access_key=SECRET_ACCESS_KEY,
            config=Config(proxies={}, read_timeout=600),
        )
