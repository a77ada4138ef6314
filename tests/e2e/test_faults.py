"""The errors that clients get if SageMaker or the container fails, before or after the first token."""

import time

import pytest

from tests.e2e.deployed_cloud import Cloud, Response

pytestmark = pytest.mark.xdist_group("e2e")

ATTEMPTS = 3
"""How often the front door sends a request while SageMaker throttles."""
GENERATE = {"inputs": "Hello", "parameters": {"max_new_tokens": 20}}
CHAT = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 20}
CALLS = [
    ("/generate", GENERATE),
    ("/generate_stream", GENERATE),
    ("/", {**GENERATE, "stream": True}),
    ("/v1/chat/completions", CHAT),
    ("/v1/chat/completions", {**CHAT, "stream": True}),
]


def kind_of(body: dict[str, object]) -> object:
    return body["error_type"]


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
    response = cloud.request("POST", path, body)
    assert (response.status, kind_of(response.json()), response.headers.get("retry-after")) == (
        status,
        kind,
        retry_after,
    )
    assert "Traceback" not in response.body.decode()


@pytest.mark.parametrize(("path", "body"), CALLS[:2])
def test_a_tgi_client_gets_the_error_of_the_container(cloud: Cloud, path: str, body: dict[str, object]) -> None:
    cloud.inject("model-error")
    response = cloud.request("POST", path, body)
    assert (response.status, kind_of(response.json())) == (424, "generation")
    assert response.json()["error"].startswith("Request failed during generation")


def test_an_openai_client_gets_the_error_of_the_container_in_openais_format(cloud: Cloud) -> None:
    cloud.inject("model-error")
    response = cloud.request("POST", "/v1/chat/completions", CHAT)
    assert response.status == 424
    assert response.json()["error"]["type"] == "server_error"


def broken(cloud: Cloud, fault: str, path: str, body: dict[str, object]) -> Response:
    """A stream that failed after its first event. The position varies; before the first event the response is a 5xx."""
    for _ in range(20):
        cloud.inject(fault)
        response = cloud.request("POST", path, body)
        if response.status == 200:
            return response
        assert response.status in (500, 502)
        assert kind_of(response.json()) in ("incomplete_generation", "upstream")
    raise AssertionError("no stream has started")


@pytest.mark.parametrize("fault", ["stream-broken", "stream-failure", "connection-lost"])
def test_a_failing_tgi_stream_ends_with_an_error_event(cloud: Cloud, fault: str) -> None:
    events = broken(cloud, fault, "/generate_stream", GENERATE).events()
    assert "token" in events[0]
    assert events[-1]["error"] == "The model's response broke off before its end." or fault == "connection-lost"
    assert isinstance(events[-1]["error_type"], str)


@pytest.mark.parametrize("fault", ["stream-broken", "stream-failure", "connection-lost"])
def test_a_failing_openai_stream_ends_with_an_error_and_done(cloud: Cloud, fault: str) -> None:
    response = broken(cloud, fault, "/v1/chat/completions", {**CHAT, "stream": True})
    assert response.events()[0]["choices"]
    assert response.events()[-1]["error"]["message"]
    assert response.body.rstrip().endswith(b"data: [DONE]")


@pytest.mark.parametrize(("path", "body"), [CALLS[0], CALLS[3]])
def test_a_failing_stream_of_a_non_streaming_request_is_an_error(
    cloud: Cloud, path: str, body: dict[str, object]
) -> None:
    cloud.inject("stream-broken", frame=0)
    response = cloud.request("POST", path, body)
    assert response.status >= 500
    assert kind_of(response.json()) == "incomplete_generation"


def test_the_client_waits_for_a_slow_first_token(cloud: Cloud) -> None:
    cloud.inject("slow-first-token", seconds=1)
    started = time.monotonic()
    response = cloud.request("POST", "/generate_stream", GENERATE)
    assert response.status == 200
    assert 0.9 < time.monotonic() - started < 10
    assert response.events()[-1]["generated_text"]


def test_a_fault_is_injected_into_count_calls(cloud: Cloud) -> None:
    cloud.inject("no-capacity", count=2)
    assert [cloud.request("POST", "/generate", GENERATE).status for _ in range(3)] == [503, 503, 200]


@pytest.mark.parametrize(("path", "body"), CALLS)
def test_a_client_does_not_notice_short_throttling(cloud: Cloud, path: str, body: dict[str, object]) -> None:
    cloud.inject("throttle", count=ATTEMPTS - 1)
    response = cloud.request("POST", path, body)
    assert response.status == 200
    assert b"error" not in response.body
