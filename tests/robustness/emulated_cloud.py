"""The emulated cloud without a deployment or access control: gateway, sandboxes, SageMaker Runtime and container."""

from __future__ import annotations

import asyncio
import io
import json
import threading
import zipfile
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import front_door
from aiohttp import web

from constructs_lib.front_door.assets import openapi_text
from local.apigateway.api import Integration, Method, Resource, RestApi
from local.apigateway.server import Gateway
from local.lambda_service import Function, FunctionConfig
from local.lambda_service.environment import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from local.model_container.server import create_app as container
from local.model_container.settings import Settings
from local.sagemaker_runtime import Endpoints, Faults
from local.sagemaker_runtime import create_app as sagemaker_runtime

STAGE = "prod"
MODEL = {"endpoint_name": "e", "model_id": None, "max_body_bytes": 6291456, "counts_tokens": True}
ACCESS_LOG = (
    '{"requestId":"$context.requestId","ip":"$context.identity.sourceIp","method":"$context.httpMethod",'
    '"path":"$context.resourcePath","status":$context.status,"length":$context.responseLength}'
)
T = TypeVar("T")


class EmulatedCloud:
    """Runs in a thread of its own.

    Attributes:
        function: The front door's function.
        log: The function's log lines.
        access_log: The gateway's log lines.
        requests: The bodies that SageMaker has received.
        held: The number of requests that the container holds back.
        max_held: The maximum of `held` so far.
        reference_url: A container without delays, to ask for the expected responses.

    Args:
        settings: Those of the container.
        engine: The engine that the front door takes it for.
        container_url: A container that runs already, in place of one with these settings.
        timeout_seconds: The timeout of the function.
    """

    def __init__(
        self, settings: Settings, engine: str = "tgi", container_url: str | None = None, timeout_seconds: float = 120
    ) -> None:
        self.log: list[str] = []
        self.access_log: list[str] = []
        self.requests: list[bytes] = []
        self.held = self.max_held = 0
        self._settings, self._engine = settings, engine
        self._container_url, self._timeout_seconds = container_url, timeout_seconds
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._runners: list[web.BaseRunner] = []

    def run(self, coroutine: Coroutine[Any, Any, T], seconds: float = 60) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(seconds)

    def start(self) -> None:
        self._thread.start()
        self.run(self._start())

    def stop(self) -> None:
        self.run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def hold_requests(self) -> None:
        self._loop.call_soon_threadsafe(self.gate.clear)

    def release_requests(self) -> None:
        self._loop.call_soon_threadsafe(self.gate.set)

    async def _start(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        app = container(self._settings)
        app.middlewares.append(self._hold)
        container_url = self._container_url or await self._serve(web.AppRunner(app, access_log=None))
        self.reference_url = await self._serve(web.AppRunner(container(replace(self._settings, tokens_per_second=0))))
        secrets = {ACCESS_KEY_ID: SECRET_ACCESS_KEY}
        service = sagemaker_runtime(Endpoints.of({"e": container_url}), Faults(), secrets=secrets)
        service.middlewares.append(self._record)
        runtime_url = await self._serve(web.AppRunner(service, access_log=None, shutdown_timeout=0.2))
        environment = {
            "MODELS_FILE": "/opt/models.json",
            "AWS_LAMBDA_EXEC_WRAPPER": "/var/task/front_door/bootstrap",
        }
        environment |= {"SAGEMAKER_RUNTIME_URL": runtime_url, "SAGEMAKER_URL": runtime_url}
        config = FunctionConfig(
            name="front-door",
            arn="arn:aws:lambda:eu-west-1:123456789012:function:front-door",
            handler="front_door.lambda_runtime.managed.handler",
            environment=environment,
            timeout_seconds=self._timeout_seconds,
            memory_mb=512,
            code_zip=_code(),
            layers=[_models_layer(self._engine)],
        )
        self.function = Function(config, log=self.log.append)
        gateway = Gateway(_api(), lambda _name: self.function, log=self.access_log.append)
        url = await self._serve(web.ServerRunner(gateway.server(), shutdown_timeout=0.2))
        self.port = int(url.rpartition(":")[2])

    async def _stop(self) -> None:
        await self.function.close()
        for runner in reversed(self._runners):
            await runner.cleanup()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.wait_for(asyncio.gather(*others, return_exceptions=True), 30)

    async def _serve(self, runner: web.BaseRunner) -> str:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=512).start()
        self._runners.append(runner)
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    @web.middleware
    async def _record(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        self.requests.append(await request.read())
        return await handler(request)

    @web.middleware
    async def _hold(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        self.held += 1
        self.max_held = max(self.held, self.max_held)
        await self.gate.wait()
        self.held -= 1
        return await handler(request)


@contextmanager
def emulated_cloud(
    *, engine: str = "tgi", container_url: str | None = None, timeout_seconds: float = 120, **settings: Any
) -> Iterator[EmulatedCloud]:
    """Run a cloud whose container has these settings."""
    of_container = Settings(**{"model_id": "toy", "tokens_per_second": 0, **settings})
    cloud = EmulatedCloud(of_container, engine, container_url, timeout_seconds)
    cloud.start()
    try:
        yield cloud
    finally:
        cloud.stop()


def _api() -> RestApi:
    integration = Integration(function_name="front-door", stream=True, timeout_seconds=120)
    method = Method(verb="ANY", integration=integration)
    root = Resource("r", "/", methods={"ANY": method})
    root.children["{proxy+}"] = Resource("p", "/{proxy+}", methods={"ANY": method})
    return RestApi(
        id="abc",
        region="eu-west-1",
        account="123456789012",
        partition="aws",
        url_suffix="amazonaws.com",
        stage=STAGE,
        root=root,
        access_log_format=ACCESS_LOG,
    )


def _code() -> bytes:
    buffer = io.BytesIO()
    root = Path(front_door.__file__).parent
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in root.rglob("*"):
            if path.is_file() and path.suffix != ".pyc":
                entry = zipfile.ZipInfo(path.relative_to(root.parent).as_posix())
                entry.external_attr = (0o755 if path.name == "bootstrap" else 0o644) << 16
                archive.writestr(entry, path.read_bytes())
    return buffer.getvalue()


def _models_layer(engine: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("models.json", json.dumps({"llama": {**MODEL, "engine": engine}}))
        archive.writestr("openapi.json", openapi_text())
    return buffer.getvalue()
