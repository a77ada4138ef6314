"""Routes to more than one model, the routes about the front door itself, and pages of other origins."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from front_door import routes

from tests.lambda_.conftest import FALCON, LLAMA, OPENAPI_FILE, ApiClient, ClientResponse
from tests.lambda_.sagemaker_double import SageMakerDouble, parts, plain_response

DETAILS = {"finish_reason": "length", "generated_tokens": 1, "seed": None, "input_length": 6}
END = f"data: {json.dumps({'index': 1, 'token': {}, 'generated_text': 'x', 'details': DETAILS})}\n\n".encode()
HUB_ID = "meta-llama/Llama-3.1-8B-Instruct"


@pytest.fixture
def two(api_for: Callable[..., ApiClient]) -> ApiClient:
    return api_for(LLAMA, FALCON)


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [
        ("/models/llama/generate", "llama-endpoint"),
        ("/models/falcon/generate", "falcon-endpoint"),
        ("/models/falcon", "falcon-endpoint"),
        ("/models/falcon/generate_stream", "falcon-endpoint"),
        ("/models/falcon/invocations", "falcon-endpoint"),
        ("/models/meta-llama%2FLlama-3.1-8B-Instruct/generate", "llama-endpoint"),
    ],
)
def test_the_path_names_the_model(two: ApiClient, sagemaker: SageMakerDouble, path: str, endpoint: str) -> None:
    sagemaker.replies.append(parts(END))
    assert two.send(path, {"inputs": "Hi"}).status == 200
    assert sagemaker.received[0].path == f"/endpoints/{endpoint}/invocations-response-stream"


@pytest.mark.parametrize("path", ["/models/gpt/generate", "/models/gpt/info", "/models/gpt/health", "/models/%00"])
def test_an_unknown_model_is_404(two: ApiClient, path: str) -> None:
    answer = two.send(path, {"inputs": "Hi"} if path.endswith(("generate", "%00")) else None)
    assert (answer.status, answer.json()["error_type"]) == (404, "model_not_found")
    assert answer.json()["error"].endswith("` does not exist. There is `llama`, `falcon`.")


def test_a_hub_id_of_two_models_is_the_name_of_neither(api_for: Callable[..., ApiClient]) -> None:
    api = api_for(LLAMA, replace(FALCON, model_id=HUB_ID))
    for answer in (api.send(f"/v1/models/{HUB_ID}"), api.send("/v1/chat/completions", {"model": HUB_ID})):
        assert answer.status == 404
        assert answer.json()["error"]["message"] == f"The model `{HUB_ID}` does not exist. There is `llama`, `falcon`."


@pytest.mark.parametrize("name", ["falcon", "llama", "meta-llama%2FLlama-3.1-8B-Instruct"])
def test_a_models_own_path_lists_that_model(two: ApiClient, name: str) -> None:
    expected = "falcon" if name == "falcon" else "llama"
    assert [each["id"] for each in two.send(f"/models/{name}/v1/models").json()["data"]] == [expected]


@pytest.mark.parametrize(
    ("path", "resource"),
    [
        ("/models/gpt/v1/chat/completions", "/models/{model}/v1/chat/completions"),
        ("/models/gpt/v1/completions", None),
        ("/models/llama/v1/nowhere", "/{proxy+}"),
        ("/models/llama/v1/chat", "/models/{model}/v1/chat"),
    ],
)
def test_errors_below_a_models_v1_are_openais(two: ApiClient, path: str, resource: str | None) -> None:
    names = {"pathParameters": {"model": path.split("/")[2]}} if resource and "{model}" in resource else {}
    answer = two.send(path, {}, resource=resource, **names)
    assert (answer.status, answer.json()["error"]["type"]) == (404, "invalid_request_error")


@pytest.mark.parametrize(
    "path", ["/v1/models/llama", f"/v1/models/{HUB_ID}", "/v1/models/meta-llama%2FLlama-3.1-8B-Instruct"]
)
def test_a_model_is_found_by_its_name_and_its_hub_id(two: ApiClient, path: str) -> None:
    described = {"id": "llama", "object": "model", "created": 0, "owned_by": HUB_ID}
    assert two.send(path).json() == described


def test_an_unknown_model_is_openais_404_under_v1(two: ApiClient) -> None:
    answer = two.send("/v1/models/gpt-4o")
    assert answer.status == 404
    assert answer.json()["error"] == {
        "message": "The model `gpt-4o` does not exist. There is `llama`, `falcon`.",
        "type": "invalid_request_error",
        "param": "model",
        "code": "model_not_found",
    }


FACTS = {
    "version": "3.3.6",
    "revision": None,
    "dtype": "bfloat16",
    "max_input_tokens": 6144,
    "max_total_tokens": 8192,
    "max_batch_total_tokens": 24092,
    "max_concurrent_requests": 64,
    "max_best_of": 2,
    "max_stop_sequences": 8,
    "max_client_batch_size": 4,
}


def test_info_reports_the_plans_facts_and_no_endpoint(api_for: Callable[..., ApiClient]) -> None:
    result = api_for(replace(LLAMA, facts=FACTS)).send("/info").json()
    assert result == {
        "model_id": HUB_ID,
        "model_sha": None,
        "model_pipeline_tag": None,
        "max_concurrent_requests": 64,
        "validation_workers": 2,
        "max_best_of": 2,
        "max_stop_sequences": 8,
        "max_client_batch_size": 4,
        "max_input_tokens": 6144,
        "max_total_tokens": 8192,
        "router": "text-generation-router",
        "version": "3.3.6",
        "sha": None,
        "docker_label": None,
    }
    assert "endpoint" not in json.dumps(result)


def test_info_of_one_of_two_models_requires_its_name(two: ApiClient) -> None:
    assert two.send("/models/falcon/info").json()["model_id"] == "/opt/ml/model"
    assert two.send("/info").status == 404


def test_health_of_one_model_checks_only_its_endpoint(two: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(plain_response(b'{"EndpointStatus": "InService"}'))
    assert two.send("/models/falcon/health").status == 200
    assert [request.json()["EndpointName"] for request in sagemaker.received] == ["falcon-endpoint"]


@pytest.mark.parametrize("headers", [{}, {"Accept": "text/html,*/*"}, {"Accept": "*/*"}])
def test_the_root_is_tgis_health_without_a_playground(
    api: ApiClient, sagemaker: SageMakerDouble, headers: dict[str, str]
) -> None:
    sagemaker.replies.append(plain_response(b'{"EndpointStatus": "InService"}'))
    answer = api.send("/", method="GET", headers=headers)
    assert (answer.status, answer.body) == (200, b"{}")


def test_invocations_accepts_inputs(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies += [parts(END), parts(END)]
    assert api.send("/invocations", {"inputs": "Hi", "messages": []}).json() == [{"generated_text": "x"}]
    assert api.send("/invocations", {"inputs": "Hi", "stream": True}).body == END


def test_invocations_accepts_messages_as_a_chat(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    usage = b'data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10}}\n\n'
    chat = b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":"x"},"finish_reason":"stop"}]}\n\n'
    sagemaker.replies.append(parts(chat, usage, b"data: [DONE]\n\n"))
    answer = api.send("/invocations", {"messages": [{"role": "user", "content": "Hi"}], "prompt": "x"})
    assert answer.json()["choices"][0]["message"]["content"] == "x"


def test_invocations_rejects_other_bodies(api: ApiClient) -> None:
    answer = api.send("/invocations", {"input": "Hi"})
    assert answer.status == 422
    assert answer.json()["error"].endswith("missing field `inputs` or `messages` or `prompt`")


def test_the_openapi_description_is_served(api: ApiClient) -> None:
    answer = api.send("/openapi.json")
    described = json.loads(OPENAPI_FILE.read_text())
    del described["paths"]["/models/{model}/wake"]
    assert answer.json() == described


@pytest.mark.parametrize("method", ["GET", "DELETE", "POST"])
@pytest.mark.parametrize(
    "path",
    [
        "/v1/responses/resp_1",
        "/v1/responses/resp_1/cancel",
        "/v1/responses/resp_1/input_items",
        "/models/llama/v1/responses/resp_1",
    ],
)
def test_below_responses_it_says_that_nothing_is_stored(api: ApiClient, path: str, method: str) -> None:
    answer = api.send(path, method=method)
    error = answer.json()["error"]
    assert (answer.status, error["code"]) == (404, "unknown_url")
    assert error["message"].startswith(f"There is no {path} here: no response is stored, so that none can be read")


def test_each_routes_handler_exists() -> None:
    from importlib import import_module

    for route in routes.ROUTES:
        module, _, name = route.handler.rpartition(".")
        assert callable(getattr(import_module(f"front_door.{module}"), name))


ORIGIN = "https://app.example"


def api_with(api_for: Callable[..., ApiClient], *origins: str) -> ApiClient:
    made = api_for(LLAMA)
    made.app._config = replace(made.app._config, cors_origins=origins)
    return made


def cors(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.startswith("Access-Control") or name == "Vary"}


@pytest.mark.parametrize(
    ("origins", "origin", "allowed", "vary"),
    [
        ((), ORIGIN, None, None),
        ((ORIGIN,), ORIGIN, ORIGIN, "Origin"),
        ((ORIGIN, "https://b.example"), "https://b.example", "https://b.example", "Origin"),
        ((ORIGIN,), "https://app.example.evil.example", None, "Origin"),
        ((ORIGIN,), "null", None, "Origin"),
        ((ORIGIN,), None, None, "Origin"),
        (("*",), "https://any.example", "*", None),
    ],
)
@pytest.mark.parametrize("path", ["/v1/models", "/nope", "/generate"])
def test_responses_have_cors_headers(
    api_for: Callable[..., ApiClient],
    origins: tuple[str, ...],
    origin: str | None,
    allowed: str | None,
    vary: str | None,
    path: str,
) -> None:
    headers = {} if origin is None else {"Origin": origin}
    result = cors(api_with(api_for, *origins).send(path, method="GET", headers=headers).headers)
    assert (result.get("Access-Control-Allow-Origin"), result.get("Vary")) == (allowed, vary)
    assert "Access-Control-Allow-Credentials" not in result


def preflight(client: ApiClient, path: str, method: str = "POST", *requested: str) -> ClientResponse:
    """Ask as a browser does before a page's request with these headers."""
    headers = {"Origin": [ORIGIN], "Access-Control-Request-Method": [method]}
    headers |= {"Access-Control-Request-Headers": list(requested)} if requested else {}
    return client.send(path, method="OPTIONS", multiValueHeaders=headers)


