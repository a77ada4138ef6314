"""Two hundred concurrent streams, some with slow or disconnecting clients: all others get complete responses."""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from local.lambda_service.pool import IDLE_SANDBOXES
from tests.robustness.concurrent_clients import Client, run_clients
from tests.robustness.emulated_cloud import STAGE, EmulatedCloud, emulated_cloud

BEHAVIORS = {"reads": 80, "reads slowly": 30, "never reads": 10, "closes": 40, "resets": 40}
COUNT = sum(BEHAVIORS.values())
TOKENS = 60
# Of an idle sandbox: its output, its Runtime API's listener and connection, its connection to the SageMaker Runtime.
FILES_PER_SANDBOX = 4


def path_and_body(number: int) -> tuple[str, dict[str, Any]]:
    """A client's path and body; each client has a different prompt."""
    words = " ".join(f"word{number}x{at}" for at in range(5))
    if number % 3 == 0:
        chat = {"messages": [{"role": "user", "content": words}], "max_tokens": TOKENS, "temperature": 0}
        return "/v1/chat/completions", {**chat, "stream": True}
    parameters = {"max_new_tokens": TOKENS, "do_sample": False, "details": True}
    return "/generate_stream", {"inputs": words, "parameters": parameters}


def request_of(number: int) -> bytes:
    return encode_request(*path_and_body(number))


def encode_request(path: str, body: dict[str, Any]) -> bytes:
    data = json.dumps(body).encode()
    head = (
        f"POST /{STAGE}{path} HTTP/1.1\r\nHost: front-door\r\nConnection: close\r\nContent-Type: application/json\r\n"
    )
    return f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data


def expected(cloud: EmulatedCloud, number: int) -> bytes | str:
    """The response that the container generates, or the text of its chat."""
    path, body = path_and_body(number)
    parts = urlsplit(cloud.reference_url)
    assert parts.hostname
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    connection.request("POST", path, json.dumps({**body, "stream": False}), {"Content-Type": "application/json"})
    generated = connection.getresponse().read()
    connection.close()
    text: str = (
        generated.decode() if path == "/generate_stream" else json.loads(generated)["choices"][0]["message"]["content"]
    )
    assert f"word{number}x" in text
    return generated if path == "/generate_stream" else text


def body_of(response: bytes) -> bytes:
    """The body of a chunked response, which must be complete with nothing after it."""
    head, _, rest = response.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 "), head
    body = b""
    while True:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        assert rest[length : length + 2] == b"\r\n"
        body, rest = body + rest[:length], rest[length + 2 :]
        if not length:
            assert rest == b""
            return body


def content_of(body: bytes) -> str:
    """The text of a complete streamed chat."""
    *events, done, rest = body.decode().split("\n\n")
    assert (done, rest) == ("data: [DONE]", "")
    chunks = [json.loads(event.removeprefix("data: ")) for event in events]
    return "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks)


def usage() -> Counter[str]:
    """The open files and threads of this process, and its child processes."""
    children: list[str] = []
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # the thread has just ended
            children += (task / "children").read_text().split()
    return Counter(
        files=len([*Path("/proc/self/fd").iterdir()]), threads=threading.active_count(), processes=len(children)
    )


def create_clients() -> list[Client]:
    """Half of the clients that disconnect do so after sending the request, the others within the response."""
    generator = random.Random(7)
    behaviors = [behavior for behavior, count in BEHAVIORS.items() for _ in range(count)]
    generator.shuffle(behaviors)
    return [
        Client(
            request_of(number),
            behavior,
            disconnect_after=generator.choice([0, generator.randint(1, 6000)]),
            delay=generator.uniform(0, 5),
        )
        for number, behavior in enumerate(behaviors)
    ]


def hold_requests_until_all_arrive(cloud: EmulatedCloud, seconds: float) -> threading.Thread:
    """Let the container respond only when it has the requests of all clients, disconnected ones included."""
    cloud.hold_requests()

    def wait() -> None:
        until = time.monotonic() + seconds
        while cloud.held < COUNT and time.monotonic() < until:
            time.sleep(0.02)
        cloud.release_requests()

    waiting = threading.Thread(target=wait)
    waiting.start()
    return waiting


