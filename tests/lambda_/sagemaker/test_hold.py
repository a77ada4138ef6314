"""Clients that wait while a model comes back from zero copies."""

from __future__ import annotations

import json
import random
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from front_door.app import App
from front_door.config import Config, Model
from front_door.sagemaker import connection, hold

from tests.lambda_.conftest import LLAMA, ApiClient
from tests.lambda_.protocols.conversations import CONVERSATIONS, Asked
from tests.lambda_.sagemaker_double import Reply, SageMakerDouble, error, parts, plain_response
from tests.lambda_.test_waking import ANSWER, HI, NO_CAPACITY, NOON_ON_SUNDAY, OFFICE, SLEEPER, set_clock

UNSTREAMED = plain_response(b'[{"generated_text":"x"}]')
BEST_OF = {"inputs": "Hi", "parameters": {"best_of": 2, "do_sample": True}}
CHAT = parts(
    b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":"x"},"finish_reason":"stop"}]}\n\n'
    b'data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10}}\n\n'
    b"data: [DONE]\n\n"
)
PING = b'event: ping\ndata: {"type":"ping"}\n\n'
THROTTLED = error(429, "ThrottlingException")
FORBIDDEN = error(403, "AccessDeniedException")


class Clock:
    """The time of those who wait: a pause takes none."""

    def __init__(self) -> None:
        self.now = self.start = time.time()
        self.pauses: list[float] = []

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.pauses.append(seconds)

    @property
    def waited(self) -> float:
        return self.now - self.start


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(hold, "time", clock)
    return clock


@pytest.fixture
def holding(sagemaker: SageMakerDouble, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., ApiClient]]:
    """Front doors with `on_wake="hold"`."""
    apps = []

    def make(model: Model = SLEEPER) -> ApiClient:
        config = Config({model.name: model}, sagemaker.url, sagemaker.url, "eu-west-1", holds_clients=True)
        apps.append(App(config))
        return ApiClient(apps[-1], capsys)

    yield make
    for app in apps:
        app.sagemaker.close()


WAYS = {
    "a stream of TGI's": ("/generate_stream", {"inputs": "Hi"}, ANSWER),
    "TGI's root, streamed": ("/", {"inputs": "Hi", "stream": True}, ANSWER),
    "TGI's root": ("/", {"inputs": "Hi"}, ANSWER),
    "a buffered answer of TGI's": ("/generate", {"inputs": "Hi"}, ANSWER),
    "what cannot be streamed": ("/generate", BEST_OF, UNSTREAMED),
    "a stream of a chat": ("/v1/chat/completions", HI | {"stream": True}, CHAT),
    "a buffered chat": ("/v1/chat/completions", HI, CHAT),
    "invocations": ("/invocations", HI, CHAT),
    **{name: (asked.path, asked.body, CHAT) for name, asked in CONVERSATIONS.items()},
}


_OTHER_WAYS = [way for way in WAYS if way not in CONVERSATIONS]


@pytest.mark.parametrize("way", WAYS)
def test_a_client_waits_and_is_answered_with_the_status_of_the_answer_if_that_is_soon(
    holding: Callable[..., ApiClient], sagemaker: SageMakerDouble, clock: Clock, way: str
) -> None:
    path, body, answer = WAYS[way]
    sagemaker.replies += [NO_CAPACITY, answer]
    response = holding().send(path, body, seconds=900)
    assert response.status == 200
    assert response.body.strip(b":\n") == response.body.rstrip(b"\n")
    assert b"x" in response.body
    assert clock.waited == 5


