"""Many sandboxes at once: no limit is exceeded, and no correction is lost."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from front_door.app import App
from front_door.callers import read_callers
from front_door.config import Config

from tests.lambda_.conftest import LLAMA, ApiClient
from tests.lambda_.limits.conftest import NOON, team
from tests.lambda_.limits.table import REGION, TABLE, Table
from tests.lambda_.protocols.openai.events import ANSWER
from tests.lambda_.sagemaker_double import SageMakerDouble, parts

THREADS = 50
CHAT = {"model": "llama", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 100, "stream": True}


def sandboxes(
    count: int, limits: dict[str, int], table: Table, sagemaker: SageMakerDouble, capsys: pytest.CaptureFixture[str]
) -> list[ApiClient]:
    """Applications that share nothing but the table and the model."""
    models = {"llama": LLAMA}
    callers = read_callers(team(**limits), models)
    config = Config(
        models,
        sagemaker.url,
        sagemaker.url,
        REGION,
        callers=callers,
        limits_table=TABLE,
        dynamodb_url=table.url,
    )
    clients = [ApiClient(App(config), capsys) for _ in range(count)]
    for client in clients:
        assert client.app.limiter is not None
        client.app.limiter.clock = lambda: NOON
    return clients


def test_fifty_sandboxes_never_have_more_streams_than_the_limit(
    table: Table, sagemaker: SageMakerDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    sagemaker.replies, sagemaker.repeats = [parts(*ANSWER)], True
    clients = sandboxes(THREADS, {"concurrent_streams": 7}, table, sagemaker, capsys)
    start, lock = threading.Barrier(THREADS), threading.Lock()
    running = most = 0

    def call(client: ApiClient) -> list[int]:
        nonlocal running, most
        statuses = []
        start.wait()
        for _ in range(4):
            response = client.begin("/v1/chat/completions", CHAT, seconds=300)
            statuses.append(response.status)
            with lock:
                running += response.status == 200
                most = max(most, running)
            b"".join(response.body)
            with lock:
                running -= response.status == 200
            close = getattr(response.body, "close", None)
            if close is not None:
                close()
        return statuses

    with ThreadPoolExecutor(THREADS) as pool:
        statuses = [status for found in pool.map(call, clients) for status in found]
    assert set(statuses) == {200, 429}
    assert 1 <= most <= 7
    assert table.item("team-a")["in_flight"] == {}


def test_fifty_sandboxes_never_take_more_tokens_than_the_limit(
    table: Table, sagemaker: SageMakerDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    sagemaker.replies, sagemaker.repeats = [parts(*ANSWER)], True
    clients = sandboxes(THREADS, {"tokens_per_minute": 1500, "tokens_per_day": 10_000}, table, sagemaker, capsys)
    start = threading.Barrier(THREADS)

    def begin(client: ApiClient) -> Any:
        start.wait()
        return client.begin("/v1/chat/completions", CHAT, seconds=300)

    with ThreadPoolExecutor(THREADS) as pool:
        responses = list(pool.map(begin, clients))
    let_in = [response for response in responses if response.status == 200]
    assert len(let_in) == 1500 // 106
    assert {response.status for response in responses} == {200, 429}
    item = table.item("team-a")
    assert (item["minute_tokens"], item["day_tokens"]) == (len(let_in) * 106, len(let_in) * 106)

    def end(response: Any) -> None:
        b"".join(response.body)
        response.body.close()

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(end, let_in))
    item = table.item("team-a")
    assert (item["minute_tokens"], item["day_tokens"], item["in_flight"]) == (len(let_in) * 11, len(let_in) * 11, {})
