"""The front door's application in front of the emulated SageMaker, called with API Gateway's events."""

from __future__ import annotations

import base64
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from aiohttp import web
from front_door.app import App
from front_door.config import from_environment

from constructs_lib.front_door.assets import openapi_text
from local.model_container.server import create_app as create_container
from local.model_container.settings import Settings
from local.sagemaker_runtime import Endpoints, Faults
from local.sagemaker_runtime import create_app as sagemaker_runtime
from tests.local.model_container.servers import Servers

MODEL_ID = "meta-llama/Llama-3.1-8B-Instruct"
LIMITS = Settings(model_id=MODEL_ID, tokens_per_second=0, max_input_tokens=2048, max_total_tokens=4096)
_FACTS_OF_LIMITS = (
    "model_id",
    "max_input_tokens",
    "max_total_tokens",
    "max_best_of",
    "max_stop_sequences",
    "max_top_n_tokens",
    "max_client_batch_size",
)


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

    def request(self, method: str, path: str, body: str | bytes | None, **headers: str) -> Response:
        """Send a request as API Gateway's proxy event, and read the response to its end."""
        event = {
            "httpMethod": method,
            "path": path,
            "headers": headers,
            "body": base64.b64encode(body).decode() if isinstance(body, bytes) else body,
            "isBase64Encoded": isinstance(body, bytes),
            "requestContext": {"requestId": "gateway-id", "identity": {"apiKeyId": "key-id"}},
        }
        context: Any = SimpleNamespace(request_id="lambda-id", deadline=time.time() + 30)
        response = self.app.handle(event, context)
        lowered = {name.lower(): value for name, value in response.headers.items()}
        return Response(response.status, lowered, b"".join(response.body))


@contextmanager
def start_front_door(
    *names: str, limits: Settings = LIMITS, container: web.Application | None = None, **entry: Any
) -> Iterator[FrontDoorClient]:
    """Start a front door for models of these names, all served by the same container.

    Args:
        names: The models.
        limits: The container's settings, which the front door knows from the plan.
        container: The container. Default: the built-in one.
        entry: What the front door is told of each model. Default: that the container is TGI, with `limits`.
    """
    with Servers() as servers, tempfile.TemporaryDirectory() as layer:
        faults = Faults()
        url = servers.serve(container or create_container(limits))
        facts: dict[str, Any] = {"engine": "tgi", "version": "3.3.6"}
        facts |= {name: getattr(limits, name) for name in _FACTS_OF_LIMITS}
        facts = {"max_body_bytes": 6291456, "counts_tokens": True, **(entry or facts)}
        models = Path(layer, "models.json")
        models.write_text(json.dumps({name: {"endpoint_name": "e", **facts} for name in names}))
        models.with_name("openapi.json").write_text(openapi_text())
        environment = {
            "MODELS_FILE": str(models),
            "SAGEMAKER_RUNTIME_URL": servers.serve(
                sagemaker_runtime(Endpoints.of({"e": url}), faults, secrets={"AKIDEXAMPLE": "secret"})
            ),
            "SAGEMAKER_URL": servers.serve(_control_plane()),
            "AWS_REGION": "eu-west-1",
            "DEFAULT_MAX_TOKENS": "40",
            "WAKE_ROUTE": "on",
        }
        app = App(from_environment(environment))
        try:
            yield FrontDoorClient(app, faults)
        finally:
            app.sagemaker.close()


def _control_plane() -> web.Application:
    """Responds to DescribeEndpoint with an endpoint in service."""

    async def describe_endpoint(_request: web.Request) -> web.Response:
        return web.json_response({"EndpointName": "e", "EndpointStatus": "InService"})

    app = web.Application()
    app.router.add_post("/", describe_endpoint)
    return app
