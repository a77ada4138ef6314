"""Several answers to one request, each a stream of its own: one goes wrong, and the others get out of its way."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest

from local.sagemaker_runtime.event_stream import exception, part
from tests.robustness.checked_client import CheckedClient, CheckedResponse, check_error_body
from tests.robustness.expected_responses import HEAD, TOKENS, chunk, error, events_for, healthy_response
from tests.robustness.fake_sagemaker import Received, WireResponse

COUNT = 4
REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "choices": ("/v1/chat/completions", {"messages": [{"role": "user", "content": "Hello"}], "n": COUNT}),
    "prompts": ("/v1/completions", {"prompt": ["a", "b"], "n": COUNT // 2}),
}
ENDINGS = {
    "ModelStreamError x": exception("ModelStreamError", Message="m", ErrorCode="x"),
    "in-band": part(b'data: {"error":{"message":"m","http_status_code":422}}\n\n'),
    "form of an event": part(b"data: nonsense\n\n"),
    "event stream checksum": b"\0" * 40,
}
"""By the cause that is logged."""


class OneIsWrong:
    """Answers all requests right but one, by the order in which they come."""

    def __init__(self, wrong: WireResponse, at: int) -> None:
        self._wrong, self._at, self._lock, self._count = wrong, at, threading.Lock(), 0

    def __call__(self, request: Received) -> WireResponse:
        with self._lock:
            turn, self._count = self._count, self._count + 1
        return self._wrong if turn == self._at else healthy_response(request)


def texts(response: CheckedResponse) -> dict[int, list[str]]:
    """The tokens of each choice of a stream."""
    found: dict[int, list[str]] = {at: [] for at in range(COUNT)}
    for data in response.data():
        for choice in json.loads(data).get("choices", []) if data != "[DONE]" else []:
            text = choice["delta"].get("content") if "delta" in choice else choice["text"]
            found[choice["index"]] += [text] if text else []
    return found


def ask(client: CheckedClient, name: str, *, stream: bool, seconds: float = 30) -> CheckedResponse:
    """Ask; the threads end that wait for the answers."""
    path, body = REQUESTS[name]
    response = client.ask(path, {**body, "stream": stream}, seconds=seconds)
    until = time.monotonic() + seconds
    while any(thread.name.endswith("(_run)") for thread in threading.enumerate()):
        assert time.monotonic() < until, "a thread goes on"
        time.sleep(0.001)
    return response


@pytest.mark.parametrize("name", REQUESTS)
def test_all_of_them_are_told(client: CheckedClient, name: str) -> None:
    assert texts(ask(client, name, stream=True)) == {at: list(TOKENS) for at in range(COUNT)}
    assert len(client.sagemaker.received) == COUNT
    told = ask(client, name, stream=False).json()
    assert [choice["index"] for choice in told["choices"]] == list(range(COUNT))
    assert told["usage"]["completion_tokens"] == COUNT * len(TOKENS)


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("ending", ENDINGS)
def test_one_that_breaks_off_ends_the_stream_with_one_error(client: CheckedClient, name: str, ending: str) -> None:
    ask(client, name, stream=True)
    events = events_for(client.sagemaker.received[0])
    for turn in range(COUNT):
        for at in range(len(events)):
            frames = [*map(part, events[:at]), ENDINGS[ending]]
            wire = WireResponse(HEAD + b"".join(map(chunk, frames)) + b"0\r\n\r\n", "close")
            client.sagemaker.answers = OneIsWrong(wire, turn)
            response = ask(client, name, stream=True)
            ended_with_one_error(response)
            assert response.line["cause"] == ending
            client.sagemaker.answers = OneIsWrong(wire, turn)
            assert ask(client, name, stream=False).status in (422, 500, 502, 400)
    client.sagemaker.answers = healthy_response
    assert texts(ask(client, name, stream=True)) == {at: list(TOKENS) for at in range(COUNT)}


def ended_with_one_error(response: CheckedResponse) -> None:
    if response.status != 200:
        check_error_body(response.json(), "openai")
        return
    *_, last, done = response.data()
    assert done == "[DONE]"
    check_error_body(json.loads(last), "openai")
    assert sum(data.startswith('{"error"') for data in response.data()) == 1
    for told in texts(response).values():
        assert told == list(TOKENS[: len(told)])
    assert response.line["cause"]


@pytest.mark.parametrize("name", REQUESTS)
def test_the_others_are_not_read_to_their_ends(client: CheckedClient, name: str) -> None:
    def answers(request: Received) -> WireResponse:
        events = events_for(request)
        if next(turns) == 0:
            return WireResponse(HEAD + chunk(part(events[0])) + chunk(ENDINGS["in-band"]), "close")
        return WireResponse(HEAD + chunk(part(events[0])) * 5_000, "close", size=20_000)

    turns = iter(range(COUNT))
    before = client.sagemaker.aborted
    client.sagemaker.answers = answers
    ended_with_one_error(ask(client, name, stream=True))
    client.sagemaker.settle()
    assert client.sagemaker.aborted - before == COUNT - 1


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("then", ["close", "reset", "stall"])
def test_one_that_is_cut_anywhere(client: CheckedClient, name: str, then: str) -> None:
    ask(client, name, stream=True)
    data = healthy_response(client.sagemaker.received[0]).data
    for at in range(0, len(data), 61):
        client.sagemaker.answers = OneIsWrong(WireResponse(data[:at], then), at % COUNT)
        response = ask(client, name, stream=True, seconds=1.1 if then == "stall" else 30)
        if "error" in response.line:
            ended_with_one_error(response)
        else:
            assert texts(response) == {at: list(TOKENS) for at in range(COUNT)}


@pytest.mark.parametrize("name", REQUESTS)
def test_one_that_is_refused_for_the_load_is_asked_again(client: CheckedClient, name: str) -> None:
    for turn in range(COUNT):
        client.sagemaker.received.clear()
        client.sagemaker.answers = OneIsWrong(WireResponse(error(429, "ThrottlingException")), turn)
        assert texts(ask(client, name, stream=True)) == {at: list(TOKENS) for at in range(COUNT)}
        assert len(client.sagemaker.received) == COUNT + 1
