"""The data plane: API Gateway, Lambda, SageMaker Runtime and model containers of the deployed stacks."""

from __future__ import annotations

import asyncio
import os
import socket
from concurrent.futures import CancelledError
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from local.apigateway.server import Gateway
from local.client import ApiClient
from local.deployment.control_plane import CREDENTIALS
from local.deployment.deployed_stack import Deployment, read_account, read_deployment
from local.deployment.stacks.answers import Answers
from local.deployment.stacks.data_plane import NothingRuns, StoppedError
from local.deployment.stacks.state import ResourceFailure
from local.errors import UserError
from local.hosting import Hosting, ScalingTimes
from local.lambda_service import Concurrency, Function, FunctionConfig, Functions
from local.lambda_service.environment import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from local.lambda_service.invoke_api import InvokeApi, function_name
from local.sagemaker_runtime import Faults, Listener, create_app

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence
    from concurrent.futures import Future
    from types import TracebackType

    from local.deployment.control_plane import ControlPlane
    from local.deployment.deployed_function import DeployedFunction
    from local.deployment.deployed_stack import Account
    from local.processes import ChildProcesses

Result = TypeVar("Result")
# Hundreds of clients may connect at once.
BACKLOG = 1024
SHUTDOWN_SECONDS = 1.0
# Variables that a function inherits: the certificate authorities that a JWT authorizer trusts.
FUNCTION_VARIABLES = ("SSL_CERT_FILE",)
# The services of the control plane that functions reach, each by its variable AWS_ENDPOINT_URL_….
SERVICES = (
    "APPLICATION_AUTO_SCALING",
    "CLOUDFORMATION",
    "CLOUDWATCH",
    "CLOUDWATCH_LOGS",
    "S3",
    "SAGEMAKER",
    "SECRETS_MANAGER",
    "SNS",
    "SQS",
    "SSM",
    "STS",
)


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

    Attributes:
        runtime_url: The URL of SageMaker Runtime.
        lambda_url: The URL of Lambda.
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
    ) -> None:
        self._plane = plane
        self._stacks = stacks
        self._listener = listener
        self._faults = faults or Faults()
        self._times = times or ScalingTimes()
        self._concurrency = Concurrency() if concurrency is None else Concurrency(concurrency)
        self._log = log
        self._exits = AsyncExitStack()
        self._hosting = Hosting(children, container_url=container_url, times=self._times, log=log)
        self._functions = Functions(lambda config: Function(config, log=log, account=self._concurrency))
        self._answers = Answers()
        self._gateway: Gateway | None = None
        self._client: ApiClient | None = None
        self._deployment: Deployment | None = None
        self._problem: UserError | None = None
        self._following = asyncio.Lock()
        self._calls: set[Future[Any]] = set()
        self.runtime_url = ""
        self.lambda_url = ""

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
    def port(self) -> int:
        """The port of the gateway."""
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def url(self) -> str:
        """The URL of the stage, without a trailing slash."""
        return f"http://{self._listener.getsockname()[0]}:{self.port}/{self.deployment.api.stage}"

    async def __aenter__(self) -> Self:
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
        account, deployment = await asyncio.to_thread(self._read, settled=True)
        await self._apply(account, deployment)
        if self._problem is not None:
            raise self._problem

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

    def follow(self, *, settled: bool) -> None:
        """Brings what runs in line with what is deployed; called by the control plane, from its threads."""
        account, deployment = self._read(settled=settled)
        try:
            self._call(self._apply(account, deployment))
        except UserError as error:
            raise ResourceFailure(error.problem) from error

    def answer_of(self, function: str, request: Callable[[str], Mapping[str, Any]], seconds: float) -> bytes | None:
        """The answer of a custom resource's function; called by the control plane, from its threads."""
        self.follow(settled=False)
        return self._call(self._answer_of(function, request, seconds))

    async def _start(self) -> None:
        self._exits.push_async_callback(self._hosting.close)
        self._exits.push_async_callback(self._functions.close)
        self.runtime_url = await self._serve_runtime()
        self.lambda_url = await self._serve_lambda()
        self._loop = asyncio.get_running_loop()
        self._plane.stacks.data_plane = self

    async def _stop(self) -> None:
        self._plane.stacks.data_plane = NothingRuns()
        for call in self._calls:
            call.cancel()
        await self._exits.aclose()

    def _call(self, work: Coroutine[None, None, Result]) -> Result:
        """The result of work in the event loop, for another thread.

        Raises:
            StoppedError: The cloud stops.
        """
        call = asyncio.run_coroutine_threadsafe(work, self._loop)
        self._calls.add(call)
        try:
            return call.result()
        except CancelledError as error:
            raise StoppedError from error
        finally:
            self._calls.discard(call)

    def _read(self, *, settled: bool) -> tuple[Account, Deployment | UserError | None]:
        account = read_account(self._plane, self._stacks)
        if not settled:
            return account, None
        former = self._deployment.api if self._deployment else None
        try:
            return account, read_deployment(self._plane, self._stacks, account=account, former=former)
        except UserError as problem:
            return account, problem

    async def _apply(self, account: Account, deployment: Deployment | UserError | None) -> None:
        async with self._following:
            self._functions.follow({name: self._config(each) for name, each in account.functions.items()})
            await self._hosting.follow(account.hosted(), account.scaling, _labels(account))
            if isinstance(deployment, Deployment):
                await self._serve_api(deployment)
            elif deployment is not None:
                self._problem = deployment

    async def _serve_api(self, deployment: Deployment) -> None:
        try:
            self._client = ApiClient(deployment.api)
        except UserError as problem:
            self._problem = problem
            return
        self._deployment, self._problem = deployment, None
        if self._gateway is not None:
            self._gateway.serve(deployment.api)
            return
        secrets = {CREDENTIALS["AWS_ACCESS_KEY_ID"]: CREDENTIALS["AWS_SECRET_ACCESS_KEY"]}
        self._gateway = Gateway(deployment.api, self._functions.find, log=self._log, secrets=secrets)
        runner = web.ServerRunner(self._gateway.server(), shutdown_timeout=SHUTDOWN_SECONDS)
        await runner.setup()
        self._exits.push_async_callback(runner.cleanup)
        await web.SockSite(runner, self._listener, backlog=BACKLOG).start()

    async def _serve_runtime(self) -> str:
        async def refuse(seconds: float) -> None:
            await listener.refuse(seconds)

        app = create_app(
            self._hosting.endpoints, self._faults, secrets={ACCESS_KEY_ID: SECRET_ACCESS_KEY}, refuse=refuse
        )
        listener = Listener(app, shutdown_timeout=SHUTDOWN_SECONDS)
        self._exits.push_async_callback(listener.close)
        await listener.start()
        return listener.url

    async def _serve_lambda(self) -> str:
        own = {CREDENTIALS["AWS_ACCESS_KEY_ID"]: CREDENTIALS["AWS_SECRET_ACCESS_KEY"]}
        self._invoke_api = InvokeApi(
            self._functions.find,
            secrets={**own, ACCESS_KEY_ID: SECRET_ACCESS_KEY},
            control_plane_url=self._plane.url,
            speed=self._times.speed,
            log=self._log,
        )
        app = web.Application(client_max_size=2**25)
        self._answers.add_routes(app)
        self._invoke_api.add_routes(app)
        listener = Listener(app, shutdown_timeout=SHUTDOWN_SECONDS)
        self._exits.push_async_callback(listener.close)
        self._exits.push_async_callback(self._invoke_api.close)
        await listener.start()
        return listener.url

    async def _answer_of(
        self, function: str, request: Callable[[str], Mapping[str, Any]], seconds: float
    ) -> bytes | None:
        """Invokes the function asynchronously and waits for its answer.

        As long as the function runs, seconds are real. Once it has ended, nothing else is expected to answer, and the
        rest of the time passes as fast as the clock of scaling.
        """
        try:
            found = self._functions.find(function_name(function))
        except KeyError:
            raise ResourceFailure(f"Function not found: {function}, or the emulated Lambda cannot run it.") from None
        clock = asyncio.get_running_loop().time
        deadline = clock() + seconds
        with self._answers.expect() as (path, answer):
            invocation = self._invoke_api.invoke_event(found, dict(request(f"{self.lambda_url}{path}")))
            either: set[asyncio.Future[Any]] = {answer, invocation}
            await asyncio.wait(either, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if invocation.done():
                await asyncio.wait({answer}, timeout=max(0.0, deadline - clock()) / self._times.speed)
            return answer.result() if answer.done() else None

    def _config(self, function: DeployedFunction) -> FunctionConfig:
        endpoints = dict.fromkeys((f"AWS_ENDPOINT_URL_{name}" for name in SERVICES), self._plane.address)
        endpoints |= {
            "AWS_ENDPOINT_URL_LAMBDA": self.lambda_url,
            "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": self.runtime_url,
        }
        inherited = {name: os.environ[name] for name in FUNCTION_VARIABLES if name in os.environ}
        return FunctionConfig(
            name=function.name,
            arn=function.arn,
            handler=function.handler,
            environment={**function.environment, **endpoints, **inherited},
            timeout_seconds=function.timeout_seconds,
            memory_mb=function.memory_mb,
            code_zip=function.code_zip,
            layers=function.layers,
            reserved_concurrency=function.reserved_concurrency,
        )


def _labels(account: Account) -> dict[str, str]:
    """The public names of models by endpoint or inference component."""
    return {entry.get("inference_component") or entry["endpoint_name"]: name for name, entry in account.models.items()}


def listen(port: int) -> socket.socket:
    """A listening socket on the loopback interface, opened early so that a port in use is reported before deploying.

    Args:
        port: The port, 0 for any free port.

    Raises:
        UserError: The port is in use or out of range.
    """
    try:
        return _listen(port)
    except OSError as error:
        raise UserError(
            f"PORT={port}: {error.strerror or error}.", "Choose another port, or PORT=0 for any free port."
        ) from error
    except OverflowError as error:
        raise UserError(
            f"PORT={port}: must be from 0 to 65535.", "Choose another port, or PORT=0 for any free port."
        ) from error


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


async def check_reachable(url: str) -> None:
    """Checks that the URL of a model server accepts connections.

    Raises:
        UserError: It does not, or is not an http:// URL.
    """
    parts = urlsplit(url)
    fix = "Start the model server first and give its base URL, for example CONTAINER_URL=http://127.0.0.1:8080."
    if parts.scheme != "http" or not parts.hostname:
        raise UserError(f"CONTAINER_URL={url}: must be an http:// URL.", fix)
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(parts.hostname, parts.port or 80), 5)
    except (OSError, TimeoutError) as error:
        raise UserError(f"CONTAINER_URL={url}: cannot connect.", fix) from error
    writer.close()
