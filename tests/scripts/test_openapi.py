"""The OpenAPI description: up to date, valid, and of what the front door serves."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from front_door.errors import KINDS
from front_door.protocols.openai.errors import OPENAI
from front_door.protocols.tgi.errors import TGI
from front_door.routes import ROUTES, Route
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from scripts.openapi.document import generate
from scripts.openapi.files import ROOT, files

DOCUMENT = generate()
SCHEMAS = DOCUMENT["components"]["schemas"]


def operation(route: Route) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][route.path][route.method.lower()]
    return found


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def resolved(reference: str) -> Any:
    found: Any = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        found = found[part.replace("~1", "/").replace("~0", "~")]
    return found


def valid(schema: str, value: object) -> bool:
    wanted = {"$ref": f"#/components/schemas/{schema}", "components": DOCUMENT["components"]}
    return bool(Draft202012Validator(wanted).is_valid(value))


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_holds_the_document_as_it_is_generated_now(path: Any) -> None:
    assert path.read_text(encoding="utf-8") == files()[path], "`make openapi` writes it again"


def test_it_is_a_valid_openapi_3_1_document() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    assert [error.message for error in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()] == []


def test_every_route_of_the_table_is_described_and_nothing_else() -> None:
    described = {(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item}
    assert described == {(route.method, route.path) for route in ROUTES}


def test_every_reference_leads_somewhere_and_every_component_is_used() -> None:
    used = set(references(DOCUMENT))
    for reference in used:
        assert resolved(reference), reference
    kinds = {name: DOCUMENT["components"][name] for name in ("schemas", "responses", "parameters")}
    assert {f"#/components/{kind}/{name}" for kind, named in kinds.items() for name in named} == used


def test_every_operation_has_an_id_of_its_own_in_letters_alone() -> None:
    ids = [operation(route)["operationId"] for route in ROUTES]
    assert len(set(ids)) == len(ids)
    assert all(each.isalpha() for each in ids)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_the_body_of_a_route_is_the_one_that_the_table_names(route: Route) -> None:
    body = operation(route).get("requestBody")
    if route.request is None:
        assert body is None
        return
    assert body["required"] is True
    assert body["content"] == {"application/json": {"schema": {"$ref": f"#/components/schemas/{route.request}"}}}


# What TGI refuses without: the fields without a default in router/src/lib.rs. The gateway checks only these.
REQUIRED = {
    "GenerateRequest": {"inputs": "string"},
    "CompatGenerateRequest": {"inputs": "string"},
    "InvocationsRequest": {},
    "ChatCompletionRequest": {"messages": "array"},
    "CompletionRequest": {"prompt": ["string", "array"]},
}


@pytest.mark.parametrize("name", sorted({route.request for route in ROUTES if route.request}))
def test_a_body_needs_what_tgi_refuses_without_and_says_its_json_type(name: str) -> None:
    schema = SCHEMAS[name]
    assert schema["type"] == "object"
    required = schema.get("required", [])
    assert {member: schema["properties"][member]["type"] for member in required} == REQUIRED[name]


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_the_examples_of_a_schema_fit_it(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])
    for example in SCHEMAS[name].get("examples", []):
        assert valid(name, example), example


def test_the_examples_of_answers_fit_their_schemas() -> None:
    for name, response in DOCUMENT["components"]["responses"].items():
        for kind, media in response["content"].items():
            if name[-3:].isdigit() or kind == "text/html":
                continue
            validator = Draft202012Validator(media["schema"] | {"components": DOCUMENT["components"]})
            assert [error.message for error in validator.iter_errors(media["example"])] == [], name


# Of a method that a path does not have there is no operation to describe it at.
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "method_not_allowed"])
def test_the_status_of_every_failure_is_described_at_the_routes_that_may_fail_so(kind: str) -> None:
    for route in ROUTES:
        if route.path.endswith("/health") if kind == "healthcheck" else route.request:
            protocol = {"tgi": TGI, "openai": OPENAI}[route.protocol]
            status = protocol.statuses.get(KINDS[kind].status, KINDS[kind].status)
            assert str(status) in operation(route)["responses"], route


def test_the_served_file_is_small() -> None:
    served = (ROOT / "lambda" / "front_door" / "openapi.json").read_bytes()
    assert served.count(b"\n") == 1
    assert len(zlib.compress(served, 9)) < 9_000
