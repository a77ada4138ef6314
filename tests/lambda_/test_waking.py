"""Models that scale to zero: how they are addressed, and what a client is told while no copy of one runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from front_door.sagemaker import invocation

from tests.lambda_.conftest import FALCON, LLAMA, ApiClient
from tests.lambda_.sagemaker_double import Reply, SageMakerDouble, error, parts, plain_response

HI = {"messages": [{"role": "user", "content": "Hi"}]}
NO_CAPACITY = error(
    400,
    "ValidationError",
    Message="Inference Component has no capacity to process this request. ApplicationAutoScaling may be in-progress",
)
DETAILS = '{"finish_reason":"length","generated_tokens":1,"seed":null,"input_length":6}'
ANSWER = parts(f'data: {{"index":1,"token":{{}},"generated_text":"x","details":{DETAILS}}}\n\n'.encode())
SLEEPER = replace(LLAMA, inference_component="llama-component", wake_seconds=300)
OFFICE = {
    "windows": [[day, 480, 1140] for day in range(5)],
    "tz": "CET-1CEST,M3.5.0,M10.5.0/3",
    "time_zone": "Europe/Berlin",
    "outside": "closed",
}
NOON_ON_SUNDAY = datetime(2026, 11, 29, 11, 0, tzinfo=UTC).timestamp()


def set_clock(monkeypatch: pytest.MonkeyPatch, now: Callable[[], float]) -> None:
    """Set the time of the function's estimates and hours."""
    monkeypatch.setattr(invocation, "time", SimpleNamespace(time=now, perf_counter=time.perf_counter))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets that time to some seconds after noon on a Sunday in Berlin."""

    def set_time(seconds: float) -> None:
        set_clock(monkeypatch, lambda: NOON_ON_SUNDAY + seconds)

    set_time(0)
    return set_time


@pytest.mark.parametrize("body", [{"inputs": "Hi"}, {"inputs": "Hi", "parameters": {"best_of": 2, "do_sample": True}}])
def test_a_request_names_the_inference_component_of_its_model_and_signs_the_name(
    api_for: Callable[..., ApiClient], sagemaker: SageMakerDouble, body: dict[str, Any]
) -> None:
    is_streamed = "parameters" not in body
    answer = ANSWER if is_streamed else plain_response(b'[{"generated_text":"x"}]')
    sagemaker.replies += [answer, answer]
    api = api_for(SLEEPER, FALCON)
    for name in ("llama", "falcon"):
        assert api.send(f"/models/{name}/generate", body).status == 200
    first, second = (request.headers for request in sagemaker.received)
    assert first["x-amzn-sagemaker-inference-component"] == "llama-component"
    assert "x-amzn-sagemaker-inference-component" in first["authorization"].partition("SignedHeaders=")[2]
    assert "x-amzn-sagemaker-inference-component" not in second
    assert sagemaker.received[0].path.endswith("/invocations-response-stream" if is_streamed else "/invocations")


def refuse(api: ApiClient, sagemaker: SageMakerDouble, path: str = "/generate", body: object = None) -> Any:
    sagemaker.replies.append(NO_CAPACITY)
    return api.send(path, body or {"inputs": "Hi"})


STARTING = "No copy of the model is running. One is being started: try again in about 300 seconds."


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/", {"inputs": "Hi", "stream": True}),
        ("/generate", {"inputs": "Hi"}),
        ("/generate", {"inputs": "Hi", "parameters": {"best_of": 2, "do_sample": True}}),
        ("/generate_stream", {"inputs": "Hi"}),
        ("/invocations", {"inputs": "Hi"}),
    ],
)
@pytest.mark.usefixtures("clock")
def test_a_model_without_a_copy_is_503_with_the_estimate_of_its_wake(
    api_for: Callable[..., ApiClient], sagemaker: SageMakerDouble, path: str, body: object
) -> None:
    api = api_for(SLEEPER)
    answer = refuse(api, sagemaker, path, body)
    assert (answer.status, answer.json()) == (503, {"error": STARTING, "error_type": "no_capacity"})
    assert answer.headers["Retry-After"] == "300"
    assert "x-should-retry" not in answer.headers
    assert len(sagemaker.received) == 1
    (line,) = api.log()
    assert (line["error"], line["cause"], line["ServerErrors"]) == ("no_capacity", "ValidationError", 1)


@pytest.mark.parametrize("more", [{}, {"stream": True}, {"n": 2}])
@pytest.mark.usefixtures("clock")
def test_openais_clients_get_the_same_as_an_error_of_openais(
    api_for: Callable[..., ApiClient], sagemaker: SageMakerDouble, more: dict[str, Any]
) -> None:
    sagemaker.replies, sagemaker.repeats = [NO_CAPACITY], True
    answer = api_for(SLEEPER).send("/v1/chat/completions", HI | more)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "300")
    assert answer.json()["error"] == {"message": STARTING, "type": "server_error", "param": None, "code": "no_capacity"}


def test_the_estimate_counts_from_the_first_request_of_a_wake(
    api_for: Callable[..., ApiClient], sagemaker: SageMakerDouble, clock: Callable[[float], None]
) -> None:
    api = api_for(SLEEPER)
    retries = []
    # Over the estimate it says 20 seconds. After 20 minutes the model must have been awake in between.
    for seconds in (0, 100.5, 290, 300, 1200, 1201):
        clock(seconds)
        answer = refuse(api, sagemaker)
        retries.append(int(answer.headers["Retry-After"]))
        assert answer.json()["error"].endswith(f"try again in about {retries[-1]} seconds.")
    assert retries == [300, 200, 20, 20, 20, 300]


STREAMED_JSON = parts(b'{"generated_text":"x"}')
STREAMED_JSON.pieces[0] = STREAMED_JSON.pieces[0].replace(b"text/event-stream", b"application/json")


@pytest.mark.parametrize(
    ("parameters", "reply"),
    [
        ({}, ANSWER),
        ({}, STREAMED_JSON),
        ({"best_of": 2, "do_sample": True}, plain_response(b'[{"generated_text":"x"}]')),
    ],
    ids=["streamed", "of a container that cannot stream", "not streamed"],
)
def test_an_answer_ends_the_wake(
    api_for: Callable[..., ApiClient],
    sagemaker: SageMakerDouble,
    clock: Callable[[float], None],
    parameters: dict[str, Any],
    reply: Reply,
) -> None:
    api = api_for(SLEEPER)
    refuse(api, sagemaker)
    clock(250)
    sagemaker.replies.append(reply)
    assert api.send("/generate", {"inputs": "Hi", "parameters": parameters}).status == 200
    clock(600)
    assert refuse(api, sagemaker).headers["Retry-After"] == "300"


def test_each_model_has_a_wake_of_its_own(
    api_for: Callable[..., ApiClient], sagemaker: SageMakerDouble, clock: Callable[[float], None]
) -> None:
    api = api_for(SLEEPER, replace(FALCON, inference_component="falcon-component", wake_seconds=500))
    refuse(api, sagemaker, "/models/llama/generate")
    clock(100)
    assert refuse(api, sagemaker, "/models/falcon/generate").headers["Retry-After"] == "500"
    assert refuse(api, sagemaker, "/models/llama/generate").headers["Retry-After"] == "200"


def test_without_an_estimate_the_client_tries_again_after_a_minute(
    api_for: Callable[..., ApiClient], sagemaker: SageMakerDouble
) -> None:
    answer = refuse(api_for(replace(SLEEPER, wake_seconds=None)), sagemaker)
    message = "No copy of the model is running. One is being started: try again in some minutes."
    assert (answer.status, answer.headers["Retry-After"], answer.json()["error"]) == (503, "60", message)


@pytest.mark.parametrize("path", ["/generate", "/v1/chat/completions"])
def test_a_closed_model_is_503_until_it_opens(
    api_for: Callable[..., ApiClient], sagemaker: SageMakerDouble, clock: Callable[[float], None], path: str
) -> None:
    clock(0.5)
    api = api_for(replace(SLEEPER, hours=OFFICE))
    answer = refuse(api, sagemaker, path, HI if "/v1/" in path else None)
    assert (answer.status, answer.headers["Retry-After"]) == (503, str(20 * 3600))
    assert answer.headers["x-should-retry"] == "false"
    message = "The model is closed and opens on Monday, 2026-11-30 at 08:00 (Europe/Berlin)."
    details = {"message": message, "type": "server_error", "param": None, "code": "closed"}
    assert answer.json() == {"error": details if "/v1/" in path else message, "error_type": "closed"}
    assert api.log()[0]["error"] == "closed"


def test_within_its_hours_a_model_without_a_copy_is_being_started(
    api_for: Callable[..., ApiClient], sagemaker: SageMakerDouble, clock: Callable[[float], None]
) -> None:
    clock(20 * 3600)
    answer = refuse(api_for(replace(SLEEPER, hours=OFFICE)), sagemaker)
    assert (answer.headers["Retry-After"], answer.json()["error_type"]) == ("300", "no_capacity")


def test_a_model_that_requests_wake_outside_of_its_hours_is_being_started(
    api_for: Callable[..., ApiClient], sagemaker: SageMakerDouble, clock: Callable[[float], None]
) -> None:
    clock(0)
    answer = refuse(api_for(replace(SLEEPER, hours=OFFICE | {"outside": "idle"})), sagemaker)
    assert (answer.headers["Retry-After"], answer.json()["error_type"]) == ("300", "no_capacity")


def test_hours_close_no_model_that_has_a_copy(
    api_for: Callable[..., ApiClient], sagemaker: SageMakerDouble, clock: Callable[[float], None]
) -> None:
    """A copy may still run for minutes after the end of the hours, and somebody may have started one."""
    clock(0)
    sagemaker.replies.append(ANSWER)
    assert api_for(replace(SLEEPER, hours=OFFICE)).send("/generate", {"inputs": "Hi"}).status == 200


def test_an_endpoint_without_inference_components_does_not_come_back_by_itself(
    api: ApiClient, sagemaker: SageMakerDouble
) -> None:
    answer = refuse(api, sagemaker)
    message = "The model has no running instance; one may be starting. Try again later."
    assert (answer.status, answer.headers["Retry-After"], answer.json()["error"]) == (503, "30", message)
