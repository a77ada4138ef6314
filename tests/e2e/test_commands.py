"""The commands `demo` and `serve`."""

import json
import os
import re
import selectors
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e.deployed_cloud import READY_SECONDS, ROOT, Cloud, Serve, processes_of, wait_until_nothing_is_left

pytestmark = pytest.mark.xdist_group("e2e")


def demo(*arguments: str, prompt: str) -> str:
    """The output of a demo that succeeds and leaves nothing running."""
    process = subprocess.Popen(
        [sys.executable, "-m", "local", "demo", *arguments],
        cwd=ROOT,
        env={**os.environ, "PROMPT": prompt, "TOY_TOKENS_PER_SECOND": "250", "AWS_PROFILE": "of-the-user"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    wait_until_nothing_is_left(process.pid)
    return output


@pytest.mark.slow
def test_the_demo_ends_with_the_answer_and_leaves_nothing_running(cloud: Cloud) -> None:
    """Runs at the same time as `cloud`, from the same clone."""
    output = demo(prompt="Why is the sky blue?")
    steps, _, answer = output.partition("\n\n")
    for step in ("cdk bootstrap", "cdk synth", "cdk deploy LlamaTgiStack"):
        assert re.search(rf"^✓ {step} \(\d+\.\d s\)$", steps, re.MULTILINE), output
    counts = r"\(\d+ \w+(, \d+ \w+)+\)"
    assert re.search(rf"^✓ LlamaTgiStack: \d+ resources {counts}; VERBOSE=1 lists them$", steps, re.MULTILINE), output
    assert "AWS::" not in steps
    for path in ("/generate", "/generate_stream"):
        assert re.search(rf"^✓ TGI, (non-)?streaming: POST {path} \(\d+\.\d s\)$", steps, re.MULTILINE), output
    question, text, figures, end = answer.splitlines()
    assert question == "Why is the sky blue?"
    assert "Why is the sky blue" in text
    assert re.fullmatch(
        r"\(OpenAI chat, streaming: \d+ chunks, first after \d+ ms, \d\.\d s; a toy replaces the model\)",
        figures,
    )
    assert re.match(r"Done in \d+ s; nothing is left running\. `make serve` keeps it running, ", end)


@pytest.mark.slow
def test_the_demo_of_a_model_on_vllm_calls_tgi_s_api_too() -> None:
    output = demo("--stack", "Qwen3VllmStack", prompt="Why is the sky blue?")
    assert re.search(r"^✓ Endpoint Qwen3VllmStack-\S+: Qwen/Qwen3-8B on ml\.g6e\.xlarge$", output, re.MULTILINE), output
    assert "✓ TGI, non-streaming: POST /generate " in output
    assert "✓ TGI, streaming: POST /generate_stream " in output
    assert "Why is the sky blue" in output.partition("\n\n")[2].splitlines()[1]


@pytest.mark.slow
def test_a_verbose_demo_lists_the_resources_and_shows_each_call() -> None:
    output = demo("--verbose", prompt="Why is the sky blue?")
    assert re.search(r"AWS::SageMaker::Endpoint +arn:aws:sagemaker:us-east-1:123456789012:endpoint/Llama", output)
    assert re.search(r"AWS::ApiGateway::RestApi +\w+$", output, re.MULTILINE)
    assert re.search(r"AWS::ApiGateway::Stage +\w+ \(template only\)$", output, re.MULTILINE)
    assert re.search(r"AWS::ApiGateway::UsagePlan +\w+ \(template only\)$", output, re.MULTILINE)
    for path in ("/generate", "/generate_stream", "/v1/chat/completions"):
        assert re.search(rf"^curl -N http://127\.0\.0\.1:\d+/prod{path} .*Why is the sky blue", output, re.MULTILINE)
    assert len(re.findall(r"^\(.*: (one response|\d+ chunks, first after \d+ ms), .*\)$", output, re.MULTILINE)) == 3


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
        assert [entry["status"] for entry in access] == ["429", "429", "200", "422"], "its own request is not logged"
        for secret in (line["api_key"], "a secret prompt"):
            assert secret not in serve.log()
    with socket.socket() as freed:
        freed.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        freed.bind(("127.0.0.1", port))
        freed.listen()


class Terminal:
    """`make serve` in a terminal of its own."""

    def __init__(self) -> None:
        self._keyboard, terminal = os.openpty()
        # Nothing is installed: the test runs in what make has installed.
        command = [
            "setsid",
            "--ctty",
            "make",
            "-o",
            ".venv/run.ready",
            "-o",
            "node_modules/.bin/cdk",
            "serve",
            "PORT=0",
        ]
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "TERM": "xterm-256color", "TOY_TOKENS_PER_SECOND": "250", "COLUMNS": "400"},
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            # A test run in the background of a shell ignores SIGINT, and so would make.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no thread forks here
        )
        os.close(terminal)

    def read_until(self, text: str) -> str:
        """What is shown from now on, up to a text, without colours."""
        shown = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self._keyboard, selectors.EVENT_READ)
            while text not in shown.decode(errors="replace"):
                assert selector.select(READY_SECONDS), shown.decode(errors="replace")
                shown += os.read(self._keyboard, 65536)
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode()).replace("\r\n", "\n")

    def press_ctrl_c(self) -> str:
        """Press Ctrl-C; what is shown until the command has ended."""
        os.write(self._keyboard, b"\x03")
        shown = b""
        try:
            while data := os.read(self._keyboard, 65536):
                shown += data
        except OSError:
            pass  # the terminal is closed with its last process
        os.close(self._keyboard)
        return shown.decode()


