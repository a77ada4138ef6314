"""Servers in a background thread, for tests that call them with synchronous clients."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import boto3
from aiohttp import web
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from local.model_container.server import create_app
from local.model_container.settings import Settings

if TYPE_CHECKING:
    from types import TracebackType

KEY, SECRET = "AKIDEXAMPLE", "fake-secret"
MODEL = "meta-llama/Llama-3.1-8B-Instruct"


class Servers:
    """An event loop in a thread with its servers."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._runners: list[web.AppRunner] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for runner in self._runners:
            self.run(runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(20)

    def serve(self, app: web.Application) -> str:
        """Serves an application on a free port; returns its URL."""

        async def start() -> str:
            runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1, access_log=None)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self._runners.append(runner)
            return f"http://127.0.0.1:{runner.addresses[0][1]}"

        url: str = self.run(start())
        return url

    def container(self, **settings: Any) -> str:
        """Serves a model container, by default without a rate limit; returns its URL."""
        return self.serve(create_app(Settings(**{"model_id": MODEL, "tokens_per_second": 0, **settings})))


class Response:
    """A complete HTTP response."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[Any]:
        """The data of each event: parsed JSON, or `[DONE]`."""
        frames = self.text.split("\n\n")
        assert frames[-1] == "", "the last event is not terminated"
        data = [frame.removeprefix("data: ") for frame in frames[:-1] if frame != ":"]
        return [each if each == "[DONE]" else json.loads(each) for each in data]


def call(method: str, url: str, body: object = None, headers: dict[str, str] | None = None) -> Response:
    """Sends a request; a body that is not bytes is sent as JSON."""
    parts = urlsplit(url)
    assert parts.hostname
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    try:
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        default = {} if body is None else {"content-type": "application/json"}
        connection.request(method, parts.path or "/", data, default | (headers or {}))
        return Response(connection.getresponse())
    finally:
        connection.close()


def post(url: str, body: object, headers: dict[str, str] | None = None) -> Response:
    """Sends a POST request."""
    return call("POST", url, body, headers)


def client_of(url: str, *, key: str = KEY, secret: str = SECRET) -> Any:
    """A boto3 client of the SageMaker Runtime, without retries."""
    return boto3.client(
        "sagemaker-runtime",
        region_name="eu-west-1",
        endpoint_url=url,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1}),
    )


def signed(url: str, service: str = "sagemaker", body: bytes = b"{}", **headers: str) -> dict[str, str]:
    """The headers of a signed POST."""
    request = AWSRequest("POST", url, headers, body)
    SigV4Auth(Credentials(KEY, SECRET), service, "eu-west-1").add_auth(request)
    return dict(request.headers.items())
