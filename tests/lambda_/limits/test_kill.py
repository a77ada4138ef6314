"""A sandbox that dies in the middle of a stream: its place is free when it expires, its tokens stay spent."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.lambda_.limits.conftest import Doors, team
from tests.lambda_.limits.table import Table
from tests.lambda_.protocols.openai.events import ANSWER, text
from tests.lambda_.sagemaker_double import HEAD, Reply, SageMakerDouble, chunk, part, parts

CHAT = {"model": "llama", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 100, "stream": True}
ROOT = Path(__file__).parents[3]

PROGRAM = """
import json, sys, time
from types import SimpleNamespace
from front_door.app import App
from front_door.callers import read_callers
from front_door.config import Config, Model
sagemaker, dynamodb, table, seconds = sys.argv[1:]
models = {"llama": Model("llama", "llama-endpoint", None, 6291456)}
callers = read_callers(
    {"consumers": {"team-a": {"keys": ["key-id"], "concurrent_streams": 1, "tokens_per_day": 1000}},
     "on_store_failure": "closed"}, models)
app = App(Config(models, sagemaker, sagemaker, "eu-west-1", callers=callers, limits_table=table, dynamodb_url=dynamodb))
event = {"httpMethod": "POST", "path": "/v1/chat/completions", "headers": {"Content-Type": "application/json"},
         "body": sys.stdin.read(), "requestContext": {"requestId": "1", "identity": {"apiKeyId": "key-id"}}}
invocation = SimpleNamespace(request_id="2", deadline=time.time() + float(seconds), is_buffered=False)
for part in app.handle(event, invocation).body:
    print(part.decode(), flush=True)
"""


def test_the_place_of_a_killed_process_is_free_when_it_expires(
    door_for: Doors, table: Table, sagemaker: SageMakerDouble, tmp_path: Path
) -> None:

    sagemaker.replies += [Reply([HEAD, chunk(part(text("Un"))), lambda: time.sleep(60)]), parts(*ANSWER)]
    arguments = [sagemaker.url, table.url, "front-door-limits", "8"]
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT / "lambda")},
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(CHAT))
    process.stdin.close()
    assert "Un" in process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL

    (expires,) = table.item("team-a")["in_flight"].values()
    assert time.time() < expires <= time.time() + 8 + 1 + 2
    door = door_for(team(concurrent_streams=1, tokens_per_day=1000))
    assert door.read("/v1/chat/completions", CHAT).status == 429
    door.set_clock(expires)
    assert door.read("/v1/chat/completions", CHAT).status == 200
    item = table.item("team-a")
    assert (item["in_flight"], item["day_tokens"]) == ({}, 106 + 11)


@pytest.mark.parametrize("seconds", [5, 900])
def test_a_place_lasts_a_little_longer_than_its_invocation(
    seconds: int, door_for: Doors, table: Table, sagemaker: SageMakerDouble
) -> None:
    sagemaker.replies += [parts(*ANSWER)]
    before = time.time()
    door_for(team(concurrent_streams=1)).begin("/v1/chat/completions", CHAT, seconds=seconds)
    (expires,) = table.item("team-a")["in_flight"].values()
    assert before + seconds + 2 <= expires <= time.time() + seconds + 3
