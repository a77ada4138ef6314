"""Clients that leave, too many of them, and a server that is lost in the middle of an answer."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
import text_generation
from text_generation.errors import GenerationError, IncompleteGenerationError, OverloadedError

from tests.e2e.deployed_cloud import Response
from tests.engines.engine import CHAT, Engine, wait_until
from tests.engines.stack import MODEL, RUNNING, RUNNING_OR_WAITING, limits_its_queue
from tests.engines.tiny_llama import ANSWER, ENDLESS_PROMPT, ENDLESS_WORDS

pytestmark = pytest.mark.timeout(900)

ENDLESS = "<|endless|>"
"""What the template makes of `ENDLESS_PROMPT`."""

LONG = 1000
"""Tokens that take some seconds."""
JSON = {"Content-Type": "application/json"}
FOR_EVER = {"model": MODEL, "messages": [{"role": "user", "content": ENDLESS_PROMPT}], "max_tokens": 8000}


def begin(url: str, path: str, body: dict[str, object], headers: dict[str, str]) -> http.client.HTTPConnection:
    """The connection of a stream that has begun, or waits to."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
    connection.request("POST", parts.path + path, json.dumps({**body, "stream": True}), headers)
    return connection


def leave(url: str, path: str, body: dict[str, object], headers: dict[str, str]) -> None:
    """Close the connection after the first bytes of a stream."""
    connection = begin(url, path, body, headers)
    response = connection.getresponse()
    assert response.status == 200
    assert response.read1(10)
    response.close()
    connection.close()


def test_the_server_stops_when_its_client_leaves(engine: Engine) -> None:
    before = engine.server.metric("generation_tokens_total")
    leave(engine.server.url, "/invocations", FOR_EVER, JSON)
    wait_until(engine.is_idle, 10, "nothing runs")
    assert engine.server.metric("generation_tokens_total") - before < FOR_EVER["max_tokens"]


def test_a_request_whose_client_has_left_the_front_door_is_answered_to_its_end(engine: Engine) -> None:
    before = engine.server.metric("generation_tokens_total")
    headers = {**JSON, "Authorization": f"Bearer {engine.cloud.api_key}"}
    leave(engine.cloud.url, CHAT, {**FOR_EVER, "max_tokens": LONG}, headers)
    wait_until(engine.is_idle, 300, "nothing runs")
    assert engine.server.metric("generation_tokens_total") - before == LONG
    assert engine.chat().json()["choices"][0]["message"]["content"] == ANSWER


@pytest.fixture
def full(engine: Engine) -> Iterator[list[http.client.HTTPConnection]]:
    """As many streams as the server takes, which end when they are closed."""
    streams = [begin(engine.server.url, "/invocations", FOR_EVER, JSON) for _ in range(RUNNING_OR_WAITING)]
    wait_until(lambda: engine.requests() == RUNNING_OR_WAITING, 30, "all run or wait")
    yield streams
    for stream in streams:
        stream.close()
    wait_until(engine.is_idle, 10, "nothing runs")


def test_one_request_too_many_is_refused_in_the_words_of_each_protocol(
    engine: Engine, full: list[http.client.HTTPConnection]
) -> None:
    if not limits_its_queue(engine.version):
        pytest.skip("this version has no limit")
    response = engine.chat()
    assert response.status == 429
    assert int(response.headers["retry-after"]) > 0
    error = response.json()["error"]
    assert (error["type"], error["code"]) == ("rate_limit_error", "rate_limit_exceeded")
    with pytest.raises(OverloadedError, match="Model is overloaded"):
        tgi_client(engine).generate("What?")
    for stream in full:
        stream.close()
    wait_until(engine.is_idle, 10, "nothing runs")
    assert engine.chat().status == 200


def test_a_request_waits_in_a_server_without_a_limit(engine: Engine, full: list[http.client.HTTPConnection]) -> None:
    if limits_its_queue(engine.version):
        pytest.skip("this version has a limit")
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(engine.chat)
        wait_until(lambda: engine.requests() == RUNNING_OR_WAITING + 1, 30, "the request waits")
        assert not answer.done()
        for stream in full:
            stream.close()
        assert answer.result().json()["choices"][0]["message"]["content"] == ANSWER


