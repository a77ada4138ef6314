"""The server of examples/own_container behind its front door, called with OpenAI's client."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from tests.e2e.deployed_cloud import ROOT, Cloud, Serve

pytestmark = [pytest.mark.xdist_group("example-own_container"), pytest.mark.slow, pytest.mark.timeout(300)]

EXAMPLE = ROOT / "examples" / "own_container"
SHOUT = [{"role": "user", "content": "hello to the whole world"}]


@pytest.fixture(scope="module")
def container() -> Iterator[str]:
    """The server of the example, as its image starts it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "server:app", "--port", str(port), "--log-level", "warning"]
    process = subprocess.Popen(command, cwd=EXAMPLE / "server")
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_ready(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"{url}/ping", timeout=2):
                return
        except OSError:
            assert process.poll() is None, "the server has ended"
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.1)


@pytest.fixture(scope="module")
def cloud(container: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    log = tmp_path_factory.mktemp("own_container") / "log"
    environment = {"PYTHONPATH": str(ROOT), "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    with Serve(log, "--app", str(EXAMPLE), "--container-url", container, **environment) as serve:
        yield Cloud.of(serve)


@pytest.fixture
def client(cloud: Cloud) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{cloud.url}/v1", api_key=cloud.api_key, max_retries=0)


def test_it_is_listed_by_its_name(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["shout"]


def test_it_chats(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="shout", messages=SHOUT, max_tokens=3)
    assert (answer.model, answer.choices[0].message.content) == ("shout", "HELLO TO THE ")
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 3


def test_it_streams_without_a_chunk_that_was_not_asked_for(client: openai.OpenAI) -> None:
    chunks = list(client.chat.completions.create(model="shout", messages=SHOUT, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "HELLO TO THE WHOLE WORLD "
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert all(chunk.usage is None for chunk in chunks)


def test_it_counts_the_tokens_of_a_stream_if_asked(client: openai.OpenAI) -> None:
    options = {"include_usage": True}
    *_, last = client.chat.completions.create(model="shout", messages=SHOUT, stream=True, stream_options=options)
    assert last.choices == []
    assert last.usage is not None
    assert last.usage.completion_tokens == 5


def test_the_tokens_of_each_request_are_metered(cloud: Cloud, client: openai.OpenAI) -> None:
    client.chat.completions.create(model="shout", messages=SHOUT)
    deadline = time.monotonic() + 10
    while '"GeneratedTokens":5' not in cloud.log().replace(": ", ":"):
        assert time.monotonic() < deadline, cloud.log()[-2000:]
        time.sleep(0.1)


def test_tools_are_refused_before_the_container_sees_them(client: openai.OpenAI) -> None:
    tool = {"type": "function", "function": {"name": "now", "parameters": {"type": "object", "properties": {}}}}
    with pytest.raises(openai.BadRequestError, match="tools"):
        client.chat.completions.create(model="shout", messages=SHOUT, tools=[tool])


def test_completions_are_refused_as_declared(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as error:
        client.completions.create(model="shout", prompt="hello")
    assert error.value.code == "engine_cannot"


def test_tgis_routes_say_that_it_does_not_speak_tgi(cloud: Cloud) -> None:
    response = cloud.request("POST", "/generate", {"inputs": "hello"})
    assert response.status == 501
    assert "/v1/chat/completions" in response.json()["error"]


def test_an_unknown_model_is_not_found(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="whisper", messages=SHOUT)
