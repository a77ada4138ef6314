"""Events of API Gateway, and the responses that need no model."""

import base64
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from front_door import app
from front_door.config import ConfigError, from_environment
from front_door.http.request import Request
from front_door.routes import ROUTES

from tests.lambda_.conftest import FALCON, LLAMA, ApiClient
from tests.lambda_.sagemaker_double import SageMakerDouble, error, parts, plain_response

BODY = json.dumps({"inputs": "é"})
EVENT = 'data: {"index":1,"token":{},"generated_text":"é","details":{}}\n\n'.encode()


def test_a_base64_body_is_decoded(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(EVENT))
    body = base64.b64encode(BODY.encode()).decode()
    assert api.send("/generate", raw=body, isBase64Encoded=True).status == 200
    assert sagemaker.received[0].json()["inputs"] == "é"


def test_a_large_body_is_held_once() -> None:
    text = "x" * 2**20 + "🧸"  # of which Python makes four bytes each
    event = {"httpMethod": "POST", "path": "/", "headers": {"content-type": "application/json"}}
    tracemalloc.start()
    try:
        event["body"] = "".join(['{"inputs": "', text, '"}'])
        request = Request.from_event(event)
        value = request.json_object()
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert value == {"inputs": text}
    assert request.json_object() is value
    assert held < 5 * 2**20
    assert peak < 10 * 2**20


@pytest.mark.parametrize(
    ("body", "is_base64", "expected_message"),
    [
        (None, False, "Failed to parse the request body as JSON: Expecting value at line 1 column 1"),
        ("{", False, "Expecting property name enclosed in double quotes at line 1 column 2"),
        ('{"inputs": "a"', False, "at line 1 column 15"),
        ('\ufeff{"inputs": "a"}', False, "Unexpected UTF-8 BOM"),
        ("[" * 100_000, False, "recursion limit exceeded"),
        ('{"inputs": "a", "x": NaN}', False, "number out of range"),
        ('{"inputs": "a", "parameters": {"temperature": 1e999}}', False, "number out of range"),
        ('{"inputs": ' + "9" * 5000 + "}", False, "number out of range"),
        ('{"inputs": "\\ud800"}', False, "lone surrogate in a string"),
        ("\ud800", False, "did not arrive as bytes of UTF-8 text"),
        ("!!", True, "did not arrive as bytes of UTF-8 text"),
        ("é", True, "did not arrive as bytes of UTF-8 text"),
        (base64.b64encode(b'{"inputs": "\xff"}').decode(), True, "invalid UTF-8 at byte 12"),
        (base64.b64encode('{"inputs": "a"}'.encode("utf-16")).decode(), True, "invalid UTF-8 at byte 0"),
        ("[1]", False, "must be a JSON object, not sequence"),
        ('"text"', False, "must be a JSON object, not string"),
        ("null", False, "must be a JSON object, not null"),
    ],
)
def test_a_body_that_is_not_a_json_object_is_rejected(
    api: ApiClient, body: Any, is_base64: bool, expected_message: str
) -> None:
    answer = api.send("/generate", raw=body, isBase64Encoded=is_base64)
    assert (answer.status, answer.json()["error_type"]) == (400, "bad_request")
    assert expected_message in answer.json()["error"]


@pytest.mark.parametrize(
    "headers",
    [
        {"headers": {"content-type": "application/json"}},
        {"headers": {"CONTENT-TYPE": "Application/JSON; charset=utf-8"}},
        {"headers": {"Content-Type": "application/vnd.api+json"}},
        {"headers": None, "multiValueHeaders": {"Content-Type": ["application/json", "application/json"]}},
    ],
)
def test_json_content_types_are_accepted(api: ApiClient, sagemaker: SageMakerDouble, headers: dict[str, Any]) -> None:
    sagemaker.replies.append(parts(EVENT))
    assert api.send("/generate", **{"raw": BODY, **headers}).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"headers": None},
        {"headers": {}},
        {"headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        {"headers": {"Content-Type": "text/json"}},
        {"headers": {"Content-Type": "application/jsonx"}},
        {"headers": {"Content-Type": ""}},
        {"multiValueHeaders": {"Content-Type": ["application/json"], "content-type": ["text/plain"]}},
    ],
)
def test_other_content_types_are_415_with_axums_message(api: ApiClient, headers: dict[str, Any]) -> None:
    answer = api.send("/generate", **{"raw": BODY, **headers})
    assert answer.status == 415
    assert answer.json()["error"] == "Expected request with `Content-Type: application/json`"