def test_streams_whose_engine_dies_end_with_an_error_and_a_new_server_answers(engine: Engine) -> None:
    lost = lose(engine, engine.server.kill_engine)
    assert lost.seconds < 15
    assert lost.chat.status == 200
    assert lost.chat.events()[0]["choices"]
    error = lost.chat.events()[-1]["error"]
    assert (error["type"], error["message"]) == ("server_error", "The model's server failed.")
    assert lost.chat.body.endswith(b"data: [DONE]\n\n")
    assert_error_of_tgi(lost, "generation", "Request failed during generation: The model's server failed.")
    assert isinstance(lost.raised, GenerationError)
    engine.server.process.wait(timeout=30)
    engine.server.start()
    engine.server.wait_until_ready()
    assert engine.chat().json()["choices"][0]["message"]["content"] == ANSWER
    assert tgi_client(engine).generate("What?", max_new_tokens=40).generated_text == ANSWER


def test_streams_whose_server_is_lost_end_with_an_error_and_the_next_requests_get_one(engine: Engine) -> None:
    lost = lose(engine, engine.server.kill)
    assert lost.seconds < 15
    assert lost.chat.status == 200
    assert lost.chat.events()[0]["choices"]
    error = lost.chat.events()[-1]["error"]
    assert (error["type"], error["message"]) == ("server_error", "The model's response broke off before its end.")
    assert lost.chat.body.endswith(b"data: [DONE]\n\n")
    assert_error_of_tgi(lost, "incomplete_generation", "The model's response broke off before its end.")
    assert isinstance(lost.raised, IncompleteGenerationError)
    started = time.monotonic()
    refused = engine.chat()
    in_tgis_words = engine.cloud.request("POST", "/generate", {"inputs": "What?"})
    assert time.monotonic() - started < 60
    assert (refused.status, refused.json()["error"]["type"]) == (503, "server_error")
    assert (in_tgis_words.status, list(in_tgis_words.json())) == (503, ["error", "error_type"])


@dataclass
class Lost:
    """What clients get whose server is killed in the middle of their streams.

    Attributes:
        chat: What a client of OpenAI's protocol gets.
        generate: What a client of TGI's gets.
        raised: What TGI's own client library raises.
        seconds: How many seconds after the server was killed they had it all.
    """

    chat: Response
    generate: Response
    raised: BaseException | None
    seconds: float


def lose(engine: Engine, kill: Callable[[], None]) -> Lost:
    """Kill the server in the middle of three streams."""
    with ThreadPoolExecutor(3) as pool:
        body = {"inputs": ENDLESS, "parameters": {"max_new_tokens": 8000, "details": True}}
        chat = pool.submit(engine.chat, ENDLESS_PROMPT, max_tokens=8000, stream=True)
        generate = pool.submit(engine.cloud.request, "POST", "/generate_stream", body)
        library = pool.submit(list, tgi_client(engine).generate_stream(ENDLESS, max_new_tokens=8000))
        wait_until(lambda: engine.server.metric("num_requests_running") == RUNNING, 30, "all run")
        time.sleep(1)
        kill()
        killed = time.monotonic()
        answers = chat.result(), generate.result(), library.exception()
        return Lost(*answers, time.monotonic() - killed)


def assert_error_of_tgi(lost: Lost, kind: str, message: str) -> None:
    """TGI's stream ends with an error in its words, behind tokens, and without OpenAI's end."""
    assert lost.generate.status == 200
    *tokens, last = lost.generate.events()
    assert [event["index"] for event in tokens] == list(range(1, len(tokens) + 1))
    assert tokens[-1]["generated_text"] is None
    assert {event["token"]["text"] for event in tokens} == set(ENDLESS_WORDS)
    assert (last["error"], last["error_type"]) == (message, kind)
    assert b"[DONE]" not in lost.generate.body


def tgi_client(engine: Engine) -> text_generation.Client:
    """TGI's own client library."""
    headers = {"Authorization": f"Bearer {engine.cloud.api_key}"}
    return text_generation.Client(engine.cloud.url, headers=headers, timeout=60)
