"""The event of a smoke test: an ordinary completion without a key, which is no client's request."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from front_door.app import App
from front_door.config import Config, Model

from local.lambda_service import Function
from tests.lambda_.conftest import FALCON, LLAMA, ApiClient, ClientResponse
from tests.lambda_.engines.test_second_engine import ANSWER, echo  # noqa: F401 - a fixture
from tests.lambda_.lambda_runtime.runtime_function import WRAPPER, answer, function, function_files, run
from tests.lambda_.protocols.openai import natives
from tests.lambda_.sagemaker_double import Reply, SageMakerDouble, error, part, parts, stream
from tests.local.apigateway.doubles import FakeFunction, build_api, check, running

TEXT = "Un été"
USAGE = {"prompt_tokens": 1, "completion_tokens": 3, "total_tokens": 4}
CHUNKS = [
    {"choices": [{"index": 0, "text": TEXT, "finish_reason": "length"}]},
    {"choices": [], "usage": USAGE},
]
EVENTS = [*(f"data: {json.dumps(each)}\n\n".encode() for each in CHUNKS), b"data: [DONE]\n\n"]


def event(model: object = "llama", **members: object) -> dict[str, Any]:
    return {"tgi_endpoint": {"smoke_test": {"model": model, **members}}}


def invoke(api: ApiClient, event: dict[str, Any], *, seconds: float = 30) -> ClientResponse:
    invocation = SimpleNamespace(request_id="lambda-id", deadline=time.time() + seconds)
    response = api.app.handle(event, invocation)  # type: ignore[arg-type]
    return ClientResponse(response.status, response.headers, b"".join(response.body))


@pytest.fixture(autouse=True)
def _name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "a-front-door")


@pytest.fixture
def keyed(sagemaker: SageMakerDouble, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., ApiClient]]:
    """Front doors that let nobody in without an API key."""
    apps: list[App] = []

    def make(*models: Model) -> ApiClient:
        named = {model.name: model for model in models}
        apps.append(App(Config(named, sagemaker.url, sagemaker.url, "eu-west-1", requires_api_key=True)))
        return ApiClient(apps[-1], capsys)

    yield make
    for app in apps:
        app.sagemaker.close()


def test_a_short_completion_comes_back_without_a_key(
    keyed: Callable[..., ApiClient], sagemaker: SageMakerDouble
) -> None:
    api = keyed(LLAMA, FALCON)
    sagemaker.replies.append(parts(*EVENTS))
    response = invoke(api, event("falcon"))
    assert response.status == 200
    assert response.json()["choices"][0]["text"] == TEXT
    assert response.json()["usage"] == USAGE
    (request,) = sagemaker.received
    assert request.path == "/endpoints/falcon-endpoint/invocations-response-stream"
    assert request.json()["prompt"] == "Hello"
    assert request.json()["max_tokens"] == 8


def test_it_is_a_log_line_that_no_metric_and_no_consumer_counts_and_that_quotes_nothing(
    api: ApiClient, sagemaker: SageMakerDouble
) -> None:
    sagemaker.replies.append(parts(*EVENTS))
    invoke(api, event())
    (line,) = api.log()
    times = {name: line.pop(name) for name in ("TimeToFirstToken", "UpstreamTime", "Duration")}
    assert all(time > 0 for time in times.values())
    line.pop("TokensPerSecond", None)
    line.pop("request_bytes")
    line.pop("Door", None)
    assert line == {
        "level": "INFO",
        "request_id": "lambda-id",
        "lambda_request_id": "lambda-id",
        "route": "smoke test",
        "Model": "llama",
        "endpoint": "llama-endpoint",
        "status": 200,
        "Retries": 0,
        "PromptTokens": 1,
        "GeneratedTokens": 3,
        "finish_reason": "length",
    }


@pytest.mark.parametrize(
    ("reply", "status", "kind", "cause"),
    [
        (error(403, "AccessDeniedException"), 502, "permission", "AccessDeniedException"),
        (error(424, "ModelError", OriginalStatusCode=500, OriginalMessage="out of memory"), 502, "upstream", None),
        (stream([part(EVENTS[0])]), 500, "incomplete_generation", "no end"),
    ],
    ids=["permission", "container", "cut off"],
)
def test_an_error_says_what_the_log_says(
    api: ApiClient, sagemaker: SageMakerDouble, reply: Reply, status: int, kind: str, cause: str | None
) -> None:
    sagemaker.replies.append(reply)
    response = invoke(api, event())
    (line,) = api.log()
    found = response.json()["error"]
    assert (response.status, found["kind"]) == (status, kind)
    assert found["cause"] == line["cause"]
    assert cause is None or found["cause"] == cause
    assert (line["error"], line["error_status"]) == (kind, status)
    assert not {"_aws", "Requests", "ServerErrors", "ClientErrors"} & line.keys()


def test_a_model_that_the_front_door_does_not_have_is_an_error(api: ApiClient) -> None:
    response = invoke(api, event("gpt"))
    assert response.status == 404
    assert response.json()["error"]["message"].startswith("The model `gpt` does not exist. There is `llama`.")


def test_a_variant_is_named_to_sagemaker_and_without_one_it_chooses(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies += [parts(*EVENTS), parts(*EVENTS)]
    assert [invoke(api, event(variant=name)).status for name in ("trial", None)] == [200, 200]
    assert [request.headers.get("x-amzn-sagemaker-target-variant") for request in sagemaker.received] == ["trial", None]


def test_it_ends_after_the_seconds_that_it_is_given(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(Reply([lambda: time.sleep(6)]))
    began = time.monotonic()
    response = invoke(api, event(seconds=1.5))
    assert (response.status, response.json()["error"]["kind"]) == (504, "timeout")
    assert time.monotonic() - began < 6


@pytest.mark.parametrize(
    "wrong",
    [
        {"tgi_endpoint": None},
        {"tgi_endpoint": {}},
        {"tgi_endpoint": {"smoke_test": "llama"}},
        event(None),
        event(seconds=0),
        event(seconds=201),
        event(seconds="50"),
        event(seconds=True),
        event(target=5),
        event(variant=["trial"]),
    ],
)
def test_an_event_of_another_form_is_an_error(api: ApiClient, wrong: dict[str, Any]) -> None:
    response = invoke(api, wrong)
    assert response.status == 400
    assert response.json()["error"] == {
        "message": 'The event must be {"tgi_endpoint": {"smoke_test": {"model": <name>, "seconds": <number>}}}, with'
        ' at most 200 seconds, and with a "target" or "variant" if one of several is meant.',
        "kind": "bad_request",
        "cause": None,
    }


def test_a_defect_is_500_and_its_message_is_in_neither_the_response_nor_the_log(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise KeyError("the prompt")

    monkeypatch.setattr("front_door.protocols.smoke_test.completions", fail)
    response = invoke(api, event())
    assert (response.status, response.json()["error"]["kind"]) == (500, "internal")
    (line,) = api.log()
    assert line["cause"] == "KeyError"
    assert "the prompt" not in str(line)


def test_every_engine_is_asked_in_its_own_protocol(echo: ApiClient, sagemaker: SageMakerDouble) -> None:  # noqa: F811
    sagemaker.replies.append(parts(*ANSWER))
    response = invoke(echo, event())
    assert sagemaker.received[0].json() == {"echo": "Hello", "temperature": None, "limit": 8}
    assert response.json()["choices"][0]["text"] == "Hello you"


def test_no_http_request_becomes_such_an_event(keyed: Callable[..., ApiClient], sagemaker: SageMakerDouble) -> None:
    """API Gateway's events have a fixed set of members, whatever a client sends."""
    forged, main = json.dumps(event()), FakeFunction({"statusCode": 200, "body": "{}"})

    async def send() -> None:
        async with running(build_api(), main=main) as gateway:
            for path in ("/", "/tgi_endpoint", "/v1/completions", f"/x?tgi_endpoint={forged}&smoke_test=llama"):
                for verb in ("GET", "POST", "PUT", "OPTIONS", "PATCH"):
                    headers = {"tgi_endpoint": forged, "x-amz-invocation-type": "RequestResponse"}
                    await gateway.send(verb, f"/prod{path}", data=forged, headers=headers)

    check(send)
    api = keyed(LLAMA)
    assert len(main.events) == 20
    for sent in main.events:
        assert set(sent) == {
            "resource",
            "path",
            "httpMethod",
            "headers",
            "multiValueHeaders",
            "queryStringParameters",
            "multiValueQueryStringParameters",
            "pathParameters",
            "stageVariables",
            "requestContext",
            "body",
            "isBase64Encoded",
        }
        assert invoke(api, sent).status in (401, 404)
    assert sagemaker.received == []


