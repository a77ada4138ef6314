"""What the demo says where a call is not answered with tokens."""

import asyncio
import io
from types import SimpleNamespace
from typing import Any

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from local.client import Caller
from local.commands.demo import _calls, _show_call
from local.commands.progress import Progress
from tests.local.apigateway.doubles import build_api


async def _shown(answer: web.Response) -> tuple[bool, str]:
    async def answered(request: web.Request) -> web.Response:
        return answer

    app = web.Application()
    app.router.add_post("/generate_stream", answered)
    said = io.StringIO()
    async with TestServer(app) as server, ClientSession() as session:
        cloud: Any = SimpleNamespace(url=str(server.make_url("")).rstrip("/"), caller=Caller(build_api()))
        fine = await _show_call(Progress(said), session, cloud, "TGI", "/generate_stream", {"inputs": "Hi"})
    return fine, said.getvalue()


def test_an_error_event_is_told_and_fails_the_call_without_a_traceback() -> None:
    event = 'data: {"error":"Input validation error: `inputs` must be shorter","error_type":"validation"}\n\n'
    fine, said = asyncio.run(_shown(web.Response(text=event, content_type="text/event-stream")))
    assert not fine
    assert "The stream broke off: Input validation error: `inputs` must be shorter\n" in said


def test_an_error_status_is_told_and_fails_the_call() -> None:
    fine, said = asyncio.run(_shown(web.Response(status=422, text='{"error":"too long"}')))
    assert not fine
    assert 'HTTP 422: {"error":"too long"}' in said


def test_a_door_with_several_models_is_asked_for_the_first_by_name() -> None:
    assert [path for _, path, _ in _calls("Hi", ["llama"])] == ["/generate", "/generate_stream", "/v1/chat/completions"]
    paths = [path for _, path, _ in _calls("Hi", ["llama", "falcon"])]
    assert paths == ["/models/llama/generate", "/models/llama/generate_stream", "/v1/chat/completions"]