@pytest.mark.slow
def test_serve_in_a_terminal_shows_what_a_person_needs_and_ends_quietly() -> None:
    terminal = Terminal()
    shown = terminal.read_until("Press Ctrl-C to stop.\x1b[0m\r\n")
    assert "✓" not in shown, "the steps have disappeared"
    block, end = shown[shown.index("Playground ") :].split("\n\n")
    assert end == "Press Ctrl-C to stop.\n"
    rows = dict(re.split(r" {2,}", line, maxsplit=1) for line in block.splitlines())
    assert list(rows) == ["Playground", "API key", "Try it", "Log"]
    answer = subprocess.run(shlex.split(rows["Try it"]), capture_output=True, text=True, timeout=60)
    assert answer.stdout.endswith("data: [DONE]\n\n"), answer
    page = urllib.request.Request(rows["Playground"], headers={"Accept": "text/html"})
    with urllib.request.urlopen(page, timeout=60) as response:
        assert "text/html" in response.headers["Content-Type"]
    log = ROOT / rows["Log"].removesuffix(" (LOGS=1 shows it here)")
    assert log.read_text().startswith("Inject faults: curl -X PUT ")
    assert "\nCall the emulated AWS: export AWS_ACCESS_KEY_ID=" in log.read_text()
    assert f"\nDeploy a change: cd {ROOT} && PATH=" in log.read_text()
    deadline = time.monotonic() + 10
    access: list[dict[str, str]] = []
    while len(access) < 2 and time.monotonic() < deadline:  # a line is written after its response
        access = [json.loads(line) for line in log.read_text().splitlines() if line.startswith('{"requestId"')]
    assert [(entry["httpMethod"], entry["status"]) for entry in access] == [("POST", "200"), ("GET", "200")]
    assert terminal.press_ctrl_c() == "^C", "nothing was shown since, and nothing is at the end"
    assert terminal.process.wait(30) in (0, -signal.SIGINT)


def test_ctrl_c_during_the_deployment_ends_it_quietly() -> None:
    terminal = Terminal()
    terminal.read_until("cdk bootstrap")
    shown = terminal.press_ctrl_c()
    assert "^C" in shown
    for noise in ("✗", "***", "Error", "Traceback"):
        assert noise not in shown, shown
    terminal.process.wait(30)
    with pytest.raises(ProcessLookupError):
        os.killpg(terminal.process.pid, 0)


def test_ctrl_c_while_modules_are_imported_ends_it_quietly() -> None:
    # Python writes a line for each module that has been imported; the next ones take longer than the signal.
    command = [sys.executable, "-X", "importtime", "-m", "local", "serve", "--port", "0"]
    environment = {name: value for name, value in os.environ.items() if name != "MAKELEVEL"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, env=environment, text=True, **pipes) as process:
        assert process.stderr is not None
        while not (line := process.stderr.readline()).endswith(" yarl\n"):
            assert line, "it has ended"
        process.send_signal(signal.SIGINT)
        try:
            _, rest = process.communicate(timeout=60)
        finally:
            process.kill()
    assert "Traceback" not in rest
    assert process.returncode == 130


@pytest.mark.slow
def test_serve_in_a_pipe_names_the_file_of_its_log() -> None:
    command = [sys.executable, "-m", "local", "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        details = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        said = process.stderr.read()
    port = urlsplit(details["url"]).port
    assert f"\nRequests are logged in .cache/logs/serve-{port}.log; LOGS=1 shows them here.\n" in said
    assert said.endswith("\nServing. Press Ctrl-C to stop.\n")
    assert '{"requestId"' not in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_after_a_signal_during_the_deployment(tmp_path: Path, number: signal.Signals) -> None:
    serve = Serve(tmp_path / "log")
    deadline = time.monotonic() + READY_SECONDS
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
