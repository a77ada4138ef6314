"""The data plane: API Gateway, Lambda, SageMaker Runtime and model containers of one deployed stack."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from local.apigateway.server import Gateway
from local.client import ApiClient
from local.deployment.control_plane import CREDENTIALS
from local.errors import UserError
from local.hosting import Hosting, ScalingTimes
from local.lambda_service import Concurrency, Function, FunctionConfig
from local.lambda_service.environment import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from local.sagemaker_runtime import Endpoints, Faults, Listener, create_app

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from local.deployment.deployed_function import DeployedFunction
    from local.deployment.deployed_stack import Deployment
    from local.processes import ChildProcesses

# Hundreds of clients may connect at once.
BACKLOG = 1024
SHUTDOWN_SECONDS = 1.0
# Variables that a function inherits: the certificate authorities that a JWT authorizer trusts.
FUNCTION_VARIABLES = ("SSL_CERT_FILE",)


class Cloud:
    """Serves a deployment.

    Args:
        deployment: The deployed stack.
        children: Starts the model containers and stops them on exit.
        listener: The listening socket of the gateway.
        control_plane_url: The endpoint of the SageMaker API for the functions.
        container_url: Base URL of a running model server for every endpoint. Default: the toy model container.
        faults: The faults that the SageMaker Runtime injects.
        times: How long scaling takes.
        concurrency: Maximum concurrent function invocations in the account. Default: the quota of an AWS account.
        log: Receives access log lines and messages of the emulation.

    Attributes:
        client: The credentials of a client of the API.

    Raises:
        UserError: The API requires an API key, but no usage plan has one.
    """

    def __init__(
        self,
        deployment: Deployment,
        children: ChildProcesses,
        listener: socket.socket,
        *,
        control_plane_url: str,
        container_url: str | None = None,
        faults: Faults | None = None,
        times: ScalingTimes | None = None,
        concurrency: int | None = None,
        log: Callable[[str], None],
    ) -> None:
        self.deployment = deployment
        self.client = ApiClient(deployment.api)
        self._children = children
        self._listener = listener
        self._control_plane_url = control_plane_url
        self._container_url = container_url
        self._faults = faults or Faults()
        self._times = times or ScalingTimes()
        self._concurrency = Concurrency() if concurrency is None else Concurrency(concurrency)
        self._log = log
        self._stack = AsyncExitStack()
        self._functions: dict[str, Function] = {}
        self.runtime_url = ""

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
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

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
        hosting = Hosting(
            self.deployment,
            self._children,
            container_url=self._container_url,
            times=self._times,
            log=self._log,
        )
        await self._stack.enter_async_context(hosting)
        self.runtime_url = await self._serve_runtime(hosting.endpoints)
        for function in self.deployment.functions.values():
            self._functions[function.name] = self._function(function)
            self._stack.push_async_callback(self._functions[function.name].close)
        secrets = {CREDENTIALS["AWS_ACCESS_KEY_ID"]: CREDENTIALS["AWS_SECRET_ACCESS_KEY"]}
        gateway = Gateway(self.deployment.api, self._functions.__getitem__, log=self._log, secrets=secrets)
        await self._serve(web.ServerRunner(gateway.server(), shutdown_timeout=SHUTDOWN_SECONDS), self._listener)

    async def _serve_runtime(self, endpoints: Endpoints) -> str:
        async def refuse(seconds: float) -> None:
            await listener.refuse(seconds)

        secrets = {ACCESS_KEY_ID: SECRET_ACCESS_KEY}
        app = create_app(endpoints, self._faults, secrets=secrets, refuse=refuse)
        listener = Listener(app, shutdown_timeout=SHUTDOWN_SECONDS)
        self._stack.push_async_callback(listener.close)
        await listener.start()
        return listener.url

    async def _serve(self, runner: web.BaseRunner, listener: socket.socket) -> str:
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        await web.SockSite(runner, listener, backlog=BACKLOG).start()
        host, port = listener.getsockname()[:2]
        return f"http://{host}:{port}"

    def _function(self, function: DeployedFunction) -> Function:
        endpoints = {
            "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": self.runtime_url,
            "AWS_ENDPOINT_URL_SAGEMAKER": self._control_plane_url,
        }
        inherited = {name: os.environ[name] for name in FUNCTION_VARIABLES if name in os.environ}
        return Function(
            FunctionConfig(
                name=function.name,
                arn=function.arn,
                handler=function.handler,
                environment={**function.environment, **endpoints, **inherited},
                timeout_seconds=function.timeout_seconds,
                memory_mb=function.memory_mb,
                code_zip=function.code_zip,
                layers=function.layers,
                reserved_concurrency=function.reserved_concurrency,
            ),
            log=self._log,
            account=self._concurrency,
        )


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
