"""The front door's application in front of the emulated SageMaker, called with API Gateway's events."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, TypeVar

from aiohttp import web
from front_door.app import App
from front_door.config import from_environment

from local.model_container.server import create_app as container
from local.model_container.settings import Settings
from local.sagemaker_runtime import Faults
from local.sagemaker_runtime import create_app as sagemaker_runtime

MODEL_ID = "meta-llama/Llama-3.1-8B-Instruct"
LIMITS = Settings(model_id=MODEL_ID, tokens_per_second=0, max_input_tokens=2048, max_total_tokens=4096)
FACTS = {
    "engine": "tgi",
    "model_id": MODEL_ID,
    "max_body_bytes": 6291456,
    "version": "3.3.6",
    "max_input_tokens": LIMITS.max_input_tokens,
    "max_total_tokens": LIMITS.max_total_tokens,
    "max_best_of": LIMITS.max_best_of,
    "max_stop_sequences": LIMITS.max_stop_sequences,
    "max_top_n_tokens": LIMITS.max_top_n_tokens,
    "max_client_batch_size": LIMITS.max_client_batch_size,
}

T = TypeVar("T")


@dataclass(frozen=True)
class Response:
    """A complete response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def content_type(self) -> str:
        return self.headers["content-type"].partition(";")[0]

    def json(self) -> Any:
        return json.loads(self.body)

    def data(self) -> list[str]:
        """The data of each event."""
        lines = self.body.decode().split("\n")
        return [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]

    def events(self) -> list[Any]:
        """The JSON objects of the events."""
        return [json.loads(data) for data in self.data() if data != "[DONE]"]


@dataclass
class FrontDoorClient:
    """Sends requests to the application.

    Attributes:
        app: The application.
        faults: The faults that SageMaker injects.
    """

    app: App
    faults: Faults

    def post(self, path: str, body: object, **headers: str) -> Response:
        return self.request("POST", path, json.dumps(body), **{"Content-Type": "application/json", **headers})

    def get(self, path: str, **headers: str) -> Response:
        return self.request("GET", path, None, **headers)

    def request(self, method: str, path: str, body: str | None, **headers: str) -> Response:
        """Send a request as API Gateway's proxy event, and read the response to its end."""
        event = {
            "httpMethod": method,
            "path": path,
            "headers": headers,
            "body": body,
            "isBase64Encoded": False,
            "requestContext": {"requestId": "gateway-id", "identity": {"apiKeyId": "key-id"}},
        }
        context: Any = SimpleNamespace(request_id="lambda-id", deadline=time.time() + 30)
        response = self.app.handle(event, context)
        lowered = {name.lower(): value for name, value in response.headers.items()}
        return Response(response.status, lowered, b"".join(response.body))


@contextmanager
def start_front_door(*names: str) -> Iterator[FrontDoorClient]:
    """Start a front door for models of these names, all served by the same container."""
    with _loop() as run:
        faults = Faults()
        container_runner, container_url = run(_serve(container(LIMITS)))
        service = sagemaker_runtime({"e": container_url}.get, faults, secrets={"AKIDEXAMPLE": "secret"})
        runtime_runner, runtime_url = run(_serve(service))
        control_runner, control_url = run(_serve(_control_plane()))
        environment = {
            "MODELS": json.dumps({name: {"endpoint_name": "e", **FACTS} for name in names}),
            "SAGEMAKER_RUNTIME_URL": runtime_url,
            "SAGEMAKER_URL": control_url,
            "AWS_REGION": "eu-west-1",
            "DEFAULT_MAX_TOKENS": "40",
        }
        app = App(from_environment(environment))
        try:
            yield FrontDoorClient(app, faults)
        finally:
            app.sagemaker.close()
            for runner in (control_runner, runtime_runner, container_runner):
                run(runner.cleanup())


def _control_plane() -> web.Application:
    """Responds to DescribeEndpoint with an endpoint in service."""

    async def describe_endpoint(_request: web.Request) -> web.Response:
        return web.json_response({"EndpointName": "e", "EndpointStatus": "InService"})

    app = web.Application()
    app.router.add_post("/", describe_endpoint)
    return app


async def _serve(app: web.Application) -> tuple[web.AppRunner, str]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"


@contextmanager
def _loop() -> Iterator[Any]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def run(coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(10)

    yield run
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
