"""TGI's routes: our description of them and their responses conform to TGI 3.3.6."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from scripts.openapi.document import generate
from tests.conformance.emulated_front_door import FrontDoorClient
from tests.conformance.exchanges import ALL, Exchange
from tests.conformance.tgi_schema import JSON_TYPES, TABLE, Field, fields, violations

DOCUMENT = generate()
SCHEMAS = DOCUMENT["components"]["schemas"]
RESPONSES = DOCUMENT["components"]["responses"]
STRUCTS = [name for name in TABLE["requests"] | TABLE["answers"] if name in SCHEMAS]
OPENAI = {name for name in STRUCTS if name.startswith("ChatCompletion")} | {"Usage"}
# Not reachable through SageMaker, which only calls /invocations.
NOT_SERVED = {"POST /chat_tokenize", "POST /tokenize", "GET /metrics"}
# Our schemas that have another name than TGI's.
OURS = {
    "SagemakerRequest": "InvocationsRequest",
    "SagemakerResponse": "InvocationsResponse",
    "SagemakerStreamResponse": "InvocationsStream",
    "ChatRequest": "ChatCompletionRequest",
    "CompletionFinal": "Completion",
    "Chunk": "CompletionChunk",
    "ModelsInfo": "ModelList",
}
# The front door knows these from the plan; TGI always knows them.
OWN_MEMBERS = {"Info": {"wake"}}
"""Members that the front door adds to TGI's."""
UNKNOWN_WITHOUT_A_PLAN = {
    *("version", "max_input_tokens", "max_total_tokens"),
    # TGI's defaults are for TGI alone.
    *("max_concurrent_requests", "max_best_of", "max_stop_sequences", "max_client_batch_size", "validation_workers"),
}


def type_of(schema: dict[str, Any]) -> tuple[str, bool]:
    """A schema's type in the table's notation, with JSON's types of numbers, and whether it may be null."""
    if "anyOf" in schema and {"type": "null"} in schema["anyOf"]:
        (other,) = [each for each in schema["anyOf"] if each != {"type": "null"}]
        return type_of(other)[0], True
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2], False
    if isinstance(schema["type"], list):
        kind, null = schema["type"]
        return type_of({**schema, "type": kind})[0], null == "null"
    if schema["type"] == "array":
        return f"[{type_of(schema['items'])[0]}]", False
    if "enum" in schema:
        (name,) = [name for name, values in TABLE["enums"].items() if values == schema["enum"]]
        return name, False
    return schema["type"], False


