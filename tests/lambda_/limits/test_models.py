"""Which models a caller sees and may call, by its API key or the scopes of its token."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from openai import OpenAI, PermissionDeniedError

from tests.lambda_.conftest import FALCON, LLAMA
from tests.lambda_.limits.conftest import Door, Doors, by_key, by_token
from tests.lambda_.limits.table import Table
from tests.lambda_.protocols.openai.events import ANSWER
from tests.lambda_.protocols.tgi.test_routes import generation
from tests.lambda_.sagemaker_double import SageMakerDouble, parts, plain_response

CALLERS = {
    "consumers": {
        "team-a": {"keys": ["key-a1", "key-a2"], "models": ["llama"]},
        "team-b": {"keys": ["key-b"]},
        "nobody": {"keys": ["key-n"], "models": []},
    },
    "on_store_failure": "open",
}
SCOPES = {"scopes": {"llm:llama": ["llama"], "llm:all": ["llama", "falcon"]}, "on_store_failure": "open"}
ADAPTED = replace(FALCON, adapters={"sql": None})
CHAT = {"messages": [{"role": "user", "content": "Hi"}]}
INPUTS = {"inputs": "Hi"}
NEEDED = "You may not call the model `llama`; you may call none. A token for it has the scope `llm:llama` or `llm:all`."


@pytest.mark.parametrize("key", ["key-a1", "key-a2"])
def test_each_key_of_a_consumer_may_call_its_models(key: str, door_for: Doors, sagemaker: SageMakerDouble) -> None:
    door = door_for(CALLERS)
    sagemaker.replies += [parts(*ANSWER), parts(*generation())]
    caller = {"requestContext": by_key(key)}
    assert door.read("/v1/chat/completions", {**CHAT, "model": "llama"}, **caller).status == 200
    assert door.read("/models/llama/generate", INPUTS, **caller).status == 200
    assert [(line["consumer"], line["api_key_id"]) for line in door.log()] == [("team-a", key)] * 2


FORBIDDEN = "You may not call the model `falcon`; you may call `llama`."


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", {**CHAT, "model": "falcon"}),
        ("/v1/chat/completions", {**CHAT, "model": "falcon", "stream": True}),
        ("/v1/chat/completions", {**CHAT, "model": "falcon:sql"}),
        ("/v1/chat/completions", {**CHAT, "model": "falcon:unknown"}),
        ("/v1/completions", {"prompt": "Hi", "model": "org/falcon"}),
        ("/models/falcon/v1/chat/completions", {**CHAT, "model": "llama"}),
        ("/models/falcon/v1/models", None),
        ("/v1/models/falcon", None),
        ("/v1/models/falcon:sql", None),
    ],
)
def test_another_model_is_forbidden_to_openais_clients(
    path: str, body: Any, door_for: Doors, sagemaker: SageMakerDouble
) -> None:
    door = door_for(CALLERS, {"llama": LLAMA, "falcon": replace(ADAPTED, model_id="org/falcon")})
    response = door.read(path, body, requestContext=by_key("key-a1"))
    assert (response.status, response.json()) == (
        403,
        {
            "error": {
                "message": FORBIDDEN,
                "type": "invalid_request_error",
                "param": "model",
                "code": "access_denied",
            },
            "error_type": "access_denied",
        },
    )
    assert sagemaker.received == []
    line = door.line()
    assert (line["Model"], line["error"], line["cause"]) == ("falcon", "access_denied", "model")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/models/falcon/generate", INPUTS),
        ("/models/falcon/generate_stream", INPUTS),
        ("/models/falcon", INPUTS),
        ("/models/falcon/invocations", INPUTS),
        ("/models/falcon/invocations", {**CHAT, "model": "llama"}),
        ("/models/falcon/wake", {}),
        ("/models/falcon/info", None),
        ("/models/falcon/health", None),
    ],
)
def test_and_to_tgis(path: str, body: Any, door_for: Doors, sagemaker: SageMakerDouble) -> None:
    door = door_for(CALLERS, has_wake_route=True)
    response = door.read(path, body, requestContext=by_key("key-a1"))
    assert (response.status, response.json()) == (403, {"error": FORBIDDEN, "error_type": "access_denied"})
    assert sagemaker.received == []


def names(door: Door, context: dict[str, Any], path: str = "/v1/models") -> list[str]:
    return [model["id"] for model in door.read(path, requestContext=context).json()["data"]]


def test_the_list_of_models_has_those_that_the_caller_may_call(door_for: Doors) -> None:
    door = door_for(CALLERS, {"llama": LLAMA, "falcon": ADAPTED})
    assert names(door, by_key("key-a1")) == ["llama"]
    assert names(door, by_key("key-b")) == ["llama", "falcon", "falcon:sql"]
    assert names(door, by_key("key-b"), "/models/falcon/v1/models") == ["falcon", "falcon:sql"]
    assert names(door, by_key("key-n")) == []


def test_no_message_names_another_model(door_for: Doors) -> None:
    door = door_for(CALLERS)
    for path, body in [
        ("/v1/chat/completions", {**CHAT, "model": "lama"}),
        ("/v1/chat/completions", CHAT),
        ("/generate", INPUTS),
        ("/info", None),
        ("/v1/models/lama", None),
    ]:
        response = door.read(path, body, requestContext=by_key("key-a1"))
        assert (response.status in (400, 404), b"falcon" in response.body) == (True, False), path
    missing = door.read("/v1/chat/completions", {**CHAT, "model": "lama"}, requestContext=by_key("key-a1"))
    assert (missing.status, missing.json()["error"]["code"]) == (404, "model_not_found")
    assert missing.json()["error"]["message"] == "The model `lama` does not exist. There is `llama`."
    missing = door.read("/v1/models/lama", requestContext=by_key("key-n"))
    assert missing.json()["error"]["message"] == "The model `lama` does not exist. There is none that you may call."


def test_the_only_model_may_be_forbidden_too(door_for: Doors) -> None:
    door = door_for(CALLERS, {"llama": LLAMA})
    for path, body in [
        ("/generate", INPUTS),
        ("/info", None),
        ("/v1/chat/completions", CHAT),
        ("/v1/chat/completions", {**CHAT, "model": "tgi"}),
    ]:
        response = door.read(path, body, requestContext=by_key("key-n"))
        message = "You may not call the model `llama`; you may call none."
        assert (response.status, message.encode() in response.body) == (403, True), path


@pytest.mark.parametrize("key", ["another-key", None])
def test_a_key_that_the_file_does_not_know_may_call_no_model(key: str | None, door_for: Doors) -> None:
    door = door_for(CALLERS)
    assert names(door, by_key(key)) == []
    assert door.read("/v1/chat/completions", {**CHAT, "model": "llama"}, requestContext=by_key(key)).status == 403
    assert door.log()[-1].get("consumer") == key


def test_routes_that_are_about_no_model_answer_everybody(door_for: Doors, sagemaker: SageMakerDouble) -> None:
    door = door_for(CALLERS)
    status = json.dumps({"EndpointStatus": "InService"}).encode()
    sagemaker.replies += [plain_response(status), plain_response(status)]
    assert door.read("/health", requestContext=by_key("key-n")).status == 200
    assert door.read("/openapi.json", requestContext=by_key("key-n")).status == 200


class TestScopes:
    @pytest.mark.parametrize(
        ("scopes", "models"),
        [
            ("llm:llama", ["llama"]),
            ("openid llm:llama profile", ["llama"]),
            ("llm:all", ["llama", "falcon"]),
            ("llm:llama llm:all", ["llama", "falcon"]),
            ("LLM:llama llm:llama2 llm", []),
            ("", []),
            (None, []),
        ],
    )
    def test_a_token_may_call_the_models_of_its_scopes(
        self, scopes: str | None, models: list[str], door_for: Doors
    ) -> None:
        assert names(door_for(SCOPES), by_token(scopes)) == models

    def test_the_error_names_the_scopes_that_would_do(self, door_for: Doors) -> None:
        door = door_for(SCOPES)
        response = door.read("/v1/models/llama", requestContext=by_token("openid"))
        assert (response.status, response.json()["error"]["message"]) == (403, NEEDED)

    def test_an_api_key_grants_nothing_there(self, door_for: Doors) -> None:
        assert names(door_for(SCOPES), by_key("llm:all")) == []

    def test_nothing_is_counted_and_the_consumer_is_the_tokens_subject(
        self, door_for: Doors, sagemaker: SageMakerDouble, table: Table
    ) -> None:
        door = door_for(SCOPES)
        sagemaker.replies += [parts(*ANSWER)]
        context = by_token("llm:llama")
        assert door.read("/v1/chat/completions", {**CHAT, "model": "llama"}, requestContext=context).status == 200
        line = door.line()
        assert (line["consumer"], "api_key_id" in line, table.updates) == ("user-1", False, 0)


def test_openais_package_raises_its_error_of_permission(door_for: Doors) -> None:
    response = door_for(CALLERS).read("/v1/models/falcon", requestContext=by_key("key-a1"))
    client = OpenAI(api_key="key", base_url="http://127.0.0.1:1")
    answer = httpx2.Response(response.status, json=response.json(), request=httpx2.Request("GET", "http://x/"))
    assert isinstance(client._make_status_error_from_response(answer), PermissionDeniedError)


def test_a_caller_may_use_the_aliases_of_its_models_and_no_others(door_for: Doors, sagemaker: SageMakerDouble) -> None:
    door = door_for(CALLERS, aliases={"claude-*": "llama", "gpt-*": "falcon"})
    sagemaker.replies.append(parts(*ANSWER))
    caller = {"requestContext": by_key("key-a1")}
    assert door.read("/v1/chat/completions", {**CHAT, "model": "claude-opus"}, **caller).status == 200
    refused = door.read("/v1/chat/completions", {**CHAT, "model": "gpt-5"}, **caller)
    assert (refused.status, refused.json()["error"]["message"]) == (403, FORBIDDEN)