# What browsers announce for openai's `.stream()` and, in Firefox, for every package that sets User-Agent.
OF_PACKAGES = "authorization,content-type,user-agent,x-stainless-helper-method,x-stainless-os"
# The same for @anthropic-ai/sdk with its betas.
OF_ANTHROPIC = (
    "anthropic-beta,anthropic-dangerous-direct-browser-access,anthropic-version,content-type,x-api-key,"
    "x-stainless-lang,x-stainless-retry-count,x-stainless-timeout"
)


@pytest.mark.parametrize("origins", [(ORIGIN,), ("*",)])
def test_a_preflight_request_is_allowed_the_headers_that_it_asks_for(
    api_for: Callable[..., ApiClient], origins: tuple[str, ...]
) -> None:
    answer = preflight(api_with(api_for, *origins), "/v1/chat/completions", "POST", OF_PACKAGES)
    assert (answer.status, answer.body) == (200, b"{}")
    assert answer.headers["Access-Control-Allow-Origin"] == origins[0]
    assert answer.headers["Access-Control-Allow-Methods"] == "POST"
    assert answer.headers["Access-Control-Allow-Headers"] == OF_PACKAGES
    assert answer.headers["Access-Control-Max-Age"] == "86400"
    assert answer.headers["Access-Control-Expose-Headers"] == (
        "x-request-id, request-id, retry-after, x-should-retry, x-prompt-tokens, x-generated-tokens, x-tgi-difference,"
        " allow"
    )


