"""`tgi-endpoint chat` with the front door of the emulated cloud, in pipes and in a pseudo terminal."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.constructs_lib.cli.terminal import CHAT, CTRL_C, CTRL_D, Terminal
from tests.e2e.deployed_cloud import ROOT, Cloud

pytestmark = pytest.mark.xdist_group("e2e")


def chat(*arguments: str, question: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """A chat in a pipe."""
    return subprocess.run(
        [sys.executable, "-m", "constructs_lib", "chat", *arguments],
        cwd=ROOT,
        input=question,
        capture_output=True,
        timeout=60,
        check=False,
        encoding="utf-8",
        env={**os.environ, **environment},
    )


@pytest.fixture
def key(cloud: Cloud) -> dict[str, str]:
    """The variables with URL and key; the tests stay below the throttling of the usage plan."""
    cloud.limiter.take(2)
    return {"TGI_ENDPOINT_URL": cloud.url, "TGI_ENDPOINT_API_KEY": cloud.api_key}


@pytest.fixture
def session(cloud: Cloud, key: dict[str, str]) -> Iterator[Terminal]:
    with Terminal(*CHAT, **key) as terminal:
        assert f"{cloud.url} · llama · /help, Ctrl-D ends" in terminal.read_until("\n> ")
        yield terminal


def test_a_question_in_a_pipe_gets_the_answer_alone(key: dict[str, str]) -> None:
    done = chat(question="Où est le café 😀", **key)
    assert (done.returncode, done.stderr) == (0, "")
    assert "language model" in done.stdout
    assert "Où est le café" in done.stdout
    assert "\x1b" not in done.stdout


def test_an_answer_as_json_has_the_counts_of_the_model(key: dict[str, str]) -> None:
    found = json.loads(chat("--json", "--max-tokens", "5", "Hello there", **key).stdout)
    assert (found["finish_reason"], found["usage"]["completion_tokens"]) == ("length", 5)


def test_the_stack_says_its_url(cloud: Cloud) -> None:
    """The emulated control plane has no API keys; tests/constructs_lib/cli/test_chat_stack.py reads one."""
    line = next(line for line in cloud.log().splitlines() if line.startswith("Call the emulated AWS: export "))
    variables = dict(word.split("=", 1) for word in shlex.split(line) if "=" in word)
    named = ("--stack", "LlamaTgiStack", "--api-key", cloud.api_key, "Hello there")
    cloud.limiter.take()
    done = chat("--url", cloud.url, *named, **variables)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Hello there" in done.stdout
    # Without --url it is the URL of the stack's output, which only AWS has.
    elsewhere = chat("--timeout", "5", *named, **variables)
    assert elsewhere.returncode == 1
    assert re.match(r"error: https://\w+\.execute-api\.us-east-1\.amazonaws\.com/prod ", elsewhere.stderr)


def test_a_wrong_key_is_status_3(cloud: Cloud, key: dict[str, str]) -> None:
    done = chat("--api-key", "wrong", "Hello", **key)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("error: The API key is unknown, disabled, or not in a usage plan of this API.")


@pytest.mark.parametrize(
    ("words", "said"), [(20_000, "must be <= 16384. Given: "), (3_000_000, "The request is larger than the API takes.")]
)
def test_a_huge_question_is_refused_in_words(key: dict[str, str], words: int, said: str) -> None:
    done = chat(question="word " * words, **key)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_model_that_fails_in_the_middle_is_said_after_what_came(cloud: Cloud, key: dict[str, str]) -> None:
    cloud.inject("connection-lost", at=9000)
    done = chat("Hello there", **key)
    assert done.returncode == 1
    assert done.stdout != ""
    assert done.stderr.startswith("error: the answer ended with an error: ")


def test_ctrl_c_stops_an_answer_in_the_middle_and_the_next_question_is_answered(
    cloud: Cloud, session: Terminal
) -> None:
    cloud.inject("stall", at=9000, seconds=30)
    session.type("Tell me a story\r")
    session.read_until("toy")
    session.type(CTRL_C)
    session.read_until("stopped\n> ")
    session.type("Hello again\r")
    shown = session.read_until(" tokens/s\n")
    assert shown.count("Hello again") == 2, "once typed, once in the toy's answer"
    session.read_until("> ")
    session.type(CTRL_D)
    assert session.end() == 0


def test_a_slow_model_is_waited_for_and_measured(cloud: Cloud, session: Terminal) -> None:
    cloud.inject("slow-first-token", seconds=2)
    session.type("Hello there\r")
    session.read_until("waiting")
    assert re.search(r"\d+ tokens · first after [2-9]\.\d\d s", session.read_until(" tokens/s\n"))
