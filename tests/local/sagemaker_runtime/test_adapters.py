"""Inference components that are adapters: who answers, and when the container loads them."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.model_container.openai.engines import ENGINES, Image
from local.sagemaker_runtime import Copy, Endpoints, Faults, Fleet, create_app
from tests.local.model_container.servers import KEY, SECRET, Servers, client_of

BODY = json.dumps({"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 9}).encode()
LOADS = {"VLLM_ALLOW_RUNTIME_LORA_UPDATING": "true"}


def client(servers: Servers, **environment: str) -> Any:
    variables = {"SM_VLLM_MODEL": "a/b", "SM_VLLM_ENABLE_LORA": "true", "TOY_TOKENS_PER_SECOND": "0", **environment}
    url = servers.serve(ENGINES["vllm"](variables, Image("vllm", "0.30.0")))
    endpoints = Endpoints()
    endpoints.add_components("shared", {"llama": Fleet(Copy(url))}, adapters={"sql": "llama", "lost": "gone"})
    return client_of(servers.serve(create_app(endpoints, Faults(), secrets={KEY: SECRET})))


def ask(client: Any, component: str) -> Any:
    answer = client.invoke_endpoint(
        EndpointName="shared", InferenceComponentName=component, Body=BODY, ContentType="application/json"
    )
    return json.loads(answer["Body"].read())


def test_an_adapter_answers_from_the_copies_of_its_component(servers: Servers) -> None:
    sagemaker = client(servers, **LOADS)
    assert ask(sagemaker, "llama")["model"] == "a/b"
    answer = ask(sagemaker, "sql")
    assert answer["model"] == "sql"
    assert answer["choices"][0]["message"]["content"].startswith(" Adapter sql:")
    assert ask(sagemaker, "llama")["model"] == "a/b"


def test_requests_at_once_load_an_adapter_once(servers: Servers) -> None:
    sagemaker = client(servers, **LOADS)
    with ThreadPoolExecutor(4) as pool:
        assert {answer["model"] for answer in pool.map(lambda _: ask(sagemaker, "sql"), range(8))} == {"sql"}


def test_a_container_that_loads_no_adapters_fails_the_calls(servers: Servers) -> None:
    with pytest.raises(ClientError) as caught:
        ask(client(servers), "sql")
    assert caught.value.response["Error"]["Code"] == "ModelError"
    assert caught.value.response["OriginalStatusCode"] == 404
    assert caught.value.response["OriginalMessage"] == '{"detail":"Not Found"}'


def test_an_adapter_of_a_component_that_does_not_serve_is_not_found(servers: Servers) -> None:
    with pytest.raises(ClientError, match=r"Inference Component lost of account 123456789012 not found\."):
        ask(client(servers, **LOADS), "lost")