def of_tgi(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without what TGI does not describe: the error event, and what models on other servers answer."""
    first, *rest = schema.get("anyOf", [schema])
    assert {type_of(each)[0] for each in rest} <= {"ErrorResponse", "OpenAIError", "ServerResponse"}
    return first


def expected_type(field: Field) -> str:
    inner = field.type.strip("[]")
    return field.type.replace(inner, JSON_TYPES.get(inner, inner))


@pytest.mark.parametrize("route", TABLE["routes"])
def test_a_route_has_the_request_and_response_types_of_tgi(route: str) -> None:
    method, path = route.split()
    if route in NOT_SERVED:
        assert path not in DOCUMENT["paths"]
        return
    request, response, events = (OURS.get(name, name) for name in TABLE["routes"][route])
    operation = DOCUMENT["paths"][path][method.lower()]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    assert (body and type_of(body)[0]) == request
    content = RESPONSES[operation["responses"]["200"]["$ref"].rpartition("/")[2]]["content"]
    types = {kind: type_of(of_tgi(media["schema"]))[0] for kind, media in content.items()}
    if route == "GET /health":
        assert types == {"application/json": "object"}, "API Gateway cannot stream a response without a body"
    else:
        both = {"application/json": response, "text/event-stream": events}
        assert types == {kind: name for kind, name in both.items() if name}
    failures = TABLE["failures"].get(route, TABLE["failures"].get(method, []) if request else [])
    # TGI's 422 is OpenAI's 400.
    statuses = {400 if status == 422 and path.startswith("/v1/") else status for status in failures}
    assert {str(status) for status in statuses} <= operation["responses"].keys()


@pytest.mark.parametrize("struct", [name for name in STRUCTS if name not in OPENAI])
def test_a_schema_has_the_members_and_types_of_tgi(struct: str) -> None:
    schema, table = SCHEMAS[struct], fields(struct)
    assert schema["properties"].keys() - OWN_MEMBERS.get(struct, set()) == table.keys()
    for name, field in table.items():
        may_be_null = field.is_nullable or (struct == "Info" and name in UNKNOWN_WITHOUT_A_PLAN)
        assert type_of(schema["properties"][name]) == (expected_type(field), may_be_null), name
    assert set(schema.get("required", [])) == {name for name, field in table.items() if field.is_required}
    if struct in TABLE["answers"] and struct != "ErrorResponse":
        assert schema["additionalProperties"] is False
    else:
        assert "additionalProperties" not in schema, "TGI ignores unknown members"


@pytest.mark.parametrize("struct", TABLE["requests"])
def test_a_request_schema_has_the_defaults_and_ranges_of_tgi(struct: str) -> None:
    for name, field in fields(struct).items():
        schema = SCHEMAS[struct]["properties"][name]
        if field.default is not None and name != "parameters":
            assert schema["default"] == json.loads(field.default)
        if field.limits:
            assert {keyword: schema[keyword] for keyword in field.limits} == field.limits, name


def test_openai_response_schemas_require_every_member_that_tgi_always_sends() -> None:
    for struct in ("ChatCompletion", "ChatCompletionChunk", "CompletionFinal", "Usage"):
        schema = SCHEMAS[OURS.get(struct, struct)]
        always = {name for name, field in fields(struct).items() if field.is_required and not field.is_nullable}
        assert always <= set(schema["required"])


NATIVE = [
    exchange
    for exchange in ALL
    if not exchange.is_openai
    and exchange.answer["headers"] in ("json", "generation", "stream")
    and exchange.path not in ("/tokenize", "/chat_tokenize")
]


@pytest.mark.parametrize("exchange", NATIVE, ids=lambda exchange: exchange.name)
def test_the_table_describes_what_tgi_sends(exchange: Exchange) -> None:
    answers = {"/info": "Info", "/v1/models": "ModelsInfo"}
    is_stream = exchange.answer["headers"] == "stream"
    struct = answers.get(exchange.path, "StreamResponse" if is_stream else "GenerateResponse")
    body = exchange.answer["body"]
    for each in body if isinstance(body, list) else [body]:
        assert list(violations("ErrorResponse" if "error" in each else struct, each)) == []


PARAMETERS: list[dict[str, Any] | None] = [
    None,
    {},
    {"details": True, "seed": 3},
    {"details": True, "do_sample": True, "top_n_tokens": 2},
    {"return_full_text": True, "stop": ["model"], "max_new_tokens": 5},
    {"decoder_input_details": True, "details": True, "max_new_tokens": 3},
    {"best_of": 2, "do_sample": True, "details": True, "max_new_tokens": 3},
]
PREFIXES = ("", "/models/llama")


def bodies(**more: Any) -> list[dict[str, Any]]:
    return [
        {"inputs": "Why is the sky blue?", **more, **({} if each is None else {"parameters": each})}
        for each in PARAMETERS
    ]


@pytest.mark.parametrize("body", bodies(), ids=lambda body: json.dumps(body.get("parameters")))
@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_generation_conforms_to_tgi(client: FrontDoorClient, prefix: str, body: dict[str, Any]) -> None:
    response = client.post(f"{prefix}/generate", body)
    assert (response.status, response.content_type) == (200, "application/json")
    assert list(violations("GenerateResponse", response.json())) == []
    assert ("details" in response.json()) == bool(
        {"details", "decoder_input_details"} & (body.get("parameters") or {}).keys()
    )
    for path in (prefix or "/", f"{prefix}/invocations"):
        response = client.post(path, body)
        assert (response.status, response.content_type) == (200, "application/json")
        (only,) = response.json()
        assert list(violations("GenerateResponse", only)) == []


@pytest.mark.parametrize("body", bodies(stream=True)[:5], ids=lambda body: json.dumps(body.get("parameters")))
@pytest.mark.parametrize(
    ("prefix", "path"), list(itertools.product(PREFIXES, ("", "/generate_stream", "/invocations")))
)
def test_a_stream_has_the_events_of_tgi(client: FrontDoorClient, prefix: str, path: str, body: dict[str, Any]) -> None:
    response = client.post(prefix + path or "/", body)
    assert (response.status, response.content_type) == (200, "text/event-stream")
    *before, last = response.events()
    assert "[DONE]" not in response.data()
    assert [event["index"] for event in [*before, last]] == list(range(1, len(before) + 2))
    assert [problem for event in [*before, last] for problem in violations("StreamResponse", event)] == []
    assert all(event["generated_text"] is None and event["details"] is None for event in before)
    assert isinstance(last["generated_text"], str)
    assert (last["details"] is not None) == bool((body.get("parameters") or {}).get("details"))


@pytest.mark.parametrize(
    ("body", "status", "error_type"),
    [
        ({"inputs": ""}, 422, "validation"),
        ({"inputs": "Hi", "parameters": {"temperature": 0}}, 422, "validation"),
        ({"inputs": "Hi", "parameters": {"best_of": 2}}, 422, "validation"),
        ({"inputs": 1}, 422, "validation"),
        ({}, 422, "validation"),
        ([], 400, "bad_request"),
    ],
)
@pytest.mark.parametrize("path", ["/", "/generate", "/invocations", "/models/llama/generate"])
def test_a_validation_error_conforms_to_tgi(
    client: FrontDoorClient, path: str, body: object, status: int, error_type: str
) -> None:
    response = client.post(path, body)
    assert (response.status, response.content_type) == (status, "application/json")
    assert list(violations("ErrorResponse", response.json())) == []
    assert response.json()["error_type"] == error_type


@pytest.mark.parametrize(("penalty", "status"), [(2.0, 200), (2.0000000000000004, 200), (2.0000003, 422)])
def test_a_number_is_rounded_to_32_bits_before_its_range_is_checked(
    client: FrontDoorClient, penalty: float, status: int
) -> None:
    body = {"inputs": "Hi", "parameters": {"frequency_penalty": penalty}}
    assert client.post("/generate", body).status == status


@pytest.mark.parametrize("path", ["/", "/generate_stream"])
def test_a_validation_error_of_the_container_is_an_error_event_of_tgi(client: FrontDoorClient, path: str) -> None:
    response = client.post(path, {"inputs": "Hi", "parameters": {"temperature": 0}, "stream": True})
    assert (response.status, response.content_type) == (200, "text/event-stream")
    (event,) = response.events()
    assert list(violations("ErrorResponse", event)) == []
    assert event["error_type"] == "validation"


@pytest.mark.parametrize(("fault", "status"), [("throttle", 429), ("model-error", 424)])
@pytest.mark.parametrize("path", ["/", "/generate", "/generate_stream"])
def test_a_failure_has_the_error_body_and_status_of_tgi(
    client: FrontDoorClient, path: str, fault: str, status: int
) -> None:
    client.faults.inject(fault, 10)
    response = client.post(path, {"inputs": "Hi"})
    client.faults.clear()
    assert response.status == status
    assert list(violations("ErrorResponse", response.json())) == []


@pytest.mark.parametrize("prefix", PREFIXES)
def test_info_conforms_to_tgi(client: FrontDoorClient, prefix: str) -> None:
    response = client.get(f"{prefix}/info")
    assert response.status == 200
    assert list(violations("Info", response.json())) == []


def test_the_model_list_conforms_to_tgi(client: FrontDoorClient) -> None:
    assert list(violations("ModelsInfo", client.get("/v1/models").json())) == []
    assert list(violations("ModelInfo", client.get("/v1/models/llama").json())) == []