def test_an_http_request_with_a_member_of_that_name_stays_one(
    keyed: Callable[..., ApiClient], sagemaker: SageMakerDouble
) -> None:
    api = keyed(LLAMA)
    path = {"httpMethod": "POST", "path": "/v1/completions", "headers": {}, "requestContext": {}, "body": "{}"}
    assert invoke(api, {**path, **event()}).status == 401
    assert sagemaker.received == []


def test_ordinary_requests_do_not_import_it(sagemaker: SageMakerDouble) -> None:
    program = (
        "import os, sys, types\n"
        "from front_door.app import App\nfrom front_door.config import Config, Model\n"
        f"app = App(Config({{'llama': Model('llama', 'e', None, 1000)}}, {sagemaker.url!r}, '', 'eu-west-1'))\n"
        "event = {'httpMethod': 'GET', 'path': '/v1/models', 'requestContext': {}, 'headers': {}}\n"
        "app.handle(event, types.SimpleNamespace(request_id='1', deadline=2**40))\n"
        "print([name for name in sys.modules if 'smoke' in name])\n"
    )
    folder = Path(__file__).parents[3] / "lambda"
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_it_works_streamed_and_unstreamed(sagemaker: SageMakerDouble) -> None:
    urls = {"SAGEMAKER_RUNTIME_URL": sagemaker.url, "SAGEMAKER_URL": sagemaker.url, "API_KEYS": "on"}
    found = []

    async def streamed(deployed: Function) -> None:
        prelude, payload = await answer(deployed, event())
        found.append((prelude["statusCode"], json.loads(payload)))

    async def unstreamed() -> None:
        deployed = function(function_files("front_door"), [], environment=urls)
        try:
            response = json.loads(await deployed.invoke(event()))
        finally:
            await deployed.close()
        found.append((response["statusCode"], json.loads(response["body"])))

    sagemaker.replies += [parts(*EVENTS), parts(*EVENTS)]
    assert run(function_files("front_door"), streamed, environment={**WRAPPER, **urls}).violations == []
    asyncio.run(unstreamed())
    assert [(status, body["choices"][0]["text"]) for status, body in found] == [(200, TEXT), (200, TEXT)]


def test_a_model_that_answers_chats_alone_is_asked_by_a_chat(
    keyed: Callable[..., ApiClient], sagemaker: SageMakerDouble
) -> None:
    sagemaker.replies.append(parts(*natives.ANSWER))
    response = invoke(keyed(natives.SGLANG), event())
    assert (response.status, response.json()["usage"]) == (200, natives.USAGE)
    sent = sagemaker.received[0].json()
    assert (sent["messages"], sent["max_tokens"]) == ([{"role": "user", "content": "Hello"}], 8)
    assert "prompt" not in sent
