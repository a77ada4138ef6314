"""TGI's own routes: our description of them, and what they answer, against what TGI 3.3.6 has."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from scripts.openapi.document import generate
from tests.conformance.emulated_door import Door
from tests.conformance.tgi_facts import JSON_TYPES, TABLE, Field, fields, problems

DOCUMENT = generate()
SCHEMAS = DOCUMENT["components"]["schemas"]
RESPONSES = DOCUMENT["components"]["responses"]
STRUCTS = [name for name in TABLE["requests"] | TABLE["answers"] if name in SCHEMAS]
OPENAI = {name for name in STRUCTS if name.startswith("ChatCompletion")} | {"Usage"}
# Not reachable through SageMaker, which passes on /invocations alone.
NOT_SERVED = {"POST /chat_tokenize", "POST /tokenize", "GET /metrics"}
# What the door's own schema is called where it is not TGI's name.
OURS = {
    "SagemakerRequest": "InvocationsRequest",
    "SagemakerResponse": "InvocationsResponse",
    "SagemakerStreamResponse": "InvocationsStream",
    "ChatRequest": "ChatCompletionRequest",
    "CompletionFinal": "Completion",
    "Chunk": "CompletionChunk",
    "ModelsInfo": "ModelList",
}
# The door knows what the plan knows; TGI always knows it of itself.
UNKNOWN_WITHOUT_A_PLAN = {"version", "max_input_tokens", "max_total_tokens"}


def described(schema: dict[str, Any]) -> tuple[str, bool]:
    """A schema's type in the table's notation, numbers by their JSON type, and whether it may be null."""
    if "anyOf" in schema and {"type": "null"} in schema["anyOf"]:
        (other,) = [each for each in schema["anyOf"] if each != {"type": "null"}]
        return described(other)[0], True
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2], False
    if isinstance(schema["type"], list):
        kind, null = schema["type"]
        return described({**schema, "type": kind})[0], null == "null"
    if schema["type"] == "array":
        return f"[{described(schema['items'])[0]}]", False
    if "enum" in schema:
        (name,) = [name for name, values in TABLE["enums"].items() if values == schema["enum"]]
        return name, False
    return schema["type"], False


def without_error(schema: dict[str, Any]) -> dict[str, Any]:
    """What events are, but for the one that tells of a failure, which TGI does not describe."""
    first, *rest = schema.get("anyOf", [schema])
    assert {described(each)[0] for each in rest} <= {"ErrorResponse", "OpenAIError"}
    return first


def wanted(field: Field) -> str:
    inner = field.type.strip("[]")
    return field.type.replace(inner, JSON_TYPES.get(inner, inner))


@pytest.mark.parametrize("route", TABLE["routes"])
def test_a_route_takes_and_answers_what_tgis_does(route: str) -> None:
    method, path = route.split()
    if route in NOT_SERVED:
        assert path not in DOCUMENT["paths"]
        return
    request, answer, events = (OURS.get(name, name) for name in TABLE["routes"][route])
    operation = DOCUMENT["paths"][path][method.lower()]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    assert (body and described(body)[0]) == request
    content = RESPONSES[operation["responses"]["200"]["$ref"].rpartition("/")[2]]["content"]
    has = {kind: described(without_error(media["schema"]))[0] for kind, media in content.items()}
    if route == "GET /health":
        assert has == {"application/json": "object"}, "API Gateway cannot stream an answer without a body"
    else:
        both = {"application/json": answer, "text/event-stream": events}
        assert has == {kind: name for kind, name in both.items() if name}
    failures = TABLE["failures"].get(route, TABLE["failures"].get(method, []) if request else [])
    # What TGI calls unprocessable is a bad request to OpenAI's clients.
    ours = {400 if status == 422 and path.startswith("/v1/") else status for status in failures}
    assert {str(status) for status in ours} <= operation["responses"].keys()


@pytest.mark.parametrize("struct", [name for name in STRUCTS if name not in OPENAI])
def test_a_schema_has_tgis_members_with_their_types(struct: str) -> None:
    schema, table = SCHEMAS[struct], fields(struct)
    assert schema["properties"].keys() == table.keys()
    for name, field in table.items():
        may_be_null = field.is_nullable or (struct == "Info" and name in UNKNOWN_WITHOUT_A_PLAN)
        assert described(schema["properties"][name]) == (wanted(field), may_be_null), name
    assert set(schema.get("required", [])) == {name for name, field in table.items() if field.is_required}
    if struct in TABLE["answers"] and struct != "ErrorResponse":
        assert schema["additionalProperties"] is False
    else:
        assert "additionalProperties" not in schema, "TGI ignores what it does not know"


@pytest.mark.parametrize("struct", TABLE["requests"])
def test_a_request_says_tgis_defaults_and_ranges(struct: str) -> None:
    for name, field in fields(struct).items():
        schema = SCHEMAS[struct]["properties"][name]
        if field.default is not None and name != "parameters":
            assert schema["default"] == json.loads(field.default)
        if field.limits:
            assert {keyword: schema[keyword] for keyword in field.limits} == field.limits, name


def test_openai_answers_promise_every_member_that_tgi_always_has() -> None:
    for struct in ("ChatCompletion", "ChatCompletionChunk", "CompletionFinal", "Usage"):
        schema = SCHEMAS[OURS.get(struct, struct)]
        always = {name for name, field in fields(struct).items() if field.is_required and not field.is_nullable}
        assert always <= set(schema["required"])


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
def test_a_generation_has_tgis_shape(door: Door, prefix: str, body: dict[str, Any]) -> None:
    answer = door.post(f"{prefix}/generate", body)
    assert (answer.status, answer.content_type) == (200, "application/json")
    assert list(problems("GenerateResponse", answer.json())) == []
    assert ("details" in answer.json()) == bool(
        {"details", "decoder_input_details"} & (body.get("parameters") or {}).keys()
    )
    for path in (prefix or "/", f"{prefix}/invocations"):
        answer = door.post(path, body)
        assert (answer.status, answer.content_type) == (200, "application/json")
        (only,) = answer.json()
        assert list(problems("GenerateResponse", only)) == []


@pytest.mark.parametrize("body", bodies(stream=True)[:5], ids=lambda body: json.dumps(body.get("parameters")))
@pytest.mark.parametrize(
    ("prefix", "path"), list(itertools.product(PREFIXES, ("", "/generate_stream", "/invocations")))
)
def test_a_stream_has_tgis_events(door: Door, prefix: str, path: str, body: dict[str, Any]) -> None:
    answer = door.post(prefix + path or "/", body)
    assert (answer.status, answer.content_type) == (200, "text/event-stream")
    *before, last = answer.events()
    assert "[DONE]" not in answer.data()
    assert [event["index"] for event in [*before, last]] == list(range(1, len(before) + 2))
    assert [problem for event in [*before, last] for problem in problems("StreamResponse", event)] == []
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
def test_a_refusal_has_tgis_shape(door: Door, path: str, body: object, status: int, error_type: str) -> None:
    answer = door.post(path, body)
    assert (answer.status, answer.content_type) == (status, "application/json")
    assert list(problems("ErrorResponse", answer.json())) == []
    assert answer.json()["error_type"] == error_type


@pytest.mark.parametrize("path", ["/", "/generate_stream"])
def test_what_only_the_container_can_refuse_is_an_event_as_tgi_has_it(door: Door, path: str) -> None:
    answer = door.post(path, {"inputs": "Hi", "parameters": {"temperature": 0}, "stream": True})
    assert (answer.status, answer.content_type) == (200, "text/event-stream")
    (event,) = answer.events()
    assert list(problems("ErrorResponse", event)) == []
    assert event["error_type"] == "validation"


@pytest.mark.parametrize(("fault", "status"), [("throttle", 429), ("model-error", 424)])
@pytest.mark.parametrize("path", ["/", "/generate", "/generate_stream"])
def test_a_failure_has_tgis_shape_and_status(door: Door, path: str, fault: str, status: int) -> None:
    door.faults.inject(fault, 10)
    answer = door.post(path, {"inputs": "Hi"})
    door.faults.clear()
    assert answer.status == status
    assert list(problems("ErrorResponse", answer.json())) == []


@pytest.mark.parametrize("prefix", PREFIXES)
def test_the_info_has_tgis_members(door: Door, prefix: str) -> None:
    answer = door.get(f"{prefix}/info")
    assert answer.status == 200
    assert list(problems("Info", answer.json())) == []


def test_the_list_of_models_has_tgis_members(door: Door) -> None:
    assert list(problems("ModelsInfo", door.get("/v1/models").json())) == []
    assert list(problems("ModelInfo", door.get("/v1/models/llama").json())) == []
