"""The front door's application with a double instead of SageMaker."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from front_door.app import App
from front_door.config import Config, Model
from front_door.http.response import Response
from front_door.sagemaker import retry

from tests.lambda_.sagemaker_double import SageMakerDouble

LLAMA = Model("llama", "llama-endpoint", "meta-llama/Llama-3.1-8B-Instruct", 6291456)
OPENAPI_FILE = Path(__file__).parents[2] / "constructs_lib" / "front_door" / "openapi.json"
FALCON = Model("falcon", "falcon-endpoint", None, 2097152)


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_PAUSE_SECONDS", 0.001)


@pytest.fixture
def sagemaker() -> Iterator[SageMakerDouble]:
    double = SageMakerDouble()
    yield double
    double.close()


@dataclass
class ClientResponse:
    """A response that was read to its end."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class ApiClient:
    """Calls the application as the Lambda runtime does."""

    app: App
    capsys: pytest.CaptureFixture[str]

    def send(
        self, path: str, body: object = None, *, method: str = "", seconds: float = 30, **event: Any
    ) -> ClientResponse:
        """Send a request, whose body is JSON or the text `raw`, and read the response to its end."""
        response = self.begin(path, body, method=method, seconds=seconds, **event)
        return ClientResponse(response.status, response.headers, b"".join(response.body))

    def begin(self, path: str, body: object = None, *, method: str = "", seconds: float = 30, **event: Any) -> Response:
        """Send a request and leave the response's body to the caller."""
        proxy_event = {
            "httpMethod": method or ("GET" if body is None and "raw" not in event else "POST"),
            "path": path,
            "headers": {"Content-Type": "application/json"},
            "body": event.pop("raw", None if body is None else json.dumps(body)),
            "isBase64Encoded": False,
            "requestContext": {"requestId": "gateway-id", "identity": {"apiKeyId": "key-id", "apiKey": "key-secret"}},
            **event,
        }
        context = SimpleNamespace(request_id="lambda-id", deadline=time.time() + seconds, is_buffered=False)
        return self.app.handle(proxy_event, context)  # type: ignore[arg-type]

    def log(self) -> list[dict[str, Any]]:
        """The log lines since the last call."""
        return [json.loads(line) for line in self.capsys.readouterr().out.splitlines()]


@pytest.fixture
def api_for(sagemaker: SageMakerDouble, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., ApiClient]]:
    apps = []

    def make(*models: Model) -> ApiClient:
        served = {model.name: model for model in models}
        config = Config(served, sagemaker.url, sagemaker.url, "eu-west-1", openapi_file=str(OPENAPI_FILE))
        apps.append(App(config))
        return ApiClient(apps[-1], capsys)

    yield make
    for app in apps:
        app.sagemaker.close()


@pytest.fixture
def api(api_for: Callable[..., ApiClient]) -> ApiClient:
    return api_for(LLAMA)
