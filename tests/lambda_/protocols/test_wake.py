"""POST /models/{model}/wake: it starts a model that has no copy, and says how long that takes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from front_door.app import App
from front_door.config import Config, Model
from front_door.sagemaker import connection

from tests.lambda_.conftest import LLAMA, OPENAPI_FILE, ApiClient
from tests.lambda_.sagemaker_double import Reply, SageMakerDouble, error, parts
from tests.lambda_.test_waking import NO_CAPACITY, NOON_ON_SUNDAY, OFFICE, SLEEPER, set_clock

OPENAPI = json.loads(OPENAPI_FILE.read_text())
PATH = "/models/{model}/wake"
TOKEN = b'data: {"choices":[{"index":0,"text":"x","finish_reason":"length"}]}\n\n'


@pytest.fixture
def waking(sagemaker: SageMakerDouble, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., ApiClient]]:
    """Front doors with `wake=True`."""
    apps = []

    def make(model: Model = SLEEPER, **settings: Any) -> ApiClient:
        settings |= {"has_wake_route": True, "openapi_file": str(OPENAPI_FILE)}
        config = Config({model.name: model}, sagemaker.url, sagemaker.url, "eu-west-1", **settings)
        apps.append(App(config))
        return ApiClient(apps[-1], capsys)

    yield make
    for app in apps:
        app.sagemaker.close()


def wake(api: ApiClient, **event: Any) -> Any:
    return api.send("/models/llama/wake", method="POST", **event)


def test_a_model_that_runs_is_awake_and_generates_one_token(
    waking: Callable[..., ApiClient], sagemaker: SageMakerDouble
) -> None:
    sagemaker.replies.append(parts(TOKEN))
    response = wake(waking())
    assert (response.status, response.json()) == (200, {"state": "awake"})
    assert "Retry-After" not in response.headers
    (request,) = sagemaker.received
    assert request.json()["max_tokens"] == 1
    assert len(request.body) < 150
    assert request.headers["x-amzn-sagemaker-inference-component"] == "llama-component"


@pytest.mark.parametrize("holds", [True, False])
def test_a_model_without_a_copy_is_being_started(
    waking: Callable[..., ApiClient], sagemaker: SageMakerDouble, monkeypatch: pytest.MonkeyPatch, holds: bool
) -> None:
    api, now = waking(holds_clients=holds), time.time()
    sagemaker.replies, sagemaker.repeats = [NO_CAPACITY], True
    for after, seconds in ((0, 300), (100, 200), (400, 20)):
        set_clock(monkeypatch, lambda after=after: now + after)  # type: ignore[misc]
        response = wake(api)
        assert (response.status, response.headers["Retry-After"]) == (202, str(seconds))
        assert response.json() == {"state": "waking", "seconds": seconds}
    assert len(sagemaker.received) == 3
    assert [(line["status"], line["ServerErrors"], line.get("error")) for line in api.log()] == [(202, 0, None)] * 3


def test_without_an_estimate_only_the_time_of_the_next_try_is_said(
    waking: Callable[..., ApiClient], sagemaker: SageMakerDouble
) -> None:
    sagemaker.replies.append(NO_CAPACITY)
    response = wake(waking(replace(SLEEPER, wake_seconds=None)))
    assert (response.status, response.headers["Retry-After"]) == (202, "60")
    assert response.json() == {"state": "waking", "seconds": None}


def test_a_closed_model_is_not_being_started(
    waking: Callable[..., ApiClient], sagemaker: SageMakerDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clock(monkeypatch, lambda: NOON_ON_SUNDAY)
    sagemaker.replies.append(NO_CAPACITY)
    response = wake(waking(replace(SLEEPER, hours=OFFICE)))
    assert (response.status, response.headers["Retry-After"]) == (503, str(20 * 3600))
    assert response.json() == {
        "error": "The model is closed and opens on Monday, 2026-11-30 at 08:00 (Europe/Berlin).",
        "error_type": "closed",
    }


def test_a_model_that_takes_long_to_respond_runs(
    waking: Callable[..., ApiClient], sagemaker: SageMakerDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "KEEP_ALIVE_SECONDS", 0.1)
    sagemaker.replies.append(Reply([lambda: time.sleep(2)]))
    started = time.monotonic()
    assert wake(waking()).json() == {"state": "awake"}
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    ("reply", "status", "kind"),
    [
        (error(429, "ThrottlingException"), 429, "overloaded"),
        (error(403, "AccessDeniedException"), 502, "permission"),
        (error(400, "ValidationError", Message="Endpoint llama of account 1 not found."), 503, "endpoint_not_found"),
    ],
)
def test_other_errors_are_reported(
    waking: Callable[..., ApiClient], sagemaker: SageMakerDouble, reply: Reply, status: int, kind: str
) -> None:
    sagemaker.replies, sagemaker.repeats = [reply], True
    response = wake(waking())
    assert (response.status, response.json()["error_type"]) == (status, kind)


def test_an_endpoint_without_components_is_not_started_by_a_request(
    waking: Callable[..., ApiClient], sagemaker: SageMakerDouble
) -> None:
    sagemaker.replies.append(NO_CAPACITY)
    response = wake(waking(LLAMA))
    assert (response.status, response.json()["error_type"]) == (503, "no_capacity")


@pytest.mark.parametrize(
    ("engine", "prompt"),
    [
        ("tgi", {"prompt": "Hi"}),
        ("vllm", {"prompt": "Hi"}),
        ("sglang", {"messages": [{"role": "user", "content": "Hi"}]}),
    ],
)
def test_the_request_is_one_that_the_engine_answers(
    waking: Callable[..., ApiClient], sagemaker: SageMakerDouble, engine: str, prompt: dict[str, Any]
) -> None:
    sagemaker.replies.append(parts(TOKEN))
    assert wake(waking(replace(SLEEPER, engine=engine))).json() == {"state": "awake"}
    assert sagemaker.received[0].json() == {**prompt, "stream": True, "max_tokens": 1}


def test_only_post_wakes(waking: Callable[..., ApiClient], sagemaker: SageMakerDouble) -> None:
    response = waking().send("/models/llama/wake")
    assert (response.status, response.headers["Allow"]) == (405, "POST")
    assert waking().send("/models/gpt/wake", method="POST").status == 404
    assert sagemaker.received == []


def test_the_route_is_described_and_a_model_that_sleeps_names_it(waking: Callable[..., ApiClient]) -> None:
    assert waking().send("/openapi.json").json() == OPENAPI
    assert waking().send("/info").json()["wake"] == {"path": "/models/llama/wake", "seconds": 300}
    assert waking(replace(SLEEPER, wake_seconds=None)).send("/info").json()["wake"]["seconds"] is None
    assert "wake" not in waking(LLAMA).send("/info").json()
    assert "/models/{model}/wake" in waking().send("/nowhere").json()["error"]


def test_without_the_argument_there_is_no_such_route(
    api_for: Callable[..., ApiClient], sagemaker: SageMakerDouble
) -> None:
    api = api_for(SLEEPER)
    response = wake(api, resource=PATH, pathParameters={"model": "llama"})
    assert (response.status, response.json()["error_type"]) == (404, "not_found")
    assert "{model}/wake" not in response.json()["error"]
    assert "wake" not in api.send("/info").json()
    served = api.send("/openapi.json").json()
    assert set(OPENAPI["paths"]) - set(served["paths"]) == {PATH}
    assert {**OPENAPI, "paths": served["paths"]} == served
    assert sagemaker.received == []


def test_the_request_names_the_model_as_its_container_does(
    waking: Callable[..., ApiClient], sagemaker: SageMakerDouble
) -> None:
    sagemaker.replies += [parts(TOKEN), parts(TOKEN)]
    wake(waking(replace(SLEEPER, engine="openai")))
    vllm = waking(replace(SLEEPER, engine="vllm", adapters={"sql": None}))
    assert vllm.send("/models/llama:sql/wake", method="POST").status == 200
    assert [request.json()["model"] for request in sagemaker.received] == [SLEEPER.model_id, "sql"]
    assert sagemaker.received[1].headers["x-amzn-sagemaker-custom-attributes"] == "route=/v1/completions"