@pytest.mark.parametrize(
    "path", ["/nope", "/generate/", "//generate", "/GENERATE", "", "/v1/embeddings", "/models/", "/models/a/b"]
)
def test_an_unknown_path_is_404_and_lists_the_routes(api: ApiClient, path: str) -> None:
    answer = api.send(path, {})
    assert (answer.status, answer.json()["error_type"]) == (404, "not_found")
    assert "/v1/chat/completions" in answer.body.decode()


@pytest.mark.parametrize("path", dict.fromkeys(route.path for route in ROUTES if not route.wakes))
def test_another_method_is_405_and_lists_the_allowed_ones(api: ApiClient, path: str) -> None:
    methods = [route.method for route in ROUTES if route.path == path]
    if "GET" in methods:
        methods.insert(methods.index("GET") + 1, "HEAD")
    for method in {"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"} - set(methods):
        answer = api.send(path.replace("{model}", "llama"), method=method)
        assert (answer.status, answer.headers["Allow"]) == (405, ", ".join(methods))
        if "/v1/messages" in path:
            assert answer.json()["error"]["type"] == "invalid_request_error"
        else:
            assert answer.json()["error_type"] == "method_not_allowed"


@pytest.mark.parametrize("path", [route.path for route in ROUTES if route.method == "GET"])
def test_head_gets_the_response_to_get_whose_body_api_gateway_leaves_out(
    api: ApiClient, sagemaker: SageMakerDouble, path: str
) -> None:
    sagemaker.replies += [plain_response(b'{"EndpointStatus": "InService"}')] * 2
    path = path.replace("{model}", "llama")
    get, head = (api.send(path, method=method) for method in ("GET", "HEAD"))
    assert (head.status, head.headers, head.body) == (get.status, get.headers, get.body)
    assert get.status == 200


def test_errors_under_v1_have_openais_form(api: ApiClient) -> None:
    assert api.send("/v1/nope", {}).json()["error"]["code"] == "unknown_url"
    assert api.send("/nope", {}).json()["error"].startswith("There is no /nope here")


@pytest.mark.parametrize("event", [{}, {"httpMethod": None}, {"httpMethod": "GET"}, {"path": 5, "httpMethod": "GET"}])
def test_an_event_that_is_not_an_http_request_gets_400(api: ApiClient, event: dict[str, Any]) -> None:
    context = SimpleNamespace(request_id="id", deadline=2e9)
    response = api.app.handle(event, context)  # type: ignore[arg-type]
    assert response.status == 400
    assert b"not an HTTP request of API Gateway" in b"".join(response.body)