def test_pages_may_send_what_anthropics_package_sends_and_read_the_id_of_their_request(
    api_for: Callable[..., ApiClient],
) -> None:
    client = api_with(api_for, ORIGIN)
    asked = preflight(client, "/v1/messages", "POST", OF_ANTHROPIC)
    assert (asked.status, asked.headers["Access-Control-Allow-Headers"]) == (200, OF_ANTHROPIC)
    answer = client.send("/v1/messages", {}, headers={"Origin": ORIGIN, "Content-Type": "application/json"})
    assert (answer.status, answer.json()["type"]) == (400, "error")
    assert "request-id" in answer.headers["Access-Control-Expose-Headers"].split(", ")
    assert answer.headers["request-id"] == answer.headers["x-request-id"] == answer.json()["request_id"]


def test_requested_headers_may_be_in_several_lines(api_for: Callable[..., ApiClient]) -> None:
    answer = preflight(api_with(api_for, ORIGIN), "/generate", "POST", "authorization", "x-a")
    assert answer.headers["Access-Control-Allow-Headers"] == "authorization, x-a"


@pytest.mark.parametrize("requested", ["x-a\r\nx-evil: 1", "é", 'x"', "x" * 10 + "\0", ""])
def test_requested_headers_that_are_no_names_are_not_repeated(
    api_for: Callable[..., ApiClient], requested: str
) -> None:
    answer = preflight(api_with(api_for, ORIGIN), "/generate", "POST", requested)
    assert (answer.status, "Access-Control-Allow-Headers" in answer.headers) == (200, False)


