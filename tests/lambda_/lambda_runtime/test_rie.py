"""The runtime client against AWS's own Runtime Interface Emulator.

It buffers streamed answers, so it shows what Lambda accepts and what comes out, not when.
"""

from __future__ import annotations

import http.client
import json
import os
import platform
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lambda_.lambda_runtime.runtime_function import MODELS, NOWHERE, fake_function, function_files, proxy_event

MACHINE = {"x86_64": "x86_64", "amd64": "x86_64", "arm64": "arm64", "aarch64": "arm64"}.get(platform.machine().lower())
RIE = Path(__file__).parents[3] / ".cache" / "rie" / "samcli" / "local" / "rapid" / f"aws-lambda-rie-{MACHINE}"
PATH = "/2015-03-31/functions/function/invocations"
PRELUDE_END = b"\0" * 8

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="AWS builds its emulator for Linux only")


class Emulator:
    """AWS's emulator with one function in it."""

    def __init__(self, files: dict[str, str], folder: Path) -> None:
        for name, text in files.items():
            path = folder / "task" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o755 if name == "front_door/bootstrap" else 0o644)
        root = str(folder / "task")
        models = folder / "models.json"
        models.write_text(json.dumps(MODELS))
        self._port, runtime_port = free_ports()
        self._output = (folder / "output").open("w+b")
        command = ["--runtime-interface-emulator-address", f"127.0.0.1:{self._port}"]
        command += ["--runtime-api-address", f"127.0.0.1:{runtime_port}"]
        # What the wrapper gets: the interpreter and the bootstrap file of the managed runtime.
        command += [f"{root}/front_door/bootstrap", sys.executable, "/var/runtime/bootstrap.py"]
        self._process = subprocess.Popen(
            [RIE, *command],
            cwd=root,
            env={
                **NOWHERE,
                "MODELS_FILE": str(models),
                "LAMBDA_TASK_ROOT": root,
                "AWS_REGION": "eu-west-1",
                "PATH": os.environ["PATH"],
            },
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def invoke(self, event: dict[str, Any]) -> tuple[int, bytes]:
        """Status and body of the emulator's response."""
        for _ in range(200):
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
            try:
                connection.request("POST", PATH, json.dumps(event))
                response = connection.getresponse()
                return response.status, response.read()
            except ConnectionRefusedError:
                assert self._process.poll() is None, self.output()
                time.sleep(0.05)
            finally:
                connection.close()
        raise AssertionError(self.output())

    def output(self) -> str:
        """The output of the emulator and the function."""
        self._output.seek(0)
        return self._output.read().decode()

    def close(self) -> None:
        """End the emulator and the function."""
        # The function is a process group of its own; it ends when its Runtime API is gone.
        self._process.kill()
        self._process.wait()
        self._output.close()


def free_ports() -> tuple[int, int]:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        return one.getsockname()[1], other.getsockname()[1]


@pytest.fixture
def emulate(tmp_path: Path) -> Iterator[Callable[[dict[str, str]], Emulator]]:
    started: list[Emulator] = []

    def start(files: dict[str, str]) -> Emulator:
        started.append(Emulator(files, tmp_path))
        return started[-1]

    yield start
    for emulator in started:
        emulator.close()


def test_awss_emulator_accepts_a_streamed_response(emulate: Callable[[dict[str, str]], Emulator]) -> None:
    emulator = emulate(
        fake_function("""
            def handle(event, context):
                assert context.deadline > 0 and context.function_arn.startswith("arn:aws:lambda:")
                chunks = [b"one ", b"two ", event["big"].encode()]
                return Response(200, {"Content-Type": "text/event-stream"}, iter(chunks))
        """)
    )
    for size in (1, 100_000):  # the emulator sends a large event in chunks
        status, body = emulator.invoke({"big": "x" * size})
        prelude, _, payload = body.partition(PRELUDE_END)
        assert status == 200
        assert json.loads(prelude) == {"statusCode": 200, "headers": {"Content-Type": "text/event-stream"}}
        assert payload == b"one two " + b"x" * size


def test_awss_emulator_accepts_an_error_before_the_stream(emulate: Callable[[dict[str, str]], Emulator]) -> None:
    emulator = emulate(
        fake_function("""
            def handle(event, context):
                if event.get("good"):
                    return Response(200, {}, [b"good"])
                raise KeyError("x")
        """)
    )
    _, body = emulator.invoke({})
    assert json.loads(body)["errorType"] == "Function.KeyError"
    assert emulator.invoke({"good": True})[1].endswith(PRELUDE_END + b"good")


def test_awss_emulator_accepts_an_error_in_the_middle(emulate: Callable[[dict[str, str]], Emulator]) -> None:
    emulator = emulate(
        fake_function("""
            def broken():
                yield b"one"
                raise KeyError("x")

            def handle(event, context):
                return Response(200, {}, [b"good"] if event.get("good") else broken())
        """)
    )
    status, body = emulator.invoke({})
    assert (status, body.partition(PRELUDE_END)[2]) == (200, b"one")
    assert emulator.invoke({"good": True})[1].endswith(PRELUDE_END + b"good")
    assert '"errorType": "Function.KeyError"' in emulator.output()
    assert not re.search(r"\[(WARN|ERROR|PANIC)|truncated", emulator.output(), re.IGNORECASE), emulator.output()


def test_awss_emulator_accepts_a_failure_to_start(emulate: Callable[[dict[str, str]], Emulator]) -> None:
    files = function_files("front_door")
    files["front_door/bootstrap"] = files["front_door/bootstrap"].replace("exec", "unset MODELS_FILE\nexec")
    status, body = emulate(files).invoke(proxy_event())
    assert status == 502
    assert json.loads(body)["errorMessage"] == "'MODELS_FILE' is missing from the function's environment."


def test_the_front_door_responds_in_awss_emulator(emulate: Callable[[dict[str, str]], Emulator]) -> None:
    emulator = emulate(function_files("front_door"))
    for event, code, expected_message in (
        (proxy_event(), 200, b'"id":"llama"'),
        (proxy_event("POST", "/generate", {"inputs": 1}), 422, b"error_type"),
        ({}, 400, b"not an HTTP request"),
    ):
        status, body = emulator.invoke(event)
        prelude, _, payload = body.partition(PRELUDE_END)
        assert (status, json.loads(prelude)["statusCode"]) == (200, code)
        assert expected_message in payload
