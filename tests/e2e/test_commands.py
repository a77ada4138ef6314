"""`demo` and `serve` as a user runs them."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.deployed_cloud import ROOT, Cloud, Serve, processes_of, wait_until_nothing_is_left

pytestmark = pytest.mark.xdist_group("e2e")


@pytest.mark.slow
def test_the_demo_shows_what_it_does_and_leaves_nothing(cloud: Cloud) -> None:
    """Beside the running `cloud`, from the same clone."""
    prompt = "Why is the sky blue?"
    demo = subprocess.Popen(
        [sys.executable, "-m", "local", "demo"],
        cwd=ROOT,
        env={**os.environ, "PROMPT": prompt, "TOY_TOKENS_PER_SECOND": "250", "AWS_PROFILE": "of-the-user"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    told, _ = demo.communicate(timeout=120)
    assert demo.returncode == 0, told
    for step in ("cdk bootstrap", "cdk synth", "cdk deploy LlamaTgiStack"):
        assert re.search(rf"^✓ {step} \(\d+\.\d s\)$", told, re.MULTILINE), told
    assert re.search(r"AWS::SageMaker::Endpoint +arn:aws:sagemaker:us-east-1:123456789012:endpoint/Llama", told)
    assert re.search(r"AWS::ApiGateway::RestApi +\w+$", told, re.MULTILINE)
    assert re.search(r"AWS::ApiGateway::Stage +\w+ \(in the template only\)$", told, re.MULTILINE)
    assert re.search(r"AWS::ApiGateway::UsagePlan +\w+ \(in the template only\)$", told, re.MULTILINE)
    for path in ("/generate", "/generate_stream", "/v1/chat/completions"):
        assert re.search(rf"^curl -N http://127\.0\.0\.1:\d+/prod{path} .*{re.escape(prompt)}", told, re.MULTILINE)
    assert len(re.findall(r"^\(one piece, in \d\.\d s\)$", told, re.MULTILINE)) == 1
    assert len(re.findall(r"^\(\d+ pieces, the first after \d+ ms", told, re.MULTILINE)) == 2
    assert "nothing is left running" in told
    wait_until_nothing_is_left(demo.pid)


@pytest.fixture
def model_server() -> Iterator[str]:
    """A model server of the user's own, which takes shorter prompts than the deployed one."""
    server = subprocess.Popen(
        [sys.executable, "-m", "local.model_container", "--port", "0"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "HF_MODEL_ID": "own/model",
            "MAX_INPUT_TOKENS": "40",
            "MAX_TOTAL_TOKENS": "80",
        },
        stdout=subprocess.PIPE,
    )
    assert server.stdout is not None
    try:
        yield f"http://127.0.0.1:{json.loads(server.stdout.readline())['port']}"
    finally:
        server.terminate()
        server.communicate(timeout=10)


@pytest.mark.slow
def test_serve_prints_one_json_line_and_ends_cleanly_on_a_signal(tmp_path: Path, model_server: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with Serve(tmp_path / "log", "--fault", "throttle", "--port", str(port), "--container-url", model_server) as serve:
        told = json.loads(serve.line())
        assert list(told) == ["url", "api_key", "models"]
        assert told["url"] == f"http://127.0.0.1:{port}/prod"
        assert told["models"] == ["llama"]
        assert processes_of(serve.process.pid)
        cloud = Cloud(told["url"], told["api_key"], told["models"], serve.faults_url())
        chat = {"messages": [{"role": "user", "content": "a secret prompt"}], "max_tokens": 3}
        assert [cloud.ask("POST", "/v1/chat/completions", chat).status for _ in range(2)] == [429, 429]
        cloud.clear_faults()
        assert cloud.ask("POST", "/v1/chat/completions", chat).status == 200
        refused = cloud.ask("POST", "/generate", {"inputs": "word " * 50, "parameters": {"max_new_tokens": 3}})
        assert "`inputs` must have less than 40 tokens" in refused.json()["error"]
        assert serve.end(signal.SIGTERM) == (0, "")
        wait_until_nothing_is_left(serve.process.pid)
        access = [json.loads(line) for line in serve.told().splitlines() if line.startswith('{"requestId"')]
        assert [entry["status"] for entry in access] == ["200", "429", "429", "200", "422"]
        for secret in (told["api_key"], "a secret prompt"):
            assert secret not in serve.told()
    with socket.socket() as freed:
        freed.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        freed.bind(("127.0.0.1", port))
        freed.listen()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_when_it_is_ended_while_it_deploys(tmp_path: Path, number: signal.Signals) -> None:
    serve = Serve(tmp_path / "log")
    deadline = time.monotonic() + 30
    while "cdk bootstrap" not in serve.told():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    while not processes_of(serve.process.pid):
        assert time.monotonic() < deadline
    code, _ = serve.end(number)
    assert code == (130 if number is signal.SIGINT else -9)
    wait_until_nothing_is_left(serve.process.pid)


def told_by(*arguments: str) -> tuple[int, str]:
    run = subprocess.run(
        [sys.executable, "-m", "local", "serve", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert run.stdout == ""
    assert "Traceback" not in run.stderr
    return run.returncode, run.stderr


@pytest.mark.slow
def test_a_stack_that_is_not_there_is_told_with_those_that_are() -> None:
    code, told = told_by("--port", "0", "--stack", "NoSuchStack")
    assert code == 1
    assert "stacks=NoSuchStack: the app has no stack of this name." in told
    assert "Choose one of: " in told
    assert "LlamaTgiStack" in told


def test_a_port_in_use_is_told_before_anything_is_deployed() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, told = told_by("--port", str(port))
    assert code == 1
    assert f"PORT={port}: Address already in use." in told
    assert "PORT=0 for any free one" in told
    assert "cdk" not in told


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--fault", "earthquake"), "earthquake"),
        (("--port", "70000"), "PORT=70000: not a port."),
        (("--container-url", "http://127.0.0.1:9"), "CONTAINER_URL=http://127.0.0.1:9: nothing answers there."),
        (("--container-url", "localhost"), "CONTAINER_URL=localhost: not an http:// URL."),
        (("--stack", ","), "STACK=,: no name of a stack."),
    ],
)
def test_a_mistake_is_told_at_once(arguments: tuple[str, ...], words: str) -> None:
    code, told = told_by(*(("--port", "0") if "--port" not in arguments else ()), *arguments)
    assert code == 1
    assert words in told
    assert "cdk" not in told
