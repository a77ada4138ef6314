"""The data plane: everything that answers behind the URL of one deployed stack."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import tempfile
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from local.apigateway.server import Gateway
from local.client import Caller
from local.deployment.cdk_cli import ROOT
from local.deployment.control_plane import CREDENTIALS
from local.errors import UserError
from local.lambda_service import Concurrency, Function, FunctionConfig
from local.lambda_service.environment import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from local.processes import piped
from local.sagemaker_runtime import Faults, Listener, create_app

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from local.deployment.deployed_stack import DeployedEndpoint, DeployedFunction, Deployment
    from local.processes import Children

CONTAINER_START_SECONDS = 30.0
# Connections that wait to be taken: hundreds of clients may come at once.
BACKLOG = 1024
SHUTDOWN_SECONDS = 1.0
# What a container sees of this machine; the rest of its environment is the deployed model's.
PASSED_ON = ("PATH", "HOME", "LANG", "SYSTEMROOT", "TOY_TOKENS_PER_SECOND")
# What a function sees of it: whom it trusts, for an authorizer that asks an issuer on this machine.
TRUST = ("SSL_CERT_FILE",)


class Cloud:
    """Serves a deployment.

    Args:
        deployment: What was deployed.
        children: Ends the model containers with the run.
        listener: The socket of the gateway.
        control_plane_url: Where the functions find SageMaker's own API.
        container_url: A running model server to use for every endpoint, instead of the built-in stand-in.
        faults: What the SageMaker Runtime does wrong on purpose.
        concurrency: How many invocations of functions run at once; by default as many as in an account of AWS.
        log: Takes access log lines and what the emulation has to say.

    Attributes:
        caller: How the API is called.

    Raises:
        UserError: Nobody may call the API.
    """

    def __init__(
        self,
        deployment: Deployment,
        children: Children,
        listener: socket.socket,
        *,
        control_plane_url: str,
        container_url: str | None = None,
        faults: Faults | None = None,
        concurrency: int | None = None,
        log: Callable[[str], None],
    ) -> None:
        self.deployment = deployment
        self.caller = Caller(deployment.api)
        self._children = children
        self._listener = listener
        self._control_plane_url = control_plane_url
        self._container_url = container_url
        self._faults = faults or Faults()
        self._concurrency = Concurrency() if concurrency is None else Concurrency(concurrency)
        self._log = log
        self._stack = AsyncExitStack()
        self._functions: dict[str, Function] = {}
        self.runtime_url = ""

    @property
    def url(self) -> str:
        """The URL of the stage, without a slash at its end."""
        host, port = self._listener.getsockname()[:2]
        return f"http://{host}:{port}/{self.deployment.api.stage}"

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
        """The models that the deployed API names; the first whole round trip through it.

        Where only an authorizer of its own knows who may call, they are read from the deployment.
        """
        deployed = list(self.deployment.models())
        if self.caller.needs_token:
            return deployed
        url = f"{self.url}/v1/models"
        headers = self.caller.headers("GET", url)
        async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
            told = await answer.json(content_type=None)
            if answer.status in (401, 403) and self.caller.asks_authorizer:
                return deployed
            if answer.status != 200:
                raise RuntimeError(f"GET /v1/models was answered with {answer.status}: {told}")
            return [entry["id"] for entry in told["data"]]

    async def _start(self) -> None:
        containers = await self._start_containers(self.deployment.called_endpoints())
        self.runtime_url = await self._serve_runtime(containers)
        for function in self.deployment.functions.values():
            self._functions[function.name] = self._function(function)
            self._stack.push_async_callback(self._functions[function.name].close)
        secrets = {CREDENTIALS["AWS_ACCESS_KEY_ID"]: CREDENTIALS["AWS_SECRET_ACCESS_KEY"]}
        gateway = Gateway(self.deployment.api, self._functions.__getitem__, log=self._log, secrets=secrets)
        await self._serve(web.ServerRunner(gateway.server(), shutdown_timeout=SHUTDOWN_SECONDS), self._listener)

    async def _serve_runtime(self, containers: Mapping[str, str]) -> str:
        async def refuse(seconds: float) -> None:
            await listener.refuse(seconds)

        secrets = {ACCESS_KEY_ID: SECRET_ACCESS_KEY}
        app = create_app(containers.get, self._faults, secrets=secrets, refuse=refuse)
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
        redirected = {
            "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": self.runtime_url,
            "AWS_ENDPOINT_URL_SAGEMAKER": self._control_plane_url,
        }
        trust = {name: os.environ[name] for name in TRUST if name in os.environ}
        return Function(
            FunctionConfig(
                name=function.name,
                arn=function.arn,
                handler=function.handler,
                environment={**function.environment, **redirected, **trust},
                timeout_seconds=function.timeout_seconds,
                memory_mb=function.memory_mb,
                code_zip=function.code_zip,
                reserved_concurrency=function.reserved_concurrency,
            ),
            log=self._log,
            account=self._concurrency,
        )

    async def _start_containers(self, endpoints: list[DeployedEndpoint]) -> dict[str, str]:
        """The base URL of each endpoint's container, by the endpoint's name; they start side by side."""
        if self._container_url is not None:
            return dict.fromkeys((endpoint.name for endpoint in endpoints), self._container_url)
        passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        passed["TMPDIR"] = tempfile.gettempdir()
        command = [sys.executable, "-m", "local.model_container", "--port", "0"]
        starting = {}
        for endpoint in endpoints:
            process = await self._children.start_server(command, env={**passed, **endpoint.environment}, cwd=ROOT)
            self._stack.push_async_callback(self._children.stop, process)
            starting[endpoint.name] = process
        return {name: await _container_url(name, process) for name, process in starting.items()}


async def _container_url(endpoint: str, process: Process) -> str:
    line = await asyncio.wait_for(piped(process).readline(), CONTAINER_START_SECONDS)
    if not line:
        code = await process.wait()
        raise UserError(
            f"The container of the endpoint {endpoint} ended with exit code {code}, see its words above.",
            "The model's environment asks for what TGI refuses: change the options of the construct.",
        )
    return f"http://127.0.0.1:{json.loads(line)['port']}"


def listen(port: int) -> socket.socket:
    """A listening socket on the loopback interface, taken early so that a port in use is told before a deployment.

    Raises:
        UserError: If the port is in use or not one.
    """
    try:
        return _listen(port)
    except OSError as error:
        raise UserError(
            f"PORT={port}: {error.strerror or error}.", "Choose another port, or PORT=0 for any free one."
        ) from error
    except OverflowError as error:
        raise UserError(f"PORT={port}: not a port.", "Choose 0 (any free one) to 65535.") from error


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


async def reach(url: str) -> None:
    """Makes sure that somebody listens at the URL of a model server."""
    parts = urlsplit(url)
    fix = "Start the model server first and give its base URL, for example CONTAINER_URL=http://127.0.0.1:8080."
    if parts.scheme != "http" or not parts.hostname:
        raise UserError(f"CONTAINER_URL={url}: not an http:// URL.", fix)
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(parts.hostname, parts.port or 80), 5)
    except (OSError, TimeoutError) as error:
        raise UserError(f"CONTAINER_URL={url}: nothing answers there.", fix) from error
    writer.close()