@pytest.mark.parametrize("way", WAYS)
def test_a_client_that_waits_longer_gets_a_sign_of_life_every_ten_seconds(
    holding: Callable[..., ApiClient], sagemaker: SageMakerDouble, clock: Clock, way: str
) -> None:
    path, body, answer = WAYS[way]
    sagemaker.replies += [NO_CAPACITY] * 10 + [answer]
    api = holding()
    response = api.begin(path, body, seconds=900)
    assert response.status == 200
    assert clock.waited == pytest.approx(10)
    content = b"".join(response.body)
    if response.headers["Content-Type"] == "application/json":
        signs = len(content) - len(content.lstrip(b"\n"))
        # White space is sent at most once a second, by the clock of the process.
        assert signs >= 1
        assert "x" in json.dumps(json.loads(content))
    else:
        sign = PING if path.endswith("/messages") else b":\n\n"
        assert content.startswith(sign * int(clock.waited // 10))
        assert content.count(sign) == clock.waited // 10
        assert b'"x"' in content
    assert len({request.body for request in sagemaker.received}) == 1
    (line,) = api.log()
    assert (line["status"], line["wake_asks"], line.get("error")) == (200, 10, None)


def test_the_first_pause_is_five_seconds_and_the_others_are_fifteen_to_twenty_five(
    holding: Callable[..., ApiClient], sagemaker: SageMakerDouble, clock: Clock
) -> None:
    asked: list[float] = []
    refusal = Reply([lambda: asked.append(clock.waited), *NO_CAPACITY.pieces])
    sagemaker.replies, sagemaker.repeats = [refusal], True
    holding().send("/generate", {"inputs": "Hi"}, seconds=900)
    pauses = [after - before for before, after in pairwise(asked)]
    assert pauses[0] == 5
    assert 20 <= pauses[1] <= 25
    assert all(15 <= pause <= 25 for pause in pauses[2:])
    assert len({round(pause, 3) for pause in pauses[1:]}) > 20


@pytest.mark.parametrize("way", _OTHER_WAYS)
def test_after_the_deadline_the_client_gets_the_error_of_its_protocol(
    holding: Callable[..., ApiClient], sagemaker: SageMakerDouble, clock: Clock, way: str
) -> None:
    path, body, _ = WAYS[way]
    sagemaker.replies, sagemaker.repeats = [NO_CAPACITY], True
    api = holding()
    response = api.send(path, body, seconds=900)
    assert response.status == 200
    assert 870 < clock.waited < 899
    content = response.body.lstrip(b":\n")
    if response.headers["Content-Type"] == "text/event-stream":
        assert content.startswith(b"data: ")
        assert content.endswith(b"data: [DONE]\n\n") == ("/v1/" in path)
        content = content.removeprefix(b"data: ").removesuffix(b"data: [DONE]\n\n")
    failed = json.loads(content)
    message = failed["error"] if isinstance(failed["error"], str) else failed["error"]["message"]
    assert message.startswith("No copy of the model is running. One is being started: try again in about ")
    assert failed["error_type"] == "no_capacity"
    (line,) = api.log()
    assert (line["status"], line["error"], line["error_status"]) == (200, "no_capacity", 503)


@pytest.mark.parametrize("asked", CONVERSATIONS.values(), ids=CONVERSATIONS)
def test_after_the_deadline_responses_and_messages_end_with_their_error(
    holding: Callable[..., ApiClient], sagemaker: SageMakerDouble, clock: Clock, asked: Asked
) -> None:
    sagemaker.replies, sagemaker.repeats = [NO_CAPACITY], True
    api = holding()
    response = api.send(*asked, seconds=900)
    assert (response.status, 870 < clock.waited < 899) == (200, True)
    assert asked.error(response.body)["message"].startswith("No copy of the model is running.")
    (line,) = api.log()
    assert (line["status"], line["error"], line["error_status"]) == (200, "no_capacity", 503)


@pytest.mark.parametrize("asked", CONVERSATIONS.values(), ids=CONVERSATIONS)
def test_any_other_error_ends_the_wait_for_responses_and_messages(
    holding: Callable[..., ApiClient], sagemaker: SageMakerDouble, clock: Clock, asked: Asked
) -> None:
    sagemaker.replies, sagemaker.repeats = [NO_CAPACITY, THROTTLED], True
    response = holding().send(*asked, seconds=900)
    assert (response.status, clock.waited) == (429, 5)
    assert asked.error(response.body)["type"] == ("overloaded_error" if asked.is_message else "rate_limit_error")


def test_a_client_whose_deadline_is_near_is_refused_at_once(
    holding: Callable[..., ApiClient], sagemaker: SageMakerDouble, clock: Clock
) -> None:
    sagemaker.replies += [NO_CAPACITY]
    response = holding().send("/generate", {"inputs": "Hi"}, seconds=6)
    assert (response.status, clock.waited) == (503, 0)
    assert response.headers["Retry-After"] == "300"


@pytest.mark.parametrize(
    ("failure", "status", "kind"), [(THROTTLED, 429, "overloaded"), (FORBIDDEN, 502, "permission")]
)
@pytest.mark.parametrize("way", _OTHER_WAYS)
def test_any_other_error_ends_the_wait(
    holding: Callable[..., ApiClient],
    sagemaker: SageMakerDouble,
    clock: Clock,
    way: str,
    failure: Reply,
    status: int,
    kind: str,
) -> None:
    path, body, _ = WAYS[way]
    sagemaker.replies, sagemaker.repeats = [NO_CAPACITY, failure], True
    response = holding().send(path, body, seconds=900)
    assert (response.status, response.json()["error_type"]) == (status, kind)
    assert clock.waited == 5


@pytest.mark.usefixtures("clock")
def test_an_error_after_a_long_wait_is_in_the_body(
    holding: Callable[..., ApiClient], sagemaker: SageMakerDouble
) -> None:
    sagemaker.replies += [NO_CAPACITY, NO_CAPACITY, FORBIDDEN]
    api = holding()
    response = api.send("/generate", {"inputs": "Hi"}, seconds=900)
    assert (response.status, response.json()["error_type"]) == (200, "permission")
    assert api.log()[0]["error_status"] == 502


@pytest.mark.parametrize("model", [LLAMA, replace(SLEEPER, hours=OFFICE)], ids=["without components", "closed"])
def test_nobody_waits_for_a_model_that_does_not_wake(
    holding: Callable[..., ApiClient],
    sagemaker: SageMakerDouble,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    model: Model,
) -> None:
    set_clock(monkeypatch, lambda: NOON_ON_SUNDAY)
    sagemaker.replies += [NO_CAPACITY]
    assert holding(model).send("/generate_stream", {"inputs": "Hi"}, seconds=900).status == 503
    assert clock.waited == 0


def test_the_end_of_its_hours_ends_the_wait(
    holding: Callable[..., ApiClient], sagemaker: SageMakerDouble, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    almost_seven = NOON_ON_SUNDAY + 86400 + 7 * 3600 - 2
    set_clock(monkeypatch, lambda: almost_seven + clock.waited)
    sagemaker.replies, sagemaker.repeats = [NO_CAPACITY], True
    response = holding(replace(SLEEPER, hours=OFFICE)).send("/generate", {"inputs": "Hi"}, seconds=900)
    assert (response.status, response.json()["error_type"], clock.waited) == (503, "closed", 5)


def test_a_model_that_runs_answers_at_once(
    holding: Callable[..., ApiClient], sagemaker: SageMakerDouble, clock: Clock
) -> None:
    sagemaker.replies.append(ANSWER)
    api = holding()
    assert api.send("/generate", {"inputs": "Hi"}).status == 200
    assert clock.waited == 0
    assert "wake_asks" not in api.log()[0]


@pytest.mark.parametrize("body", [HI | {"n": 4}, HI | {"n": 4, "stream": True}])
def test_one_request_asks_for_all_choices(
    holding: Callable[..., ApiClient],
    sagemaker: SageMakerDouble,
    monkeypatch: pytest.MonkeyPatch,
    body: dict[str, Any],
) -> None:
    monkeypatch.setattr(hold, "FIRST_PAUSE_SECONDS", 0.2)
    monkeypatch.setattr(hold, "PAUSE_SECONDS", (0.2, 0.2))
    monkeypatch.setattr(connection, "KEEP_ALIVE_SECONDS", 0.05)
    # Four find no capacity, then one asks three times in vain; at the fourth time the others follow.
    sagemaker.replies = [NO_CAPACITY] * 7 + [CHAT] * 4
    api, started = holding(), time.monotonic()
    response = api.send("/v1/chat/completions", body, seconds=900)
    assert (response.status, len(sagemaker.received), api.log()[0]["wake_asks"]) == (200, 11, 7)
    assert time.monotonic() - started > 0.75
    content = response.body.lstrip(b":\n")
    assert content.count(b'"finish_reason":"stop"') == 4
    assert response.body[:1] in b":\n"


def test_choices_that_wait_for_another_one_stop_when_that_fails(
    holding: Callable[..., ApiClient], sagemaker: SageMakerDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hold, "FIRST_PAUSE_SECONDS", 0.2)
    monkeypatch.setattr(connection, "KEEP_ALIVE_SECONDS", 0.05)
    before = threading.active_count()
    sagemaker.replies, sagemaker.repeats = [NO_CAPACITY] * 4 + [FORBIDDEN], True
    response = holding().send("/v1/chat/completions", HI | {"n": 4}, seconds=900)
    assert response.json()["error_type"] == "permission"
    until = time.monotonic() + 5
    while threading.active_count() > before + 4 and time.monotonic() < until:  # the double has a thread a connection
        time.sleep(0.01)
    time.sleep(0.3)
    assert len(sagemaker.received) == 5


def test_a_request_that_finds_no_copy_after_another_one_was_answered_waits_by_itself(clock: Clock) -> None:
    client = hold.Hold(clock.now + 900)
    client.join()
    other = client.join()
    client.has_ended.set()
    assert exhaust(other.wait()) is True
    assert clock.waited == 5
    assert exhaust(other.wait()) is True
    assert 25 <= clock.waited <= 30


def test_a_request_that_follows_another_one_does_not_wait_beyond_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "KEEP_ALIVE_SECONDS", 0.01)
    client = hold.Hold(time.time() + 2.05)
    client.join()
    assert exhaust(client.join().wait()) is False


WAKE_SECONDS = 400


def simulate_waiting_client(arrival: float, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When a client that arrives at this time asks, the last time with success: the model is back after a while."""
    clock = Clock()
    clock.now = arrival
    monkeypatch.setattr(hold, "time", clock)
    turn = hold.Hold(deadline=arrival + 900).join()
    asked = [arrival]
    while asked[-1] < WAKE_SECONDS:
        assert exhaust(turn.wait())
        asked.append(clock.now)
    return asked


def exhaust(wait: Any) -> Any:
    while True:
        try:
            next(wait)
        except StopIteration as done:
            return done.value


def most_within(times: list[float], seconds: float) -> int:
    """The most of some times that are within any window of so many seconds."""
    ordered = sorted(times)
    return max(bisect_left(ordered, start + seconds) - index for index, start in enumerate(ordered))


@pytest.mark.parametrize("seconds", [0, 10, 60])
def test_fifty_waiting_clients_make_at_most_180_requests_a_minute_and_do_not_storm_the_model(
    monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    """They come within so many seconds."""
    for seed in range(60):
        monkeypatch.setattr(hold, "random", random.Random(seed))
        clients = [simulate_waiting_client(seconds * client / 50, monkeypatch) for client in range(50)]
        # Those with which they come are no repetitions.
        assert most_within([each for asked in clients for each in asked[1:]], 60) <= 180
        answered = [asked[-1] - WAKE_SECONDS for asked in clients]
        assert most_within(answered, 1) <= 15
        assert max(answered) <= 25
