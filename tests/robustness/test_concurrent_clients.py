"""Two hundred streams at once, whose clients dawdle and vanish: the others get every byte that is theirs."""

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
from tests.robustness.concurrent_clients import Client, come_and_go
from tests.robustness.emulated_cloud import STAGE, EmulatedCloud, emulated_cloud

MANNERS = {"reads": 80, "sips": 30, "never reads": 10, "leaves": 40, "resets": 40}
COUNT = sum(MANNERS.values())
TOKENS = 60
# Of a warm sandbox: its output, its Runtime API's listener and connection, its connection to the SageMaker Runtime.
FILES = 4


def asked(number: int) -> tuple[str, dict[str, Any]]:
    """The path and the body of a client, of whom each has words of its own."""
    words = " ".join(f"word{number}x{at}" for at in range(5))
    if number % 3 == 0:
        chat = {"messages": [{"role": "user", "content": words}], "max_tokens": TOKENS, "temperature": 0}
        return "/v1/chat/completions", {**chat, "stream": True}
    parameters = {"max_new_tokens": TOKENS, "do_sample": False, "details": True}
    return "/generate_stream", {"inputs": words, "parameters": parameters}


def request_of(number: int) -> bytes:
    return raw(*asked(number))


def raw(path: str, body: dict[str, Any]) -> bytes:
    data = json.dumps(body).encode()
    head = f"POST /{STAGE}{path} HTTP/1.1\r\nHost: door\r\nConnection: close\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data


def expected(cloud: EmulatedCloud, number: int) -> bytes | str:
    """The container's own stream, or the text of its chat."""
    path, body = asked(number)
    parts = urlsplit(cloud.oracle_url)
    assert parts.hostname
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    connection.request("POST", path, json.dumps({**body, "stream": False}), {"Content-Type": "application/json"})
    told = connection.getresponse().read()
    connection.close()
    text: str = told.decode() if path == "/generate_stream" else json.loads(told)["choices"][0]["message"]["content"]
    assert f"word{number}x" in text
    return told if path == "/generate_stream" else text


def body_of(answer: bytes) -> bytes:
    """The body of a whole answer in chunks; nothing may be missing or follow."""
    head, _, rest = answer.partition(b"\r\n\r\n")
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
    """The text of a streamed chat that has come to its end."""
    *events, done, rest = body.decode().split("\n\n")
    assert (done, rest) == ("data: [DONE]", "")
    chunks = [json.loads(event.removeprefix("data: ")) for event in events]
    return "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks)


def level() -> Counter[str]:
    """What this process holds, with what it has started."""
    children: list[str] = []
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread that has just ended
            children += (task / "children").read_text().split()
    return Counter(
        files=len([*Path("/proc/self/fd").iterdir()]), threads=threading.active_count(), processes=len(children)
    )


def crowd() -> list[Client]:
    """Half of those that go do so as soon as they have asked, the others somewhere in their answers."""
    chance = random.Random(7)
    manners = [manner for manner, count in MANNERS.items() for _ in range(count)]
    chance.shuffle(manners)
    return [
        Client(
            request_of(number),
            manner,
            until=chance.choice([0, chance.randint(1, 6000)]),
            delay=chance.uniform(0, 5),
        )
        for number, manner in enumerate(manners)
    ]


def hold_back_until_all_wait(cloud: EmulatedCloud, seconds: float) -> threading.Thread:
    """The container says nothing before it was asked by everyone, those that have gone included."""
    cloud.hold_back()

    def wait() -> None:
        until = time.monotonic() + seconds
        while cloud.waiting < COUNT and time.monotonic() < until:
            time.sleep(0.02)
        cloud.let_go()

    waiting = threading.Thread(target=wait)
    waiting.start()
    return waiting


def wait_until_all_have_ended(cloud: EmulatedCloud, count: int) -> None:
    """Each invocation writes one line at its end, also where nobody waited for it."""
    until = time.monotonic() + 20
    while len(cloud.log) < count:
        assert time.monotonic() < until, f"{count - len(cloud.log)} invocations hang"
        time.sleep(0.05)


def wait_for_level(before: Counter[str], clients: int) -> None:
    """Wait until only the warm sandboxes are left of a crowd, and clients that have not gone yet."""
    until = time.monotonic() + 20
    while True:
        now = level()
        more = now["processes"] - before["processes"]
        most = Counter(files=before["files"] + FILES * more + clients, threads=before["threads"] + more)
        fits = now["files"] <= most["files"] and now["threads"] <= most["threads"]
        if fits and more <= IDLE_SANDBOXES:
            return
        assert time.monotonic() < until, f"{now} where at most {most} was to be left"
        time.sleep(0.1)


@pytest.mark.slow
def test_two_hundred_streams_at_once() -> None:
    before_all = level()
    settings = {"tokens_per_second": 40, "min_words": TOKENS, "max_concurrent_requests": 2 * COUNT}
    with emulated_cloud(**settings) as cloud:
        first = Client(request_of(COUNT), "reads")
        come_and_go(cloud.port, [first], seconds=20)
        wait_until_all_have_ended(cloud, 1)
        before = level()
        clients = crowd()
        waiting = hold_back_until_all_wait(cloud, 60)
        come_and_go(cloud.port, clients, seconds=100, may_go=lambda: cloud.most_waiting == COUNT)
        waiting.join()
        assert cloud.most_waiting == COUNT, "they were not all there at once"
        for number, client in enumerate(clients):
            if client.stays:
                assert_whole(cloud, number, client)
        wait_until_all_have_ended(cloud, 1 + COUNT)
        wait_for_level(before, MANNERS["never reads"])
        last = Client(request_of(COUNT + 1), "reads")
        come_and_go(cloud.port, [last], seconds=20)
        assert_whole(cloud, COUNT + 1, last)
        assert cloud.function.violations == []
    for client in clients:
        if client.manner == "never reads":
            client.go()
    until = time.monotonic() + 5
    while not level() <= before_all:
        assert time.monotonic() < until, f"{level()} is left, where there was {before_all}"
        time.sleep(0.1)
    lines = [json.loads(line) for line in cloud.log]
    assert Counter(line["status"] for line in lines) == {200: COUNT + 2}
    assert not any("error" in line for line in lines)
    assert len(cloud.access_log) == COUNT + 2


@pytest.mark.slow
def test_functions_whose_clients_have_gone_go_on_to_their_ends() -> None:
    """Their answers are larger than everything on the way that holds them."""
    body = {"inputs": "word", "parameters": {"max_new_tokens": 16_384, "top_n_tokens": 5}}
    request = raw("/generate_stream", body)
    manners = ["leaves", "resets", "never reads"] * 2
    clients = [Client(request, manner, until=at * 1_000, holds=4_096) for at, manner in enumerate(manners)]
    with emulated_cloud(min_words=20_000) as cloud:
        come_and_go(cloud.port, clients, seconds=40, may_go=lambda: len(cloud.asked) == len(clients))
        for client in clients:
            if client.manner == "never reads":
                client.go()
        wait_until_all_have_ended(cloud, len(clients))
        assert {json.loads(line)["GeneratedTokens"] for line in cloud.log} == {16_384}


def assert_whole(cloud: EmulatedCloud, number: int, client: Client) -> None:
    body, told = body_of(bytes(client.answer)).replace(b":\n\n", b""), expected(cloud, number)
    assert (body if isinstance(told, bytes) else content_of(body)) == told, f"client {number}"
