"""The routes that do not generate, and the API key."""

import pytest

from tests.local.model_container.servers import MODEL, call, post


@pytest.fixture(scope="module")
def container(servers):
    return servers.container(max_input_tokens=100, max_total_tokens=200, enable_prefill_logprobs=True)


def generate(container, inputs="What is deep learning?", route="/generate", **parameters):
    return post(container + route, {"inputs": inputs, "parameters": parameters})


def test_tokenize_returns_the_byte_range_of_each_token(container):
    tokens = post(f"{container}/tokenize", {"inputs": "naïve 🦙!"}).json
    encoded = "naïve 🦙!".encode()
    assert tokens[0] == {"id": 128000, "text": "", "start": 0, "stop": 0}
    assert [encoded[t["start"] : t["stop"]].decode() for t in tokens] == [t["text"] for t in tokens]
    assert generate(container, "naïve 🦙!").headers["x-prompt-tokens"] == str(len(tokens))


def test_info_models_health_and_metrics(container):
    info = call("GET", f"{container}/info").json
    assert list(info) == [
        "model_id", "model_sha", "model_pipeline_tag", "max_concurrent_requests", "max_best_of", "max_stop_sequences",
        "max_input_tokens", "max_total_tokens", "validation_workers", "max_client_batch_size", "router", "version",
        "sha", "docker_label",
    ]  # fmt: skip
    assert (info["model_id"], info["version"], info["max_input_tokens"]) == (MODEL, "3.3.6-dev0", 100)
    assert call("GET", f"{container}/v1/models").json == {
        "object": "list",
        "data": [{"id": MODEL, "object": "model", "created": 0, "owned_by": MODEL}],
    }
    for route in ("/", "/health", "/ping"):
        response = call("GET", container + route)
        assert (response.status, response.body) == (200, b"")
    generate(container, temperature=0)
    metrics = call("GET", f"{container}/metrics").text
    assert 'tgi_request_failure{err="validation"}' in metrics
    assert "# TYPE tgi_request_count counter" in metrics


def test_unknown_paths_and_methods_have_empty_bodies(container):
    unknown = call("GET", f"{container}/nowhere")
    assert (unknown.status, unknown.body) == (404, b"")
    assert "content-type" not in unknown.headers
    wrong = call("GET", f"{container}/invocations")
    assert (wrong.status, wrong.body, wrong.headers["allow"]) == (405, b"", "POST")
    preflight = call("OPTIONS", f"{container}/generate", headers={"origin": "https://example.com"})
    assert (preflight.status, preflight.headers["access-control-allow-methods"]) == (200, "GET,POST")


def test_an_api_key_protects_the_routes_that_generate(servers):
    container = servers.container(api_key="Secret")
    refused = generate(container)
    assert (refused.status, refused.body) == (401, b"")
    body = {"inputs": "Hello"}
    assert post(f"{container}/invocations", body, {"authorization": "Bearer secret"}).status == 200
    assert call("GET", f"{container}/ping").status == 200