def test_a_defect_is_a_500_that_reveals_nothing(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> None:
        raise KeyError("canary")

    monkeypatch.setattr(api.app.sagemaker, "invoke_stream", broken)
    answer = api.send("/generate", {"inputs": "x"})
    assert (answer.status, answer.json()) == (500, {"error": "The front door failed.", "error_type": "internal"})
    line = api.log()[0]
    assert line["cause"] == "KeyError"
    assert "test_request.py" in line["traceback"][-1]
    assert "canary" not in json.dumps(line)


def test_models_are_listed_with_their_hub_ids(api_for: Callable[..., ApiClient]) -> None:
    answer = api_for(LLAMA, FALCON).send("/v1/models")
    hub_id = "meta-llama/Llama-3.1-8B-Instruct"
    assert answer.json() == {
        "object": "list",
        "data": [
            {"id": "llama", "object": "model", "created": 0, "owned_by": hub_id},
            {"id": "falcon", "object": "model", "created": 0, "owned_by": "falcon"},
        ],
    }


@pytest.mark.parametrize("status", ["InService", "Updating", "SystemUpdating", "RollingBack", "UpdateRollbackFailed"])
def test_health_is_200_while_every_endpoint_is_in_service(
    api_for: Callable[..., ApiClient], sagemaker: SageMakerDouble, status: str
) -> None:
    sagemaker.replies += [plain_response(json.dumps({"EndpointStatus": status}).encode())] * 2
    answer = api_for(LLAMA, FALCON).send("/health")
    assert (answer.status, answer.body) == (200, b"{}")
    requested = [(request.headers["x-amz-target"], request.json()["EndpointName"]) for request in sagemaker.received]
    assert requested == [("SageMaker.DescribeEndpoint", f"{name}-endpoint") for name in ("llama", "falcon")]


@pytest.mark.parametrize(
    "reply",
    [
        *(
            plain_response(json.dumps({"EndpointStatus": status}).encode())
            for status in ("Creating", "Failed", "Deleting")
        ),
        error(400, "ValidationException", message="Could not find endpoint"),
        error(400, "AccessDeniedException"),
    ],
)
def test_health_is_tgis_503_otherwise(api: ApiClient, sagemaker: SageMakerDouble, reply: Any) -> None:
    sagemaker.replies.append(reply)
    answer = api.send("/health")
    assert (answer.status, answer.json()) == (503, {"error": "unhealthy", "error_type": "healthcheck"})
    assert answer.headers["Retry-After"] == "10"


MODELS = (
    '{"b": {"endpoint_name": {"deployed": 0}, "model_id": null, "engine": "tgi", "max_body_bytes": 5}, "a": '
    '{"endpoint_name": {"deployed": 1}, "model_id": "x/y", "engine": "tgi", "max_body_bytes": 6, "version": "3"}}'
)
ENVIRONMENT = {
    "SAGEMAKER_RUNTIME_URL": "https://runtime",
    "SAGEMAKER_URL": "https://api",
    "AWS_REGION": "eu-west-1",
}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a function, with the file of its models."""
    file = tmp_path / "models.json"
    file.write_text(MODELS)
    return {**ENVIRONMENT, "MODELS_FILE": str(file), "DEPLOYED_VALUES": "e f"}


def test_the_configuration_is_read_from_the_environment_and_the_file(environment: dict[str, str]) -> None:
    config = from_environment(environment)
    assert [
        (model.name, model.endpoint_name, model.model_id, model.max_body_bytes) for model in config.models.values()
    ] == [
        ("b", "e", None, 5),
        ("a", "f", "x/y", 6),
    ]
    assert config.models["a"].facts == {"version": "3"}
    assert config.openapi_file == str(Path(environment["MODELS_FILE"]).with_name("openapi.json"))
    assert (config.runtime_url, config.sagemaker_url, config.region) == ("https://runtime", "https://api", "eu-west-1")


def test_what_a_model_that_sleeps_has_is_read_and_is_no_fact(environment: dict[str, str]) -> None:
    hours = {"windows": [[0, 480, 1140]], "tz": "UTC0", "time_zone": "UTC", "outside": "closed"}
    sleeper = {"endpoint_name": "e", "max_body_bytes": 5, "wake_seconds": 300, "hours": hours, "version": "3"}
    entries = {"sleeper": sleeper | {"inference_component": {"deployed": 0}}, "other": {**sleeper, "hours": None}}
    Path(environment["MODELS_FILE"]).write_text(json.dumps(entries))
    config = from_environment(environment | {"DEPLOYED_VALUES": "component"})
    model = config.models["sleeper"]
    assert (model.inference_component, model.wake_seconds, model.hours) == ("component", 300, hours)
    assert model.facts == {"version": "3"}
    assert config.models["other"].inference_component is None


def test_clients_are_held_and_models_woken_only_if_the_environment_says_so(environment: dict[str, str]) -> None:
    plain = from_environment(environment)
    assert (plain.holds_clients, plain.has_wake_route) == (False, False)
    waking = from_environment(environment | {"ON_WAKE": "hold", "WAKE_ROUTE": "on"})
    assert (waking.holds_clients, waking.has_wake_route) == (True, True)


def test_a_model_may_have_any_name(environment: dict[str, str]) -> None:
    entry = {"endpoint_name": {"deployed": 0}, "model_id": None, "max_body_bytes": 5}
    Path(environment["MODELS_FILE"]).write_text(json.dumps({"deployed": entry}))
    assert from_environment(environment | {"DEPLOYED_VALUES": "other"}).models["deployed"].endpoint_name == "other"


def test_the_sdks_variables_take_precedence(environment: dict[str, str]) -> None:
    redirected = {
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": "http://127.0.0.1:1",
        "AWS_ENDPOINT_URL_SAGEMAKER": "http://127.0.0.1:2",
    }
    config = from_environment(environment | redirected)
    assert (config.runtime_url, config.sagemaker_url) == ("http://127.0.0.1:1", "http://127.0.0.1:2")


@pytest.mark.parametrize(
    ("change", "expected_message"),
    [
        ({"MODELS_FILE": "/nowhere/m.json"}, "MODELS_FILE is not what a FrontDoor writes: .*'/nowhere/m.json'"),
        ({"DEPLOYED_VALUES": " f"}, r"models\.json refers to 2 values, and DEPLOYED_VALUES has 1\."),
        ({"DEPLOYED_VALUES": "two words f"}, r"models\.json refers to 2 values, and DEPLOYED_VALUES has 3\."),
        ({"DEFAULT_MAX_TOKENS": "many"}, "DEFAULT_MAX_TOKENS is not what a FrontDoor writes"),
        ({"CORS_ORIGINS": "https://a.example"}, "CORS_ORIGINS is not what a FrontDoor writes"),
    ],
)
def test_an_invalid_environment_says_why(
    change: dict[str, str], expected_message: str, environment: dict[str, str]
) -> None:
    with pytest.raises(ConfigError, match=expected_message):
        from_environment(environment | change)


@pytest.mark.parametrize(
    ("text", "expected_message"),
    [
        ("{}", r"models\.json names no model"),
        ("nonsense", "MODELS_FILE is not what a FrontDoor writes"),
        ("[]", "MODELS_FILE is not what a FrontDoor writes"),
        ('{"a": {}}', "'endpoint_name' is missing"),
        ('{"a": 1}', "MODELS_FILE is not what a FrontDoor writes"),
    ],
)
def test_an_invalid_file_says_why(text: str, expected_message: str, environment: dict[str, str]) -> None:
    Path(environment["MODELS_FILE"]).write_text(text)
    with pytest.raises(ConfigError, match=expected_message):
        from_environment(environment | {"DEPLOYED_VALUES": ""})


@pytest.mark.parametrize("name", sorted([*ENVIRONMENT, "MODELS_FILE"]))
def test_a_missing_variable_is_named(name: str, environment: dict[str, str]) -> None:
    rest = {key: value for key, value in environment.items() if key != name}
    with pytest.raises(ConfigError, match=f"'{name}' is missing from the function's environment"):
        from_environment(rest)


def test_handle_reads_the_environment_once(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    app._app.cache_clear()
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    event = {"httpMethod": "GET", "path": "/v1/models", "headers": None}
    context: Any = SimpleNamespace(request_id="id", deadline=2e9)
    assert b'"id":"b"' in b"".join(app.handle(event, context).body)
    monkeypatch.delenv("MODELS_FILE")
    assert app.handle(event, context).status == 200
    app._app.cache_clear()
    with pytest.raises(ConfigError):
        app.handle(event, context)
