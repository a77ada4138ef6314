"""LoRA adapters: how clients name them, and how each engine hears of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from front_door.config import Model

from tests.lambda_.conftest import LLAMA, ApiClient
from tests.lambda_.protocols.openai import events as tgi
from tests.lambda_.protocols.openai.natives import ANSWER, CONTAINER, HI, LMI, NAME, SGLANG, VLLM
from tests.lambda_.sagemaker_double import SageMakerDouble, parts

Api = Callable[..., ApiClient]
ADAPTERS: dict[str, str | None] = {"sql": None, "org/fr": "llama-fr"}
CHAT = "/v1/chat/completions"
COMPONENT, ATTRIBUTES = "x-amzn-sagemaker-inference-component", "x-amzn-sagemaker-custom-attributes"
GENERATED = tgi.sse(
    {
        "index": 1,
        "token": {"id": 1, "text": "x", "logprob": -1, "special": False},
        "generated_text": "x",
        "details": {"finish_reason": "length", "generated_tokens": 1, "seed": None, "input_length": 1},
    }
)


def with_adapters(model: Model) -> Model:
    return replace(model, adapters=ADAPTERS)


def answer(name: str) -> list[bytes]:
    return [event.replace(NAME.encode(), name.encode()) for event in ANSWER]


@pytest.mark.parametrize(
    ("model", "members", "attributes"),
    [
        (VLLM, {"model": "sql"}, "route=/v1/chat/completions"),
        (SGLANG, {"model": "llama:sql"}, None),
        (LMI, {"adapters": "sql"}, None),
        (CONTAINER, {"model": "sql"}, None),
        (LLAMA, {"model": "sql"}, None),
    ],
)
def test_each_engine_hears_of_an_adapter_of_its_container_in_its_way(
    api_for: Api, sagemaker: SageMakerDouble, model: Model, members: dict[str, Any], attributes: str | None
) -> None:
    api = api_for(with_adapters(model))
    sagemaker.replies.append(parts(*(tgi.ANSWER if model is LLAMA else answer("sql"))))
    response = api.send(CHAT, {**HI, "model": "llama:sql"})
    assert response.json()["model"] == "llama:sql"
    (request,) = sagemaker.received
    got = {name: value for name, value in request.json().items() if name in ("model", "adapters")}
    assert got == members
    assert (request.headers.get(ATTRIBUTES), request.headers.get(COMPONENT)) == (attributes, None)
    (line,) = api.log()
    assert (line["Model"], line["adapter"]) == ("llama", "sql")


@pytest.mark.parametrize("model", [VLLM, LMI, CONTAINER])
def test_an_adapter_with_an_inference_component_is_invoked_by_it(
    api_for: Api, sagemaker: SageMakerDouble, model: Model
) -> None:
    api = api_for(with_adapters(replace(model, inference_component="llama-base")))
    for name, component in (("llama:org/fr", "llama-fr"), ("llama", "llama-base")):
        sagemaker.replies.append(parts(*answer("whatever")))
        response = api.send(CHAT, {**HI, "model": name, "stream": True})
        assert f'"model":"{name}"'.encode() in response.body
        assert sagemaker.received[-1].headers[COMPONENT] == component
        assert ATTRIBUTES not in sagemaker.received[-1].headers
        sent = sagemaker.received[-1].json()
        assert sent.get("adapters") is None
        assert name == "llama" or "model" not in sent


def test_completions_have_a_path_of_their_own(api_for: Api, sagemaker: SageMakerDouble) -> None:
    api = api_for(with_adapters(VLLM))
    sagemaker.replies.append(parts(*answer("sql")))
    api.send("/models/llama:sql/v1/completions", {"prompt": "Hi"})
    assert sagemaker.received[0].headers[ATTRIBUTES] == "route=/v1/completions"
    assert sagemaker.received[0].json()["model"] == "sql"


@pytest.mark.parametrize("is_stream", [False, True])
def test_an_image_that_ignores_the_route_does_not_answer_in_the_adapters_name(
    api_for: Api, sagemaker: SageMakerDouble, is_stream: bool
) -> None:
    api = api_for(with_adapters(VLLM))
    sagemaker.replies.append(parts(*ANSWER))
    response = api.send(CHAT, {**HI, "model": "llama:sql", "stream": is_stream})
    assert response.status == 502
    assert "The model answered without the adapter" in response.json()["error"]["message"]
    assert "été" not in response.body.decode()
    assert api.log()[0]["cause"] == "another model answered"


@pytest.mark.parametrize("model", [VLLM, LLAMA])
def test_an_unknown_adapter_is_an_error_before_the_model_sees_it(
    api_for: Api, sagemaker: SageMakerDouble, model: Model
) -> None:
    api = api_for(with_adapters(model))
    for path, body in (
        (CHAT, {**HI, "model": "llama:nope"}),
        ("/models/llama:nope/v1/chat/completions", HI),
        ("/models/llama%3Anope/v1/completions", {"prompt": "Hi"}),
    ):
        response = api.send(path, body)
        assert response.status == 404
        assert response.json()["error"] == {
            "message": "The model `llama` has no adapter `nope`. It has `sql`, `org/fr`.",
            "type": "invalid_request_error",
            "param": "model",
            "code": "model_not_found",
        }
    none = api_for(model).send(CHAT, {**HI, "model": "llama:sql"}).json()["error"]["message"]
    assert none == "The model `llama` has no adapter `sql`. It has none."
    assert sagemaker.received == []


def test_an_adapter_of_an_unknown_model_is_an_unknown_model(api_for: Api) -> None:
    response = api_for(with_adapters(VLLM)).send(CHAT, {**HI, "model": "gpt:sql"})
    assert response.json()["error"]["message"] == "The model `gpt:sql` does not exist. There is `llama`."


@pytest.mark.parametrize(
    ("path", "parameters"),
    [("/generate", {"adapter_id": "sql"}), ("/models/llama:sql/generate", {}), ("/models/llama:sql", {"top_k": 3})],
)
def test_tgis_requests_name_an_adapter_by_their_parameter_or_path(
    api_for: Api, sagemaker: SageMakerDouble, path: str, parameters: dict[str, Any]
) -> None:
    api = api_for(with_adapters(LLAMA))
    sagemaker.replies.append(parts(GENERATED))
    assert api.send(path, {"inputs": "Hi", "parameters": parameters}).status == 200
    assert sagemaker.received[0].json()["parameters"]["adapter_id"] == "sql"


def test_an_unknown_adapter_id_is_an_error_in_tgis_words(api_for: Api, sagemaker: SageMakerDouble) -> None:
    api = api_for(with_adapters(LLAMA))
    for path in ("/generate", "/generate_stream", "/"):
        response = api.send(path, {"inputs": "Hi", "parameters": {"adapter_id": "nope"}})
        assert response.status == 404
        assert response.json() == {
            "error": "The model `llama` has no adapter `nope`. It has `sql`, `org/fr`.",
            "error_type": "model_not_found",
        }
    assert sagemaker.received == []


def test_tgis_parameter_names_an_adapter_of_a_completion_too(api_for: Api, sagemaker: SageMakerDouble) -> None:
    api = api_for(with_adapters(LLAMA))
    sagemaker.replies.append(parts(*tgi.COMPLETION))
    assert api.send("/v1/completions", {"prompt": "Hi", "adapter_id": "sql"}).json()["model"] == "llama:sql"
    assert sagemaker.received[0].json()["model"] == "sql"
    response = api.send("/v1/completions", {"prompt": "Hi", "adapter_id": "nope"})
    assert (response.status, response.json()["error"]["param"]) == (404, "adapter_id")
    sagemaker.replies.append(parts(GENERATED))
    assert api.send("/v1/completions", {"prompt": "Hi", "model": "llama:sql", "logprobs": 0}).status == 200
    assert sagemaker.received[1].json()["parameters"]["adapter_id"] == "sql"


def test_the_list_of_models_has_the_adapters(api_for: Api) -> None:
    api = api_for(with_adapters(VLLM))
    hub_id = LLAMA.model_id
    described = [
        {"id": "llama", "object": "model", "created": 0, "owned_by": hub_id},
        {"id": "llama:sql", "object": "model", "created": 0, "owned_by": hub_id, "parent": "llama"},
        {"id": "llama:org/fr", "object": "model", "created": 0, "owned_by": hub_id, "parent": "llama"},
    ]
    assert api.send("/v1/models").json() == {"object": "list", "data": described}
    assert api.send("/models/llama:sql/v1/models").json()["data"] == described[1:2]
    assert api.send("/v1/models/llama:org/fr").json() == described[2]
    assert api.send("/v1/models/llama:nope").status == 404
