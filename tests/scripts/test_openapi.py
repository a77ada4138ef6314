"""The OpenAPI document: up to date, valid, and complete."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from front_door.errors import KINDS
from front_door.http.json_schema import Field
from front_door.protocols.messages import schema as messages_schema
from front_door.protocols.messages.errors import ANTHROPIC
from front_door.protocols.openai.errors import OPENAI
from front_door.protocols.responses import request as responses_request
from front_door.protocols.responses import schema as responses_schema
from front_door.protocols.tgi.errors import TGI
from front_door.routes import ROUTES, Route
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from scripts.openapi.document import FILE, generate, render

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
    reference = {"$ref": f"#/components/schemas/{schema}", "components": DOCUMENT["components"]}
    return bool(Draft202012Validator(reference).is_valid(value))


def test_the_file_is_up_to_date() -> None:
    assert FILE.read_text(encoding="utf-8") == render(), "run `make openapi`"


def test_it_is_a_valid_openapi_3_1_document() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    assert [error.message for error in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()] == []


def test_the_routes_of_the_table_are_described_and_no_others() -> None:
    described = {(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item}
    assert described == {(route.method, route.path) for route in ROUTES}


def test_every_reference_resolves_and_every_component_is_used() -> None:
    used = set(references(DOCUMENT))
    for reference in used:
        assert resolved(reference), reference
    kinds = {name: DOCUMENT["components"][name] for name in ("schemas", "responses", "parameters")}
    assert {f"#/components/{kind}/{name}" for kind, named in kinds.items() for name in named} == used


def test_operation_ids_are_unique_and_consist_of_letters() -> None:
    ids = [operation(route)["operationId"] for route in ROUTES]
    assert len(set(ids)) == len(ids)
    assert all(operation_id.isalpha() for operation_id in ids)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_the_request_body_of_a_route_is_the_one_named_in_the_table(route: Route) -> None:
    body = operation(route).get("requestBody")
    if route.request is None:
        assert body is None
        return
    assert body["required"] is True
    assert body["content"] == {"application/json": {"schema": {"$ref": f"#/components/schemas/{route.request}"}}}


# The fields without a default in router/src/lib.rs, and those without which OpenAI and Anthropic answer nothing.
REQUIRED = {
    "GenerateRequest": {"inputs": "string"},
    "CompatGenerateRequest": {"inputs": "string"},
    "InvocationsRequest": {},
    "ChatCompletionRequest": {"messages": "array"},
    "CompletionRequest": {"prompt": ["string", "array"]},
    "ResponsesRequest": {"input": None},
    "MessagesRequest": {"messages": "array", "max_tokens": "integer"},
    "CountTokensRequest": {"messages": "array"},
}


@pytest.mark.parametrize("name", sorted({route.request for route in ROUTES if route.request}))
def test_the_required_properties_of_a_body_are_those_that_its_server_requires(name: str) -> None:
    schema = SCHEMAS[name]
    assert schema["type"] == "object"
    required = schema.get("required", [])
    assert {member: schema["properties"][member].get("type") for member in required} == REQUIRED[name]


def test_the_properties_of_messages_are_those_that_the_function_reads_or_passes_over() -> None:
    passed_over = {*messages_schema._PASSED_OVER, *messages_schema._NEEDS_A_SERVER}
    assert set(SCHEMAS["MessagesRequest"]["properties"]) == {*messages_schema.MESSAGES, *passed_over}
    assert set(SCHEMAS["CountTokensRequest"]["properties"]) == set(SCHEMAS["MessagesRequest"]["properties"])


def test_the_properties_of_responses_are_those_that_the_function_reads_or_passes_over() -> None:
    described = set(SCHEMAS["ResponsesRequest"]["properties"])
    read = {*responses_schema.FIELDS, *responses_request._NEEDS_STORE, *responses_request._IGNORED}
    assert read <= described
    assert described - read == {"seed", "stop", "frequency_penalty", "presence_penalty", "logit_bias"}
    assert described - read < set(SCHEMAS["ChatCompletionRequest"]["properties"])


VALUES: list[Any] = [
    *(True, False, 0, 1, -1, 0.5, 1.5, 21, 2**31, 2**32, "", "x", "auto", "low", "none", "max", "24h", "in_memory"),
    *([], [1], ["x"], [""], [[]], [None], {}, {"x": 1}, {"x": "y"}, {"x": None}, {"type": None}, {"effort": "x"}),
    *({"type": kind} for kind in ("text", "auto", "tool", "none", "enabled", "json_schema", "function", "x", 1)),
    *([{"type": kind}] for kind in ("text", "message", "reasoning", "item_reference", "function", "custom", 1)),
    *(
        [{"role": role, "content": content}]
        for role in ("user", "assistant", "system", "x")
        for content in ("", "x", [])
    ),
    *(
        [{"role": role, "content": [{"type": kind, "text": "x"}]}]
        for role in ("user", "assistant", "system")
        for kind in ("text", "input_text", "output_text", "refusal", "image", "thinking", "tool_use")
    ),
    [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "x", "content": [{"type": "image"}]}]}],
    [{"type": "function_call", "call_id": "x", "name": "y", "arguments": {}}],
    [{"type": "item_reference", "id": "msg_1"}],
    [{"name": "x"}],
    [{"name": "x", "input_schema": []}],
    [{"type": "function", "name": "x", "parameters": []}],
    {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "x"}]},
    {"format": {"type": "json_schema", "name": "x", "schema": True}},
]


@pytest.mark.parametrize(
    ("schema", "fields"),
    [
        ("ResponsesRequest", responses_schema.FIELDS),
        ("MessagesRequest", messages_schema.MESSAGES),
        ("CountTokensRequest", messages_schema.COUNT_TOKENS),
    ],
)
def test_what_is_described_of_a_property_has_the_type_that_the_function_wants(
    schema: str, fields: dict[str, Field]
) -> None:
    accepted = 0
    for name, field in fields.items():
        described = SCHEMAS[schema]["properties"][name] | {"components": DOCUMENT["components"]}
        for value in filter(Draft202012Validator(described).is_valid, VALUES):
            accepted += 1
            assert list(field.type(value, name)) == [], (name, value)
    assert accepted > len(fields)


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_the_examples_of_a_schema_match_it(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])
    for example in SCHEMAS[name].get("examples", []):
        assert valid(name, example), example


def test_the_examples_of_responses_match_their_schemas() -> None:
    for name, response in DOCUMENT["components"]["responses"].items():
        for kind, media in response["content"].items():
            if name[-3:].isdigit() or kind == "text/html":
                continue
            validator = Draft202012Validator(media["schema"] | {"components": DOCUMENT["components"]})
            assert [error.message for error in validator.iter_errors(media["example"])] == [], name


# A method that a path does not have has no operation that could describe the error.
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "method_not_allowed"])
def test_the_status_of_every_error_is_described_at_the_routes_that_can_send_it(kind: str) -> None:
    for route in ROUTES:
        if route.path.endswith("/health") if kind == "healthcheck" else route.request:
            protocol = {"tgi": TGI, "openai": OPENAI, "anthropic": ANTHROPIC}[route.protocol]
            status = protocol.statuses.get(KINDS[kind].status, KINDS[kind].status)
            assert str(status) in operation(route)["responses"], route


def test_the_served_file_is_small() -> None:
    served = FILE.read_bytes()
    assert served.count(b"\n") == 1
    assert len(zlib.compress(served, 9)) < 12_500
