"""Drawn requests, some that fit the description and some that do not: every answer is one that it describes."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pytest
import schemathesis
from front_door.routes import ROUTES, Route
from hypothesis import HealthCheck, Phase, given, seed, settings
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

from tests.conformance.emulated_door import MODEL_ID, Door
from tests.conformance.wsgi_gateway import Gateway

load_all_checks()
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
]
EXAMPLES = 60
# 1.0 is an integer to JSON Schema, but to TGI and OpenAI it is none.
NOT_READABLE = re.compile(r"invalid type: (?!floating point)|missing field|unknown variant|Unrecognized|must be `")
NAMES = ["llama", MODEL_ID, "tgi", "nobody"]


@pytest.fixture(scope="module")
def document(door: Door) -> dict[str, Any]:
    """What the door serves, with names of models that are worth drawing, and without what only the gateway checks."""
    served: dict[str, Any] = door.get("/openapi.json").json()
    components = served["components"]
    del served["security"], components["securitySchemes"]
    components["parameters"]["model"]["schema"] = {"enum": ["llama", MODEL_ID.replace("/", "%2F"), "nobody"]}
    for name in ("ChatCompletionRequest", "CompletionRequest", "InvocationsChat", "InvocationsCompletion"):
        components["schemas"][name]["properties"]["model"] = {"enum": [*NAMES, None]}
    return served


@pytest.fixture(scope="module")
def described(door: Door, document: dict[str, Any]) -> Any:
    schema = schemathesis.openapi.from_dict(document)
    schema.app = Gateway(door.app)
    schema.config.update(base_url="http://localhost")
    return schema


def check_body(document: dict[str, Any], case: Case, response: Response) -> None:
    """JSON as the description of the route and its status has it, events each for itself."""
    kind = response.headers["content-type"][0]
    if kind != "text/event-stream":
        case.validate_response(response, checks=[response_schema_conformance])
        return
    events = [line.removeprefix("data: ") for line in response.text.split("\n") if line.startswith("data: ")]
    described = case.operation.definition.raw["responses"]["200"]["$ref"].rpartition("/")[2]
    schema = document["components"]["responses"][described]["content"][kind]["schema"]
    validator = Draft202012Validator(schema | {"components": document["components"]})
    assert events
    for event in events:
        if event != "[DONE]":
            assert validator.is_valid(json.loads(event)), event
    assert all("error" not in json.loads(event) for event in events[:-2])


def asked(document: dict[str, Any], operation: Any, mode: GenerationMode) -> Counter[int]:
    """Ask what is drawn for an operation; what answers there were, by status."""
    seen: Counter[int] = Counter()
    # A name that is spoilt is a name that nobody has, or leads to another path: nothing that the description excludes.
    named = {"path_parameters": {"model": "llama"}} if mode.is_negative and "{model}" in operation.path else {}

    @seed(20240229)
    @settings(
        max_examples=EXAMPLES if operation.body else 10,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode, **named))
    def ask(case: Case) -> None:
        response = case.call()
        seen[response.status_code] += 1
        case.validate_response(response, checks=CHECKS)
        check_body(document, case, response)
        if mode.is_negative and not fits(document, case):
            assert is_refused(response), case.as_curl_command()
        if mode.is_positive and response.status_code >= 400:
            assert not NOT_READABLE.search(response.text), response.text

    ask()
    return seen


def fits(document: dict[str, Any], case: Case) -> bool:
    """Whether the body is what the description wants after all: spoilt for one alternative, it may fit another."""
    schema = case.operation.definition.raw["requestBody"]["content"]["application/json"]["schema"]
    return bool(Draft202012Validator(schema | {"components": document["components"]}).is_valid(case.body))


def is_refused(response: Response) -> bool:
    """Whether the answer is an error; in a stream the last event tells it, behind the choices that had begun."""
    if response.status_code == 200 and response.headers["content-type"] == ["text/event-stream"]:
        return '"error":' in response.text.removesuffix("data: [DONE]\n\n").rstrip().rpartition("\n")[2]
    return 400 <= response.status_code < 500


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_a_request_that_fits_the_description_gets_an_answer_that_does(
    described: Any, document: dict[str, Any], route: Route
) -> None:
    seen = asked(document, described[route.path][route.method], GenerationMode.POSITIVE)
    assert seen[200], "nothing was accepted, so nothing was tried"


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.request], ids=lambda route: f"{route.method} {route.path}"
)
def test_a_request_that_does_not_fit_the_description_is_refused_as_described(
    described: Any, document: dict[str, Any], route: Route
) -> None:
    asked(document, described[route.path][route.method], GenerationMode.NEGATIVE)


@pytest.mark.parametrize("path", sorted({route.path for route in ROUTES}))
def test_a_method_that_is_not_described_is_refused_and_the_described_ones_are_named(
    door: Door, document: dict[str, Any], path: str
) -> None:
    methods = {method.upper() for method in document["paths"][path]}
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - methods:
        answer = door.ask(method, path.replace("{model}", "llama"), None)
        assert answer.status == 405
        assert set(answer.headers["allow"].split(", ")) == methods
