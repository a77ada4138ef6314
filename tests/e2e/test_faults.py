"""What clients see when SageMaker or the container fails, before the first token and after it."""

import time

import pytest

from tests.e2e.deployed_cloud import Answer, Cloud

pytestmark = pytest.mark.xdist_group("e2e")

ATTEMPTS = 3
"""How often the front door sends a request that SageMaker throttles."""
GENERATE = {"inputs": "Hello", "parameters": {"max_new_tokens": 20}}
CHAT = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 20}
CALLS = [
    ("/generate", GENERATE),
    ("/generate_stream", GENERATE),
    ("/", {**GENERATE, "stream": True}),
    ("/v1/chat/completions", CHAT),
    ("/v1/chat/completions", {**CHAT, "stream": True}),
]


def kind_of(told: dict[str, object]) -> object:
    return told["error_type"]


@pytest.mark.parametrize(("path", "body"), CALLS)
@pytest.mark.parametrize(
    ("fault", "status", "kind", "retry_after"),
    [
        ("throttle", 429, "overloaded", "1"),
        ("no-capacity", 503, "no_capacity", "30"),
        ("timeout", 504, "timeout", None),
        ("unavailable", 503, "unavailable", "2"),
        ("internal-failure", 502, "upstream", None),
    ],
)
def test_a_failure_before_the_first_token_has_its_own_status(
    cloud: Cloud, fault: str, status: int, kind: str, retry_after: str | None, path: str, body: dict[str, object]
) -> None:
    cloud.inject(fault, count=ATTEMPTS if fault == "throttle" else 1)
    answer = cloud.ask("POST", path, body)
    assert (answer.status, kind_of(answer.json()), answer.headers.get("retry-after")) == (status, kind, retry_after)
    assert "Traceback" not in answer.body.decode()


@pytest.mark.parametrize(("path", "body"), CALLS[:2])
def test_what_the_container_said_is_what_the_client_gets(cloud: Cloud, path: str, body: dict[str, object]) -> None:
    cloud.inject("model-error")
    answer = cloud.ask("POST", path, body)
    assert (answer.status, kind_of(answer.json())) == (424, "generation")
    assert answer.json()["error"].startswith("Request failed during generation")


def test_an_openai_client_gets_the_containers_failure_in_its_own_words(cloud: Cloud) -> None:
    cloud.inject("model-error")
    answer = cloud.ask("POST", "/v1/chat/completions", CHAT)
    assert answer.status == 424
    assert answer.json()["error"]["type"] == "server_error"


def broken(cloud: Cloud, fault: str, path: str, body: dict[str, object]) -> Answer:
    """A stream that broke after its first event. Where it is cut varies; before the first event it is a 5xx."""
    for _ in range(20):
        cloud.inject(fault)
        answer = cloud.ask("POST", path, body)
        if answer.status == 200:
            return answer
        assert answer.status in (500, 502)
        assert kind_of(answer.json()) in ("incomplete_generation", "upstream")
    raise AssertionError("no stream has begun")


@pytest.mark.parametrize("fault", ["stream-broken", "stream-failure", "connection-lost"])
def test_a_tgi_stream_that_breaks_ends_with_an_error_event(cloud: Cloud, fault: str) -> None:
    events = broken(cloud, fault, "/generate_stream", GENERATE).events()
    assert "token" in events[0]
    assert events[-1]["error"] == "The model's answer broke off before its end." or fault == "connection-lost"
    assert isinstance(events[-1]["error_type"], str)


@pytest.mark.parametrize("fault", ["stream-broken", "stream-failure", "connection-lost"])
def test_an_openai_stream_that_breaks_ends_with_an_error_and_done(cloud: Cloud, fault: str) -> None:
    answer = broken(cloud, fault, "/v1/chat/completions", {**CHAT, "stream": True})
    assert answer.events()[0]["choices"]
    assert answer.events()[-1]["error"]["message"]
    assert answer.body.rstrip().endswith(b"data: [DONE]")


@pytest.mark.parametrize(("path", "body"), [CALLS[0], CALLS[3]])
def test_a_buffered_answer_whose_stream_breaks_is_an_error_as_a_whole(
    cloud: Cloud, path: str, body: dict[str, object]
) -> None:
    cloud.inject("stream-broken")
    answer = cloud.ask("POST", path, body)
    assert answer.status >= 500
    assert kind_of(answer.json()) == "incomplete_generation"


def test_a_slow_first_token_is_waited_for(cloud: Cloud) -> None:
    cloud.inject("slow-first-token", seconds=1)
    started = time.monotonic()
    answer = cloud.ask("POST", "/generate_stream", GENERATE)
    assert answer.status == 200
    assert 0.9 < time.monotonic() - started < 10
    assert answer.events()[-1]["generated_text"]


def test_a_fault_happens_as_often_as_it_was_asked_for(cloud: Cloud) -> None:
    cloud.inject("no-capacity", count=2)
    assert [cloud.ask("POST", "/generate", GENERATE).status for _ in range(3)] == [503, 503, 200]


@pytest.mark.parametrize(("path", "body"), CALLS)
def test_a_client_does_not_notice_throttling_that_passes(cloud: Cloud, path: str, body: dict[str, object]) -> None:
    cloud.inject("throttle", count=ATTEMPTS - 1)
    answer = cloud.ask("POST", path, body)
    assert answer.status == 200
    assert b"error" not in answer.body