def wait_until_all_have_ended(cloud: EmulatedCloud, count: int) -> None:
    """Wait for the log line that each invocation writes at its end, even if its client has disconnected."""
    until = time.monotonic() + 20
    while len(cloud.log) < count:
        assert time.monotonic() < until, f"{count - len(cloud.log)} invocations have not ended"
        time.sleep(0.05)


def wait_for_usage(before: Counter[str], clients: int) -> None:
    """Wait until only idle sandboxes and clients that have not disconnected are left."""
    until = time.monotonic() + 20
    while True:
        now = usage()
        more = now["processes"] - before["processes"]
        maximum = Counter(files=before["files"] + FILES_PER_SANDBOX * more + clients, threads=before["threads"] + more)
        fits = now["files"] <= maximum["files"] and now["threads"] <= maximum["threads"]
        if fits and more <= IDLE_SANDBOXES:
            return
        assert time.monotonic() < until, f"{now} is left, where at most {maximum} is expected"
        time.sleep(0.1)


@pytest.mark.slow
def test_two_hundred_concurrent_streams() -> None:
    before_all = usage()
    settings = {"tokens_per_second": 40, "min_words": TOKENS, "max_concurrent_requests": 2 * COUNT}
    with emulated_cloud(**settings) as cloud:
        first = Client(request_of(COUNT), "reads")
        run_clients(cloud.port, [first], seconds=20)
        wait_until_all_have_ended(cloud, 1)
        before = usage()
        clients = create_clients()
        waiting = hold_requests_until_all_arrive(cloud, 60)
        run_clients(cloud.port, clients, seconds=100, may_disconnect=lambda: cloud.max_held == COUNT)
        waiting.join()
        assert cloud.max_held == COUNT, "not all requests were concurrent"
        for number, client in enumerate(clients):
            if client.reads_to_end:
                assert_complete(cloud, number, client)
        wait_until_all_have_ended(cloud, 1 + COUNT)
        wait_for_usage(before, BEHAVIORS["never reads"])
        last = Client(request_of(COUNT + 1), "reads")
        run_clients(cloud.port, [last], seconds=20)
        assert_complete(cloud, COUNT + 1, last)
        assert cloud.function.violations == []
    for client in clients:
        if client.behavior == "never reads":
            client.disconnect()
    until = time.monotonic() + 5
    while not usage() <= before_all:
        assert time.monotonic() < until, f"{usage()} is left, where {before_all} is expected"
        time.sleep(0.1)
    lines = [json.loads(line) for line in cloud.log]
    assert Counter(line["status"] for line in lines) == {200: COUNT + 2}
    assert not any("error" in line for line in lines)
    assert len(cloud.access_log) == COUNT + 2


@pytest.mark.slow
def test_functions_whose_clients_have_disconnected_run_to_the_end() -> None:
    """Their responses are larger than all buffers between them and the client."""
    body = {"inputs": "word", "parameters": {"max_new_tokens": 16_384, "top_n_tokens": 5}}
    request = encode_request("/generate_stream", body)
    behaviors = ["closes", "resets", "never reads"] * 2
    clients = [
        Client(request, behavior, disconnect_after=at * 1_000, receive_buffer=4_096)
        for at, behavior in enumerate(behaviors)
    ]
    with emulated_cloud(min_words=20_000) as cloud:
        run_clients(cloud.port, clients, seconds=40, may_disconnect=lambda: len(cloud.requests) == len(clients))
        for client in clients:
            if client.behavior == "never reads":
                client.disconnect()
        wait_until_all_have_ended(cloud, len(clients))
        assert {json.loads(line)["GeneratedTokens"] for line in cloud.log} == {16_384}


def assert_complete(cloud: EmulatedCloud, number: int, client: Client) -> None:
    body, generated = body_of(bytes(client.response)).replace(b":\n\n", b""), expected(cloud, number)
    assert (body if isinstance(generated, bytes) else content_of(body)) == generated, f"client {number}"
