"""Generated requests, valid and invalid by the API description: every response is as it describes."""

from __future__ import annotations

import ctypes
import json
import re
from collections import Counter
from typing import Any

import pytest
import schemathesis
from front_door.routes import ROUTES, Route
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.internal.conjecture import providers
from jsonschema import Draft202012Validator
from schemathesis import Case, GenerationMode, Response
from schemathesis.checks import (
    content_type_conformance,
    load_all_checks,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.conformance.emulated_front_door import MODEL_ID, FrontDoorClient
from tests.conformance.tgi_schema import F32_MEMBERS
from tests.conformance.wsgi_gateway import WsgiGateway

load_all_checks()
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
]
EXAMPLES = 60
# 1.0 is an integer in JSON Schema, but not for TGI and OpenAI.
TYPE_ERRORS = re.compile(r"invalid type: (?!floating point)|missing field|unknown variant|Unrecognized|must be `")
MODEL_NAMES = ["llama", MODEL_ID, "tgi", "nobody"]
ERROR = re.compile(r'"error":(?!null)')
WITH_MODEL = (
    "ChatCompletionRequest",
    "CompletionRequest",
    "InvocationsChat",
    "InvocationsCompletion",
    "ResponsesRequest",
    "MessagesRequest",
    "CountTokensRequest",
)
# Generating bodies for the schema of chats takes most of the time.
CHAT_PATHS = {
    "/v1/chat/completions",
    "/invocations",
    "/models/{model}/invocations",
    "/v1/responses",
    "/v1/messages",
    "/v1/messages/count_tokens",
}
ROUTE_PARAMETERS = [
    pytest.param(route, id=f"{route.method} {route.path}", marks=[pytest.mark.slow] if route.path in CHAT_PATHS else [])
    for route in ROUTES
]


@pytest.fixture(autouse=True)
def no_constants_of_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hypothesis also draws constants of the modules that happen to be loaded: each run would send other requests."""
    nothing = providers.Constants()
    monkeypatch.setattr(providers, "_get_local_constants", lambda: nothing)


@pytest.fixture(scope="module")
def document(client: FrontDoorClient) -> dict[str, Any]:
    """The API description as served, with useful names of models, and without the security that the gateway checks."""
    served: dict[str, Any] = client.get("/openapi.json").json()
    components = served["components"]
    del served["security"], components["securitySchemes"]
    components["parameters"]["model"]["schema"] = {"enum": ["llama", MODEL_ID.replace("/", "%2F"), "nobody"]}
    for item in served["paths"].values():
        for operation in item.values():
            operation.pop("security", None)
    for name in WITH_MODEL:
        components["schemas"][name]["properties"]["model"] = {"enum": [*MODEL_NAMES, None]}
    components["schemas"]["ServerResponse"] = False  # the model runs on TGI, whose answers have no other members
    return served


@pytest.fixture(scope="module")
def api(client: FrontDoorClient, document: dict[str, Any]) -> Any:
    schema = schemathesis.openapi.from_dict(document)
    schema.app = WsgiGateway(client.app)
    schema.config.update(base_url="http://localhost")
    return schema


def check_body(document: dict[str, Any], case: Case, response: Response) -> None:
    """Validate a JSON body, or each event of a stream, against the schema for the route and status."""
    media_type = response.headers["content-type"][0]
    if media_type != "text/event-stream":
        case.validate_response(response, checks=[response_schema_conformance])
        return
    events = [line.removeprefix("data: ") for line in response.text.split("\n") if line.startswith("data: ")]
    described = case.operation.definition.raw["responses"]["200"]["$ref"].rpartition("/")[2]
    schema = document["components"]["responses"][described]["content"][media_type]["schema"]
    validator = Draft202012Validator(schema | {"components": document["components"]})
    assert events
    for event in events:
        if event != "[DONE]":
            assert validator.is_valid(json.loads(event)), event
    assert all("error" not in json.loads(event) for event in events[:-2])


def send_generated(document: dict[str, Any], operation: Any, mode: GenerationMode) -> Counter[int]:
    """Send generated requests to an operation and check the responses; returns how many there were by status."""
    statuses: Counter[int] = Counter()
    # An invalid name is unknown or leads to another path, and the description excludes neither.
    overrides = {"path_parameters": {"model": "llama"}} if mode.is_negative and "{model}" in operation.path else {}

    @seed(20240229)
    @settings(
        max_examples=EXAMPLES if operation.body else 10,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode, **overrides))
    def send(case: Case) -> None:
        response = case.call()
        statuses[response.status_code] += 1
        case.validate_response(response, checks=CHECKS)
        check_body(document, case, response)
        if mode.is_negative and not is_valid(document, case):
            assert is_rejected(response), case.as_curl_command()
        if mode.is_positive and response.status_code >= 400:
            assert not TYPE_ERRORS.search(response.text), response.text

    send()
    return statuses


def is_valid(document: dict[str, Any], case: Case) -> bool:
    """Whether the body is valid after all.

    A body that is invalid for one alternative of the schema may be valid for another, and a number that is just out of
    range is in it once TGI has rounded it.
    """
    schema = case.operation.definition.raw["requestBody"]["content"]["application/json"]["schema"]
    body = round_to_f32(case.body)
    if "{model}" in case.operation.path and isinstance(body, dict) and isinstance(body.get("model"), str):
        del body["model"]  # the path names the model
    return bool(Draft202012Validator(schema | {"components": document["components"]}).is_valid(body))


def round_to_f32(value: Any) -> Any:
    """A JSON value with numbers as TGI reads them: 2.0000000000000004 as 2.0, which is in the range up to 2."""
    if isinstance(value, list):
        return [round_to_f32(item) for item in value]
    if isinstance(value, dict):
        return {
            name: ctypes.c_float(inner).value if name in F32_MEMBERS and type(inner) is float else round_to_f32(inner)
            for name, inner in value.items()
        }
    return value


def is_rejected(response: Response) -> bool:
    """Whether the response is an error or, in a stream, the last event is."""
    if response.status_code == 200 and response.headers["content-type"] == ["text/event-stream"]:
        return bool(ERROR.search(response.text.removesuffix("data: [DONE]\n\n").rstrip().rpartition("\n")[2]))
    return 400 <= response.status_code < 500


@pytest.mark.parametrize("route", ROUTE_PARAMETERS)
def test_a_valid_request_gets_a_response_as_described(api: Any, document: dict[str, Any], route: Route) -> None:
    statuses = send_generated(document, api[route.path][route.method], GenerationMode.POSITIVE)
    assert statuses[200], "no request succeeded"


@pytest.mark.parametrize("route", [each for each in ROUTE_PARAMETERS if each.values[0].request])
def test_an_invalid_request_is_rejected_as_described(api: Any, document: dict[str, Any], route: Route) -> None:
    send_generated(document, api[route.path][route.method], GenerationMode.NEGATIVE)


@pytest.mark.parametrize("path", sorted({route.path for route in ROUTES}))
def test_an_undescribed_method_is_rejected_with_the_allowed_ones(
    client: FrontDoorClient, document: dict[str, Any], path: str
) -> None:
    methods = {method.upper() for method in document["paths"][path]}
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - methods:
        response = client.request(method, path.replace("{model}", "llama"), None)
        assert response.status == 405
        assert set(response.headers["allow"].split(", ")) == methods | ({"HEAD"} if "GET" in methods else set())
