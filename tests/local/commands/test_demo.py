"""The demo: which calls it makes, and how it reports failures."""

import asyncio
import io
import json
import re
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from local.client import ApiClient
from local.commands.demo import Call, build_calls, check_call, show_call
from local.commands.progress import Progress
from tests.local.apigateway.doubles import build_api


async def show(response: web.Response, show_it: Any = show_call) -> tuple[bool, str]:
    async def handle(request: web.Request) -> web.Response:
        return response

    app = web.Application()
    app.router.add_post("/generate_stream", handle)
    output = io.StringIO()
    async with TestServer(app) as server, ClientSession() as session:
        cloud: Any = SimpleNamespace(url=str(server.make_url("")).rstrip("/"), client=ApiClient(build_api()))
        call = Call("TGI, streaming", "/generate_stream", {"inputs": "Hi"})
        succeeded = await show_it(Progress(output), session, cloud, call)
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


def test_a_call_is_shown_with_its_command_and_the_text_as_it_arrives() -> None:
    events = [{"token": {"text": text, "special": special}} for text, special in (("Hi", False), ("</s>", True))]
    text = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
    succeeded, output = asyncio.run(show(web.Response(text=text, content_type="text/event-stream")))
    assert succeeded
    assert re.fullmatch(
        r"\nTGI, streaming: POST /generate_stream\n"
        r"curl -N http://127\.0\.0\.1:\d+/generate_stream "
        r"-H 'Content-Type: application/json' -d '{\"inputs\": \"Hi\"}'\n"
        r"Hi\n"
        r"\(TGI, streaming: one response, \d\.\d s; a toy replaces the model\)\n",
        output,
    )


def test_a_checked_call_is_one_step_without_its_text() -> None:
    event = 'data: {"token": {"text": "Hi", "special": false}}\n\n'
    succeeded, output = asyncio.run(show(web.Response(text=event, content_type="text/event-stream"), check_call))
    assert succeeded
    title = r"TGI, streaming: POST /generate_stream"
    assert re.fullmatch(rf"• {title}\n✓ {title} \(\d\.\d s\)\n", output)


def test_a_checked_call_that_fails_says_why() -> None:
    succeeded, output = asyncio.run(show(web.Response(status=503, text="busy"), check_call))
    assert not succeeded
    title = "TGI, streaming: POST /generate_stream"
    assert output == f"• {title}\n✗ {title}\nHTTP 503: busy\n"


def test_the_first_of_several_models_is_called_by_name() -> None:
    assert [call.path for call in build_calls("Hi", ["llama"], engine="tgi")] == [
        "/generate",
        "/generate_stream",
        "/v1/chat/completions",
    ]
    paths = [call.path for call in build_calls("Hi", ["llama", "falcon"], engine="tgi-neuron")]
    assert paths == ["/models/llama/generate", "/models/llama/generate_stream", "/v1/chat/completions"]


@pytest.mark.parametrize("engine", ["vllm", "lmi"])
def test_a_model_on_another_engine_is_called_by_tgi_s_api_too(engine: str) -> None:
    assert build_calls("Hi", ["llama"], engine=engine) == build_calls("Hi", ["llama"], engine="tgi")


@pytest.mark.parametrize("engine", ["sglang", "openai"])
def test_a_model_that_may_answer_chats_alone_is_sent_chats(engine: str) -> None:
    calls = build_calls("Hi", ["qwen", "llama"], engine=engine)
    assert [(call.title, call.path, call.body.get("stream")) for call in calls] == [
        ("OpenAI chat, non-streaming", "/v1/chat/completions", None),
        ("OpenAI chat, streaming", "/v1/chat/completions", True),
    ]
    assert {call.body["model"] for call in calls} == {"qwen"}


def test_the_text_of_a_chat_that_is_not_streamed_is_shown() -> None:
    body = {"choices": [{"message": {"role": "assistant", "content": "Hi there"}}]}
    succeeded, output = asyncio.run(show(web.json_response(body)))
    assert succeeded
    assert "\nHi there\n" in output
