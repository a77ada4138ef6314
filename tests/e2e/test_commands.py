"""The commands `demo` and `serve`."""

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
def test_the_demo_shows_its_steps_and_leaves_nothing_running(cloud: Cloud) -> None:
    """Runs at the same time as `cloud`, from the same clone."""
    prompt = "Why is the sky blue?"
    demo = subprocess.Popen(
        [sys.executable, "-m", "local", "demo"],
        cwd=ROOT,
        env={**os.environ, "PROMPT": prompt, "TOY_TOKENS_PER_SECOND": "250", "AWS_PROFILE": "of-the-user"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    output, _ = demo.communicate(timeout=120)
    assert demo.returncode == 0, output
    for step in ("cdk bootstrap", "cdk synth", "cdk deploy LlamaTgiStack"):
        assert re.search(rf"^✓ {step} \(\d+\.\d s\)$", output, re.MULTILINE), output
    assert re.search(r"AWS::SageMaker::Endpoint +arn:aws:sagemaker:us-east-1:123456789012:endpoint/Llama", output)
    assert re.search(r"AWS::ApiGateway::RestApi +\w+$", output, re.MULTILINE)
    assert re.search(r"AWS::ApiGateway::Stage +\w+ \(template only\)$", output, re.MULTILINE)
    assert re.search(r"AWS::ApiGateway::UsagePlan +\w+ \(template only\)$", output, re.MULTILINE)
    for path in ("/generate", "/generate_stream", "/v1/chat/completions"):
        assert re.search(rf"^curl -N http://127\.0\.0\.1:\d+/prod{path} .*{re.escape(prompt)}", output, re.MULTILINE)
    assert len(re.findall(r"^\(one response, \d\.\d s\)$", output, re.MULTILINE)) == 1
    assert len(re.findall(r"^\(\d+ chunks, first after \d+ ms, \d\.\d s\)$", output, re.MULTILINE)) == 2
    assert "nothing is left running" in output
    wait_until_nothing_is_left(demo.pid)


@pytest.fixture
def model_server() -> Iterator[str]:
    """A model server of the user, with lower limits than the deployed model."""
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
def test_serve_prints_one_json_line_and_stops_cleanly_on_a_signal(tmp_path: Path, model_server: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with Serve(tmp_path / "log", "--fault", "throttle", "--port", str(port), "--container-url", model_server) as serve:
        line = json.loads(serve.line())
        assert list(line) == ["url", "api_key", "models"]
        assert line["url"] == f"http://127.0.0.1:{port}/prod"
        assert line["models"] == ["llama"]
        assert processes_of(serve.process.pid)
        cloud = Cloud(line["url"], line["api_key"], line["models"], serve.faults_url())
        chat = {"messages": [{"role": "user", "content": "a secret prompt"}], "max_tokens": 3}
        assert [cloud.request("POST", "/v1/chat/completions", chat).status for _ in range(2)] == [429, 429]
        cloud.clear_faults()
        assert cloud.request("POST", "/v1/chat/completions", chat).status == 200
        rejected = cloud.request("POST", "/generate", {"inputs": "word " * 50, "parameters": {"max_new_tokens": 3}})
        assert "`inputs` must have less than 40 tokens" in rejected.json()["error"]
        assert serve.end(signal.SIGTERM) == (0, "")
        wait_until_nothing_is_left(serve.process.pid)
        access = [json.loads(entry) for entry in serve.log().splitlines() if entry.startswith('{"requestId"')]
        assert [entry["status"] for entry in access] == ["200", "429", "429", "200", "422"]
        for secret in (line["api_key"], "a secret prompt"):
            assert secret not in serve.log()
    with socket.socket() as freed:
        freed.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        freed.bind(("127.0.0.1", port))
        freed.listen()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_after_a_signal_during_the_deployment(tmp_path: Path, number: signal.Signals) -> None:
    serve = Serve(tmp_path / "log")
    deadline = time.monotonic() + 30
    while "cdk bootstrap" not in serve.log():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    while not processes_of(serve.process.pid):
        assert time.monotonic() < deadline
    code, _ = serve.end(number)
    assert code == (130 if number is signal.SIGINT else -9)
    wait_until_nothing_is_left(serve.process.pid)


def failing_serve(*arguments: str) -> tuple[int, str]:
    run = subprocess.run(
        [sys.executable, "-m", "local", "serve", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert run.stdout == ""
    assert "Traceback" not in run.stderr
    return run.returncode, run.stderr


@pytest.mark.slow
def test_an_unknown_stack_is_an_error_that_lists_the_stacks() -> None:
    code, output = failing_serve("--port", "0", "--stack", "NoSuchStack")
    assert code == 1
    assert "stacks=NoSuchStack: the app has no stack of this name." in output
    assert "Choose one of: " in output
    assert "LlamaTgiStack" in output


def test_a_port_in_use_is_reported_before_the_deployment() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, output = failing_serve("--port", str(port))
    assert code == 1
    assert f"PORT={port}: Address already in use." in output
    assert "PORT=0 for any free port" in output
    assert "cdk" not in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--fault", "earthquake"), "--fault earthquake: cannot be injected into every call."),
        (("--port", "70000"), "PORT=70000: must be from 0 to 65535."),
        (("--container-url", "http://127.0.0.1:9"), "CONTAINER_URL=http://127.0.0.1:9: cannot connect."),
        (("--container-url", "localhost"), "CONTAINER_URL=localhost: must be an http:// URL."),
        (("--stack", ","), "STACK=,: must name a stack."),
    ],
)
def test_an_invalid_argument_is_reported_before_the_deployment(arguments: tuple[str, ...], message: str) -> None:
    code, output = failing_serve(*(("--port", "0") if "--port" not in arguments else ()), *arguments)
    assert code == 1
    assert message in output
    assert "cdk" not in output
