"""A request with several choices, each a stream of its own: if one fails, the response ends with one error."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable
from itertools import islice, repeat
from typing import Any

import pytest

from local.sagemaker_runtime.event_stream import exception, part
from tests.robustness.checked_client import CheckedClient, CheckedResponse, check_error_body
from tests.robustness.expected_responses import HEAD, TOKENS, chunk, error_response, events_for, healthy_response
from tests.robustness.fake_sagemaker import Received, WireResponse

COUNT = 4
REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "choices": ("/v1/chat/completions", {"messages": [{"role": "user", "content": "Hello"}], "n": COUNT}),
    "prompts": ("/v1/completions", {"prompt": ["a", "b"], "n": COUNT // 2}),
}
ENDINGS = {
    "ModelStreamError x": exception("ModelStreamError", Message="m", ErrorCode="x"),
    "in-band": part(b'data: {"error":{"message":"m","http_status_code":422}}\n\n'),
    "an event: not JSON, 8 bytes": part(b"data: nonsense\n\n"),
    "event stream checksum": b"\0" * 40,
}
"""By the cause that is logged."""


class FaultInOne:
    """Responds with a fault to one request, by the order of their arrival, and normally to the others."""

    def __init__(self, faulty: WireResponse, at: int) -> None:
        self._faulty, self._at, self._lock, self._count = faulty, at, threading.Lock(), 0

    def __call__(self, request: Received) -> WireResponse:
        with self._lock:
            turn, self._count = self._count, self._count + 1
        return self._faulty if turn == self._at else healthy_response(request)


def texts(response: CheckedResponse) -> dict[int, list[str]]:
    """The tokens of each choice of a stream."""
    tokens: dict[int, list[str]] = {at: [] for at in range(COUNT)}
    for data in response.data():
        for choice in json.loads(data).get("choices", []) if data != "[DONE]" else []:
            text = choice["delta"].get("content") if "delta" in choice else choice["text"]
            tokens[choice["index"]] += [text] if text else []
    return tokens


def send(client: CheckedClient, name: str, *, stream: bool, seconds: float = 30) -> CheckedResponse:
    """Send a request and check that its threads end."""
    path, body = REQUESTS[name]
    response = client.send(path, {**body, "stream": stream}, seconds=seconds)
    until = time.monotonic() + min(seconds, 30)
    while any(thread.name.endswith("(_run)") for thread in threading.enumerate()):
        assert time.monotonic() < until, "a thread is still running"
        time.sleep(0.001)
    return response


@pytest.mark.parametrize("name", REQUESTS)
def test_all_choices_are_complete(client: CheckedClient, name: str) -> None:
    assert texts(send(client, name, stream=True)) == {at: list(TOKENS) for at in range(COUNT)}
    assert len(client.sagemaker.received) == COUNT
    body = send(client, name, stream=False).json()
    assert [choice["index"] for choice in body["choices"]] == list(range(COUNT))
    assert body["usage"]["completion_tokens"] == COUNT * len(TOKENS)


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_choice_that_fails_ends_the_stream_with_one_error(client: CheckedClient, name: str, ending: str) -> None:
    send(client, name, stream=True)
    events = events_for(client.sagemaker.received[0])
    for turn in range(COUNT):
        for at in range(len(events)):
            frames = [*map(part, events[:at]), ENDINGS[ending]]
            wire = WireResponse(HEAD + b"".join(map(chunk, frames)) + b"0\r\n\r\n", "close")
            client.sagemaker.respond = FaultInOne(wire, turn)
            response = send(client, name, stream=True)
            check_ended_with_one_error(response)
            assert response.line["cause"] == ending
            client.sagemaker.respond = FaultInOne(wire, turn)
            assert send(client, name, stream=False).status in (422, 500, 502, 400)
    client.sagemaker.respond = healthy_response
    assert texts(send(client, name, stream=True)) == {at: list(TOKENS) for at in range(COUNT)}


def check_ended_with_one_error(response: CheckedResponse, tokens: Iterable[str] = TOKENS) -> None:
    """Check that a response is an error or ends with one.

    Args:
        response: The response.
        tokens: The tokens that SageMaker sends for each choice; each choice must have the first of them.
    """
    if response.status != 200:
        check_error_body(response.json(), "openai")
        return
    *_, last, done = response.data()
    assert done == "[DONE]"
    check_error_body(json.loads(last), "openai")
    assert sum(data.startswith('{"error"') for data in response.data()) == 1
    for received in texts(response).values():
        assert received == list(islice(tokens, len(received)))
    assert response.line["cause"]


@pytest.mark.parametrize("name", REQUESTS)
def test_the_other_choices_are_not_read_to_the_end(client: CheckedClient, name: str) -> None:
    """They never end, and the deadline is far away: their threads end only if they stop reading."""

    def respond(request: Received) -> WireResponse:
        first = chunk(part(events_for(request)[0]))
        if next(turns) == 0:
            return WireResponse(HEAD + first + chunk(ENDINGS["in-band"]), "close")
        return WireResponse(HEAD, "close", endless=first * 80)

    turns = iter(range(COUNT))
    before = client.sagemaker.aborted
    client.sagemaker.respond = respond
    check_ended_with_one_error(send(client, name, stream=True, seconds=300), repeat(TOKENS[0]))
    client.sagemaker.settle()
    assert client.sagemaker.aborted - before == COUNT - 1


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("then", ["close", "reset", "stall"])
def test_a_choice_truncated_anywhere(client: CheckedClient, name: str, then: str) -> None:
    send(client, name, stream=True)
    data = healthy_response(client.sagemaker.received[0]).data
    for at in range(0, len(data), 61):
        client.sagemaker.respond = FaultInOne(WireResponse(data[:at], then), at % COUNT)
        response = send(client, name, stream=True, seconds=1.1 if then == "stall" else 30)
        if "error" in response.line:
            check_ended_with_one_error(response)
        else:
            assert texts(response) == {at: list(TOKENS) for at in range(COUNT)}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_throttled_choice_is_retried(client: CheckedClient, name: str) -> None:
    for turn in range(COUNT):
        client.sagemaker.received.clear()
        client.sagemaker.respond = FaultInOne(WireResponse(error_response(429, "ThrottlingException")), turn)
        assert texts(send(client, name, stream=True)) == {at: list(TOKENS) for at in range(COUNT)}
        assert len(client.sagemaker.received) == COUNT + 1