@pytest.mark.parametrize(("path", "method", "status"), [("/nope", "POST", 404), ("/v1/models", "DELETE", 405)])
def test_a_preflight_of_what_does_not_exist_is_answered_so_that_the_page_can_read_why(
    api_for: Callable[..., ApiClient], path: str, method: str, status: int
) -> None:
    client = api_with(api_for, ORIGIN)
    asked = preflight(client, path, method, "authorization")
    assert (asked.status, asked.headers["Access-Control-Allow-Methods"]) == (200, method)
    answer = client.send(path, method=method, headers={"Origin": ORIGIN})
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (status, ORIGIN)


def test_an_options_request_that_asks_for_no_method_gets_those_of_the_path(api_for: Callable[..., ApiClient]) -> None:
    client = api_with(api_for, ORIGIN)
    allowed = [
        client.send(path, method="OPTIONS").headers.get("Access-Control-Allow-Methods") for path in ("/", "/nope")
    ]
    assert allowed == ["POST, GET", None]


@pytest.mark.parametrize(("path", "status"), [("/generate", 405), ("/nope", 404)])
def test_without_cors_there_is_no_preflight(api: ApiClient, path: str, status: int) -> None:
    assert preflight(api, path).status == status


@pytest.mark.parametrize("path", ["/v1/models/{model}", "/models/{model}/info"])
def test_the_text_of_a_template_names_no_model(api: ApiClient, path: str) -> None:
    assert api.send(path).status == 404


def test_a_model_is_one_segment_but_may_be_a_hub_id_under_v1() -> None:
    def paths(path: str) -> Any:
        found, variables = routes.match(path)
        return next(iter(found.values())).path if found else None, variables

    assert paths("/models/a/generate") == ("/models/{model}/generate", {"model": "a"})
    assert paths("/models/a/b/generate") == (None, {})
    assert paths("/models//generate") == (None, {})
    assert paths("/v1/models/a/b") == ("/v1/models/{model}", {"model": "a/b"})
    assert paths("/v1/models/") == (None, {})
    assert paths("/v1/models/{model}") == ("/v1/models/{model}", {"model": "{model}"})
    assert paths("/models/{model}/info") == ("/models/{model}/info", {"model": "{model}"})


