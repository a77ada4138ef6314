"""Several answers to one request, each a stream of its own: one goes wrong, and the others get out of its way."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest

from local.sagemaker_runtime.event_stream import exception, part
from tests.robustness.checked_door import Answered, HostileDoor, is_error
from tests.robustness.expected_responses import HEAD, TOKENS, chunk, error, events_for, true
from tests.robustness.model_double import Received, Wire

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

    def __init__(self, wrong: Wire, at: int) -> None:
        self._wrong, self._at, self._lock, self._count = wrong, at, threading.Lock(), 0

    def __call__(self, request: Received) -> Wire:
        with self._lock:
            turn, self._count = self._count, self._count + 1
        return self._wrong if turn == self._at else true(request)


def texts(answered: Answered) -> dict[int, list[str]]:
    """The tokens of each choice of a stream."""
    found: dict[int, list[str]] = {at: [] for at in range(COUNT)}
    for data in answered.data():
        for choice in json.loads(data).get("choices", []) if data != "[DONE]" else []:
            text = choice["delta"].get("content") if "delta" in choice else choice["text"]
            found[choice["index"]] += [text] if text else []
    return found


def ask(door: HostileDoor, name: str, *, stream: bool, seconds: float = 30) -> Answered:
    """Ask; the threads end that wait for the answers."""
    path, body = REQUESTS[name]
    answered = door.ask(path, {**body, "stream": stream}, seconds=seconds)
    until = time.monotonic() + seconds
    while any(thread.name.endswith("(_run)") for thread in threading.enumerate()):
        assert time.monotonic() < until, "a thread goes on"
        time.sleep(0.001)
    return answered


@pytest.mark.parametrize("name", REQUESTS)
def test_all_of_them_are_told(door: HostileDoor, name: str) -> None:
    assert texts(ask(door, name, stream=True)) == {at: list(TOKENS) for at in range(COUNT)}
    assert len(door.double.received) == COUNT
    told = ask(door, name, stream=False).json()
    assert [choice["index"] for choice in told["choices"]] == list(range(COUNT))
    assert told["usage"]["completion_tokens"] == COUNT * len(TOKENS)


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("ending", ENDINGS)
def test_one_that_breaks_off_ends_the_stream_with_one_error(door: HostileDoor, name: str, ending: str) -> None:
    ask(door, name, stream=True)
    events = events_for(door.double.received[0])
    for turn in range(COUNT):
        for at in range(len(events)):
            frames = [*map(part, events[:at]), ENDINGS[ending]]
            wire = Wire(HEAD + b"".join(map(chunk, frames)) + b"0\r\n\r\n", "close")
            door.double.answers = OneIsWrong(wire, turn)
            answered = ask(door, name, stream=True)
            ended_with_one_error(answered)
            assert answered.line["cause"] == ending
            door.double.answers = OneIsWrong(wire, turn)
            assert ask(door, name, stream=False).status in (422, 500, 502, 400)
    door.double.answers = true
    assert texts(ask(door, name, stream=True)) == {at: list(TOKENS) for at in range(COUNT)}


def ended_with_one_error(answered: Answered) -> None:
    if answered.status != 200:
        is_error(answered.json(), "openai")
        return
    *_, last, done = answered.data()
    assert done == "[DONE]"
    is_error(json.loads(last), "openai")
    assert sum(data.startswith('{"error"') for data in answered.data()) == 1
    for told in texts(answered).values():
        assert told == list(TOKENS[: len(told)])
    assert answered.line["cause"]


@pytest.mark.parametrize("name", REQUESTS)
def test_the_others_are_not_read_to_their_ends(door: HostileDoor, name: str) -> None:
    def answers(request: Received) -> Wire:
        events = events_for(request)
        if next(turns) == 0:
            return Wire(HEAD + chunk(part(events[0])) + chunk(ENDINGS["in-band"]), "close")
        return Wire(HEAD + chunk(part(events[0])) * 5_000, "close", size=20_000)

    turns = iter(range(COUNT))
    before = door.double.unwanted
    door.double.answers = answers
    ended_with_one_error(ask(door, name, stream=True))
    door.double.settle()
    assert door.double.unwanted - before == COUNT - 1


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("then", ["close", "reset", "stall"])
def test_one_that_is_cut_anywhere(door: HostileDoor, name: str, then: str) -> None:
    ask(door, name, stream=True)
    data = true(door.double.received[0]).data
    for at in range(0, len(data), 61):
        door.double.answers = OneIsWrong(Wire(data[:at], then), at % COUNT)
        answered = ask(door, name, stream=True, seconds=1.1 if then == "stall" else 30)
        if "error" in answered.line:
            ended_with_one_error(answered)
        else:
            assert texts(answered) == {at: list(TOKENS) for at in range(COUNT)}


@pytest.mark.parametrize("name", REQUESTS)
def test_one_that_is_refused_for_the_load_is_asked_again(door: HostileDoor, name: str) -> None:
    for turn in range(COUNT):
        door.double.received.clear()
        door.double.answers = OneIsWrong(Wire(error(429, "ThrottlingException")), turn)
        assert texts(ask(door, name, stream=True)) == {at: list(TOKENS) for at in range(COUNT)}
        assert len(door.double.received) == COUNT + 1
