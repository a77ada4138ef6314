"""What every route promises, on those that are made of a chat's answer."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from front_door import delivery
from front_door.sagemaker import connection

from tests.lambda_.conftest import LLAMA, ApiClient
from tests.lambda_.protocols.conversations import CONVERSATIONS, Asked
from tests.lambda_.protocols.openai.events import ANSWER, DONE, text, used
from tests.lambda_.protocols.openai.natives import ANSWER as VLLM_ANSWER
from tests.lambda_.protocols.openai.natives import VLLM
from tests.lambda_.sagemaker_double import HEAD, Reply, SageMakerDouble, chunk, error, part, parts
from tests.lambda_.test_waking import NO_CAPACITY

Api = Callable[..., ApiClient]
ENGINES = {"TGI": (LLAMA, ANSWER), "vLLM": (VLLM, VLLM_ANSWER)}
THROTTLED = error(429, "ThrottlingException")
BROKEN = Reply([HEAD, chunk(part(ANSWER[0]))], then="close")


@pytest.fixture(params=CONVERSATIONS)
def asked(request: pytest.FixtureRequest) -> Asked:
    return CONVERSATIONS[request.param]


@pytest.mark.parametrize("engine", ENGINES)
def test_what_nothing_ran_for_is_repeated(api_for: Api, sagemaker: SageMakerDouble, asked: Asked, engine: str) -> None:
    model, answer = ENGINES[engine]
    sagemaker.replies += [THROTTLED, THROTTLED, parts(*answer)]
    api = api_for(model)
    response = api.send(*asked)
    assert (response.status, asked.text(response.body)) == (200, "Un été 🧸")
    (line,) = api.log()
    assert (line["Retries"], line["PromptTokens"], line["GeneratedTokens"], line["consumer"]) == (2, 9, 2, "key-id")


@pytest.mark.parametrize("reply", [BROKEN, Reply([], then="close"), error(500, "InternalFailure")])
def test_what_may_have_run_is_not(api: ApiClient, sagemaker: SageMakerDouble, asked: Asked, reply: Reply) -> None:
    sagemaker.replies += [reply, parts(*ANSWER)]
    response = api.send(*asked)
    is_late = reply is BROKEN and asked.is_streamed
    assert (response.status < 400) == is_late
    assert asked.error(response.body)["message"]
    assert len(sagemaker.received) == 1
    assert api.log()[0]["error"]


def test_an_error_before_the_stream_has_its_status_and_the_request_id(
    api: ApiClient, sagemaker: SageMakerDouble, asked: Asked
) -> None:
    sagemaker.replies.append(NO_CAPACITY)
    response = api.send(*asked)
    assert (response.status, response.headers["x-request-id"]) == (503, "gateway-id")
    assert response.headers["Retry-After"]
    error_type = asked.error(response.body)["type"]
    assert error_type == ("overloaded_error" if asked.is_message else "server_error")
    assert response.headers.get("request-id") == ("gateway-id" if asked.is_message else None)


def test_it_ends_before_the_functions_deadline(api: ApiClient, sagemaker: SageMakerDouble, asked: Asked) -> None:
    sagemaker.replies.append(Reply([HEAD, chunk(part(ANSWER[0])), lambda: time.sleep(3)], then="close"))
    started = time.monotonic()
    response = api.send(*asked, seconds=1.6)
    assert time.monotonic() - started < 2.5
    assert response.status == (200 if asked.is_streamed else 504)
    assert "in time" in asked.error(response.body)["message"]
    assert api.log()[0]["error"] == "timeout"


def test_what_takes_very_long_reports_an_error_in_its_body(
    api: ApiClient, sagemaker: SageMakerDouble, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "MAX_SILENT_SECONDS", 0.2)
    monkeypatch.setattr(connection, "KEEP_ALIVE_SECONDS", 0.1)
    sagemaker.replies.append(Reply([HEAD, lambda: time.sleep(0.5)], then="close"))
    response = api.send(*asked)
    assert response.status == 200
    assert asked.error(response.body)["message"]
    assert api.log()[0]["error"] == "upstream"


@pytest.mark.parametrize("engine", ENGINES)
def test_an_adapter_is_named_as_in_a_chat(api_for: Api, sagemaker: SageMakerDouble, asked: Asked, engine: str) -> None:
    model, answer = ENGINES[engine]
    adapters: dict[str, str | None] = {"sql": None}
    sagemaker.replies.append(parts(*(event.replace(b"/opt/ml/model", b"sql") for event in answer)))
    response = api_for(replace(model, adapters=adapters)).send(
        asked.path.replace("/models/llama/", "/models/llama:sql/"), {**asked.body, "model": "llama:sql"}
    )
    assert asked.text(response.body) == "Un été 🧸"
    assert b'"model":"llama:sql"' in response.body
    assert sagemaker.received[0].json()["model"] == "sql"


def test_a_stream_ends_for_a_stop_sequence_that_tgi_does_not_see(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(text("Un é"), text("té"), text(" end"), used(), DONE))
    asked = CONVERSATIONS["message streamed"]
    response = api.send(asked.path, {**asked.body, "stop_sequences": ["été"]})
    assert asked.text(response.body) == "Un "
    assert b'"stop_sequence":"\\u00e9t\\u00e9"' in response.body or '"stop_sequence":"été"'.encode() in response.body


def test_no_text_is_logged(api_for: Api, sagemaker: SageMakerDouble, asked: Asked) -> None:
    api = api_for(LLAMA)
    body = json.loads(json.dumps(asked.body).replace('"Hi"', '"c4n4ry-prompt"'))
    for reply in (parts(text("c4n4ry"), used(), DONE), BROKEN, NO_CAPACITY):
        sagemaker.replies[:] = [reply]
        api.send(asked.path, body)
        api.send(asked.path, {**body, "temperature": "c4n4ry", "c4n4ry": "c4n4ry"})
    lines = api.log()
    assert len(lines) == 6
    assert "c4n4ry" not in json.dumps(lines)


def test_a_model_of_another_name_is_not_found(api: ApiClient, asked: Asked) -> None:
    response = api.send(asked.path.replace("llama", "x"), {**asked.body, "model": "x"})
    assert response.status == 404
    assert "`x` does not exist" in asked.error(response.body)["message"]