@pytest.mark.parametrize(
    ("path", "resource", "parameters"),
    [
        ("/models/meta-llama/Llama-3.1-8B-Instruct/generate", "/models/{model}/generate", {"model": HUB_ID}),
        (
            "/models/x/generate",
            "/models/{model}/generate",
            {"model": "meta-llama%2FLlama-3.1-8B-Instruct"},
        ),
        ("/base/generate", "/generate", None),
    ],
)
def test_the_gateways_match_takes_precedence_over_the_path(
    api: ApiClient, sagemaker: SageMakerDouble, path: str, resource: str, parameters: dict[str, str] | None
) -> None:
    sagemaker.replies.append(parts(END))
    assert api.send(path, {"inputs": "Hi"}, resource=resource, pathParameters=parameters).status == 200


@pytest.mark.parametrize("resource", ["/{proxy+}", "/models/{model}/generate", "/v1", None])
def test_an_unusable_match_of_the_gateway_is_ignored(api: ApiClient, resource: str | None) -> None:
    assert api.send("/v1/models", resource=resource, pathParameters=None).status == 200
    assert api.send("/nope", resource=resource, pathParameters=None).status == 404


@pytest.mark.parametrize(
    ("path", "resource", "is_openais"),
    [
        ("/base/v1/chat/completions", "/v1/chat/completions", True),
        ("/v1/nope", "/{proxy+}", True),
        ("/nope", "/{proxy+}", False),
        ("/generate", "/generate", False),
    ],
)
def test_errors_have_the_form_of_the_routes_protocol(
    api: ApiClient, path: str, resource: str, is_openais: bool
) -> None:
    error = api.send(path, {}, resource=resource).json()["error"]
    assert isinstance(error, dict) == is_openais


class TestFrontDoorThatRequiresApiKeys:
    """The gateway checks keys; the function rejects requests for which it has not found one."""

    @pytest.fixture
    def keyed(self, api_for: Callable[..., ApiClient], tmp_path: Path) -> ApiClient:
        made = api_for(LLAMA)
        page = tmp_path / "index.html"
        page.write_text("<title>Playground</title>")
        changes = {"requires_api_key": True, "playground_page": str(page), "cors_origins": (ORIGIN,)}
        made.app._config = replace(made.app._config, **changes)
        return made

    @pytest.mark.parametrize("context", [{}, None, {"identity": None}, {"identity": {"apiKeyId": None}}])
    @pytest.mark.parametrize("path", ["/v1/models", "/info", "/"])
    def test_rejects_a_request_without_a_known_key(self, keyed: ApiClient, path: str, context: Any) -> None:
        answer = keyed.send(path, requestContext=context, headers={"Authorization": "Bearer made-up"})
        assert (answer.status, answer.json()["error_type"]) == (401, "invalid_api_key")
        assert keyed.log()[0]["cause"] == "no API key"

    def test_accepts_a_request_with_a_key(self, keyed: ApiClient) -> None:
        assert keyed.send("/v1/models").status == 200

    def test_responds_to_a_preflight_request(self, keyed: ApiClient) -> None:
        assert keyed.send("/v1/models", method="OPTIONS", requestContext={}, headers={"Origin": ORIGIN}).status == 200

    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_serves_the_playground(self, keyed: ApiClient, method: str) -> None:
        answer = keyed.send("/", method=method, requestContext={}, headers={"Accept": "text/html"})
        assert (answer.status, answer.body) == (200, b"<title>Playground</title>")
        assert answer.headers["Vary"] == "Accept, Origin"
