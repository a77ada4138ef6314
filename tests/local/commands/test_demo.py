"""The demo: which calls it makes, and how it reports failures."""

import asyncio
import io
from types import SimpleNamespace
from typing import Any

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from local.client import ApiClient
from local.commands.demo import build_calls, show_call
from local.commands.progress import Progress
from tests.local.apigateway.doubles import build_api


async def show(response: web.Response) -> tuple[bool, str]:
    async def handle(request: web.Request) -> web.Response:
        return response

    app = web.Application()
    app.router.add_post("/generate_stream", handle)
    output = io.StringIO()
    async with TestServer(app) as server, ClientSession() as session:
        cloud: Any = SimpleNamespace(url=str(server.make_url("")).rstrip("/"), client=ApiClient(build_api()))
        succeeded = await show_call(Progress(output), session, cloud, "TGI", "/generate_stream", {"inputs": "Hi"})
    return succeeded, output.getvalue()


def test_an_error_event_is_reported_and_fails_the_call() -> None:
    event = 'data: {"error":"Input validation error: `inputs` must be shorter","error_type":"validation"}\n\n'
    succeeded, output = asyncio.run(show(web.Response(text=event, content_type="text/event-stream")))
    assert not succeeded
    assert "The stream ended with an error: Input validation error: `inputs` must be shorter\n" in output


def test_an_error_status_is_reported_and_fails_the_call() -> None:
    succeeded, output = asyncio.run(show(web.Response(status=422, text='{"error":"too long"}')))
    assert not succeeded
    assert 'HTTP 422: {"error":"too long"}' in output


def test_the_first_of_several_models_is_called_by_name() -> None:
    assert [path for _, path, _ in build_calls("Hi", ["llama"])] == [
        "/generate",
        "/generate_stream",
        "/v1/chat/completions",
    ]
    paths = [path for _, path, _ in build_calls("Hi", ["llama", "falcon"])]
    assert paths == ["/models/llama/generate", "/models/llama/generate_stream", "/v1/chat/completions"]
