"""The data plane: API Gateway, Lambda, SageMaker Runtime and model containers of the deployed stacks."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Self

import aiohttp
from aiohttp import web

from local.apigateway.server import Gateway
from local.builds import create_builds
from local.calls import Calls
from local.client import ApiClient
from local.data_plane import RunningDataPlane
from local.deployment.alarms import in_alarm
from local.deployment.control_plane import CREDENTIALS
from local.deployment.deployed_stack import REST_API, Deployment, endpoints_of, read_account, read_deployment
from local.deployment.stacks.data_plane import NothingRuns
from local.errors import UserError
from local.function_configs import CONTROL_PLANE_SERVICES, configure
from local.hosting import Hosting, ScalingTimes
from local.lambda_endpoint import LambdaEndpoint
from local.lambda_service import Concurrency, Function, Functions
from local.lambda_service.environment import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from local.listening import BACKLOG
from local.sagemaker_runtime import Faults, Listener, create_app
from local.staging import Hubs

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence, Set
    from types import TracebackType

    from local.deployment.control_plane import ControlPlane
    from local.deployment.deployed_stack import Account
    from local.hosting.capacity import Capacity
    from local.processes import ChildProcesses

SHUTDOWN_SECONDS = 1.0
_OWN_SECRETS = {CREDENTIALS["AWS_ACCESS_KEY_ID"]: CREDENTIALS["AWS_SECRET_ACCESS_KEY"]}


class Cloud:
    """Runs what stacks deploy, as soon as the control plane has it: containers, functions, and an API.

    Args:
        plane: The control plane.
        stacks: The names of the stacks whose endpoints run here. The API of the last one that has one is served.
        children: Starts the model containers and stops them on exit.
        listener: The listening socket of the gateway.
        container_url: Base URL of a running model server for every endpoint. Default: the toy model container.
        faults: The faults that the SageMaker Runtime injects.
        times: How long scaling takes.
        concurrency: Maximum concurrent function invocations in the account. Default: the quota of an AWS account.
        log: Receives access log lines and messages of the emulation.
        build_log: Receives the output of builds. Default: `log`.

    Attributes:
        hosting: The containers.
        builds: The builds of CodeBuild.
        runtime_url: The URL of SageMaker Runtime.
    """

    def __init__(
        self,
        plane: ControlPlane,
        stacks: Sequence[str],
        children: ChildProcesses,
        listener: socket.socket,
        *,
        container_url: str | None = None,
        faults: Faults | None = None,
        times: ScalingTimes | None = None,
        concurrency: int | None = None,
        log: Callable[[str], None],
        build_log: Callable[[str], None] | None = None,
    ) -> None:
        self._plane = plane
        self._stacks = stacks
        self._listener = listener
        self._faults = faults or Faults()
        self._times = times or ScalingTimes()
        self._concurrency = Concurrency() if concurrency is None else Concurrency(concurrency)
        self._log = log
        self._exits = AsyncExitStack()
        self.hosting = Hosting(
            children, container_url=container_url, times=self._times, in_alarm=self._in_alarm, log=log
        )
        self._functions = Functions(lambda config: Function(config, log=log, account=self._concurrency))
        self._lambda = LambdaEndpoint(
            self._functions.find,
            secrets={**_OWN_SECRETS, ACCESS_KEY_ID: SECRET_ACCESS_KEY},
            control_plane_url=plane.url,
            speed=self._times.speed,
            is_building=self._is_building,
            log=log,
        )
        self._hubs = Hubs()
        self.builds = create_builds(
            plane,
            children,
            calls=lambda: self._calls,
            urls=self._endpoint_urls,
            invoke=self._lambda.invoke_event,
            hubs=self._hubs,
            log=build_log or log,
        )
        self._gateway: Gateway | None = None
        self._client: ApiClient | None = None
        self._deployment: Deployment | None = None
        self._problem: UserError | None = None
        self._following = asyncio.Lock()
        self.runtime_url = ""

    @property
    def deployment(self) -> Deployment:
        """The deployed stack whose API is served."""
        if self._deployment is None:
            raise RuntimeError("No API is deployed.")
        return self._deployment

    @property
    def client(self) -> ApiClient:
        """The credentials of a client of the API."""
        if self._client is None:
            raise RuntimeError("No API is deployed.")
        return self._client

    @property
    def control_plane_url(self) -> str:
        """The URL of every other service."""
        return self._plane.url

    @property
    def control_plane_address(self) -> str:
        """The same with an IP address, with which SDKs address S3's buckets by path."""
        return self._plane.address

    @property
    def lambda_url(self) -> str:
        """The URL of Lambda."""
        return self._lambda.url

    @property
    def port(self) -> int:
        """The port of the gateway."""
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def url(self) -> str:
        """The URL of the stage, without a trailing slash."""
        return f"http://{self._listener.getsockname()[0]}:{self.port}/{self.deployment.api.stage}"

    @property
    def stack(self) -> str:
        """The name of the stack that is served: the one with the API, or the last one with an asynchronous endpoint."""
        if self._deployment is not None:
            return self._deployment.stack
        served = set(self.asynchronous_endpoints())
        return next(stack for stack in reversed(self._stacks) if served & endpoints_of(self._plane, stack))

    @property
    def capacities(self) -> list[Capacity]:
        """The instances of every variant, and the copies of every inference component."""
        return self.hosting.capacities

    async def __aenter__(self) -> Self:
        self._calls = Calls()
        try:
            await self._start()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    async def serve(self) -> None:
        """Serves the API that is deployed. Until then, the gateway leaves requests unanswered.

        Raises:
            UserError: There is none, or it cannot be served.
        """
        await self._follow(settled=True, awaited=None)
        if self._problem is not None:
            raise self._problem

    def has_api(self) -> bool:
        """Whether a deployed stack has an API."""
        return any(self._plane.stacks.resources(REST_API, stack) for stack in self._stacks)

    def asynchronous_endpoints(self) -> list[str]:
        """The names of the asynchronous endpoints that can be called."""
        return self.hosting.endpoints.asynchronous()

    async def models(self) -> list[str]:
        """The names of the models, from GET /v1/models of the deployed API.

        If a custom authorizer rejects the request, they are read from the deployment.
        """
        deployed = list(self.deployment.models())
        if self.client.requires_token:
            return deployed
        url = f"{self.url}/v1/models"
        headers = self.client.headers("GET", url)
        async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
            body = await response.json(content_type=None)
            if response.status in (401, 403) and self.client.has_authorizer:
                return deployed
            if response.status != 200:
                raise RuntimeError(f"GET /v1/models returned {response.status}: {body}")
            return [entry["id"] for entry in body["data"]]

    async def _start(self) -> None:
        self._exits.push_async_callback(self.hosting.close)
        self._exits.push_async_callback(self._functions.close)
        self.runtime_url = await self._serve_runtime()
        self._exits.push_async_callback(self._lambda.close)
        await self._lambda.start()
        self._exits.callback(self._hubs.close)
        self._exits.push_async_callback(self.builds.close)
        self._plane.stacks.data_plane = RunningDataPlane(self._calls, self._follow, self._lambda, self.builds)

    async def _stop(self) -> None:
        self._plane.stacks.data_plane = NothingRuns()
        await self._calls.stop()
        await self._exits.aclose()

    def _read(self, *, settled: bool) -> tuple[Account, Deployment | UserError | None]:
        account = read_account(self._plane, self._stacks)
        if not settled:
            return account, None
        former = self._deployment.api if self._deployment else None
        try:
            return account, read_deployment(self._plane, self._stacks, account=account, former=former)
        except UserError as problem:
            return account, problem

    async def _follow(self, *, settled: bool, awaited: Set[str] | None) -> None:
        async with self._following:
            # In here: what was read before another change has run would undo that change.
            account, deployment = await self._calls.in_thread(partial(self._read, settled=settled))
            self._functions.follow(configure(account.functions, self._endpoint_urls()))
            await self.hosting.follow(account.hosted(), account.scaling, account.labels(), awaited=awaited)
            if isinstance(deployment, Deployment):
                await self._serve_api(deployment)
            elif deployment is not None:
                self._report(deployment)

    def _is_building(self) -> bool:
        return self.builds.is_busy()

    async def _in_alarm(self, names: list[str]) -> list[str]:
        return await self._calls.in_thread(partial(in_alarm, self._plane.client("cloudwatch"), names))

    def _report(self, problem: UserError) -> None:
        self._problem = problem
        if self._gateway is not None:
            self._log(f"The API is served as it was before: {problem.problem}")

    async def _serve_api(self, deployment: Deployment) -> None:
        try:
            self._client = ApiClient(deployment.api)
        except UserError as problem:
            self._report(problem)
            return
        self._deployment, self._problem = deployment, None
        if self._gateway is not None:
            self._gateway.serve(deployment.api)
            return
        self._gateway = Gateway(deployment.api, self._functions.find, log=self._log, secrets=_OWN_SECRETS)
        runner = web.ServerRunner(self._gateway.server(), shutdown_timeout=SHUTDOWN_SECONDS)
        await runner.setup()
        self._exits.push_async_callback(runner.cleanup)
        await web.SockSite(runner, self._listener, backlog=BACKLOG).start()

    async def _serve_runtime(self) -> str:
        async def refuse(seconds: float) -> None:
            await listener.refuse(seconds)

        app = create_app(
            self.hosting.endpoints, self._faults, secrets={ACCESS_KEY_ID: SECRET_ACCESS_KEY}, refuse=refuse
        )
        listener = Listener(app, shutdown_timeout=SHUTDOWN_SECONDS)
        self._exits.push_async_callback(listener.close)
        await listener.start()
        return listener.url

    def _endpoint_urls(self) -> dict[str, str]:
        return {
            **dict.fromkeys(CONTROL_PLANE_SERVICES, self._plane.address),
            "LAMBDA": self.lambda_url,
            "SAGEMAKER_RUNTIME": self.runtime_url,
        }
